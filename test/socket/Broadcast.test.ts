import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "./FakeSession.ts"

const Chat = Namespace.make("/chat", {
  data: Schema.Struct({ name: Schema.String, since: Schema.Date }),
  fromClient: {
    join: Event.make({ args: [Schema.String] }),
    say: Event.make({ args: [Schema.String, Schema.String] })
  },
  fromServer: { said: Event.make({ args: [Schema.String] }), bytes: Event.make({ args: [Schema.Uint8Array] }) },
  betweenServers: { reload: Event.make({ args: [] }) }
})
const nsp = "/chat"

const ChatLive = SocketServer.namespace(
  Chat,
  Effect.fnUntraced(function* (socket) {
    yield* socket.setData({ name: "someone", since: new Date(0) })
    yield* socket.on("join", (room) => socket.join(room))
    yield* socket.on("say", (how, room) => {
      switch (how) {
        case "to":
          return socket.to(room).emit("said", room)
        case "in":
          return socket.in(room).emit("said", room)
        case "except":
          return socket.except(room).emit("said", room)
        case "broadcast":
          return socket.broadcast.emit("said", room)
        default:
          return socket.local.emit("said", room)
      }
    })
  })
)

const setup = Effect.gen(function* () {
  const server = yield* Fake.make(ChatLive)
  const chat = yield* SocketServer.handle(Chat).pipe(Effect.provide(server.context))
  const clients = [server.connected(nsp), server.connected(nsp), server.connected(nsp)] as const
  clients[0].emit(nsp, "join", "a")
  clients[1].emit(nsp, "join", "a")
  clients[1].emit(nsp, "join", "b")
  clients[2].emit(nsp, "join", "b")
  /** Which clients got how many events since the last call. */
  const got = (): ReadonlyArray<number> =>
    clients.map((client) => {
      const count = client.events.length
      client.session.groups.length = 0
      return count
    })
  const ids = clients.map((client) => client.sid(nsp)!)
  got()
  return { server, chat, clients, got, ids }
})

describe("whom a broadcast reaches", () => {
  it.effect("from the namespace: everybody, rooms (each once), all but rooms", () =>
    Effect.gen(function* () {
      const { chat, got, ids } = yield* setup
      yield* chat.emit("said", "x")
      assert.deepStrictEqual(got(), [1, 1, 1])
      yield* chat.to("a").emit("said", "x")
      assert.deepStrictEqual(got(), [1, 1, 0])
      yield* chat.to("a").to("b").emit("said", "x")
      assert.deepStrictEqual(got(), [1, 1, 1])
      yield* chat.in(["a", "b"]).except(ids[1]!).emit("said", "x")
      assert.deepStrictEqual(got(), [1, 0, 1])
      yield* chat.except("a").emit("said", "x")
      assert.deepStrictEqual(got(), [0, 0, 1])
      yield* chat.to(ids[2]!).emit("said", "x")
      assert.deepStrictEqual(got(), [0, 0, 1])
      yield* chat.to("nowhere").emit("said", "x")
      assert.deepStrictEqual(got(), [0, 0, 0])
      yield* chat.to("a").local.emit("said", "x")
      assert.deepStrictEqual(got(), [1, 1, 0])
    })
  )

  it.effect("from a socket: never itself", () =>
    Effect.gen(function* () {
      const { clients, got } = yield* setup
      const expected = { to: [1, 0, 0], in: [1, 0, 0], except: [0, 0, 1], broadcast: [1, 0, 1], local: [1, 0, 1] }
      for (const [how, counts] of Object.entries(expected)) {
        clients[1].emit(nsp, "say", how, "a")
        assert.deepStrictEqual(got(), counts, how)
      }
    })
  )

  it.effect("a value is immutable: two targets made of one do not mix", () =>
    Effect.gen(function* () {
      const { chat, got } = yield* setup
      const a = chat.to("a")
      a.to("b")
      void a.volatile
      yield* a.emit("said", "x")
      assert.deepStrictEqual(got(), [1, 1, 0])
    })
  )

  it.effect("an event is encoded once: everybody gets the same frames, binary too", () =>
    Effect.gen(function* () {
      const { chat, clients } = yield* setup
      yield* chat.emit("bytes", new Uint8Array([1, 2, 3]))
      assert.strictEqual(new Set(clients.map((client) => client.session.groups[0])).size, 1)
      assert.deepStrictEqual(clients[2].events, [["bytes", new Uint8Array([1, 2, 3])]])
      assert.strictEqual(clients[0].frames[0], `451-/chat,["bytes",{"_placeholder":true,"num":0}]`)
    })
  )

  it.effect("volatile is dropped for those who are busy, and counted", () =>
    Effect.gen(function* () {
      const { chat, clients, got, server } = yield* setup
      clients[1].session.writable = false
      yield* chat.volatile.emit("said", "x")
      assert.deepStrictEqual(got(), [1, 0, 1])
      assert.strictEqual(server.server.core.counters.dropped, 1)
      yield* chat.compress(false).emit("said", "x")
      assert.deepStrictEqual(clients[0].session.options.at(-1)?.compress, false)
    })
  )

  it.effect("every kind of emit leaves in the order of the program", () =>
    Effect.gen(function* () {
      const { chat, clients, ids } = yield* setup
      const [socket] = yield* chat.sockets
      yield* chat.emit("said", "1")
      yield* socket!.emit("said", "2")
      yield* chat.local.emit("said", "3")
      yield* chat.to(ids[0]!).emit("said", "4")
      yield* socket!.volatile.emit("said", "5")
      assert.deepStrictEqual(
        clients[0].events.map(([, text]) => text),
        ["1", "2", "3", "4", "5"]
      )
    })
  )
})

