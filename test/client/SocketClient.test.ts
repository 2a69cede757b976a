import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as SocketClient from "../../src/client/index.ts"
import { Event, Namespace } from "../../src/contract/index.ts"
import { ScriptedServer } from "./ScriptedServer.ts"

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}
class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { why: Schema.String }) {}

const Chat = Namespace.make("/chat", {
  auth: Schema.Struct({ token: Schema.String }),
  refusal: Unauthorized,
  fromClient: {
    message: Event.make({ args: [Schema.String.check(Schema.isMaxLength(10))], ack: Schema.Finite, error: RoomClosed }),
    plain: Event.make({ args: [], ack: Schema.Finite }),
    typing: Event.make({ args: [Schema.Boolean] })
  },
  fromServer: {
    message: Event.make({ args: [Schema.String, Schema.Finite] }),
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean }),
    guarded: Event.make({ args: [Schema.String], error: RoomClosed }),
    turn: Event.make({ args: [Schema.Finite], ack: Schema.Finite, concurrency: 1 })
  }
})

const url = "http://server.test"
const auth = { token: "t" }
const transports = ["websocket"] as const

/** Runs with a server whose connections are accepted at once, unless told otherwise. */
const withServer = <A, E, R>(
  f: (server: ScriptedServer) => Effect.Effect<A, E, R>,
  onConnection: ScriptedServer["onConnection"] = (connection) => connection.accept("/chat")
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const server = new ScriptedServer()
    server.onConnection = onConnection
    return Effect.provideService(f(server), SocketClient.Platform, server)
  })

const connect = (options: { readonly wait?: boolean; readonly autoConnect?: boolean } = {}) =>
  SocketClient.connect(Chat, { url, auth, transports, ...options })

/** Lets what is due at this moment run. */
const settle = TestClock.adjust(0)

/** Reports of the error sink. */
const reports = <A, E, R>(f: (reports: Array<SocketClient.ClientReport>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const found: Array<SocketClient.ClientReport> = []
    return Effect.provideService(f(found), SocketClient.ErrorSink, (report) =>
      Effect.sync(() => void found.push(report))
    )
  })

const tags = (states: ReadonlyArray<SocketClient.ConnectionState>): ReadonlyArray<string> =>
  states.map(({ _tag }) => _tag)

/** Follows the states from now on. */
const follow = (socket: SocketClient.Socket<typeof Chat>) =>
  Effect.gen(function* () {
    const states: Array<SocketClient.ConnectionState> = []
    yield* SocketClient.states(socket).pipe(
      Stream.runForEach((state) => Effect.sync(() => void states.push(state))),
      Effect.forkScoped({ startImmediately: true })
    )
    return states
  })

