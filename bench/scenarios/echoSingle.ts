import * as ClosedLoop from "../load/ClosedLoop.ts"
import * as Message from "../Message.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

/** One message a turn and connection: nothing to batch, one read and one write each; and what deferring a write costs in latency. */
export const echoSingle: Scenario = {
  name: "echo-single",
  about: "200 WebSocket connections, 1 echo in flight on each",
  needs: "websocket",
  group: "twohundred",
  fresh: false,
  gc: false,
  duration: 500,
  rounds: 7,
  generators: 2,
  figures: [
    cpuPerOperation("echo, 200 x 1 in flight", { official: 0.9, ws: 1.15 }),
    {
      key: "p50",
      title: "… latency, median",
      unit: "ms",
      goals: { official: "spread" },
      read: (_before, _after, load) => load.latency?.p50
    },
    {
      key: "p99",
      title: "… latency, 99 %",
      unit: "ms",
      goals: { official: "spread" },
      read: (_before, _after, load) => load.latency?.p99
    }
  ],
  prepare: (target) =>
    ClosedLoop.prepare(target, {
      connections: 200,
      inFlight: 1,
      writes: "each",
      request: () => Message.echo,
      response: () => Message.echo,
      latency: true
    })
}
