/** What users can reach by the package's entries alone: parsers on both ends, the engine's replaceable parts. */
import { assert, describe, it } from "@effect/vitest"
import {
  Heartbeat,
  InMemoryAdapter,
  Namespace,
  PollingTransport,
  Sessions,
  SocketServer,
  Transports,
  WebSocketTransport
} from "effect-socketio"
import * as SocketClient from "effect-socketio/client"
import { json, makeJson, msgpack, type SocketCodec } from "effect-socketio/parser"
import { MemoryNetwork, Testing } from "effect-socketio/testing"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"

const Main = Namespace.untyped("/")

const echo = SocketServer.namespace(Main, (socket) => socket.on("echo", (...args) => Effect.succeed(args)))

type Options = SocketClient.ManagerOptions & { readonly forceNew?: boolean }

const connect = (options: Options) =>
  Effect.gen(function* () {
    const connecting = yield* Effect.forkScoped(
      SocketClient.connect("/", { url: Testing.url, reconnection: false, ...options }),
      { startImmediately: true }
    )
    yield* MemoryNetwork.adjust("1 second")
    return yield* Fiber.await(connecting)
  })

const ask = (options: Options, ...args: ReadonlyArray<unknown>) =>
  Effect.gen(function* () {
    const client = yield* Effect.flatten(connect(options))
    const asking = yield* Effect.forkScoped(client.emitWithAck("echo", ...args), { startImmediately: true })
    yield* MemoryNetwork.adjust("1 second")
    return yield* Fiber.join(asking)
  })

/** Counts what passes it; otherwise the default parser. */
const counting = (): SocketCodec & { readonly counts: { encoded: number; decoded: number } } => {
  const counts = { encoded: 0, decoded: 0 }
  return {
    name: "counting",
    counts,
    encode(packet, options) {
      counts.encoded++
      return json.encode(packet, options)
    },
    makeDecoder(limits) {
      const decoder = json.makeDecoder(limits)
      return {
        add(data) {
          counts.decoded++
          return decoder.add(data)
        },
        destroy: () => decoder.destroy()
      }
    }
  }
}

describe("parsers", () => {
  it.effect("msgpack on both ends, also of binary inside of structures", () =>
    Effect.gen(function* () {
      const bytes = new Uint8Array([1, 2])
      assert.deepStrictEqual(yield* ask({ parser: msgpack }, "text", { bytes }), ["text", { bytes }])
    }).pipe(Effect.scoped, Effect.provide(Testing.layer(echo, { parser: msgpack }), { local: true }))
  )

  it.effect("one of the program's own", () => {
    const parser = counting()
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* ask({ parser: json }, 1), [1])
      // CONNECT and the event came in, CONNECT and the answer went out.
      assert.deepStrictEqual(parser.counts, { decoded: 2, encoded: 2 })
    }).pipe(Effect.scoped, Effect.provide(Testing.layer(echo, { parser }), { local: true }))
  })

  it.effect("the default one with other options", () => {
    const parser = makeJson({ maxAttachments: 1 })
    const bytes = new Uint8Array(1)
    return Effect.gen(function* () {
      assert.strictEqual(Exit.isSuccess(yield* Effect.exit(ask({ parser: json }, bytes))), true)
      const client = yield* Effect.flatten(connect({ parser: json, forceNew: true }))
      yield* client.emit("echo", bytes, bytes)
      yield* MemoryNetwork.adjust("1 second")
      const { protocolErrors } = yield* SocketServer.telemetry
      assert.strictEqual(protocolErrors, 1)
    }).pipe(Effect.scoped, Effect.provide(Testing.layer(echo, { parser }), { local: true }))
  })
})

describe("the engine's parts as layers", () => {
  it.effect("a server with one transport, its own heartbeat and a registry that the program looks at", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions.Sessions
      assert.isTrue(Exit.isFailure(yield* connect({ transports: ["polling"], forceNew: true })))
      const client = yield* connect({ transports: ["websocket"], forceNew: true })
      assert.isTrue(Exit.isSuccess(client))
      assert.deepStrictEqual([sessions.count, (yield* SocketServer.telemetry).clients], [1, 1])
      const network = yield* MemoryNetwork.MemoryNetwork
      yield* network.freeze()
      // 3 + 2 seconds instead of 25 + 20.
      yield* MemoryNetwork.adjust("5 seconds")
      assert.strictEqual(sessions.count, 0)
    }).pipe(
      Effect.scoped,
      Effect.provide(
        SocketServer.serve(echo).pipe(
          Layer.provide([InMemoryAdapter.layer, MemoryNetwork.layerHost("server")]),
          Layer.provide(WebSocketTransport.layer),
          Layer.provideMerge([
            Transports.layer,
            Sessions.layer,
            Heartbeat.layer({ pingInterval: "3 seconds", pingTimeout: "2 seconds" })
          ]),
          Layer.provideMerge(MemoryNetwork.layer)
        ),
        { local: true }
      )
    )
  )

  it("both transports have one", () => {
    assert.deepStrictEqual(
      [Layer.isLayer(PollingTransport.layer), Layer.isLayer(WebSocketTransport.layer)],
      [true, true]
    )
  })
})