describe("connect", () => {
  it.effect("sends the encoded auth and gives the connected socket", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        yield* settle
        assert.deepStrictEqual(server.last.take(), ['40/chat,{"token":"t"}'])
        assert.strictEqual(server.last.url, "ws://server.test/socket.io/?EIO=4&transport=websocket")
        assert.strictEqual(chat.id, "id-of-/chat")
        assert.strictEqual(chat.name, "/chat")
        assert.strictEqual(chat.transport, "websocket")
        assert.deepStrictEqual(chat.state, { _tag: "Connected", id: "id-of-/chat", recovered: false })
        assert.deepStrictEqual([chat.connected, chat.active, chat.recovered], [true, true, false])
      })
    )
  )

  it.effect("fails with the contract's refusal, decoded, and stays disconnected", () =>
    withServer(
      (server) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(connect())
          assert.strictEqual(error._tag, "ConnectRefused")
          if (error._tag === "ConnectRefused")
            assert.deepStrictEqual(error.refusal, new Unauthorized({ why: "expired" }))
          yield* TestClock.adjust("1 minute")
          assert.lengthOf(server.connections, 1)
          assert.isTrue(server.last.closed)
        }),
      (connection) => {
        connection.accept()
        connection.say('44/chat,{"message":"Unauthorized","data":{"_tag":"Unauthorized","why":"expired"}}')
      }
    )
  )

  it.effect("fails with a refusal that the contract does not know, as it came", () =>
    withServer(
      () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(connect())
          assert.strictEqual(error.message, "Invalid namespace")
          if (error._tag === "ConnectRefused") assert.isUndefined(error.refusal)
        }),
      (connection) => {
        connection.accept()
        connection.say('44/chat,{"message":"Invalid namespace"}')
      }
    )
  )

  it.effect("fails after the last attempt of a schedule, and not before", () =>
    withServer(
      (server) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Effect.flip(connect()), { startImmediately: true })
          yield* TestClock.adjust("2 seconds")
          assert.isUndefined(fiber.pollUnsafe())
          assert.lengthOf(server.connections, 3)
          yield* TestClock.adjust("1 second")
          const error = yield* Fiber.join(fiber)
          assert.deepInclude(error, { _tag: "ConnectFailed", message: "websocket error" })
          assert.lengthOf(server.connections, 4)
        }).pipe(
          Effect.provide(
            SocketClient.layerReconnection(
              SocketClient.fromSchedule(Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 3 })))
            )
          )
        ),
      (connection) => connection.refuse()
    )
  )

  it.effect("fails at once without reconnection, and with the option reconnectionAttempts", () =>
    withServer(
      (server) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(SocketClient.connect(Chat, { url, auth, transports, reconnection: false }))
          assert.strictEqual(error._tag, "ConnectFailed")
          assert.lengthOf(server.connections, 1)
          const fiber = yield* Effect.forkChild(
            Effect.flip(SocketClient.connect(Chat, { url, auth, transports, forceNew: true, reconnectionAttempts: 2 })),
            { startImmediately: true }
          )
          yield* TestClock.adjust("1 minute")
          assert.strictEqual((yield* Fiber.join(fiber))._tag, "ConnectFailed")
          assert.lengthOf(server.connections, 4)
        }),
      (connection) => connection.refuse()
    )
  )

  it.effect("gives an attempt up after connectTimeout", () =>
    withServer(
      (server) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(
            Effect.flip(SocketClient.connect(Chat, { url, auth, transports, reconnection: false })),
            { startImmediately: true }
          )
          yield* TestClock.adjust("19999 millis")
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          assert.deepInclude(yield* Fiber.join(fiber), { _tag: "ConnectFailed", message: "timeout" })
          assert.isTrue(server.last.closed)
        }),
      () => {}
    )
  )

  it.effect("does not wait with wait: false, and not even connect with autoConnect: false", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const idle = yield* connect({ autoConnect: false })
        assert.strictEqual(idle.state._tag, "Disconnected")
        assert.lengthOf(server.connections, 0)
        const socket = yield* SocketClient.connect("/chat", { url, transports, wait: false, forceNew: true })
        assert.strictEqual(socket.state._tag, "Connecting")
        yield* settle
        assert.strictEqual(socket.state._tag, "Connected")
        yield* idle.connect
        assert.isTrue(idle.connected)
      })
    )
  )

  it.effect("runs the auth for each attempt; its error is the attempt's", () =>
    withServer((server) =>
      Effect.gen(function* () {
        let runs = 0
        const auth = () => (++runs === 1 ? Effect.fail("offline" as const) : Effect.succeed({ token: `t${runs}` }))
        const chat = yield* SocketClient.connect(Chat, { url, auth, transports, autoConnect: false })
        assert.strictEqual(yield* Effect.flip(chat.connect), "offline")
        assert.strictEqual(chat.state._tag, "AuthFailed")
        yield* chat.connect
        server.last.drop()
        yield* TestClock.adjust("2 seconds")
        yield* settle
        assert.strictEqual(runs, 3)
        assert.deepStrictEqual(server.last.take(), ['40/chat,{"token":"t3"}'])
      })
    )
  )

  it.effect("refuses an auth that does not encode", () =>
    withServer(() =>
      Effect.gen(function* () {
        // As a caller without types might.
        const wrong = { token: 1 } as unknown as { readonly token: string }
        const error = yield* Effect.flip(SocketClient.connect(Chat, { url, auth: wrong, transports }))
        assert.deepInclude(error, { _tag: "InvalidPayload", event: "connect" })
      })
    )
  )

  it.effect("needs the services of its auth effect", () => {
    class Token extends Context.Service<Token, { readonly value: string }>()("Token") {}
    return withServer((server) =>
      Effect.gen(function* () {
        yield* SocketClient.connect(Chat, {
          url,
          transports,
          auth: Token.use(({ value }) => Effect.succeed({ token: value }))
        })
        yield* settle
        assert.deepStrictEqual(server.last.take(), ['40/chat,{"token":"from a service"}'])
      }).pipe(Effect.provideService(Token, { value: "from a service" }))
    )
  })

  it.effect("fails for a URL that is none", () =>
    withServer(() =>
      Effect.gen(function* () {
        for (const wrong of ["", "ftp://x", "http://"]) {
          assert.strictEqual((yield* Effect.flip(SocketClient.connect("/", { url: wrong })))._tag, "ConnectFailed")
        }
        assert.strictEqual((yield* Effect.flip(SocketClient.manager({ url: "" })))._tag, "ConnectFailed")
      })
    )
  )

  it.effect("can be interrupted while it waits", () =>
    withServer(
      (server) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Effect.scoped(connect()), { startImmediately: true })
          yield* settle
          yield* Fiber.interrupt(fiber)
          yield* settle
          assert.isTrue(server.last.closed)
          yield* TestClock.adjust("1 minute")
          assert.lengthOf(server.connections, 1)
        }),
      () => {}
    )
  )
})

