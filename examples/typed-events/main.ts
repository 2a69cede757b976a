/** Server and client in one small program: `node --conditions=source examples/typed-events/main.ts` in a clone. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { InMemoryAdapter, SocketServer } from "effect-socketio"
import { NodeEngine } from "effect-socketio/node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { intrude, listen, talk } from "./client.ts"
import { ChatLive } from "./server.ts"

const url = "http://127.0.0.1:3001"

const Server = SocketServer.serve(ChatLive, { pingInterval: "25 seconds" }).pipe(
  Layer.provide(InMemoryAdapter.layer),
  Layer.provide(NodeEngine.layer({ port: 3001, host: "127.0.0.1" }))
)

const program = Effect.gen(function* () {
  const messages = yield* listen(url, "bob")
  const heard = yield* messages.pipe(
    Stream.take(1),
    Stream.runForEach(([from, text]) => Console.log(`bob hears ${from}: ${text}`)),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* Console.log("ada:", yield* talk(url, "ada"))
  yield* Console.log("mallory:", yield* intrude(url))
  yield* Fiber.join(heard)
}).pipe(Effect.scoped)

program.pipe(Effect.provide(Server), NodeRuntime.runMain)
