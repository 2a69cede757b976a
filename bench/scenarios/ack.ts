import * as ClosedLoop from "../load/ClosedLoop.ts"
import * as Message from "../Message.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

// Ids 10 to 25 are used again and again: a fixed width, so that frames can be made once.
const first = 10

/** An event with an acknowledgement: the server answers by id. */
export const ack: Scenario = {
  name: "ack",
  about: "50 WebSocket connections, 16 events awaiting their ack on each",
  needs: "websocket",
  group: "fifty",
  allEvents: true,
  fresh: false,
  gc: false,
  duration: 500,
  rounds: 5,
  generators: 2,
  figures: [cpuPerOperation("ack, 50 x 16 in flight", { official: 0.55, ws: 0.8, "ws-cork": 1.05 })],
  prepare: (target) =>
    ClosedLoop.prepare(target, {
      connections: 50,
      inFlight: 16,
      writes: "each",
      request: (slot) => Message.ask(first + slot),
      response: (slot) => Message.answered(first + slot),
      slotOf: (buffer, start) => (buffer[start + 2]! - 48) * 10 + buffer[start + 3]! - 48 - first
    })
}