describe("connections", () => {
  it.effect("are shared by namespaces of one scope, URL and path, unless the namespace is on it already", () =>
    withServer(
      (server) =>
        Effect.gen(function* () {
          yield* SocketClient.connect("/a", { url, transports })
          yield* SocketClient.connect("/b", { url: "ws://server.test:80", transports })
          assert.lengthOf(server.connections, 1)
          yield* SocketClient.connect("/a", { url, transports })
          assert.lengthOf(server.connections, 2)
          yield* SocketClient.connect("/b", { url, transports, forceNew: true })
          assert.lengthOf(server.connections, 3)
          yield* SocketClient.connect("/b", { url, transports, path: "/other" })
          assert.lengthOf(server.connections, 4)
          yield* Effect.scoped(SocketClient.connect("/c", { url, transports }))
          assert.lengthOf(server.connections, 5)
          assert.deepStrictEqual(
            server.connections.map(({ closed }) => closed),
            [false, false, false, false, true]
          )
        }),
      (connection) => connection.accept("/a", "/b", "/c")
    )
  )

  it.effect("can be a manager of one's own", () =>
    withServer(
      (server) =>
        Effect.gen(function* () {
          const manager = yield* SocketClient.manager({ url, transports })
          assert.lengthOf(server.connections, 0)
          assert.isUndefined(manager.transport)
          yield* SocketClient.connect("/a", { manager })
          yield* Effect.scoped(SocketClient.connect("/b", { manager }))
          assert.lengthOf(server.connections, 1)
          assert.strictEqual(manager.transport, "websocket")
          assert.isFalse(server.last.closed)
          const again = yield* Effect.flip(SocketClient.connect("/a", { manager }))
          assert.strictEqual(again._tag, "ConnectFailed")
        }),
      (connection) => connection.accept("/a", "/b")
    )
  )

  it.effect("to one of several namespaces of a contract are named by their parameters", () => {
    const Org = Namespace.make("/org/:id", { params: { id: Schema.FiniteFromString }, fromClient: {} })
    return withServer(
      (server) =>
        Effect.gen(function* () {
          const socket = yield* SocketClient.connect(Org, { url, transports, params: { id: 7 } })
          assert.strictEqual(socket.name, "/org/7")
          yield* settle
          assert.deepStrictEqual(server.last.take(), ["40/org/7,"])
        }),
      (connection) => connection.accept("/org/7")
    )
  })
})

