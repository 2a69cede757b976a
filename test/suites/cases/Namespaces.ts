/** Several namespaces, namespaces with parameters, without contract, and ones that do not exist. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as SocketClient from "../../../src/client/index.ts"
import { Event, Namespace } from "../../../src/contract/index.ts"
import * as SocketServer from "../../../src/socket/SocketServer.ts"
import * as Await from "../Await.ts"
import { type Case, type Harness, transportsOf } from "../Harness.ts"

const Org = Namespace.make("/org/:id", {
  params: { id: Schema.FiniteFromString },
  fromClient: { who: Event.make({ args: [], ack: Schema.String }) },
  fromServer: { news: Event.make({ args: [Schema.String] }) }
})

const Plain = Namespace.make("/plain", {
  fromClient: { echo: Event.make({ args: [Schema.String], ack: Schema.String }) },
  fromServer: {}
})

const Legacy = Namespace.untyped("/legacy")

interface Log {
  readonly departures: Array<string>
  readonly connections: Set<string>
}

const servers = (log: Log) =>
  Layer.mergeAll(
    SocketServer.namespace(
      Org,
      Effect.fnUntraced(function* (socket) {
        log.connections.add(socket.conn.id)
        yield* socket.on("who", () => Effect.succeed(`${socket.name} ${socket.params.id + 1}`))
        yield* socket.onDisconnect(({ reason }) => Effect.sync(() => log.departures.push(`${socket.name}: ${reason}`)))
        const org = yield* SocketServer.handle(Org, { id: socket.params.id })
        yield* org.emit("news", `${org.name} has another`)
      })
    ),
    SocketServer.namespace(
      Plain,
      Effect.fnUntraced(function* (socket) {
        log.connections.add(socket.conn.id)
        yield* socket.on("echo", (text) => Effect.succeed(text))
        yield* socket.onDisconnect(({ reason }) => Effect.sync(() => log.departures.push(`${socket.name}: ${reason}`)))
      })
    ),
    SocketServer.namespace(
      Legacy,
      Effect.fnUntraced(function* (socket) {
        yield* socket.on("anything", (...args) => Effect.succeed(args.length))
        yield* socket.emit("hello", 1, "two", new Uint8Array([3]))
      })
    )
  )

const start = (harness: Harness, log: Log): Effect.Effect<void, unknown, Scope> =>
  Effect.asVoid(
    harness.serve(
      SocketServer.serve(servers(log), {
        pingInterval: harness.times.pingInterval,
        pingTimeout: harness.times.pingTimeout
      })
    )
  )

const emptyLog = (): Log => ({ departures: [], connections: new Set() })

const engine = (harness: Harness) => ({ url: harness.url, ...transportsOf(harness.way) })

export const cases: ReadonlyArray<Case> = [
  {
    name: "namespaces with parameters are one each, and know their parameters",
    run: Effect.fnUntraced(function* (harness) {
      yield* start(harness, emptyLog())
      const news: Array<string> = []
      const seven = yield* SocketClient.connect(Org, { ...engine(harness), params: { id: 7 }, autoConnect: false })
      yield* seven.on("news", (text) => Effect.sync(() => void news.push(text)))
      yield* harness.pass(seven.connect)
      const eight = yield* harness.pass(SocketClient.connect(Org, { ...engine(harness), params: { id: 8 } }))
      assert.strictEqual(yield* harness.pass(seven.emitWithAck("who")), "/org/7 8")
      assert.strictEqual(yield* harness.pass(eight.emitWithAck("who")), "/org/8 9")
      assert.deepStrictEqual(news, ["/org/7 has another"])
    })
  },
  {
    name: "namespaces that do not exist, and parameters that do not decode, are refused: Invalid namespace",
    run: Effect.fnUntraced(function* (harness) {
      yield* start(harness, emptyLog())
      for (const name of ["/nowhere", "/org/x", "/org", "/org/1/2", "/__proto__", "/constructor"]) {
        const error = yield* harness.pass(Effect.flip(SocketClient.connect(name, engine(harness))))
        assert.strictEqual(error._tag, "ConnectRefused", name)
        assert.strictEqual(error.message, "Invalid namespace", name)
      }
    })
  },
  {
    name: "several namespaces share one connection, and leaving one leaves the others",
    run: Effect.fnUntraced(function* (harness) {
      const log = emptyLog()
      yield* start(harness, log)
      const manager = yield* SocketClient.manager(engine(harness))
      const plain = yield* harness.pass(SocketClient.connect(Plain, { manager }))
      const org = yield* harness.pass(SocketClient.connect(Org, { manager, params: { id: 1 } }))
      assert.strictEqual(log.connections.size, 1)
      yield* org.disconnect
      yield* Await.length(harness, log.departures, 1)
      assert.deepStrictEqual(log.departures, ["/org/1: client namespace disconnect"])
      assert.strictEqual(yield* harness.pass(plain.emitWithAck("echo", "still")), "still")
      yield* plain.disconnect
      yield* Await.length(harness, log.departures, 2)
      assert.strictEqual(manager.transport, undefined)
    })
  },
  {
    name: "a namespace without a contract takes any event and any arguments, both ways",
    run: Effect.fnUntraced(function* (harness) {
      yield* start(harness, emptyLog())
      const hellos: Array<ReadonlyArray<unknown>> = []
      const legacy = yield* SocketClient.connect("/legacy", { ...engine(harness), autoConnect: false })
      yield* legacy.on("hello", (...args) => Effect.sync(() => void hellos.push(args)))
      yield* harness.pass(legacy.connect)
      assert.strictEqual(yield* harness.pass(legacy.emitWithAck("anything", 1, [2], { three: null })), 3)
      yield* Await.length(harness, hellos, 1)
      assert.deepStrictEqual(hellos[0]!.slice(0, 2), [1, "two"])
      const [, , binary] = hellos[0]!
      assert.isTrue(ArrayBuffer.isView(binary) || binary instanceof ArrayBuffer)
    })
  }
]
