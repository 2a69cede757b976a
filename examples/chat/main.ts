/** The chat with its page, on `PORT` or 3000: `npm start`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { InMemoryAdapter, SocketServer } from "effect-socketio"
import { NodeEngine } from "effect-socketio/node"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer, type Server } from "node:http"
import { ChatLive } from "./chat.ts"
import * as Page from "./page.ts"

class ListenError extends Data.TaggedError("ListenError")<{ readonly message: string }> {}

/** Listens until the scope closes; then nobody new is accepted, and those who are here are the chat's to send away. */
const listen = (server: Server, port: number) =>
  Effect.acquireRelease(
    Effect.callback<void, ListenError>((resume) => {
      server.once("error", (cause) =>
        resume(Effect.fail(new ListenError({ message: `port ${port}: ${cause.message}` })))
      )
      server.listen(port, () => resume(Effect.void))
    }),
    () => Effect.sync(() => server.close())
  )

const Main = Layer.unwrap(
  Effect.gen(function* () {
    const port = yield* Config.Port("PORT").pipe(Config.withDefault(3000))
    const server = createServer(yield* Page.listener)
    const Chat = SocketServer.serve(ChatLive).pipe(
      Layer.provide(InMemoryAdapter.layer),
      Layer.provide(NodeEngine.layerAttach(server))
    )
    // Built after the chat and released before it.
    const Listening = Layer.effectDiscard(
      Effect.andThen(listen(server, port), Console.log(`chat on http://localhost:${port}`))
    )
    return Layer.provide(Listening, Chat)
  })
)

Layer.launch(Main).pipe(
  Effect.catch((error) =>
    Effect.andThen(
      Console.error(error.message),
      Effect.sync(() => {
        process.exitCode = 1
      })
    )
  ),
  NodeRuntime.runMain
)