describe("sockets from outside", () => {
  it.effect("fetchSockets describes them, with data and rooms", () =>
    Effect.gen(function* () {
      const { chat, ids } = yield* setup
      const sockets = yield* chat.in("b").fetchSockets()
      assert.deepStrictEqual(
        sockets.map(({ id, rooms, data }) => ({ id, rooms, data })),
        [
          { id: ids[1]!, rooms: new Set([ids[1]!, "a", "b"]), data: { name: "someone", since: new Date(0) } },
          { id: ids[2]!, rooms: new Set([ids[2]!, "b"]), data: { name: "someone", since: new Date(0) } }
        ]
      )
      assert.strictEqual(sockets[0]!.handshake.address, "127.0.0.1")
      assert.strictEqual(sockets[0]!.handshake.issued, 0)
    })
  )

  it.effect("and acts on them", () =>
    Effect.gen(function* () {
      const { chat, got, clients } = yield* setup
      const [one, two] = yield* chat.in("b").fetchSockets()
      yield* one!.leave("a")
      yield* two!.join(["c", "d"])
      yield* two!.emit("said", "you")
      assert.deepStrictEqual(got(), [0, 0, 1])
      yield* chat.to(["a", "c"]).emit("said", "x")
      assert.deepStrictEqual(got(), [1, 0, 1])
      yield* one!.disconnect()
      assert.strictEqual(clients[1].frames.at(-1), "41/chat,")
    })
  )

  it.effect("socketsJoin, socketsLeave, disconnectSockets", () =>
    Effect.gen(function* () {
      const { chat, got, clients, server } = yield* setup
      yield* chat.in("a").socketsJoin("z")
      yield* chat.to("z").emit("said", "x")
      assert.deepStrictEqual(got(), [1, 1, 0])
      yield* chat.in("b").socketsLeave(["z", "b"])
      yield* chat.to(["z", "b"]).emit("said", "x")
      assert.deepStrictEqual(got(), [1, 0, 0])
      yield* chat.in("z").disconnectSockets(true)
      assert.isDefined(clients[0].session.closed)
      assert.strictEqual(server.server.core.counters.sockets, 2)
    })
  )

  it.effect("a hook that broadcasts while others are being disconnected does not disturb the selection", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const Talking = SocketServer.namespace(Chat, (socket) =>
        Effect.andThen(
          socket.join(["a", "b"]),
          socket.onDisconnecting(() =>
            Effect.andThen(
              socket.to("a").except("nobody").emit("said", "bye"),
              Effect.sync(() => log.push(socket.id))
            )
          )
        )
      )
      const server = yield* Fake.make(Talking)
      const clients = [server.connected(nsp), server.connected(nsp), server.connected(nsp)]
      const chat = yield* SocketServer.handle(Chat).pipe(Effect.provide(server.context))
      yield* chat.to(["a", "b"]).except("nobody").disconnectSockets()
      assert.deepStrictEqual(
        log,
        clients.map((client) => client.sid(nsp))
      )
      assert.deepStrictEqual(
        clients.map((client) => client.events.length),
        [0, 1, 2]
      )
    })
  )
})

