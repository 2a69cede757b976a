/**
 * Connection state recovery on fake sessions: what goes over the wire, in which order, and what becomes of sessions.
 */
import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { CloseReason } from "../../src/protocol/CloseReason.ts"
import * as SocketPacket from "../../src/protocol/SocketPacket.ts"
import * as Middleware from "../../src/socket/Middleware.ts"
import { Adapter } from "../../src/adapter/Adapter.ts"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import { maxWaiting } from "../../src/socket/RecoveringOutbox.ts"
import type { RecoveryOptions } from "../../src/socket/RecoveryOptions.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as Fake from "./FakeSession.ts"
import { type LogOptions, makeLog } from "./RecoveryLog.ts"

const Chat = Namespace.make("/chat", {
  auth: Schema.Record(Schema.String, Schema.Unknown),
  data: Schema.Struct({ name: Schema.String }),
  fromClient: { join: Event.make({ args: [Schema.String] }), leave: Event.make({ args: [Schema.String] }) },
  fromServer: {
    said: Event.make({ args: [Schema.String] }),
    counted: Event.make({ args: [Schema.Finite] }),
    bare: Event.make({ args: [] }),
    vote: Event.make({ args: [], ack: Schema.Boolean }),
    state: Event.make({ args: [Schema.Unknown] })
  }
})
type Chat = typeof Chat
const nsp = "/chat"

interface Answer {
  readonly sid: string
  readonly pid: string
  readonly offset: string | null
}

/** The answer to CONNECT. */
const answerOf = (client: Fake.FakeClient): Answer =>
  client.packets.find(({ type }) => type === SocketPacket.CONNECT)?.data as unknown as Answer

/** What an official client would send when it comes back. */
const claimOf = (client: Fake.FakeClient): SocketPacket.JsonObject => {
  const { pid } = answerOf(client)
  let offset: unknown
  for (const packet of client.packets) {
    // As the official client finds it.
    const last = packet.type === SocketPacket.EVENT && packet.id === undefined ? packet.data.at(-1) : undefined
    if (typeof last === "string") offset = last
  }
  return offset === undefined ? { pid } : { pid, offset }
}

const setup = (options: RecoveryOptions = {}, log?: LogOptions, middleware?: Layer.Layer<never>) =>
  Effect.gen(function* () {
    const sockets: Array<Socket<Chat>> = []
    const ChatLive = SocketServer.namespace(Chat, (socket) =>
      Effect.gen(function* () {
        sockets.push(socket)
        if (!socket.recovered) yield* socket.setData({ name: `number ${sockets.length}` })
        yield* socket.on("join", (room) => socket.join(room))
        yield* socket.on("leave", (room) => socket.leave(room))
      })
    ).pipe(middleware === undefined ? (layer) => layer : Layer.provide(middleware))
    const store = makeLog(log)
    const server = yield* Fake.make(
      ChatLive,
      { connectionStateRecovery: options },
      log === undefined ? undefined : store.layer
    )
    const chat = yield* SocketServer.handle(Chat).pipe(Effect.provide(server.context))
    /** A client that comes back with what it has seen, and maybe says something else. */
    const comeBack = (client: Fake.FakeClient, auth: SocketPacket.JsonObject = {}): Fake.FakeClient =>
      server.connected(nsp, { ...auth, ...claimOf(client) })
    return { server, chat, sockets, comeBack, store, counters: server.server.core.counters }
  })

const last = <A>(items: ReadonlyArray<A>): A => items.at(-1)!

/** Events without their offsets. */
const said = (client: Fake.FakeClient): ReadonlyArray<unknown> => client.events.map(([, first]) => first)

