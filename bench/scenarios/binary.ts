import * as ClosedLoop from "../load/ClosedLoop.ts"
import * as Message from "../Message.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

const bytes = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, index) => index * 7)

const binary = (name: string, size: number, inFlight: number, title: string): Scenario => ({
  name,
  about: `50 WebSocket connections, ${inFlight} in flight on each, an attachment of ${size.toLocaleString("en-US")} bytes there and back`,
  needs: "websocket",
  group: "fifty",
  allEvents: true,
  fresh: false,
  gc: false,
  duration: 500,
  rounds: 5,
  generators: 2,
  figures: [cpuPerOperation(title, { official: 0.7, ws: 1.1 })],
  prepare: (target) =>
    ClosedLoop.prepare(target, {
      connections: 50,
      inFlight,
      writes: "each",
      request: () => Message.binary,
      response: () => Message.binary,
      attachment: bytes(size),
      warmUp: 3000
    })
})

/** Small attachments: a second frame for each event. */
export const binary1k: Scenario = binary("binary-1k", 1000, 8, "binary echo, 1 kB")

/** Large ones: copying and unmasking. */
export const binary100k: Scenario = binary("binary-100k", 100_000, 1, "binary echo, 100 kB")
