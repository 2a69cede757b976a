/** Real sockets of this machine, behind a proxy that can be cut, and real time. */
import { describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import { EngineHost } from "../../src/engine/EngineHost.ts"
import * as NodeEngine from "../../src/node/NodeEngine.ts"
import { type Case, type Harness, type Times, type Way, ways } from "./Harness.ts"
import * as TcpProxy from "./TcpProxy.ts"

const times: Times = {
  pingInterval: 300,
  pingTimeout: 1500,
  reconnectionDelay: 50,
  ackTimeout: 150,
  while: 500
}

const make = (way: Way): Effect.Effect<Harness, never, Scope.Scope> =>
  Effect.gen(function* () {
    let port: number | undefined
    const proxy = yield* TcpProxy.make(() => port)
    return {
      way,
      url: `http://127.0.0.1:${proxy.port}`,
      times,
      serve: (server) =>
        Effect.gen(function* () {
          const scope = yield* Scope.fork(yield* Effect.scope)
          const context = yield* Layer.buildWithScope(
            Layer.provideMerge(
              server.pipe(Layer.provide(InMemoryAdapter.layer)),
              NodeEngine.layer({ port: 0, host: "127.0.0.1" })
            ),
            scope
          )
          const address = yield* Context.get(context, EngineHost).address
          port = address?.port
          return {
            stop: Effect.andThen(
              Effect.sync(() => {
                port = undefined
              }),
              Scope.close(scope, Exit.void)
            )
          }
        }),
      pass: (effect) =>
        Effect.timeoutOrElse(effect, {
          duration: "10 seconds",
          orElse: () => Effect.die(new Error("not done after 10 seconds"))
        }),
      elapse: (millis) => Effect.sleep(millis),
      cut: proxy.cut,
      freeze: proxy.freeze,
      heal: proxy.heal
    }
  })

/** Runs the cases over real sockets. They wait in real time, so each way is a test file of its own. */
export const run = (way: Way, name: string, cases: ReadonlyArray<Case>): void => {
  describe(`${name}, over real sockets by ${way}`, () => {
    for (const { name, run, ways: about = ways } of cases) {
      if (!about.includes(way)) continue
      it.live(name, () => Effect.scoped(Effect.flatMap(make(way), run)))
    }
  })
}