describe("a client that comes back", () => {
  it.effect("has its id, rooms and data, and what it missed in order, right behind the answer", () =>
    Effect.gen(function* () {
      const { chat, comeBack, counters, server, sockets } = yield* setup()
      const first = server.connected(nsp, { token: "a" })
      first.emit(nsp, "join", "a")
      yield* chat.emit("said", "1")
      const before = last(sockets)
      assert.deepStrictEqual([before.recovered, before.recovery], [false, { _tag: "Fresh" }])
      first.lose("ping timeout")
      yield* chat.emit("said", "2")
      yield* chat.to("a").emit("said", "3")
      yield* chat.to("b").emit("said", "not for it")
      yield* chat.except("a").emit("said", "not for it either")
      yield* chat.to(before.id).emit("counted", 4)
      const second = comeBack(first)
      const socket = last(sockets)
      assert.notStrictEqual(socket, before)
      assert.deepStrictEqual(socket.recovery, { _tag: "Recovered", missed: 3 })
      assert.isTrue(socket.recovered)
      assert.strictEqual(socket.id, before.id)
      assert.deepStrictEqual([...socket.rooms].sort(), [before.id, "a"].sort())
      assert.deepStrictEqual(socket.data, { name: "number 1" })
      yield* chat.emit("said", "5")
      assert.deepStrictEqual(
        second.packets.map(({ type }) => type),
        [SocketPacket.CONNECT, SocketPacket.EVENT, SocketPacket.EVENT, SocketPacket.EVENT, SocketPacket.EVENT]
      )
      assert.deepStrictEqual(said(second), ["2", "3", 4, "5"])
      assert.deepStrictEqual([answerOf(second).sid, answerOf(second).pid], [before.id, answerOf(first).pid])
      assert.deepStrictEqual([counters.recovered, counters.notRecovered, counters.replayed], [1, 0, 3])
    })
  )

  it.effect("is recovered without having seen any event (T2)", () =>
    Effect.gen(function* () {
      const { chat, comeBack, server, sockets } = yield* setup()
      yield* chat.emit("said", "before its time")
      const first = server.connected(nsp)
      assert.deepStrictEqual(claimOf(first), { pid: answerOf(first).pid })
      first.lose()
      yield* chat.emit("said", "missed")
      const second = comeBack(first)
      assert.isTrue(last(sockets).recovered)
      assert.deepStrictEqual(said(second), ["missed"])
      // … and once more, when what it was sent was lost on the way too.
      second.lose()
      second.session.groups.splice(1)
      const third = comeBack(second)
      assert.deepStrictEqual(said(third), ["missed"])
    })
  )

  it.effect("is recovered after hours without an event for it, whatever went to others (T2)", () =>
    Effect.gen(function* () {
      const { chat, comeBack, server, sockets } = yield* setup()
      const first = server.connected(nsp)
      first.emit(nsp, "join", "a")
      yield* chat.to("a").emit("said", "long ago")
      for (let hour = 0; hour < 5; hour++) {
        yield* TestClock.adjust("1 hour")
        yield* chat.to("b").emit("said", "for others")
      }
      yield* TestClock.adjust("1 hour")
      first.lose()
      yield* TestClock.adjust("1 minute")
      yield* chat.to("a").emit("said", "missed")
      const second = comeBack(first)
      assert.deepStrictEqual(last(sockets).recovery, { _tag: "Recovered", missed: 1 })
      assert.deepStrictEqual(said(second), ["missed"])
    })
  )

  it.effect("finds its session once: a second one with the same claim gets a new one (T9)", () =>
    Effect.gen(function* () {
      const { comeBack, counters, server, sockets } = yield* setup()
      const first = server.connected(nsp)
      first.lose()
      const { id } = last(sockets)
      const second = comeBack(first)
      second.lose()
      comeBack(first)
      assert.strictEqual(last(sockets).id, id)
      const held = last(sockets)
      yield* held.disconnect()
      const late = comeBack(first)
      assert.deepStrictEqual(last(sockets).recovery, { _tag: "NotRecovered", reason: "SessionUnknown" })
      assert.notStrictEqual(answerOf(late).pid, answerOf(first).pid)
      assert.notStrictEqual(answerOf(late).sid, id)
      assert.strictEqual(counters.notRecovered, 1)
    })
  )

  it.effect("takes its session over while the server still believes in the old connection", () =>
    Effect.gen(function* () {
      const { chat, comeBack, counters, server, sockets } = yield* setup()
      const first = server.connected(nsp)
      first.emit(nsp, "join", "a")
      yield* chat.emit("said", "1")
      const seen = claimOf(first)
      yield* chat.emit("said", "2, into the void")
      const old = last(sockets)
      const second = server.connected(nsp, seen)
      assert.isFalse(old.connected)
      assert.strictEqual((yield* old.disconnected).reason, "transport close")
      assert.deepStrictEqual(first.session.closed?.reason, "transport close")
      assert.isTrue(last(sockets).recovered)
      assert.deepStrictEqual(said(second), ["2, into the void"])
      assert.strictEqual(counters.sockets, 1)
      yield* chat.to("a").emit("said", "3")
      assert.deepStrictEqual(said(second), ["2, into the void", "3"])
      void comeBack
    })
  )

  it.effect("gets a new session when the time is over, and memory is free then", () =>
    Effect.gen(function* () {
      const { chat, comeBack, server, sockets } = yield* setup({ maxDisconnectionDuration: "10 seconds" })
      const first = server.connected(nsp)
      yield* chat.emit("said", "1")
      first.lose()
      yield* TestClock.adjust("9 seconds")
      const second = comeBack(first)
      assert.isTrue(last(sockets).recovered)
      second.lose()
      yield* TestClock.adjust("10 seconds")
      comeBack(second)
      assert.deepStrictEqual(last(sockets).recovery, { _tag: "NotRecovered", reason: "SessionUnknown" })
    })
  )

  it.effect("is not given a part for all: with events gone, the session is new and says why", () =>
    Effect.gen(function* () {
      const { chat, comeBack, server, sockets } = yield* setup({ maxEvents: 3 })
      const lost = [server.connected(nsp), server.connected(nsp)]
      for (const client of lost) client.lose()
      for (const text of ["1", "2", "3"]) yield* chat.emit("said", text)
      assert.deepStrictEqual(said(comeBack(lost[0]!)), ["1", "2", "3"])
      yield* chat.emit("said", "4")
      const late = comeBack(lost[1]!)
      assert.deepStrictEqual(last(sockets).recovery, { _tag: "NotRecovered", reason: "LogTruncated" })
      assert.deepStrictEqual(said(late), [])
    })
  )

  it.effect("with an offset that is none gets a new session, and may try again", () =>
    Effect.gen(function* () {
      const { comeBack, server, sockets } = yield* setup()
      const first = server.connected(nsp)
      first.lose()
      for (const offset of ["nonsense", "99", "-1", "1e3", ""]) {
        server.connected(nsp, { ...claimOf(first), offset })
        assert.deepStrictEqual(last(sockets).recovery, { _tag: "NotRecovered", reason: "OffsetUnknown" }, offset)
      }
      comeBack(first)
      assert.isTrue(last(sockets).recovered)
    })
  )

  for (const [reason, kept] of [
    ["transport close", true],
    ["transport error", true],
    ["ping timeout", true],
    ["forced close", true],
    ["parse error", false]
  ] as const satisfies ReadonlyArray<readonly [CloseReason, boolean]>) {
    it.effect(`${kept ? "comes" : "does not come"} back after "${reason}"`, () =>
      Effect.gen(function* () {
        const { comeBack, server, sockets } = yield* setup()
        const first = server.connected(nsp)
        first.lose(reason)
        comeBack(first)
        assert.strictEqual(last(sockets).recovered, kept)
      })
    )
  }

  it.effect("does not come back when one of the programs has ended it", () =>
    Effect.gen(function* () {
      const { comeBack, server, sockets } = yield* setup()
      const left = server.connected(nsp)
      left.disconnect(nsp)
      comeBack(left)
      assert.isFalse(last(sockets).recovered)
      const kicked = server.connected(nsp)
      yield* last(sockets).disconnect()
      comeBack(kicked)
      assert.isFalse(last(sockets).recovered)
    })
  )

  it.effect("gets what a handler of the lost connection still sent", () =>
    Effect.gen(function* () {
      const { comeBack, server, sockets } = yield* setup()
      const first = server.connected(nsp)
      const socket = last(sockets)
      yield* socket.onDisconnecting(() => socket.emit("said", "while leaving"))
      first.lose()
      assert.strictEqual(yield* socket.emit("said", "when gone"), "buffered")
      assert.strictEqual(yield* socket.volatile.emit("said", "volatile"), "dropped")
      assert.deepStrictEqual(said(comeBack(first)), ["while leaving", "when gone"])
    })
  )

  it.effect("gets what was sent, whatever the program has done to its objects since", () =>
    Effect.gen(function* () {
      const { chat, comeBack, server } = yield* setup()
      const first = server.connected(nsp)
      const state = { turn: 1, bytes: new Uint8Array([1]) }
      first.lose()
      yield* chat.emit("state", state)
      state.turn = 2
      yield* chat.emit("state", state)
      const second = comeBack(first)
      assert.deepStrictEqual(
        said(second).map((sent) => (sent as { readonly turn: number }).turn),
        [1, 2]
      )
    })
  )
})

