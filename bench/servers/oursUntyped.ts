/** Our server without a contract: nothing is validated. */
import { EngineHost, InMemoryAdapter, SocketServer } from "effect-socketio"
import { Namespace } from "effect-socketio/contract"
import { NodeEngine } from "effect-socketio/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Start } from "./Server.ts"

const BenchLive = SocketServer.namespace(
  Namespace.untyped("/"),
  Effect.fnUntraced(function* (socket) {
    yield* socket.on("echo", (message) => socket.emit("echo", message))
  })
)

const Main = SocketServer.serve(BenchLive).pipe(
  Layer.provide(InMemoryAdapter.layer),
  Layer.provideMerge(NodeEngine.layer({ port: 0, host: "127.0.0.1" }))
)

/** Starts it; it ends with the process. */
export const start: Start = () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const host = yield* Layer.buildWithScope(Main, Scope.makeUnsafe())
      const address = yield* EngineHost.use(({ address }) => address).pipe(Effect.provideContext(host))
      return { port: address!.port }
    })
  )
