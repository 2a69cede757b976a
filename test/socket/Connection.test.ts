import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as Middleware from "../../src/socket/Middleware.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "./FakeSession.ts"

const Main = Namespace.make("/", {
  fromClient: { ping: Event.make({ args: [], ack: Schema.String }) },
  fromServer: { news: Event.make({ args: [Schema.String] }) }
})
const Admin = Namespace.untyped("/admin")

const MainLive = SocketServer.namespace(Main, (socket) => socket.on("ping", () => Effect.succeed("pong")))
const AdminLive = SocketServer.namespace(Admin, () => Effect.void)

const Both = Layer.mergeAll(MainLive, AdminLive)

describe("CONNECT", () => {
  it.effect("answers with an id of 20 characters, in the namespace that was asked for", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Both)
      const client = server.connected("/")
      client.connect("/admin")
      assert.match(client.frames[0]!, /^40\{"sid":"[\w-]{20}"\}$/)
      assert.match(client.frames[1]!, /^40\/admin,\{"sid":"[\w-]{20}"\}$/)
      assert.notStrictEqual(client.sid("/"), client.sid("/admin"))
    })
  )

  it.effect("an unknown namespace is refused with Socket.IO's words, and the connection stays", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Both)
      const client = server.connected("/random")
      assert.deepStrictEqual(client.frames, [`44/random,{"message":"Invalid namespace"}`])
      assert.isUndefined(client.session.closed)
      client.connect("/")
      assert.isDefined(client.sid("/"))
      assert.strictEqual(server.server.core.counters.refused, 1)
    })
  )

  it.effect("a query is a part of the name", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Both)
      const client = server.client()
      client.raw("0/admin?token=1,")
      assert.deepStrictEqual(client.refusal("/admin?token=1"), { message: "Invalid namespace" })
    })
  )

  it.effect("the reply is sent before the connection handler emits", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(SocketServer.namespace(Main, (socket) => socket.emit("news", "welcome")))
      const client = server.connected("/")
      assert.deepStrictEqual(
        client.packets.map(({ type }) => type),
        [0, 2]
      )
    })
  )

  it.effect("a second CONNECT on a joined namespace closes the connection", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Both)
      const client = server.connected("/")
      client.connect("/")
      assert.strictEqual(client.session.closed?.reason, "forced close")
      assert.strictEqual(server.server.core.counters.sockets, 0)
    })
  )

  it.effect("T8: five CONNECTs while middleware waits make one socket, and a broadcast comes once", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const server = yield* Fake.make(MainLive.pipe(Layer.provide(Middleware.make(() => Deferred.await(gate)))))
      const client = server.client()
      for (let i = 0; i < 5; i++) client.connect("/")
      assert.strictEqual(server.server.core.counters.duplicateConnects, 4)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(client.packets.length, 1)
      assert.strictEqual(server.server.core.counters.sockets, 1)
      const main = yield* SocketServer.handle(Main).pipe(Effect.provide(server.context))
      yield* main.emit("news", "once")
      assert.deepStrictEqual(client.events, [["news", "once"]])
    })
  )

  it.effect("a connection may be in as many namespaces as the limit says, not one more", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Both, { maxNamespaces: 1 })
      const client = server.connected("/")
      client.connect("/admin")
      assert.deepStrictEqual(client.refusal("/admin"), { message: "too many namespaces" })
      client.disconnect("/")
      client.connect("/admin")
      assert.isDefined(client.sid("/admin"))
    })
  )
})

describe("connectTimeout", () => {
  it.effect("a client without any namespace is closed after 45 seconds", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Both)
      const client = server.client()
      yield* TestClock.adjust("44999 millis")
      assert.strictEqual(client.session.closed?.reason, undefined)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(client.session.closed?.reason, "forced close")
    })
  )

  it.effect("a client that joined stays, also after it has left again", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Both, { connectTimeout: "1 second" })
      const client = server.connected("/")
      client.disconnect("/")
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(client.session.closed)
    })
  )

  it.effect("a refusal does not count as joining", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Both, { connectTimeout: "1 second" })
      const client = server.connected("/nowhere")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(client.session.closed?.reason, "forced close")
    })
  )
})