describe("what is shown of it", () => {
  it.effect(
    "pid and offset are no part of the auth that programs see; fields of that name that are none stay (T17)",
    () =>
      Effect.gen(function* () {
        const { comeBack, server, sockets } = yield* setup()
        const first = server.connected(nsp, { token: "a", offset: "mine", pid: "mine" })
        assert.deepStrictEqual(last(sockets).auth, { token: "a", offset: "mine", pid: "mine" })
        assert.deepStrictEqual(last(sockets).recovery, { _tag: "Fresh" })
        first.lose()
        comeBack(first, { token: "b" })
        assert.isTrue(last(sockets).recovered)
        assert.deepStrictEqual(last(sockets).auth, { token: "b" })
        assert.deepStrictEqual(last(sockets).handshake.auth, { token: "b" })
      })
  )

  it.effect("without the option nothing is different: no pid, no offsets, claims are auth", () =>
    Effect.gen(function* () {
      const sockets: Array<Socket<Chat>> = []
      const server = yield* Fake.make(SocketServer.namespace(Chat, (socket) => Effect.sync(() => sockets.push(socket))))
      const pid = "abcdefghijklmnopqrst"
      const client = server.connected(nsp, { pid, offset: "1" })
      yield* last(sockets).emit("said", "x")
      assert.deepStrictEqual(client.frames, [`40/chat,{"sid":"${last(sockets).id}"}`, '42/chat,["said","x"]'])
      assert.deepStrictEqual(last(sockets).auth, { pid, offset: "1" })
      assert.deepStrictEqual([last(sockets).recovered, last(sockets).recovery], [false, { _tag: "Fresh" }])
    })
  )
})