describe("the handle of a namespace", () => {
  it.effect("sockets, rooms, room events, connections", () =>
    Effect.gen(function* () {
      const { chat, ids, server } = yield* setup
      assert.deepStrictEqual(
        (yield* chat.sockets).map(({ id }) => id),
        ids
      )
      assert.strictEqual(Option.getOrThrow(yield* chat.socket(ids[1]!)).id, ids[1])
      assert.isTrue(Option.isNone(yield* chat.socket("nobody")))
      assert.deepStrictEqual((yield* chat.rooms).get("a"), new Set([ids[0]!, ids[1]!]))
      const events = yield* Effect.forkChild(Stream.runCollect(Stream.take(chat.roomEvents, 4)))
      const connections = yield* Effect.forkChild(Stream.runCollect(Stream.take(chat.connections, 1)))
      yield* TestClock.adjust(0)
      const client = server.connected(nsp)
      client.emit(nsp, "join", "new")
      const id = client.sid(nsp)!
      assert.deepStrictEqual(yield* Fiber.join(events), [
        { _tag: "RoomCreated", room: id },
        { _tag: "RoomJoined", room: id, socketId: id },
        { _tag: "RoomCreated", room: "new" },
        { _tag: "RoomJoined", room: "new", socketId: id }
      ])
      assert.deepStrictEqual(
        (yield* Fiber.join(connections)).map((socket) => socket.id),
        [id]
      )
    })
  )

  it.effect("before the namespace exists nobody is there", () =>
    Effect.gen(function* () {
      const { server } = yield* setup
      const handle = yield* SocketServer.handle(Namespace.untyped("/later")).pipe(Effect.provide(server.context))
      yield* handle.emit("x")
      assert.deepStrictEqual(yield* handle.sockets, [])
      assert.deepStrictEqual(yield* handle.fetchSockets(), [])
      assert.deepStrictEqual(yield* Stream.runCollect(handle.emitWithAck("x")), [])
    })
  )

  it.effect("serverSideEmit: the in-memory adapter has no other nodes, and says so", () =>
    Effect.gen(function* () {
      const { chat } = yield* setup
      const failure = yield* Effect.flip(chat.serverSideEmit("reload"))
      assert.deepStrictEqual(
        [failure._tag, failure.reason, failure.operation],
        ["AdapterError", "Unsupported", "serverSideEmit"]
      )
    })
  )
})

describe("reserved names", () => {
  for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
    it.effect(`${name} cannot be emitted or listened to`, () =>
      Effect.gen(function* () {
        const Untyped = Namespace.untyped("/u")
        const server = yield* Fake.make(SocketServer.namespace(Untyped, () => Effect.void))
        const client = server.connected("/u")
        const u = yield* SocketServer.handle(Untyped).pipe(Effect.provide(server.context))
        const [socket] = yield* u.sockets
        for (const effect of [u.emit(name), socket!.emit(name), socket!.on(name, () => Effect.void)]) {
          const exit = yield* Effect.exit(effect as Effect.Effect<unknown>)
          assert.strictEqual(exit._tag, "Failure")
        }
        assert.strictEqual(client.events.length, 0)
      })
    )
  }
})