describe("reconnection", () => {
  it.effect("waits as Socket.IO does, by the Random of the context, and starts afresh after a connection", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const states = yield* follow(chat)
        const accept = server.onConnection
        server.onConnection = (connection) => connection.refuse()
        server.last.drop()
        yield* TestClock.adjust("30 seconds")
        const waits = states.flatMap((state) =>
          state._tag === "Waiting" ? [[state.attempt, state.delay] as const] : []
        )
        // With a chance of exactly one half there is no jitter up: 1000 - 250, 2000 - 500, 4000 - 1000, then at most 5000.
        assert.deepStrictEqual(waits.slice(0, 3), [
          [1, 1250],
          [2, 2500],
          [3, 5000]
        ])
        assert.strictEqual(waits.at(-1)![1], 5000)
        server.onConnection = accept
        yield* TestClock.adjust("5 seconds")
        assert.isTrue(chat.connected)
        server.last.drop()
        yield* settle
        assert.deepInclude(chat.state, { _tag: "Waiting", attempt: 1, delay: 1250 })
      }).pipe(Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 1 }))
    )
  )

  it.effect("shows its states", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const states = yield* follow(chat)
        server.last.drop()
        yield* TestClock.adjust("2 seconds")
        server.last.say("41/chat,")
        yield* settle
        yield* chat.connect
        yield* chat.disconnect
        yield* settle
        assert.deepStrictEqual(tags(states), [
          "Connected",
          "Disconnected",
          "Waiting",
          "Connecting",
          "Connected",
          "Disconnected",
          "Connecting",
          "Connected",
          "Disconnected"
        ])
        assert.deepStrictEqual(
          states.flatMap((state) => (state._tag === "Disconnected" ? [state.reason] : [])),
          ["transport close", "io server disconnect", "io client disconnect"]
        )
      })
    )
  )

  it.effect("happens after a silent server", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const states = yield* follow(chat)
        yield* TestClock.adjust("44999 millis")
        assert.isTrue(chat.connected)
        yield* TestClock.adjust("1 millis")
        assert.deepInclude(states[1], { _tag: "Disconnected", reason: "ping timeout" })
        yield* TestClock.adjust("2 seconds")
        assert.isTrue(chat.connected)
        assert.lengthOf(server.connections, 2)
      })
    )
  )

  it.effect("ends with the scope, and the states with it", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const chat = yield* Scope.provide(connect(), scope)
        const states = yield* Effect.forkChild(Stream.runCollect(SocketClient.states(chat)), { startImmediately: true })
        yield* settle
        server.last.take()
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(tags(yield* Fiber.join(states)), ["Connected", "Disconnected", "Closed"])
        assert.deepStrictEqual(server.last.take(), ["41/chat,"])
        assert.isTrue(server.last.closed)
        assert.strictEqual((yield* Effect.flip(chat.connect))._tag, "ConnectFailed")
        assert.deepInclude(yield* Effect.flip(chat.emitWithAck("plain")), { _tag: "Disconnected" })
        yield* chat.on("message", () => Effect.void)
        assert.deepStrictEqual(tags(yield* Stream.runCollect(SocketClient.states(chat))), ["Closed"])
        assert.deepStrictEqual(yield* Stream.runCollect(SocketClient.events(chat, "message")), [])
        yield* TestClock.adjust("1 minute")
        assert.lengthOf(server.connections, 1)
      })
    )
  )

  it.effect("by a policy that fails gives up, and reports it", () =>
    reports((found) =>
      withServer(
        () =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(connect())
            assert.strictEqual(error._tag, "ConnectFailed")
            yield* settle
            assert.strictEqual(found[0]?.stage, "reconnection")
          }).pipe(Effect.provideService(SocketClient.Reconnection, { begin: () => () => Effect.die("bug") })),
        (connection) => connection.refuse()
      )
    )
  )
})

