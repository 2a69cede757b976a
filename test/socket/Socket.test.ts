import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { msgpack } from "../../src/protocol/MsgpackCodec.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "./FakeSession.ts"

const Untyped = Namespace.untyped("/")
type Untyped = typeof Untyped

/** A server with one client in an untyped namespace, and the client's socket. */
const setup = Effect.fnUntraced(function* (options: SocketServer.Options = {}) {
  const server = yield* Fake.make(
    SocketServer.namespace(Untyped, () => Effect.void),
    options
  )
  const client = server.connected("/", { token: "t" })
  const handle = yield* SocketServer.handle(Untyped).pipe(Effect.provide(server.context))
  const [socket] = yield* handle.sockets
  return { server, client, handle, socket: socket as Socket<Untyped> }
})

describe("a socket", () => {
  it.effect("knows its handshake in Socket.IO's form", () =>
    Effect.gen(function* () {
      const { socket, client } = yield* setup()
      assert.strictEqual(socket.id, client.sid("/"))
      assert.deepStrictEqual(socket.handshake, {
        headers: { host: "127.0.0.1" },
        time: new Date(0).toString(),
        address: "127.0.0.1",
        xdomain: false,
        secure: false,
        issued: 0,
        url: "/socket.io/?EIO=4&transport=websocket",
        query: { EIO: "4", transport: "websocket" },
        auth: { token: "t" }
      })
    })
  )

  it.effect("joins and leaves several rooms at once; after the end it is in none", () =>
    Effect.gen(function* () {
      const { socket, client } = yield* setup()
      yield* socket.join(["a", "b", "c"])
      yield* socket.leave(["a", "c"])
      assert.deepStrictEqual(socket.rooms, new Set([socket.id, "b"]))
      client.lose()
      yield* socket.join("d")
      yield* socket.leave("b")
      assert.deepStrictEqual(socket.rooms, new Set())
      assert.isFalse(socket.connected)
    })
  )

  it.effect("what it is asked to keep after the end ends at once", () =>
    Effect.gen(function* () {
      const { socket, client } = yield* setup()
      client.lose()
      yield* socket.disconnect()
      yield* socket.disconnect(true)
      yield* socket.on("x", () => Effect.void)
      assert.deepStrictEqual(yield* Stream.runCollect(socket.events("x")), [])
      assert.deepStrictEqual(yield* Stream.runCollect(socket.incoming), [])
      assert.strictEqual((yield* socket.disconnected).reason, "transport close")
    })
  )

  it.effect("numbers as event names, as Socket.IO allows", () =>
    Effect.gen(function* () {
      const { socket, client } = yield* setup()
      const seen: Array<unknown> = []
      yield* socket.on("1", (...args) => Effect.sync(() => seen.push(...args)))
      client.raw("2[1,2]")
      assert.deepStrictEqual(seen, [2])
    })
  )

  it.effect("what has no form on the wire is dropped and reported, here and in broadcasts", () =>
    Effect.gen(function* () {
      const { socket, client, server, handle } = yield* setup()
      const cycle: Record<string, unknown> = {}
      cycle["self"] = cycle
      for (const bad of [1n, cycle]) {
        assert.strictEqual(yield* socket.emit("x", bad), "dropped")
        yield* handle.emit("x", bad)
        assert.deepStrictEqual(yield* Stream.runCollect(handle.emitWithAck("x", bad)), [])
      }
      yield* socket.on("ask", () => Effect.succeed(1n))
      client.ask("/", 0, "ask")
      assert.strictEqual(client.packets.length, 1)
      assert.strictEqual(server.reports.length, 7)
      assert.isUndefined(client.session.closed)
    })
  )

  it.effect("an untyped handler answers with its value, or without arguments", () =>
    Effect.gen(function* () {
      const { socket, client } = yield* setup()
      yield* socket.on("value", (...args) => Effect.succeed(args))
      yield* socket.on("nothing", () => Effect.void)
      client.ask("/", 0, "value", 1, "b", new Uint8Array([9]))
      client.ask("/", 1, "nothing")
      assert.deepStrictEqual(client.acks.get(0), [[1, "b", new Uint8Array([9])]])
      assert.deepStrictEqual(client.acks.get(1), [])
    })
  )

  it.effect("disconnect(true) from a handler", () =>
    Effect.gen(function* () {
      const { socket, client } = yield* setup()
      yield* socket.on("bye", () => socket.disconnect(true))
      client.ask("/", 0, "bye")
      assert.deepStrictEqual(client.frames.slice(1), ["41"])
      assert.strictEqual(client.session.closed?.reason, "forced close")
    })
  )

  it.effect("speaks msgpack when the server is told to", () =>
    Effect.gen(function* () {
      const { socket, client } = yield* setup({ parser: msgpack })
      yield* socket.on("echo", (bytes) => socket.emit("echo", bytes))
      client.emit("/", "echo", new Uint8Array([1, 2]))
      assert.isTrue(client.session.groups.every(({ head }) => head instanceof Uint8Array))
      const [name, bytes] = client.events[0]!
      assert.deepStrictEqual([name, Array.from(bytes as Uint8Array)], ["echo", [1, 2]])
    })
  )
})