describe("offsets on the wire", () => {
  it.effect("a client never takes a text of the program for an offset (T1)", () =>
    Effect.gen(function* () {
      const { chat, comeBack, server, sockets } = yield* setup()
      const first = server.connected(nsp)
      const socket = last(sockets)
      yield* socket.emit("said", "stored")
      yield* socket.volatile.emit("said", "volatile")
      yield* chat.volatile.emit("bare")
      yield* chat.volatile.emit("counted", 1)
      assert.deepStrictEqual(first.events, [
        ["said", "stored", "1"],
        ["said", "volatile", "1"],
        ["bare", "1"],
        ["counted", 1]
      ])
      assert.deepStrictEqual(claimOf(first)["offset"], "1")
      first.lose()
      yield* chat.emit("said", "missed")
      yield* chat.volatile.emit("said", "too late")
      const second = comeBack(first)
      assert.isTrue(last(sockets).recovered)
      assert.deepStrictEqual(second.events, [["said", "missed", "2"]])
    })
  )

  it.effect("events that want an answer have none, and wait for nobody who comes back", () =>
    Effect.gen(function* () {
      const { chat, server, sockets } = yield* setup()
      const first = server.connected(nsp)
      const asked = yield* Effect.forkChild(last(sockets).emitWithAck("vote"), { startImmediately: true })
      const vote = last(first.packets)
      assert.deepStrictEqual([vote.type, vote.data], [SocketPacket.EVENT, ["vote"]])
      first.answer(nsp, vote.id!, true)
      assert.isTrue(yield* Fiber.join(asked))
      void chat
    })
  )

  it.effect("where no place in the log is known, what stands for it means that nothing was seen (T3)", () =>
    Effect.gen(function* () {
      const { chat, comeBack, server, sockets, store } = yield* setup({}, {})
      const first = server.connected(nsp)
      assert.isNull(answerOf(first).offset)
      yield* chat.volatile.emit("said", "x")
      assert.deepStrictEqual(first.events, [["said", "x", "-"]])
      first.lose()
      yield* chat.emit("said", "missed")
      const second = comeBack(first)
      assert.deepStrictEqual(store.asked, [undefined])
      assert.isTrue(last(sockets).recovered)
      assert.deepStrictEqual(said(second), ["missed"])
    })
  )
})

