import * as ClosedLoop from "../load/ClosedLoop.ts"
import * as Message from "../Message.ts"
import { cpuPerOperation, type Scenario } from "../Scenario.ts"

/** What schemas cost: an event whose arguments are checked on both ways, beside the same event of a namespace without a contract. */
export const validated: Scenario = {
  name: "validated",
  about: "echo, 50 x 32, our server with a contract beside our server without one",
  needs: "contract",
  group: "validated",
  fresh: false,
  gc: false,
  duration: 500,
  rounds: 5,
  generators: 2,
  figures: [cpuPerOperation("echo with schemas, 50 x 32", { "ours-untyped": 1.1 })],
  prepare: (target) =>
    ClosedLoop.prepare(target, {
      connections: 50,
      inFlight: 32,
      writes: "each",
      request: () => Message.echo,
      response: () => Message.echo
    })
}
