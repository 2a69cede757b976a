import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Server } from "socket.io"
import * as SocketClient from "../../src/client/index.ts"
import * as Official from "./official.ts"

const ways = {
  polling: { transports: ["polling"], upgrade: false },
  websocket: { transports: ["websocket"], upgrade: true },
  upgrade: { transports: ["polling", "websocket"], upgrade: true }
} as const

const setup = (io: Server): void => {
  for (const nsp of [io.of("/"), io.of("/custom")]) {
    nsp.on("connection", (socket) => {
      socket.emit("auth", socket.handshake.auth)
      socket.on("echo", (...args: Array<unknown>) => {
        const ack = args.pop() as (...args: Array<unknown>) => void
        ack(...args)
      })
      socket.on("say", (...args: Array<unknown>) => socket.emit("said", ...args))
      socket.on("ask me", (text: string) => {
        socket.emit("question", text, (answer: unknown) => socket.emit("answered", answer))
      })
      socket.on("leave me", (close: boolean) => socket.disconnect(close))
      socket.on("never", () => {})
    })
  }
  io.of("/private").use((socket, next) => {
    if (socket.handshake.auth["token"] === "secret") return next()
    next(Object.assign(new Error("not allowed"), { data: { code: 42 } }))
  })
}

/** What the handler of an event hears first. */
const first = <A>(register: (done: (value: A) => Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>) =>
  Effect.gen(function* () {
    const heard = yield* Deferred.make<A>()
    yield* register((value) => Effect.asVoid(Deferred.succeed(heard, value)))
    return Deferred.await(heard)
  })

for (const [way, transports] of Object.entries(ways)) {
  describe(`against the official server by ${way}`, () => {
    it.live("sends auth, events and acks with text and binary", () =>
      Effect.gen(function* () {
        const { url } = yield* Official.start({}, setup)
        const socket = yield* SocketClient.connect("/", {
          url,
          ...transports,
          auth: { name: "ann" },
          autoConnect: false
        })
        const auth = yield* first<unknown>((done) => socket.on("auth", done))
        const said = yield* first<ReadonlyArray<unknown>>((done) => socket.on("said", (...args) => done(args)))
        yield* socket.connect
        assert.isTrue(socket.connected)
        assert.lengthOf(socket.id!, 20)
        assert.deepStrictEqual(yield* auth, { name: "ann" })
        yield* socket.emit("say", "a", 1, { deep: [new Uint8Array([1, 2, 3]), "\u{1F600}"] }, null)
        const args = yield* said
        assert.deepStrictEqual(args.slice(0, 2), ["a", 1])
        const deep = (args[2] as { readonly deep: ReadonlyArray<unknown> }).deep
        assert.deepStrictEqual([...(deep[0] as Uint8Array)], [1, 2, 3])
        assert.strictEqual(deep[1], "\u{1F600}")
        assert.strictEqual(yield* socket.emitWithAck("echo", "x"), "x")
        const bytes = yield* socket.emitWithAck("echo", new Uint8Array([9, 8]))
        assert.deepStrictEqual([...(bytes as Uint8Array)], [9, 8])
      })
    )

    it.live("answers acks of the server", () =>
      Effect.gen(function* () {
        const { url } = yield* Official.start({}, setup)
        const socket = yield* SocketClient.connect("/custom", { url, ...transports })
        yield* socket.on("question", (text) => Effect.succeed(`${String(text)}?`))
        const answered = yield* first<unknown>((done) => socket.on("answered", done))
        yield* socket.emit("ask me", "why")
        assert.strictEqual(yield* answered, "why?")
      })
    )

    it.live("has several namespaces over one connection", () =>
      Effect.gen(function* () {
        const { io, url } = yield* Official.start({}, setup)
        const root = yield* SocketClient.connect("/", { url, ...transports })
        const custom = yield* SocketClient.connect("/custom", { url, ...transports })
        assert.strictEqual(io.engine.clientsCount, 1)
        assert.strictEqual(yield* root.emitWithAck("echo", 1), 1)
        assert.strictEqual(yield* custom.emitWithAck("echo", 2), 2)
        yield* root.disconnect
        assert.strictEqual(yield* custom.emitWithAck("echo", 3), 3)
        assert.isFalse(root.connected)
        yield* root.connect
        assert.strictEqual(yield* root.emitWithAck("echo", 4), 4)
        assert.strictEqual(io.engine.clientsCount, 1)
      })
    )

    it.live("fails with what a middleware refuses with, and with the server's own refusals", () =>
      Effect.gen(function* () {
        const { url } = yield* Official.start({}, setup)
        const refused = yield* Effect.flip(
          SocketClient.connect("/private", { url, ...transports, auth: { token: "?" } })
        )
        assert.strictEqual(refused._tag, "ConnectRefused")
        assert.strictEqual(refused.message, "not allowed")
        assert.deepStrictEqual((refused as SocketClient.ConnectRefused).data, { code: 42 })
        const unknown = yield* Effect.flip(SocketClient.connect("/nowhere", { url, ...transports }))
        assert.strictEqual(unknown.message, "Invalid namespace")
        const socket = yield* SocketClient.connect("/private", { url, ...transports, auth: { token: "secret" } })
        assert.isTrue(socket.connected)
      })
    )

    it.live("does not reconnect after the server disconnected it, until told to", () =>
      Effect.gen(function* () {
        const { url } = yield* Official.start({}, setup)
        const socket = yield* SocketClient.connect("/", { url, ...transports })
        const gone = yield* Effect.forkChild(
          SocketClient.states(socket).pipe(
            Stream.filter((state) => state._tag === "Disconnected"),
            Stream.runHead
          ),
          { startImmediately: true }
        )
        const never = yield* Effect.forkChild(Effect.flip(socket.emitWithAck("never")), { startImmediately: true })
        yield* socket.emit("leave me", false)
        const state = yield* Fiber.join(gone)
        assert.deepInclude(Option.getOrThrow(state), { _tag: "Disconnected", reason: "io server disconnect" })
        assert.isFalse(socket.active)
        assert.deepInclude(yield* Fiber.join(never), { _tag: "Disconnected", reason: "io server disconnect" })
        yield* socket.connect
        assert.strictEqual(yield* socket.emitWithAck("echo", "back"), "back")
      })
    )

    it.live("reconnects after a restart of the server and sends what was kept, in order", () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const server = yield* Scope.provide(Official.start({}, setup), scope)
        const socket = yield* SocketClient.connect("/", {
          url: server.url,
          ...transports,
          reconnectionDelay: "20 millis",
          reconnectionDelayMax: "50 millis"
        })
        const down = yield* Effect.forkChild(
          SocketClient.states(socket).pipe(
            Stream.takeUntil((state) => state._tag === "Waiting"),
            Stream.runCollect
          ),
          { startImmediately: true }
        )
        yield* Scope.close(scope, Exit.void)
        const states = yield* Fiber.join(down)
        assert.deepStrictEqual(
          states.map((state) => state._tag),
          ["Connected", "Disconnected", "Waiting"]
        )
        const kept = yield* Effect.forkChild(
          Effect.forEach([1, 2, 3, 4, 5], (n) => socket.emitWithAck("echo", n), { concurrency: "unbounded" }),
          { startImmediately: true }
        )
        const order: Array<unknown> = []
        yield* Official.start(
          {},
          (io) => {
            io.use((socket, next) => {
              socket.onAny((name: string, n: unknown) => name === "echo" && order.push(n))
              next()
            })
            setup(io)
          },
          server.port
        )
        assert.deepStrictEqual(yield* Fiber.join(kept), [1, 2, 3, 4, 5])
        assert.deepStrictEqual(order, [1, 2, 3, 4, 5])
      })
    )
  })
}