describe("what is not allowed closes the connection", () => {
  const cases: ReadonlyArray<readonly [name: string, message: string | Uint8Array]> = [
    ["an unknown type", "9"],
    ["garbage", "abc"],
    ["a broken payload", '2["ping"'],
    ["an event that is no array", "2{}"],
    ["a reserved name", '2["connect"]'],
    ["a stray attachment", new Uint8Array([1])],
    ["a CONNECT_ERROR", '4{"message":"no"}'],
    ["an event for a namespace it is not in", '2/admin,["x"]'],
    ["a DISCONNECT of a namespace it is not in", "1/admin,"],
    ["a CONNECT with an array", "0[]"]
  ]
  for (const [name, message] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const reasons: Array<string> = []
        const Watched = SocketServer.namespace(Main, (socket) =>
          socket.onDisconnect(({ reason }) => Effect.sync(() => reasons.push(reason)))
        )
        const server = yield* Fake.make(Layer.mergeAll(Watched, AdminLive))
        const client = server.connected("/")
        client.raw(message)
        assert.strictEqual(client.session.closed?.reason, "forced close")
        assert.strictEqual(server.server.core.counters.protocolErrors, 1)
        assert.strictEqual(server.server.core.counters.sockets, 0)
        const decodes = name.startsWith("a CONNECT_ERROR") || name.includes("not in")
        assert.deepStrictEqual(reasons, [decodes ? "forced server close" : "forced close"])
        assert.strictEqual(server.reports.length, decodes ? 0 : 1)
        client.raw('2["ping"]')
      })
    )
  }

  it.effect("an event before CONNECT was answered", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(MainLive.pipe(Layer.provide(Middleware.make(() => Effect.never))))
      const client = server.connected("/")
      client.emit("/", "ping")
      assert.strictEqual(client.session.closed?.reason, "forced close")
    })
  )
})

describe("leaving", () => {
  const watched = (reasons: Array<string>) =>
    SocketServer.namespace(Admin, (socket) =>
      Effect.andThen(
        socket.onDisconnecting(({ reason }) =>
          Effect.sync(() => reasons.push(`disconnecting ${reason}, in ${Array.from(socket.rooms).length} rooms`))
        ),
        Effect.andThen(
          socket.onDisconnect(({ reason }) =>
            Effect.sync(() => reasons.push(`disconnect ${reason}, in ${Array.from(socket.rooms).length} rooms`))
          ),
          socket.join("a")
        )
      )
    )

  it.effect("the client leaves one namespace and stays in the others", () =>
    Effect.gen(function* () {
      const reasons: Array<string> = []
      const server = yield* Fake.make(Layer.mergeAll(MainLive, watched(reasons)))
      const client = server.connected("/")
      client.connect("/admin")
      client.disconnect("/admin")
      assert.deepStrictEqual(reasons, [
        "disconnecting client namespace disconnect, in 2 rooms",
        "disconnect client namespace disconnect, in 0 rooms"
      ])
      client.ask("/", 3, "ping")
      assert.deepStrictEqual(client.acks.get(3), ["pong"])
    })
  )

  for (const reason of ["transport close", "transport error", "ping timeout", "parse error"] as const) {
    it.effect(`the connection is lost: ${reason}`, () =>
      Effect.gen(function* () {
        const reasons: Array<string> = []
        const server = yield* Fake.make(watched(reasons))
        const client = server.connected("/admin")
        client.lose(reason)
        assert.deepStrictEqual(reasons, [`disconnecting ${reason}, in 2 rooms`, `disconnect ${reason}, in 0 rooms`])
        assert.strictEqual(server.server.core.counters.disconnected, 1)
      })
    )
  }

  it.effect("the server disconnects it: the client is told, and events in flight are no offence", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Both)
      const client = server.connected("/")
      client.connect("/admin")
      const main = yield* SocketServer.handle(Main).pipe(Effect.provide(server.context))
      yield* main.disconnectSockets()
      assert.strictEqual(client.frames.at(-1), "41")
      client.emit("/", "ping")
      client.disconnect("/")
      assert.isUndefined(client.session.closed)
      client.connect("/")
      assert.strictEqual(server.server.core.counters.sockets, 2)
    })
  )

  for (const [later, closes] of [
    [31, false],
    [32, true]
  ] as const) {
    it.effect(`an event in flight when ${later} more namespaces were left since: ${closes ? "an" : "no"} offence`, () =>
      Effect.gen(function* () {
        const family = SocketServer.namespace(Namespace.untyped(/^\/n-/), (socket) =>
          Effect.forkScoped(Effect.andThen(Effect.sleep(1), socket.disconnect()))
        )
        const server = yield* Fake.make(Layer.mergeAll(MainLive, family))
        const client = server.connected("/")
        for (let n = 0; n <= later; n++) {
          client.connect(`/n-${n}`)
          yield* TestClock.adjust(1)
        }
        // Whoever was left last is always known, however many there were on this connection.
        client.emit(`/n-${later}`, "late")
        assert.isUndefined(client.session.closed)
        client.emit("/n-0", "late")
        assert.strictEqual(client.session.closed !== undefined, closes)
      })
    )
  }

  it.effect("disconnect(true) leaves every namespace, then closes the connection", () =>
    Effect.gen(function* () {
      const reasons: Array<string> = []
      const server = yield* Fake.make(Layer.mergeAll(MainLive, watched(reasons)))
      const client = server.connected("/")
      client.connect("/admin")
      const main = yield* SocketServer.handle(Main).pipe(Effect.provide(server.context))
      yield* main.disconnectSockets(true)
      assert.deepStrictEqual(client.frames.slice(-2), ["41", "41/admin,"])
      assert.strictEqual(client.session.closed?.reason, "forced close")
      assert.include(reasons, "disconnect server namespace disconnect, in 0 rooms")
    })
  )
})
