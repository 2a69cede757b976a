/** The engine's replaceable parts as a program reaches them: by the package's entries alone, on a real port. */
import { assert, describe, it } from "@effect/vitest"
import { EngineHost, InMemoryAdapter, Namespace, SocketServer, Transports, WebSocketTransport } from "effect-socketio"
import { NodeEngine } from "effect-socketio/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { io } from "socket.io-client"

const echo = SocketServer.namespace(Namespace.untyped("/"), (socket) =>
  socket.on("echo", (...args) => Effect.succeed(args))
)

/** A port of 0, and only WebSockets. */
const server = SocketServer.serve(echo).pipe(
  Layer.provide(InMemoryAdapter.layer),
  Layer.provide(WebSocketTransport.layer),
  Layer.provide(Transports.layer),
  Layer.provideMerge(NodeEngine.layer({ port: 0, host: "127.0.0.1" }))
)

/** How an official client fares: what it was answered, or why it could not connect. */
const ask = (port: number, transport: "polling" | "websocket"): Effect.Effect<unknown> =>
  Effect.callback((resume) => {
    const client = io(`http://127.0.0.1:${port}`, { transports: [transport], reconnection: false, forceNew: true })
    const end = (value: unknown): void => {
      client.disconnect()
      resume(Effect.succeed(value))
    }
    client.on("connect_error", (error) => end(error.message))
    client.emit("echo", "hello", end)
    return Effect.sync(() => void client.disconnect())
  })

describe("the engine's parts by the entries", () => {
  it.live("WebSocket as the only transport, and the port that was bound by EngineHost", () =>
    Effect.gen(function* () {
      const address = yield* Effect.flatMap(EngineHost, (host) => host.address)
      assert.strictEqual(address?.hostname, "127.0.0.1")
      const port = address?.port ?? 0
      assert.isAbove(port, 0)
      assert.deepStrictEqual(yield* ask(port, "websocket"), ["hello"])
      assert.strictEqual(yield* ask(port, "polling"), "xhr poll error")
      const response = yield* Effect.promise(() => fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`))
      assert.deepStrictEqual(
        [response.status, yield* Effect.promise(() => response.json())],
        [400, { code: 0, message: "Transport unknown" }]
      )
    }).pipe(Effect.scoped, Effect.provide(server, { local: true }))
  )
})