describe("a socket's connection", () => {
  it.effect("shows the session, and streams what happens to it", () =>
    Effect.gen(function* () {
      const { socket, client } = yield* setup()
      const { session } = client
      session.transportName = "polling"
      session.bufferedAmount = 5
      const { conn } = socket
      assert.deepStrictEqual(
        [conn.id, conn.transport, conn.upgraded, conn.bufferedAmount, conn.request],
        [session.id, "polling", false, 5, undefined]
      )
      const streams = yield* Effect.forkChild(
        Effect.all(
          [conn.upgrades, conn.drains, conn.packets, conn.createdPackets].map((stream) =>
            Stream.runCollect(stream as Stream.Stream<unknown>)
          ),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust(0)
      const group = session.groups[0]!
      for (const observer of session.observers) {
        observer.upgrade?.("websocket")
        observer.drain?.()
        observer.packet?.("42[]")
        observer.packetCreate?.(group)
      }
      client.lose()
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* Fiber.join(streams), [["websocket"], [undefined], ["42[]"], [group]])
      assert.deepStrictEqual(yield* Stream.runCollect(conn.upgrades), [])
    })
  )
})

describe("telemetry", () => {
  it.effect("counts what happens; a snapshot does not change", () =>
    Effect.gen(function* () {
      const { socket, client, server, handle } = yield* setup()
      const snapshot = SocketServer.telemetry.pipe(Effect.provide(server.context))
      const before = yield* snapshot
      assert.deepStrictEqual([before.sockets, before.connected, before.eventsReceived], [1, 1, 0])
      yield* socket.on("ask", () => Effect.succeed(1))
      client.ask("/", 0, "ask")
      client.emit("/", "nobody")
      yield* socket.emit("one")
      yield* handle.emit("all")
      client.connect("/elsewhere")
      client.raw("nonsense")
      const after = yield* snapshot
      assert.deepStrictEqual(
        {
          ...after,
          engine: undefined,
          clients: undefined
        },
        {
          sockets: 0,
          connected: 1,
          disconnected: 1,
          refused: 1,
          duplicateConnects: 0,
          protocolErrors: 1,
          eventsReceived: 2,
          eventsUnhandled: 1,
          eventsSent: 1,
          broadcasts: 1,
          deliveries: 1,
          dropped: 0,
          acksReceived: 0,
          acksSent: 1,
          ackTimeouts: 0,
          invalidPayloads: 0,
          handlerFailures: 0,
          pauses: 0,
          recovered: 0,
          notRecovered: 0,
          replayed: 0,
          unstored: 0,
          engine: undefined,
          clients: undefined
        }
      )
      assert.strictEqual(before.eventsReceived, 0)
    })
  )
})

describe("hooks of a socket that goes", () => {
  it.effect("may fail: it is reported, and the others run", () =>
    Effect.gen(function* () {
      const { socket, client, server } = yield* setup()
      const log: Array<string> = []
      yield* socket.onDisconnecting(() => Effect.die("a"))
      yield* socket.onDisconnecting(() => {
        throw new Error("b")
      })
      yield* socket.onDisconnect(({ reason, description }) => Effect.sync(() => log.push(`${reason} ${description}`)))
      client.session.close("transport error", "ECONNRESET")
      assert.deepStrictEqual(log, ["transport error ECONNRESET"])
      assert.deepStrictEqual(
        server.reports.map(({ stage }) => stage),
        ["disconnect", "disconnect"]
      )
    })
  )

  it.effect("may broadcast to the rooms it is leaving", () =>
    Effect.gen(function* () {
      const { socket, client, server } = yield* setup()
      const other = server.connected("/")
      yield* socket.join("room")
      const handle = yield* SocketServer.handle(Untyped).pipe(Effect.provide(server.context))
      yield* handle.socketsJoin("room")
      yield* socket.onDisconnecting(() => socket.to("room").emit("left", socket.id))
      client.disconnect("/")
      assert.deepStrictEqual(other.events, [["left", socket.id]])
    })
  )
})

describe("finalizers that fail", () => {
  it.effect("are reported and harm nobody", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        Layer.mergeAll(
          SocketServer.namespace(Untyped, () => Effect.addFinalizer(() => Effect.die(new Error("late")))),
          SocketServer.namespace(
            Namespace.make("/typed", { fromClient: { x: Event.make({ args: [Schema.String] }) } }),
            () => Effect.void
          )
        )
      )
      const client = server.connected("/")
      client.connect("/typed")
      client.disconnect("/")
      assert.strictEqual(server.reports.length, 1)
      assert.strictEqual(server.server.core.counters.sockets, 1)
    })
  )
})
