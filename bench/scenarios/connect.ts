import * as Client from "../load/Client.ts"
import * as Connecting from "../load/Connecting.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

/** A new connection on WebSocket from the start. */
export const connect: Scenario = {
  name: "connect",
  about: "TCP, WebSocket upgrade, handshake and namespace; 20 at a time, held until the mark",
  needs: "websocket",
  group: "connect",
  fresh: false,
  gc: false,
  duration: 600,
  rounds: 5,
  figures: [cpuPerOperation("connect, WebSocket", { official: 0.55 })],
  prepare: ({ port }) =>
    Promise.resolve(Connecting.prepare(() => Client.webSocket(port), { concurrency: 20, warmUp: 1500, limit: 4000 }))
}