describe("emit", () => {
  it.effect("keeps events until there is a connection, and drops volatile ones", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect({ autoConnect: false })
        assert.strictEqual(yield* chat.emit("typing", true), "buffered")
        assert.strictEqual(yield* chat.volatile.emit("typing", false), "dropped")
        yield* chat.connect
        assert.strictEqual(yield* chat.emit("typing", false), "sent")
        assert.strictEqual(yield* chat.volatile.compress(false).timeout("1 second").emit("typing", true), "sent")
        yield* settle
        assert.deepStrictEqual(server.last.take().slice(1), [
          '42/chat,["typing",true]',
          '42/chat,["typing",false]',
          '42/chat,["typing",true]'
        ])
      })
    )
  )

  it.effect("refuses arguments that do not fit the contract, with their place", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        yield* settle
        server.last.take()
        const error = yield* Effect.flip(chat.emit("message", "longer than ten"))
        assert.deepInclude(error, { _tag: "InvalidPayload", event: "message" })
        assert.deepStrictEqual(error.path, [0])
        const asked = yield* Effect.flip(chat.emitWithAck("message", "longer than ten"))
        assert.strictEqual(asked._tag, "InvalidPayload")
        const untyped = chat as unknown as SocketClient.Socket<SocketClient.Untyped>
        assert.deepInclude(yield* Effect.flip(untyped.emit("nope")), { _tag: "InvalidPayload", event: "nope" })
        yield* settle
        assert.deepStrictEqual(server.last.take(), [])
      })
    )
  )

  it.effect("refuses what has no JSON form, without a contract", () =>
    withServer(
      () =>
        Effect.gen(function* () {
          const socket = yield* SocketClient.connect("/", { url, transports })
          assert.strictEqual((yield* Effect.flip(socket.emit("a", 1n)))._tag, "InvalidPayload")
          const cycle: Array<unknown> = []
          cycle.push(cycle)
          assert.strictEqual((yield* Effect.flip(socket.emit("a", cycle)))._tag, "InvalidPayload")
          assert.strictEqual((yield* Effect.flip(socket.emit("connect")))._tag, "InvalidPayload")
        }),
      (connection) => connection.accept("/")
    )
  )
})

describe("emitWithAck", () => {
  const answers = [
    ['[{"ok":true,"value":7}]', Exit.succeed(7)],
    ['[{"ok":false,"error":{"_tag":"RoomClosed","room":"r"}}]', "RoomClosed"],
    ['[{"ok":false,"error":{"_tag":"HandlerFailed","event":"message"}}]', "HandlerFailed"],
    ['[{"ok":false,"error":{"_tag":"InvalidPayload","event":"message","path":[0],"message":"m"}}]', "InvalidPayload"],
    ['[{"ok":true,"value":"text"}]', "InvalidPayload"],
    ["[]", "InvalidPayload"],
    ["[5]", "InvalidPayload"]
  ] as const
  for (const [answer, expected] of answers) {
    it.effect(`ends with ${typeof expected === "string" ? expected : "the value"} for ${answer}`, () =>
      withServer((server) =>
        Effect.gen(function* () {
          const chat = yield* connect()
          const fiber = yield* Effect.forkChild(Effect.exit(chat.emitWithAck("message", "hi")), {
            startImmediately: true
          })
          yield* settle
          assert.strictEqual(server.last.take().at(-1), '42/chat,0["message","hi"]')
          server.last.say(`43/chat,0${answer}`)
          const exit = yield* Fiber.join(fiber)
          if (typeof expected !== "string") assert.deepStrictEqual(exit, expected)
          else
            assert.strictEqual(
              Exit.isFailure(exit) &&
                Cause.squash(exit.cause) instanceof Error &&
                (Cause.squash(exit.cause) as { readonly _tag?: string })._tag,
              expected
            )
        })
      )
    )
  }

  it.effect("gives the plain value of an event without errors", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const fiber = yield* Effect.forkChild(chat.emitWithAck("plain"), { startImmediately: true })
        yield* settle
        server.last.say("43/chat,0[42]")
        assert.strictEqual(yield* Fiber.join(fiber), 42)
      })
    )
  )

  it.effect("fails after 10 seconds, or after the timeout that was set", () =>
    withServer(() =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const usual = yield* Effect.forkChild(Effect.flip(chat.emitWithAck("plain")), { startImmediately: true })
        const short = yield* Effect.forkChild(Effect.flip(chat.timeout("2 seconds").emitWithAck("plain")), {
          startImmediately: true
        })
        const never = yield* Effect.forkChild(chat.timeout("Infinity").emitWithAck("plain"), { startImmediately: true })
        yield* TestClock.adjust("2 seconds")
        assert.deepInclude(yield* Fiber.join(short), { _tag: "AckTimeout", event: "plain", timeout: 2000 })
        yield* TestClock.adjust("7999 millis")
        assert.isUndefined(usual.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.deepInclude(yield* Fiber.join(usual), { _tag: "AckTimeout", timeout: 10_000 })
        assert.isUndefined(never.pollUnsafe())
        yield* Fiber.interrupt(never)
      })
    )
  )

  it.effect("fails at once when the connection goes, but waits on when the event had not left", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const sent = yield* Effect.forkChild(Effect.flip(chat.emitWithAck("plain")), { startImmediately: true })
        server.last.drop()
        assert.deepInclude(yield* Fiber.join(sent), { _tag: "Disconnected", reason: "transport close" })
        const kept = yield* Effect.forkChild(chat.emitWithAck("plain"), { startImmediately: true })
        yield* TestClock.adjust("2 seconds")
        yield* settle
        assert.strictEqual(server.last.take().at(-1), '42/chat,1["plain"]')
        server.last.say("43/chat,1[1]")
        assert.strictEqual(yield* Fiber.join(kept), 1)
      })
    )
  )

  it.effect("that is interrupted takes an event back that has not left", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect({ autoConnect: false })
        const fiber = yield* Effect.forkChild(chat.emitWithAck("plain"), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        yield* chat.connect
        yield* settle
        assert.lengthOf(server.last.take(), 1)
      })
    )
  )

  it.effect("with retries sends again until it is answered", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* SocketClient.connect(Chat, { url, auth, transports, retries: 2, ackTimeout: "1 second" })
        const fiber = yield* Effect.forkChild(chat.emitWithAck("plain"), { startImmediately: true })
        yield* chat.emit("typing", true)
        yield* TestClock.adjust("1 second")
        yield* settle
        assert.deepStrictEqual(server.last.take().slice(1), ['42/chat,0["plain"]', '42/chat,1["plain"]'])
        server.last.say("43/chat,0[9]", "43/chat,1[5]")
        assert.strictEqual(yield* Fiber.join(fiber), 5)
        yield* settle
        assert.deepStrictEqual(server.last.take(), ['42/chat,2["typing",true]'])
      })
    )
  )
})

