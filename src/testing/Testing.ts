/**
 * A server and its network in one layer: the usual beginning of a test.
 */
import * as Layer from "effect/Layer"
import * as InMemoryAdapter from "../adapter/InMemoryAdapter.ts"
import * as SocketServer from "../socket/SocketServer.ts"
import * as MemoryNetwork from "./MemoryNetwork.ts"

/** Where clients reach the server of {@link layer}. */
export const url = "http://server"

/**
 * Serves namespaces on a network in memory, reached at {@link url}. Clients that are connected in the test use the same network.
 *
 * ```ts
 * it.effect("…", () => Effect.gen(function*() {
 *   const chat = yield* SocketClient.connect(Chat, { url: Testing.url, auth: { token } })
 *   …
 * }).pipe(Effect.provide(Testing.layer(ChatLive))))
 * ```
 */
export const layer = <A, E, R>(namespaces: Layer.Layer<A, E, R>, options?: SocketServer.Options) =>
  SocketServer.serve(namespaces, options).pipe(
    Layer.provide(InMemoryAdapter.layer),
    Layer.provide(MemoryNetwork.layerHost("server")),
    Layer.provideMerge(MemoryNetwork.layer)
  )
