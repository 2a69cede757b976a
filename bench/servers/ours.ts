/** Our server, as a program would write it: a contract, a connection handler that sets each socket up, Node's HTTP server. */
import { EngineHost, InMemoryAdapter, SocketServer } from "effect-socketio"
import { NodeEngine } from "effect-socketio/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { answer } from "../Message.ts"
import { Bench } from "./contract.ts"
import type { Start } from "./Server.ts"

const BenchLive = SocketServer.namespace(
  Bench,
  Effect.fnUntraced(function* (socket) {
    const everybody = yield* SocketServer.handle(Bench)
    yield* socket.on("echo", (message) => socket.emit("echo", message))
    yield* socket.on("ask", () => Effect.succeed(answer))
    yield* socket.on("publish", (message) => everybody.emit("news", message))
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