describe("handlers", () => {
  it.effect("get decoded arguments and answer acks", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const heard: Array<unknown> = []
        yield* chat.on("message", (text, count) => Effect.sync(() => void heard.push([text, count])))
        yield* chat.on(
          "vote",
          Effect.fnUntraced(function* (topic) {
            yield* Effect.sleep("1 second")
            return topic === "pizza"
          })
        )
        yield* settle
        server.last.take()
        server.last.say('42/chat,["message","hi",3]', '42/chat,1["vote","pizza"]', '42/chat,2["vote","soup"]')
        assert.deepStrictEqual(heard, [["hi", 3]])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(server.last.take(), ["43/chat,1[true]", "43/chat,2[false]"])
      })
    )
  )

  it.effect("never see a payload that does not fit; the sink and a caller who can be told do", () =>
    reports((found) =>
      withServer((server) =>
        Effect.gen(function* () {
          const chat = yield* connect()
          const heard: Array<unknown> = []
          yield* chat.on("message", (...args) => Effect.sync(() => void heard.push(args)))
          yield* chat.on("guarded", (...args) => Effect.sync(() => void heard.push(args)))
          yield* settle
          server.last.take()
          server.last.say(
            '42/chat,["message","hi","three"]',
            '42/chat,["message","hi",3,"too many"]',
            '42/chat,4["guarded",{"secret":1}]',
            '42/chat,["nope"]',
            '42/chat,["__proto__"]'
          )
          yield* settle
          assert.deepStrictEqual(heard, [])
          assert.deepStrictEqual(
            found.map(({ stage, event, namespace }) => [stage, event, namespace]),
            [
              ["packet", "message", "/chat"],
              ["packet", "message", "/chat"],
              ["packet", "guarded", "/chat"],
              ["packet", "nope", "/chat"],
              ["packet", "__proto__", "/chat"]
            ]
          )
          const error = Cause.squash(found[0]!.cause)
          assert.deepInclude(error as object, { _tag: "InvalidPayload", event: "message" })
          assert.deepStrictEqual((error as SocketClient.InvalidPayload).path, [1])
          const [answer] = server.last.take()
          assert.match(String(answer), /^43\/chat,4\[\{"ok":false,"error":\{"_tag":"InvalidPayload"/)
          assert.notInclude(String(answer), 'secret":1')
          assert.isTrue(chat.connected)
        })
      )
    )
  )

  it.effect(
    "that fail are contained: declared errors are answered, others reported and answered as HandlerFailed",
    () =>
      reports((found) =>
        withServer((server) =>
          Effect.gen(function* () {
            const chat = yield* connect()
            yield* chat.on("guarded", (what) => {
              if (what === "throw") throw new Error("thrown")
              return what === "die"
                ? Effect.die("defect")
                : what === "interrupt"
                  ? Effect.interrupt
                  : Effect.fail(new RoomClosed({ room: what }))
            })
            yield* settle
            server.last.take()
            server.last.say(
              '42/chat,1["guarded","r"]',
              '42/chat,2["guarded","die"]',
              '42/chat,3["guarded","throw"]',
              '42/chat,4["guarded","interrupt"]',
              '42/chat,["guarded","die"]'
            )
            yield* settle
            const failed = '{"ok":false,"error":{"_tag":"HandlerFailed","event":"guarded"}}'
            assert.deepStrictEqual(server.last.take(), [
              '43/chat,1[{"ok":false,"error":{"_tag":"RoomClosed","room":"r"}}]',
              `43/chat,2[${failed}]`,
              `43/chat,3[${failed}]`,
              `43/chat,4[${failed}]`
            ])
            assert.deepStrictEqual(
              found.map(({ stage, event }) => `${stage} ${event}`),
              Array.from({ length: 4 }, () => "event guarded")
            )
          })
        )
      )
  )

  it.effect("of an event with concurrency 1 run one after the other, others at the same time", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const log: Array<string> = []
        yield* chat.on(
          "turn",
          Effect.fnUntraced(function* (n) {
            log.push(`start ${n}`)
            if (n < 3) yield* Effect.sleep("1 second")
            log.push(`end ${n}`)
            return n
          })
        )
        server.last.say('42/chat,["turn",1]', '42/chat,["turn",2]', '42/chat,["turn",3]', '42/chat,["turn",4]')
        assert.deepStrictEqual(log, ["start 1"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(log, ["start 1", "end 1", "start 2"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(log.slice(3), ["end 2", "start 3", "end 3", "start 4", "end 4"])
      })
    )
  )

  it.effect("of an event with concurrency 1 that end at once do not grow the stack", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        let calls = 0
        const gate = yield* Deferred.make<void>()
        yield* chat.on("turn", (n) => (++calls === 1 ? Effect.as(Deferred.await(gate), n) : Effect.succeed(n)))
        for (let i = 0; i < 20_000; i++) server.last.say(`42/chat,["turn",${i}]`)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(calls, 20_000)
      })
    )
  )

  it.effect("end with the scope they were registered in, not with the connection", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const log: Array<string> = []
        const scope = yield* Scope.make()
        yield* Scope.provide(
          chat.on("message", (text) =>
            Effect.sleep("10 seconds").pipe(
              Effect.andThen(Effect.sync(() => log.push(`done ${text}`))),
              Effect.onInterrupt(() => Effect.sync(() => log.push(`interrupted ${text}`)))
            )
          ),
          scope
        )
        server.last.say('42/chat,["message","a",1]')
        server.last.drop()
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(log, ["done a"])
        server.last.say('42/chat,["message","b",1]')
        yield* Scope.close(scope, Exit.void)
        server.last.say('42/chat,["message","c",1]')
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(log, ["done a", "interrupted b"])
      })
    )
  )

  it.effect("that answer after a reconnection answer nobody", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        yield* chat.on("vote", () => Effect.as(Effect.sleep("5 seconds"), true))
        server.last.say('42/chat,0["vote","x"]')
        server.last.drop()
        yield* TestClock.adjust("10 seconds")
        assert.isTrue(chat.connected)
        assert.notInclude(server.last.take().join(), "43/chat")
      })
    )
  )

  it.effect("may be several: all run, the first that ends well answers", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        let runs = 0
        yield* chat.on("vote", () => Effect.sync(() => ++runs).pipe(Effect.andThen(Effect.never)))
        yield* chat.on("vote", () => Effect.sync(() => ++runs > 0))
        yield* chat.on("vote", () => Effect.sync(() => ++runs < 0))
        yield* settle
        server.last.take()
        server.last.say('42/chat,0["vote","x"]')
        yield* settle
        assert.strictEqual(runs, 3)
        assert.deepStrictEqual(server.last.take(), ["43/chat,0[true]"])
      })
    )
  )

  it.effect("registered right after connect miss nothing that the server sends at once", () =>
    withServer(
      () =>
        Effect.gen(function* () {
          const chat = yield* connect()
          const heard: Array<string> = []
          yield* chat.on("message", (text) => Effect.sync(() => void heard.push(text)))
          yield* settle
          assert.deepStrictEqual(heard, ["welcome"])
        }),
      (connection) => {
        connection.accept("/chat")
        connection.say('42/chat,["message","welcome",1]')
      }
    )
  )
})

