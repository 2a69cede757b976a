import * as Paced from "../load/Paced.ts"
import { cpuPerOperation, facadeToEffect, type Scenario } from "../Scenario.ts"

/** One event to everyone: one kernel write a delivery, whoever serves it. */
export const broadcast: Scenario = {
  name: "broadcast",
  about: "500 WebSocket connections, 40 broadcasts a second to all, paced by the generator",
  needs: "websocket",
  fresh: false,
  gc: false,
  duration: 1500,
  rounds: 7,
  figures: [cpuPerOperation("broadcast to 500, a delivery", { official: 1, ours: facadeToEffect })],
  prepare: (port) => Paced.prepare(port, { connections: 500, rate: 40 })
}
