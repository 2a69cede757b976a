import * as ClosedLoop from "../load/ClosedLoop.ts"
import * as Message from "../Message.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

/** The best case for batching: 32 requests in one segment, so a server that corks reads once and writes once for all of them. */
export const echoBurst: Scenario = {
  name: "echo-burst",
  about: "50 WebSocket connections, 32 echoes in flight on each, requests that are due together in one write",
  needs: "websocket",
  group: "fifty",
  allEvents: true,
  fresh: false,
  gc: false,
  duration: 400,
  rounds: 3,
  generators: 2,
  figures: [cpuPerOperation("echo, bursts of 32 (no goal)", {})],
  prepare: (target) =>
    ClosedLoop.prepare(target, {
      connections: 50,
      inFlight: 32,
      writes: "burst",
      request: () => Message.echo,
      response: () => Message.echo
    })
}