describe("being let in", () => {
  const allowed = new Set<unknown>(["good"])
  const guard = Middleware.make((socket) => {
    const { token } = socket.auth as { readonly token?: unknown }
    return allowed.has(token) ? Effect.void : Effect.fail(new Error("revoked"))
  })

  it.effect(
    "nothing of what was missed leaves before middleware has agreed (T7); then the session is still there",
    () =>
      Effect.gen(function* () {
        const { chat, comeBack, counters, server, sockets } = yield* setup({}, undefined, guard)
        const first = server.connected(nsp, { token: "good" })
        first.lose()
        yield* chat.emit("said", "secret")
        const refused = comeBack(first, { token: "bad" })
        assert.deepStrictEqual(refused.frames, ['44/chat,{"message":"revoked"}'])
        const second = comeBack(first, { token: "good" })
        assert.isTrue(last(sockets).recovered)
        assert.deepStrictEqual(said(second), ["secret"])
        assert.deepStrictEqual([counters.recovered, counters.refused], [1, 1])
      })
  )

  it.effect("skipMiddlewares: recovered sockets only, and not what provides services", () =>
    Effect.gen(function* () {
      class User extends Context.Service<User, { readonly name: string }>()("test/Recovery/User") {}
      class Provide extends Middleware.Service<Provide>()("test/Recovery/Provide", { provides: User }) {}
      let ran = ""
      const seen: Array<string> = []
      const Live = SocketServer.namespace(Chat, () => Effect.map(User, ({ name }) => seen.push(name))).pipe(
        Layer.provide(Middleware.layer(Provide, () => Effect.sync(() => ((ran += "p"), { name: "u" })))),
        Layer.provide(Middleware.make(() => Effect.sync(() => (ran += "m"))))
      )
      const server = yield* Fake.make(Live, { connectionStateRecovery: { skipMiddlewares: true } })
      const first = server.connected(nsp)
      first.lose()
      server.connected(nsp, claimOf(first))
      assert.strictEqual(ran, "mpp")
      assert.deepStrictEqual(seen, ["u", "u"])
    })
  )

  it.effect("what is emitted while middleware decides arrives once, behind what was missed", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let open = false
      const slow = Middleware.make(() => (open ? Deferred.await(gate) : Effect.void))
      const { chat, comeBack, server, sockets } = yield* setup({}, undefined, slow)
      const first = server.connected(nsp)
      first.emit(nsp, "join", "a")
      first.lose()
      yield* chat.emit("said", "1")
      open = true
      const second = comeBack(first)
      yield* chat.to("a").emit("said", "2")
      yield* chat.to("b").emit("said", "not for it")
      yield* chat.local.emit("said", "3")
      yield* chat.volatile.emit("said", "volatile")
      assert.deepStrictEqual(second.frames, [])
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust(0)
      assert.isTrue(last(sockets).recovered)
      yield* chat.emit("said", "4")
      assert.deepStrictEqual(said(second), ["1", "2", "3", "4"])
    })
  )

  it.effect("a client that goes while middleware decides loses nothing", () =>
    Effect.gen(function* () {
      let stuck = false
      const slow = Middleware.make(() => (stuck ? Effect.never : Effect.void))
      const { chat, comeBack, counters, server, sockets } = yield* setup({}, undefined, slow)
      const first = server.connected(nsp)
      first.lose()
      yield* chat.emit("said", "1")
      stuck = true
      comeBack(first).lose()
      yield* chat.emit("said", "2")
      stuck = false
      assert.deepStrictEqual(said(comeBack(first)), ["1", "2"])
      assert.deepStrictEqual([sockets.length, counters.recovered], [2, 1])
    })
  )
})