describe("streams", () => {
  it.effect("of events keep what comes before their first run, and end with the scope", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const chat = yield* Scope.provide(connect(), scope)
        const messages = SocketClient.events(chat, "message")
        server.last.say('42/chat,["message","a",1]')
        const fiber = yield* Effect.forkChild(Stream.runCollect(messages))
        yield* settle
        server.last.say('42/chat,["message","b",2]', '42/chat,["message","bad","bad"]')
        const second = yield* Effect.forkChild(Stream.runCollect(messages), { startImmediately: true })
        server.last.say('42/chat,["message","c",3]')
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* Fiber.join(fiber), [
          ["a", 1],
          ["b", 2],
          ["c", 3]
        ])
        assert.deepStrictEqual(yield* Fiber.join(second), [["c", 3]])
      })
    )
  )

  it.effect("of events that are never run do not grow for ever", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const messages = SocketClient.events(chat, "message")
        for (let i = 0; i <= 1024; i++) server.last.say(`42/chat,["message","x",${i}]`)
        const kept = yield* Stream.runCollect(Stream.take(messages, 1024))
        assert.lengthOf(kept, 1024)
        assert.deepStrictEqual(kept[0], ["x", 0])
      })
    )
  )

  it.effect("of events may be bounded", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const fiber = yield* SocketClient.events(chat, "message", { bufferSize: 2 }).pipe(
          Stream.take(2),
          Stream.runCollect,
          Effect.forkChild({ startImmediately: true })
        )
        for (let i = 0; i < 5; i++) server.last.say(`42/chat,["message","x",${i}]`)
        assert.deepStrictEqual(
          (yield* Fiber.join(fiber)).map(([, n]) => n),
          [3, 4]
        )
      })
    )
  )

  it.effect("of an event that the contract does not have are a defect", () =>
    withServer(() =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const untyped = chat as unknown as SocketClient.Socket<SocketClient.Untyped>
        assert.isTrue(Exit.hasDies(yield* Effect.exit(Stream.runDrain(SocketClient.events(untyped, "nope")))))
        assert.isTrue(Exit.hasDies(yield* Effect.exit(untyped.on("nope", () => Effect.void))))
      })
    )
  )

  it.effect("of all events, in and out", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const incoming = SocketClient.incoming(chat)
        const outgoing = SocketClient.outgoing(chat)
        server.last.say('42/chat,["message","a",1]', '42/chat,["vote","b"]')
        yield* chat.emit("typing", true)
        assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(incoming, 2)), [
          { event: "message", args: ["a", 1] },
          { event: "vote", args: ["b"] }
        ])
        assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(outgoing, 1)), [{ event: "typing", args: [true] }])
      })
    )
  )

  it.effect("of transports begin with the present one", () =>
    withServer((server) =>
      Effect.gen(function* () {
        const chat = yield* connect()
        const fiber = yield* Effect.forkChild(Stream.runCollect(Stream.take(SocketClient.transports(chat), 3)), {
          startImmediately: true
        })
        server.last.drop()
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(yield* Fiber.join(fiber), ["websocket", undefined, "websocket"])
      })
    )
  )
})

describe("layer", () => {
  it.effect("connects when it is built and disconnects when it is released", () => {
    class ChatClient extends Context.Service<ChatClient, SocketClient.Socket<typeof Chat>>()("ChatClient") {
      static readonly layer = SocketClient.layer(ChatClient, Chat, { url, auth, transports })
    }
    return withServer((server) =>
      Effect.gen(function* () {
        yield* ChatClient.use((chat) => Effect.sync(() => assert.isTrue(chat.connected))).pipe(
          Effect.provide(ChatClient.layer)
        )
        assert.isTrue(server.last.closed)
      })
    )
  })
})

it("has a Layer that provides nothing but the policy", () => {
  assert.isTrue(Layer.isLayer(SocketClient.layerReconnection(SocketClient.none)))
})
