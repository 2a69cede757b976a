import * as ClosedLoop from "../load/ClosedLoop.ts"
import * as Message from "../Message.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

/** Throughput: each request is a write of its own, as independent callers make them; how many one read brings is up to the timing. */
export const echo: Scenario = {
  name: "echo",
  about: "50 WebSocket connections, 32 echoes in flight on each",
  needs: "websocket",
  group: "fifty",
  allEvents: true,
  fresh: false,
  gc: false,
  duration: 500,
  rounds: 5,
  generators: 2,
  figures: [cpuPerOperation("echo, 50 x 32 in flight", { official: 0.58, ws: 0.8, "ws-cork": 1.05 })],
  prepare: (target) =>
    ClosedLoop.prepare(target, {
      connections: 50,
      inFlight: 32,
      writes: "each",
      request: () => Message.echo,
      response: () => Message.echo
    })
}
