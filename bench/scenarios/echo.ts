import * as ClosedLoop from "../load/ClosedLoop.ts"
import * as Message from "../Message.ts"
import { cpuPerOperation, facadeToEffect, type Scenario } from "../Scenario.ts"

/** Throughput: each request is a write of its own, as independent callers make them; how many one read brings is up to the timing. */
export const echo: Scenario = {
  name: "echo",
  about: "50 WebSocket connections, 32 echoes in flight on each",
  needs: "websocket",
  fresh: false,
  gc: false,
  duration: 1000,
  rounds: 7,
  figures: [cpuPerOperation("echo, 50 x 32 in flight", { official: 0.8, ours: facadeToEffect })],
  prepare: (port) =>
    ClosedLoop.prepare(port, {
      connections: 50,
      inFlight: 32,
      writes: "each",
      request: () => Message.echo,
      response: () => Message.echo
    })
}