describe("a log that takes its time", () => {
  it.effect("every kind of emit arrives in the order of the program (T4)", () =>
    Effect.gen(function* () {
      const { chat, server, sockets, store } = yield* setup({}, { manual: true, remote: true })
      const client = server.connected(nsp)
      const socket = last(sockets)
      yield* chat.emit("said", "1")
      assert.strictEqual(yield* socket.emit("said", "2"), "buffered")
      const asked = yield* Effect.forkChild(socket.emitWithAck("vote"), { startImmediately: true })
      yield* Effect.forkChild(socket.timeout("1 minute").emitWithAck("vote"), { startImmediately: true })
      yield* chat.local.emit("said", "4")
      yield* chat.volatile.emit("counted", 5)
      assert.deepStrictEqual(client.events, [])
      // In whatever order they become known.
      store.complete(1)
      assert.deepStrictEqual(client.events, [])
      store.complete(0)
      assert.deepStrictEqual(client.events, [
        ["said", "1", "1"],
        ["said", "2", "2"],
        ["vote"],
        ["vote"],
        ["said", "4", "2"],
        ["counted", 5]
      ])
      const votes = client.packets.filter(({ id }) => id !== undefined)
      client.answer(nsp, votes[0]!.id!, true)
      assert.isTrue(yield* Fiber.join(asked))
    })
  )

  it.effect("what was sent is what arrives, though the program went on with its objects", () =>
    Effect.gen(function* () {
      const { chat, server, store } = yield* setup({}, { manual: true })
      const client = server.connected(nsp)
      const state = { turn: 1 }
      yield* chat.emit("state", state)
      yield* chat.volatile.emit("state", state)
      state.turn = 2
      store.complete(0)
      assert.deepStrictEqual(said(client), [{ turn: 1 }, { turn: 1 }])
    })
  )

  it.effect("a question that nobody waits for any more is not asked", () =>
    Effect.gen(function* () {
      const { chat, server, store } = yield* setup({}, { manual: true })
      const client = server.connected(nsp)
      yield* chat.emit("said", "1")
      const asked = yield* Effect.forkChild(
        Effect.exit(Effect.timeout(Stream.runCollect(chat.emitWithAck("vote")), "1 second")),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(asked)
      store.complete(0)
      assert.deepStrictEqual(
        client.events.map(([name]) => name),
        ["said"]
      )
    })
  )

  it.effect("one that does not answer: events go without a place, and nobody is recovered across them", () =>
    Effect.gen(function* () {
      const { chat, comeBack, counters, server, sockets, store } = yield* setup({}, { manual: true })
      const before = server.connected(nsp)
      yield* chat.emit("said", "1")
      store.complete(0)
      before.lose()
      const client = server.connected(nsp)
      yield* chat.emit("said", "2")
      yield* TestClock.adjust("4 seconds")
      yield* chat.emit("said", "3")
      assert.deepStrictEqual(said(client), [])
      yield* TestClock.adjust("1 second")
      // As its last text would be taken for a place, it has the last one that is known.
      assert.deepStrictEqual(client.events, [["said", "2", "1"]])
      assert.strictEqual(counters.unstored, 1)
      store.complete(1)
      assert.deepStrictEqual(client.events, [["said", "2", "1"]])
      store.complete(2)
      assert.deepStrictEqual(client.events, [
        ["said", "2", "1"],
        ["said", "3", "3"]
      ])
      comeBack(before)
      assert.deepStrictEqual(last(sockets).recovery, { _tag: "NotRecovered", reason: "LogTruncated" })
      client.lose()
      const back = comeBack(client)
      assert.isTrue(last(sockets).recovered)
      assert.deepStrictEqual(said(back), [])
    })
  )

  it.effect("with too many that wait, the first goes without a place", () =>
    Effect.gen(function* () {
      const { chat, counters, server, store } = yield* setup({}, { manual: true })
      const client = server.connected(nsp)
      for (let number = 0; number < maxWaiting; number++) yield* chat.emit("counted", number)
      assert.deepStrictEqual([client.events.length, counters.unstored], [0, 0])
      yield* chat.emit("counted", maxWaiting)
      assert.deepStrictEqual(client.events, [["counted", 0]])
      assert.strictEqual(counters.unstored, 1)
      for (let number = 0; number <= maxWaiting; number++) store.complete(number)
      assert.deepStrictEqual(client.events.length, maxWaiting + 1)
      assert.deepStrictEqual(last(client.events), ["counted", maxWaiting, String(maxWaiting + 1)])
    })
  )

  it.effect("one that refuses an event: the same; with time the hole is forgotten", () =>
    Effect.gen(function* () {
      const { chat, comeBack, counters, server, sockets } = yield* setup({}, { refuse: (text) => text === "2" })
      const client = server.connected(nsp)
      for (const text of ["1", "2"]) yield* chat.emit("said", text)
      assert.deepStrictEqual(client.events, [
        ["said", "1", "1"],
        ["said", "2", "1"]
      ])
      assert.strictEqual(counters.unstored, 1)
      client.lose()
      comeBack(client)
      assert.deepStrictEqual(last(sockets).recovery, { _tag: "NotRecovered", reason: "LogTruncated" })
      yield* TestClock.adjust("10 minutes")
      const later = server.connected(nsp)
      yield* TestClock.adjust("1 minute")
      later.lose()
      comeBack(later)
      assert.isTrue(last(sockets).recovered)
    })
  )

  it.effect("one that is ahead of this node: what was sent again is not delivered once more", () =>
    Effect.gen(function* () {
      const { chat, comeBack, server, sockets, store } = yield* setup({}, { manual: true })
      const first = server.connected(nsp)
      first.lose()
      for (const text of ["1", "2", "3"]) yield* chat.emit("said", text)
      const second = comeBack(first)
      assert.isTrue(last(sockets).recovered)
      assert.deepStrictEqual(said(second), ["1", "2", "3"])
      for (const index of [0, 1, 2]) store.complete(index)
      yield* chat.emit("said", "4")
      store.complete(3)
      assert.deepStrictEqual(said(second), ["1", "2", "3", "4"])
    })
  )

  it.effect("that cannot be asked, or not in time: a new session says so, and the failure is reported", () =>
    Effect.gen(function* () {
      const { comeBack, server, sockets, store } = yield* setup({}, {})
      const first = server.connected(nsp)
      first.lose()
      store.restoring = Effect.never
      comeBack(first)
      const count = sockets.length
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(sockets.length, count + 1)
      assert.deepStrictEqual(last(sockets).recovery, { _tag: "NotRecovered", reason: "Unavailable" })
      assert.deepStrictEqual(
        server.reports.map(({ stage }) => stage),
        ["adapter"]
      )
    })
  )

  it.effect("that cannot keep a session: it is reported, and the client gets a new one", () =>
    Effect.gen(function* () {
      const { comeBack, server, sockets, store } = yield* setup({}, {})
      store.persisting = Effect.die(new Error("no room"))
      const first = server.connected(nsp)
      first.lose()
      assert.include(Cause.pretty(server.reports[0]!.cause), "no room")
      comeBack(first)
      assert.deepStrictEqual(last(sockets).recovery, { _tag: "NotRecovered", reason: "SessionUnknown" })
    })
  )

  it.effect("a client that is back before its session is kept waits for it", () =>
    Effect.gen(function* () {
      const { comeBack, server, sockets, store } = yield* setup({}, {})
      const gate = yield* Deferred.make<void>()
      store.persisting = Deferred.await(gate)
      const first = server.connected(nsp)
      first.lose()
      comeBack(first)
      assert.strictEqual(sockets.length, 1)
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust(0)
      assert.isTrue(last(sockets).recovered)
    })
  )

  it.effect("the server's end waits until sessions are kept", () =>
    Effect.gen(function* () {
      const { server, store } = yield* setup({}, {})
      const gate = yield* Deferred.make<void>()
      store.persisting = Deferred.await(gate)
      server.connected(nsp)
      const stopping = yield* Effect.forkChild(server.stop, { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.isUndefined(stopping.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(stopping)
      assert.strictEqual(store.sessions.size, 1)
    })
  )
})

describe("persist: always", () => {
  it.effect("keeps the session from the beginning, and each change of rooms and data once a turn", () =>
    Effect.gen(function* () {
      const { server, sockets, store } = yield* setup({ persist: "always" }, {})
      const client = server.connected(nsp)
      const { pid } = answerOf(client)
      yield* TestClock.adjust(0)
      assert.strictEqual(store.persisted, 1)
      client.emit(nsp, "join", "a")
      client.emit(nsp, "join", "b")
      yield* last(sockets).setData({ name: "changed" })
      yield* TestClock.adjust(0)
      assert.strictEqual(store.persisted, 2)
      const session = store.sessions.get(pid)!
      assert.deepStrictEqual([...session.rooms].sort(), [last(sockets).id, "a", "b"].sort())
      assert.deepStrictEqual(session.data, { name: "changed" })
      // Stores forget: it is renewed.
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(store.persisted, 3)
      yield* last(sockets).disconnect()
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(store.persisted, 4)
      assert.strictEqual(store.sessions.get(pid)?.sid, "")
    })
  )

  it.effect("after the server was killed, its client is recovered by another one", () =>
    Effect.gen(function* () {
      const { chat, server, store } = yield* setup({ persist: "always" }, {})
      const client = server.connected(nsp)
      client.emit(nsp, "join", "a")
      yield* chat.emit("said", "1")
      yield* TestClock.adjust(0)
      yield* chat.to("a").emit("said", "2, lost with the server")
      // Killed: nothing is said, nothing is kept any more.
      const claim = { ...claimOf(client), offset: "1" }
      const sockets: Array<Socket<Chat>> = []
      const other = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) => Effect.sync(() => sockets.push(socket))),
        { connectionStateRecovery: { persist: "always" } },
        store.layer
      )
      const back = other.connected(nsp, claim)
      assert.isTrue(last(sockets).recovered)
      assert.isTrue(last(sockets).rooms.has("a"))
      assert.deepStrictEqual(said(back), ["2, lost with the server"])
    })
  )

  it.effect("whose socket seems alive on another node goes there, and what is kept here stays", () =>
    Effect.gen(function* () {
      const { server, sockets, store } = yield* setup({ persist: "always" }, { remote: true })
      const client = server.connected(nsp)
      yield* TestClock.adjust(0)
      const { pid } = answerOf(client)
      const elsewhere: Array<Socket<Chat>> = []
      const other = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) => Effect.sync(() => elsewhere.push(socket))),
        { connectionStateRecovery: { persist: "always" } },
        store.layer
      )
      other.connected(nsp, claimOf(client))
      yield* TestClock.adjust(0)
      assert.isTrue(last(elsewhere).recovered)
      assert.isFalse(last(sockets).connected)
      assert.isTrue(last(elsewhere).connected)
      assert.strictEqual(store.sessions.get(pid)?.sid, last(elsewhere).id)
    })
  )
})