it.live("loses, doubles and reorders nothing while the connection is upgraded", () =>
  Effect.gen(function* () {
    const { url } = yield* Official.start({}, setup)
    const socket = yield* SocketClient.connect("/", { url, autoConnect: false })
    const received: Array<unknown> = []
    const all = yield* Deferred.make<void>()
    const count = 500
    yield* socket.on("said", (n) =>
      Effect.suspend(() => (received.push(n) === count ? Deferred.succeed(all, undefined) : Effect.void))
    )
    yield* socket.connect
    let sent = 0
    while (sent < count) {
      for (let i = 0; i < 5; i++) yield* socket.emit("say", sent++)
      yield* Effect.yieldNow
    }
    yield* Deferred.await(all)
    assert.deepStrictEqual(
      received,
      Array.from({ length: count }, (_, index) => index)
    )
    const upgraded = yield* SocketClient.transports(socket).pipe(
      Stream.filter((name) => name === "websocket"),
      Stream.runHead
    )
    assert.strictEqual(upgraded._tag, "Some")
  })
)

it.live("runs the auth anew for each attempt, as an Effect", () =>
  Effect.gen(function* () {
    const { url } = yield* Official.start({}, setup)
    let runs = 0
    const auth = Effect.sync(() => ({ token: ++runs === 1 ? "old" : "secret" }))
    const socket = yield* SocketClient.connect("/private", { url, auth, autoConnect: false })
    const refused = yield* Effect.flip(socket.connect)
    assert.strictEqual(refused.message, "not allowed")
    yield* socket.connect
    assert.strictEqual(runs, 2)
  })
)

it.live("fails with the error of the auth, typed", () =>
  Effect.gen(function* () {
    const { url } = yield* Official.start({}, setup)
    const auth: Effect.Effect<{ readonly token: string }, "no token"> = Effect.fail("no token")
    const error = yield* Effect.flip(SocketClient.connect("/private", { url, auth }))
    assert.strictEqual(error, "no token")
  })
)

it.live("fails without a server once it may not try again", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(SocketClient.connect("/", { url: "http://127.0.0.1:1", reconnection: false }))
    assert.strictEqual(error._tag, "ConnectFailed")
    assert.strictEqual(error.message, "xhr poll error")
    const ws = yield* Effect.flip(
      SocketClient.connect("/", { url: "ws://127.0.0.1:1", reconnection: false, transports: ["websocket"] })
    )
    assert.strictEqual(ws.message, "websocket error")
  })
)

it.live("leaves no session behind when its scope closes", () =>
  Effect.gen(function* () {
    const { io, url } = yield* Official.start({}, setup)
    const reason = yield* Deferred.make<string>()
    io.on("connection", (socket) => {
      socket.on("disconnect", (why) => {
        Effect.runFork(Deferred.succeed(reason, why))
      })
    })
    for (const transports of [["polling"], ["websocket"]] as const) {
      yield* Effect.scoped(SocketClient.connect("/", { url, transports: [...transports] }))
    }
    assert.strictEqual(yield* Deferred.await(reason), "client namespace disconnect")
  })
)
