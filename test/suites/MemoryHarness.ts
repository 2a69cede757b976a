/** The in-memory network under virtual time. */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import { type Case, type Harness, type Times, type Way, ways } from "./Harness.ts"

const times: Times = {
  pingInterval: 25_000,
  pingTimeout: 20_000,
  reconnectionDelay: 1000,
  ackTimeout: 5000,
  while: 120_000
}

const make = (network: MemoryNetwork.MemoryNetwork["Service"], way: Way): Harness => {
  const adjust = (millis: number): Effect.Effect<void> =>
    Effect.provideService(MemoryNetwork.adjust(millis), MemoryNetwork.MemoryNetwork, network)
  return {
    way,
    url: "http://server",
    times,
    serve: (server) =>
      Effect.gen(function* () {
        const scope = yield* Scope.fork(yield* Effect.scope)
        const host = Layer.provide(
          MemoryNetwork.layerHost("server"),
          Layer.succeed(MemoryNetwork.MemoryNetwork, network)
        )
        yield* Layer.buildWithScope(server.pipe(Layer.provide(InMemoryAdapter.layer), Layer.provide(host)), scope)
        return { stop: Scope.close(scope, Exit.void) }
      }),
    pass: (effect) =>
      MemoryNetwork.passTime({ step: "50 millis", atMost: "5 minutes" })(effect).pipe(
        Effect.provideService(MemoryNetwork.MemoryNetwork, network)
      ),
    elapse: adjust,
    cut: network.cut(),
    freeze: network.freeze(),
    heal: network.heal()
  }
}

/** Runs the cases over the in-memory network, each way. */
export const run = (name: string, cases: ReadonlyArray<Case>): void => {
  for (const way of ways) {
    describe(`${name}, in memory over ${way}`, () => {
      for (const { name, run, ways: about = ways } of cases) {
        if (!about.includes(way)) continue
        it.effect(name, () =>
          MemoryNetwork.MemoryNetwork.use((network) => Effect.scoped(run(make(network, way)))).pipe(
            Effect.provide(MemoryNetwork.layer, { local: true })
          )
        )
      }
    })
  }
}