describe("options", () => {
  it.effect("that make no sense are refused; an adapter that cannot store recovers nobody", () =>
    Effect.gen(function* () {
      for (const options of [{ maxEvents: 0 }, { maxBytes: 0 }, { maxDisconnectionDuration: "soon" as never }]) {
        const defect = yield* Effect.flip(Effect.sandbox(setup(options)))
        assert.match(Cause.pretty(defect), /maxEvents|maxBytes|maxDisconnectionDuration/)
      }
      const noStore = Layer.succeed(Adapter, {
        name: "none",
        make: () => Effect.succeed(InMemoryAdapter.make(undefined))
      })
      const Live = SocketServer.namespace(Chat, (socket) => socket.emit("said", "x"))
      const server = yield* Fake.make(Live, { connectionStateRecovery: {} }, noStore)
      const client = server.connected(nsp)
      assert.deepStrictEqual(client.frames, [`40/chat,{"sid":"${client.sid(nsp)}"}`, '42/chat,["said","x"]'])
    })
  )
})

describe("namespaces that come to exist", () => {
  it.effect("an empty one that is cleaned up stays as long as its sockets may come back", () =>
    Effect.gen(function* () {
      const Org = Namespace.make("/org/:id", { fromServer: { said: Event.make({ args: [Schema.String] }) } })
      const recovered: Array<boolean> = []
      const Live = SocketServer.namespace(Org, (socket) => Effect.sync(() => recovered.push(socket.recovered)))
      const server = yield* Fake.make(Live, { connectionStateRecovery: {}, cleanupEmptyChildNamespaces: true })
      const { registry } = server.server.core
      const first = server.connected("/org/1")
      first.lose()
      yield* TestClock.adjust("1 minute")
      const second = server.connected("/org/1", claimOf(first))
      assert.deepStrictEqual(recovered, [false, true])
      second.lose()
      yield* TestClock.adjust("119 seconds")
      assert.isDefined(registry.get("/org/1"))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(registry.get("/org/1"))
    })
  )
})
