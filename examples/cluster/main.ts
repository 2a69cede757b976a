/**
 * The chat of examples/chat on several processes, which are one server to its clients: `WORKERS` of them (default 3), on `PORT` or 3000.
 * Nothing else is needed: they reach each other through their primary, which also balances between them.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { SocketServer } from "effect-socketio"
import { ClusterPrimary, NodeClusterAdapter } from "effect-socketio/cluster"
import { StickyPrimary, StickyWorker } from "effect-socketio/node"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import cluster from "node:cluster"
import { createServer, type Server } from "node:http"
import { ChatLive } from "../chat/chat.ts"
import * as Page from "../chat/page.ts"

class ListenError extends Data.TaggedError("ListenError")<{ readonly message: string }> {}

/** Listens until the scope closes. */
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

/** Workers until the scope closes; one that dies is replaced. */
const workers = (count: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const replace = (): void => void cluster.fork()
      cluster.on("exit", replace)
      for (let n = 0; n < count; n++) cluster.fork()
      return replace
    }),
    (replace) =>
      Effect.sync(() => {
        cluster.off("exit", replace)
        for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGTERM")
      })
  )

/** Takes no part in the chat: it passes messages between the workers, and requests on to them. */
const Primary = Layer.effectDiscard(
  Effect.gen(function* () {
    const port = yield* Config.Port("PORT").pipe(Config.withDefault(3000))
    const count = yield* Config.Int("WORKERS").pipe(Config.withDefault(3))
    const server = createServer()
    yield* ClusterPrimary.make()
    yield* StickyPrimary.make(server)
    yield* workers(count)
    yield* listen(server, port)
    yield* Console.log(`chat on http://localhost:${port}, ${count} workers`)
  })
)

/** The chat as it is with a single process, but for its adapter and where its connections come from. */
const Worker = Layer.unwrap(
  Effect.gen(function* () {
    const server = createServer(yield* Page.listener)
    const Chat = SocketServer.serve(ChatLive).pipe(
      Layer.provide(NodeClusterAdapter.layer()),
      Layer.provide(StickyWorker.layer(server))
    )
    const Ready = Layer.effectDiscard(Console.log(`worker ${cluster.worker?.id} runs as process ${process.pid}`))
    return Layer.provide(Ready, Chat)
  })
)

const Main: Layer.Layer<never, { readonly message: string }> = cluster.isPrimary ? Primary : Worker

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
