import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { HandlerReport } from "../../src/socket/ErrorSink.ts"
import { InvalidPayload } from "../../src/socket/SocketError.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "./FakeSession.ts"

class RoomClosed extends Schema.TaggedError<RoomClosed>()("RoomClosed", { room: Schema.String }) {}

const Chat = Namespace.make("/chat", {
  fromClient: {
    message: Event.make({ args: [Schema.String], ack: Schema.Struct({ id: Schema.Finite }), error: RoomClosed }),
    plain: Event.make({ args: [Schema.Finite], ack: Schema.Finite }),
    tell: Event.make({ args: [Schema.Finite] }),
    ordered: Event.make({ args: [Schema.Finite], ack: Schema.Finite, concurrency: 1 }),
    pair: Event.make({ args: [Schema.Finite], concurrency: 2 }),
    upload: Event.make({ args: [Schema.Uint8Array], ack: Schema.Uint8Array })
  },
  fromServer: {
    said: Event.make({ args: [Schema.String, Schema.Struct({ at: Schema.Date })] }),
    asked: Event.make({ args: [], ack: Schema.Boolean })
  }
})
const nsp = "/chat"

const errorOf = (report: HandlerReport | undefined): unknown => report?.cause.reasons.find(Cause.isFailReason)?.error

describe("answers on the wire", () => {
  it.effect("an event with an error answers with an envelope", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.on(
            "message",
            Effect.fnUntraced(function* (text) {
              if (text === "closed") return yield* new RoomClosed({ room: "lobby" })
              if (text === "bug") return yield* Effect.die(new Error("secret"))
              return { id: text.length }
            })
          )
        )
      )
      const client = server.connected(nsp)
      client.ask(nsp, 0, "message", "abc")
      client.ask(nsp, 1, "message", "closed")
      client.ask(nsp, 2, "message", "bug")
      client.ask(nsp, 3, "message", 5)
      assert.deepStrictEqual(client.frames.slice(1), [
        `43/chat,0[{"ok":true,"value":{"id":3}}]`,
        `43/chat,1[{"ok":false,"error":{"_tag":"RoomClosed","room":"lobby"}}]`,
        `43/chat,2[{"ok":false,"error":{"_tag":"HandlerFailed","event":"message"}}]`,
        `43/chat,3[{"ok":false,"error":${JSON.stringify({
          path: [0],
          message: "Expected string",
          _tag: "InvalidPayload",
          event: "message"
        })
          .replace(/^\{"path":\[0\],"message":"Expected string",(.*)\}$/, "{$1,")
          .concat('"path":[0],"message":"Expected string"}')}}]`
      ])
      // A declared error was an answer; the defect and the payload are reports.
      assert.strictEqual(server.reports.length, 2)
      assert.strictEqual(server.server.core.counters.handlerFailures, 1)
      assert.strictEqual(server.server.core.counters.invalidPayloads, 1)
      const invalid = errorOf(server.reports[1])
      assert.instanceOf(invalid, InvalidPayload)
      assert.deepStrictEqual(invalid.path, [0])
      assert.strictEqual(server.reports[1]!.event, "message")
      assert.strictEqual(server.reports[1]!.socketId, client.sid(nsp))
    })
  )

  it.effect("an event with only an ack answers with the value, and not at all when its handler fails", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.on("plain", (n) => (n === 0 ? Effect.die("zero") : Effect.succeed(n * 2)))
        )
      )
      const client = server.connected(nsp)
      client.ask(nsp, 7, "plain", 0)
      client.ask(nsp, 8, "plain", 21)
      client.ask(nsp, 9, "plain", "x")
      client.emit(nsp, "plain", 4)
      assert.deepStrictEqual(client.frames.slice(1), ["43/chat,8[42]"])
      assert.strictEqual(server.reports.length, 2)
    })
  )

  it.effect("an event without ack answers with nothing when the client asks, after the handler", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) => socket.on("tell", () => Deferred.await(gate)))
      )
      const client = server.connected(nsp)
      client.ask(nsp, 0, "tell", 1)
      assert.strictEqual(client.packets.length, 1)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(client.frames.at(-1), "43/chat,0[]")
    })
  )

  it.effect("binary both ways", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.on("upload", (bytes) => Effect.succeed(bytes.map((byte) => byte + 1)))
        )
      )
      const client = server.connected(nsp)
      client.ask(nsp, 0, "upload", new Uint8Array([1, 2]))
      assert.deepStrictEqual(client.acks.get(0), [new Uint8Array([2, 3])])
    })
  )

  it.effect("two handlers of one event: both run, the first that ends answers, once", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const server = yield* Fake.make(
        SocketServer.namespace(
          Chat,
          Effect.fnUntraced(function* (socket) {
            yield* socket.on("plain", (n) => Effect.as(Effect.sleep("1 second"), n))
            yield* socket.on("plain", (n) => Effect.sync(() => seen.push("second") + n))
          })
        )
      )
      const client = server.connected(nsp)
      client.ask(nsp, 0, "plain", 1)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(client.frames.slice(1), ["43/chat,0[2]"])
      assert.deepStrictEqual(seen, ["second"])
    })
  )

  it.effect("a value that does not fit the contract's ack is the handler's failure", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) => socket.on("message", () => Effect.succeed({ id: Number.NaN })))
      )
      const client = server.connected(nsp)
      client.ask(nsp, 0, "message", "x")
      assert.deepStrictEqual(client.acks.get(0), [{ ok: false, error: { _tag: "HandlerFailed", event: "message" } }])
      assert.instanceOf(errorOf(server.reports[0]), InvalidPayload)
    })
  )

  it.effect("after the socket has gone nothing is answered", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) => socket.on("plain", () => Effect.as(socket.disconnect(), 1)))
      )
      const client = server.connected(nsp)
      client.ask(nsp, 0, "plain", 1)
      assert.deepStrictEqual(client.frames.slice(1), ["41/chat,"])
      assert.deepStrictEqual(server.reports, [])
    })
  )
})

describe("payloads that fail their schema", () => {
  it.effect("never reach the handler; the connection stays", () =>
    Effect.gen(function* () {
      let calls = 0
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) => socket.on("tell", () => Effect.sync(() => calls++)))
      )
      const client = server.connected(nsp)
      client.emit(nsp, "tell", "1")
      client.emit(nsp, "tell")
      client.emit(nsp, "tell", 1, 2)
      client.emit(nsp, "nothing", 1)
      client.emit(nsp, "__proto__")
      client.emit(nsp, "x".repeat(1000))
      assert.strictEqual(calls, 0)
      assert.strictEqual(server.server.core.counters.invalidPayloads, 6)
      assert.isUndefined(client.session.closed)
      assert.strictEqual(server.reports.at(-1)!.event!.length, 101)
      client.emit(nsp, "tell", 1)
      assert.strictEqual(calls, 1)
    })
  )

  it.effect("the policy disconnects", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) => socket.on("tell", () => Effect.void), {
          onInvalidPayload: "disconnect"
        })
      )
      const client = server.connected(nsp)
      client.emit(nsp, "tell", "1")
      assert.strictEqual(client.frames.at(-1), "41/chat,")
      assert.strictEqual(server.reports.length, 1)
    })
  )

  it.effect("an event of the contract that nobody handles is no mistake of the client", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(SocketServer.namespace(Chat, () => Effect.void))
      server.connected(nsp).emit(nsp, "tell", "whatever")
      assert.strictEqual(server.server.core.counters.eventsUnhandled, 1)
      assert.deepStrictEqual(server.reports, [])
    })
  )
})

describe("T6: a failing handler is contained", () => {
  const thrower = (): never => {
    throw new Error("thrown while the effect is made")
  }

  it.effect("failures, defects, throws and interruptions reach the sink with event and socket, and nothing else", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(
          Chat,
          Effect.fnUntraced(function* (socket) {
            yield* socket.on("tell", (n) =>
              n === 0
                ? Effect.die(new Error("defect"))
                : n === 1
                  ? thrower()
                  : n === 2
                    ? Effect.interrupt
                    : Effect.andThen(Effect.sleep("1 second"), Effect.die("late"))
            )
          })
        )
      )
      const client = server.connected(nsp)
      for (let n = 0; n < 4; n++) client.emit(nsp, "tell", n)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(server.reports.length, 4)
      for (const report of server.reports) {
        assert.strictEqual(report.stage, "event")
        assert.strictEqual(report.event, "tell")
        assert.strictEqual(report.socketId, client.sid(nsp))
        assert.strictEqual(report.namespace, nsp)
      }
      assert.strictEqual(server.server.core.counters.handlerFailures, 4)
      assert.isUndefined(client.session.closed)
    })
  )

  it.effect("a connection handler that fails disconnects its client", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(SocketServer.namespace(Chat, () => Effect.fail("no")))
      const client = server.connected(nsp)
      assert.strictEqual(client.frames.at(-1), "41/chat,")
      assert.strictEqual(server.reports[0]!.stage, "connection")
      assert.strictEqual(server.server.core.counters.sockets, 0)
    })
  )

  it.effect("a sink that fails is harmless", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) => socket.on("tell", () => Effect.die("x")))
      )
      server.reports.push = () => {
        throw new Error("sink")
      }
      const client = server.connected(nsp)
      client.emit(nsp, "tell", 1)
      assert.isUndefined(client.session.closed)
    })
  )
})

describe("listening order", () => {
  it.effect("events wait until the connection handler has returned", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const gate = yield* Deferred.make<void>()
      const server = yield* Fake.make(
        SocketServer.namespace(
          Chat,
          Effect.fnUntraced(function* (socket) {
            yield* Deferred.await(gate)
            yield* socket.on("tell", (n) => Effect.sync(() => seen.push(n)))
          })
        )
      )
      const client = server.connected(nsp)
      for (let n = 0; n < 5; n++) client.emit(nsp, "tell", n)
      assert.deepStrictEqual(seen, [])
      yield* Deferred.succeed(gate, undefined)
      client.emit(nsp, "tell", 5)
      assert.deepStrictEqual(seen, [0, 1, 2, 3, 4, 5])
    })
  )

  it.effect("a stream sees what came before its fiber had started", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.events("tell").pipe(
            Stream.buffer({ capacity: 1 }),
            Stream.runForEach(([n]) => Effect.sync(() => seen.push(n))),
            Effect.forkScoped
          )
        )
      )
      const client = server.connected(nsp)
      client.emit(nsp, "tell", 1)
      client.emit(nsp, "tell", 2)
      yield* TestClock.adjust(0)
      client.emit(nsp, "tell", 3)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(seen, [1, 2, 3])
    })
  )

  it.effect("the handler may ask its client before it returns", () =>
    Effect.gen(function* () {
      const Asking = Namespace.make("/asking", {
        fromServer: { who: Event.make({ args: [], ack: Schema.String }) }
      })
      const names: Array<string> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Asking, (socket) => Effect.map(socket.emitWithAck("who"), (name) => names.push(name)))
      )
      const client = server.connected("/asking")
      client.answer("/asking", 0, "ada")
      assert.deepStrictEqual(names, ["ada"])
    })
  )

  for (const [events, paused] of [
    [9, false],
    [10, true]
  ] as const) {
    it.effect(`${events} events before the handler has returned: the client is ${paused ? "" : "not "}paused`, () =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const server = yield* Fake.make(
          SocketServer.namespace(Chat, () => Deferred.await(gate)),
          { maxPendingEvents: 10 }
        )
        const client = server.connected(nsp)
        for (let n = 0; n < events; n++) client.emit(nsp, "tell", n)
        assert.strictEqual(client.session.paused, paused)
        yield* Deferred.succeed(gate, undefined)
        assert.isFalse(client.session.paused)
      })
    )
  }
})

describe("concurrency", () => {
  it.effect("handlers start in order of arrival and run concurrently", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.on(
            "tell",
            Effect.fnUntraced(function* (n) {
              log.push(`start ${n}`)
              yield* Effect.sleep(n)
              log.push(`end ${n}`)
            })
          )
        )
      )
      const client = server.connected(nsp)
      for (const n of [30, 10, 20]) client.emit(nsp, "tell", n)
      yield* TestClock.adjust(30)
      assert.deepStrictEqual(log, ["start 30", "start 10", "start 20", "end 10", "end 20", "end 30"])
    })
  )

  it.effect("concurrency 1 is sequential per socket, also for handlers that end at once", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.on(
            "ordered",
            Effect.fnUntraced(function* (n) {
              log.push(`start ${n}`)
              if (n > 0) yield* Effect.sleep(n)
              log.push(`end ${n}`)
              return n
            })
          )
        )
      )
      const client = server.connected(nsp)
      const numbers = [20, 0, 10, 0, 0]
      numbers.forEach((n, id) => client.ask(nsp, id, "ordered", n))
      yield* TestClock.adjust(30)
      assert.deepStrictEqual(
        log,
        numbers.flatMap((n) => [`start ${n}`, `end ${n}`])
      )
      assert.deepStrictEqual(Array.from(client.acks.keys()), [0, 1, 2, 3, 4])
    })
  )

  it.effect("concurrency 2 runs two", () =>
    Effect.gen(function* () {
      let running = 0
      let most = 0
      let ended = 0
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.on(
            "pair",
            Effect.fnUntraced(function* () {
              most = Math.max(most, ++running)
              yield* Effect.sleep(10)
              running--
              ended++
            })
          )
        )
      )
      const client = server.connected(nsp)
      for (let n = 0; n < 7; n++) client.emit(nsp, "pair", n)
      yield* TestClock.adjust(40)
      assert.deepStrictEqual([most, ended], [2, 7])
    })
  )

  it.effect("a long run of queued calls does not overflow the stack", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let last = -1
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.on("ordered", (n) => Effect.as(n === 0 ? Deferred.await(gate) : Effect.sync(() => (last = n)), n))
        )
      )
      const client = server.connected(nsp)
      for (let n = 0; n < 20_000; n++) client.emit(nsp, "ordered", n)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(last, 19_999)
    })
  )

  for (const [calls, paused] of [
    [9, false],
    [10, true]
  ] as const) {
    it.effect(`${calls} running handlers: the connection is ${paused ? "" : "not "}paused, and resumed at half`, () =>
      Effect.gen(function* () {
        const server = yield* Fake.make(
          SocketServer.namespace(Chat, (socket) => socket.on("tell", (n) => Effect.sleep(n))),
          { maxRunningHandlers: 10 }
        )
        const client = server.connected(nsp)
        for (let n = 1; n <= calls; n++) client.emit(nsp, "tell", n)
        assert.strictEqual(client.session.paused, paused)
        yield* TestClock.adjust(4)
        assert.strictEqual(client.session.paused, paused)
        yield* TestClock.adjust(1)
        assert.isFalse(client.session.paused)
        yield* TestClock.adjust(10)
        assert.strictEqual(server.server.core.counters.pauses, paused ? 1 : 0)
      })
    )
  }

  for (const [calls, paused] of [
    [19, false],
    [20, true]
  ] as const) {
    it.effect(
      `${calls} handlers that ask their client: the answers behind them ${paused ? "do not " : ""}get through`,
      () =>
        Effect.gen(function* () {
          const answered: Array<number> = []
          const server = yield* Fake.make(
            SocketServer.namespace(Chat, (socket) =>
              socket.on("tell", (n) =>
                Effect.andThen(
                  Effect.ignore(socket.emitWithAck("asked")),
                  Effect.sync(() => answered.push(n))
                )
              )
            ),
            { maxRunningHandlers: 10 }
          )
          const client = server.connected(nsp)
          for (let n = 0; n < calls; n++) client.emit(nsp, "tell", n)
          assert.strictEqual(client.session.paused, paused)
          if (paused) return
          for (const packet of client.packets) if (packet.id !== undefined) client.answer(nsp, packet.id, true)
          assert.strictEqual(answered.length, calls)
          // Nobody waits for an answer now: the limit is what it was.
          assert.isFalse(client.session.paused)
          assert.strictEqual(server.server.core.counters.pauses, 0)
        })
    )
  }

  it.effect("a socket that leaves while it holds the connection lets it go on for its other namespaces", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        Layer.mergeAll(
          SocketServer.namespace(Chat, (socket) => socket.on("tell", () => Effect.never)),
          SocketServer.namespace(Namespace.untyped("/"), () => Effect.void)
        ),
        { maxRunningHandlers: 1 }
      )
      const client = server.connected(nsp)
      client.connect("/")
      client.emit(nsp, "tell", 1)
      assert.isTrue(client.session.paused)
      client.disconnect(nsp)
      assert.isFalse(client.session.paused)
    })
  )
})

describe("a socket's scope", () => {
  it.effect(
    "its handlers are interrupted and its finalizers run when it goes, in the order disconnecting, disconnect, scope",
    () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const note = (text: string) => Effect.sync(() => log.push(text))
        const server = yield* Fake.make(
          SocketServer.namespace(
            Chat,
            Effect.fnUntraced(function* (socket) {
              yield* Effect.addFinalizer(() => note("scope"))
              yield* Effect.forkScoped(
                Effect.onInterrupt(Effect.never, () => note("fiber")),
                { startImmediately: true }
              )
              yield* socket.on("tell", () => Effect.onInterrupt(Effect.never, () => note("handler")))
              yield* socket.onDisconnecting(() => note("disconnecting"))
              yield* socket.onDisconnect(() => note("disconnect"))
            })
          )
        )
        const client = server.connected(nsp)
        client.emit(nsp, "tell", 1)
        client.lose()
        assert.deepStrictEqual(log, ["disconnecting", "disconnect", "handler", "fiber", "scope"])
        assert.deepStrictEqual(server.reports, [])
      })
  )

  it.effect("a hook that waits is waited for before the scope closes", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const server = yield* Fake.make(
        SocketServer.namespace(
          Chat,
          Effect.fnUntraced(function* (socket) {
            yield* Effect.addFinalizer(() => Effect.sync(() => log.push("scope")))
            yield* socket.onDisconnecting(() =>
              Effect.andThen(
                Effect.sleep("1 second"),
                Effect.sync(() => log.push("hook"))
              )
            )
          })
        )
      )
      server.connected(nsp).lose()
      assert.strictEqual(server.server.core.counters.sockets, 0)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(log, ["hook", "scope"])
    })
  )

  it.effect("a handler's Scope is the socket's, wherever it was registered", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          Effect.scoped(
            socket.on("tell", (n) => Effect.addFinalizer(() => Effect.sync(() => log.push(`released ${n}`))))
          )
        )
      )
      const client = server.connected(nsp)
      client.emit(nsp, "tell", 1)
      assert.deepStrictEqual(log, [])
      client.lose()
      assert.deepStrictEqual(log, ["released 1"])
    })
  )

  it.effect("disconnected settles with the reason, before and after", () =>
    Effect.gen(function* () {
      const reasons: Array<string> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.disconnected.pipe(
            Effect.tap(({ reason }) => Effect.sync(() => reasons.push(reason))),
            Effect.andThen(socket.disconnected),
            Effect.tap(({ reason }) => Effect.sync(() => reasons.push(reason))),
            Effect.forkDetach
          )
        )
      )
      const client = server.connected(nsp)
      yield* TestClock.adjust(0)
      client.lose("ping timeout")
      assert.deepStrictEqual(reasons, ["ping timeout", "ping timeout"])
    })
  )
})

describe("streams of events", () => {
  it.effect("end when the socket goes, after what was queued", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<ReadonlyArray<number>>()
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.events("tell").pipe(
            Stream.map(([n]) => n),
            Stream.runCollect,
            Effect.flatMap((all) => Deferred.succeed(done, all)),
            Effect.forkDetach
          )
        )
      )
      const client = server.connected(nsp)
      yield* TestClock.adjust(0)
      for (let n = 0; n < 3; n++) client.emit(nsp, "tell", n)
      client.lose()
      assert.deepStrictEqual(yield* Deferred.await(done), [0, 1, 2])
    })
  )

  it.effect("a slow reader pauses the client, and lets it go on", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let seen = 0
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.events("tell").pipe(
            Stream.runForEach(() =>
              Effect.andThen(
                Deferred.await(gate),
                Effect.sync(() => seen++)
              )
            ),
            Effect.forkScoped
          )
        )
      )
      const client = server.connected(nsp)
      yield* TestClock.adjust(0)
      for (let n = 0; n < 300; n++) client.emit(nsp, "tell", n)
      assert.isTrue(client.session.paused)
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust(0)
      assert.strictEqual(seen, 300)
      assert.isFalse(client.session.paused)
    })
  )

  it.effect("a stream that nobody runs keeps 1,024 events and then lets go; a later run begins anew", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const run = yield* Deferred.make<void>()
      const server = yield* Fake.make(
        SocketServer.namespace(
          Chat,
          Effect.fnUntraced(function* (socket) {
            const stream = socket.events("tell")
            yield* Deferred.await(run).pipe(
              Effect.andThen(Stream.runForEach(stream, ([n]) => Effect.sync(() => seen.push(n)))),
              Effect.forkScoped
            )
          })
        )
      )
      const client = server.connected(nsp)
      yield* TestClock.adjust(0)
      for (let n = 0; n < 1025; n++) client.emit(nsp, "tell", n)
      assert.isFalse(client.session.paused)
      yield* Deferred.succeed(run, undefined)
      yield* TestClock.adjust(0)
      client.emit(nsp, "tell", 7777)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(seen, [7777])
    })
  )

  it.effect("incoming and outgoing see everything", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const server = yield* Fake.make(
        SocketServer.namespace(
          Chat,
          Effect.fnUntraced(function* (socket) {
            yield* Effect.forkScoped(
              Stream.runForEach(socket.incoming, ({ event, args }) => Effect.sync(() => seen.push(["in", event, args])))
            )
            yield* Effect.forkScoped(
              Stream.runForEach(socket.outgoing, ({ event, args }) =>
                Effect.sync(() => seen.push(["out", event, args]))
              )
            )
            yield* socket.on("tell", () => socket.emit("said", "x", { at: new Date(0) }))
          })
        )
      )
      const client = server.connected(nsp)
      client.emit(nsp, "tell", 1)
      const chat = yield* SocketServer.handle(Chat).pipe(Effect.provide(server.context))
      yield* chat.emit("said", "all", { at: new Date(1) })
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(seen, [
        ["in", "tell", [1]],
        ["out", "said", ["x", { at: "1970-01-01T00:00:00.000Z" }]],
        ["out", "said", ["all", { at: "1970-01-01T00:00:00.001Z" }]]
      ])
    })
  )
})

describe("packet middleware", () => {
  it.effect("may change, drop and refuse packets, one after the other", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const server = yield* Fake.make(
        SocketServer.namespace(
          Chat,
          Effect.fnUntraced(function* (socket) {
            yield* socket.use((packet, next) => {
              const n = packet.args[0]
              if (n === 0) return Effect.void
              if (n === 1) return Effect.fail("refused")
              if (n === 2) return Effect.andThen(Effect.sleep("1 second"), next(packet))
              return next({ ...packet, args: [Number(n) * 10] })
            })
            yield* socket.on("tell", (n) => Effect.sync(() => seen.push(n)))
          })
        )
      )
      const client = server.connected(nsp)
      for (const n of [0, 1, 3, 2, 4]) client.emit(nsp, "tell", n)
      assert.deepStrictEqual(seen, [30])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, [30, 2, 40])
      assert.strictEqual(server.reports.length, 1)
      assert.strictEqual(server.reports[0]!.stage, "packet")
    })
  )

  it.effect("a stream may filter and throttle; answers still work", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(
          Chat,
          Effect.fnUntraced(function* (socket) {
            yield* socket.transform(Stream.filter((packet) => Number(packet.args[0]) % 2 === 0))
            yield* socket.transform(Stream.map((packet) => ({ ...packet, args: [Number(packet.args[0]) + 1] })))
            yield* socket.on("plain", (n) => Effect.succeed(n))
          })
        )
      )
      const client = server.connected(nsp)
      for (let n = 0; n < 4; n++) client.ask(nsp, n, "plain", n)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(Array.from(client.acks), [
        [0, [1]],
        [2, [3]]
      ])
    })
  )

  it.effect("a stream that fails disconnects the socket", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) => socket.transform(() => Stream.fail("broken")))
      )
      const client = server.connected(nsp)
      yield* TestClock.adjust(0)
      assert.strictEqual(client.frames.at(-1), "41/chat,")
      assert.strictEqual(server.reports.length, 1)
    })
  )
})

describe("shared handlers", () => {
  class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}

  it.effect("get the socket first, and services from their layer", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.handlers(Chat, {
          tell: (socket, n) => socket.emit("said", `got ${n}`, { at: new Date(0) }),
          message: (_socket, text) => Effect.map(Greeting, (greeting) => ({ id: greeting.length + text.length }))
        }).pipe(Layer.provide(Layer.succeed(Greeting, "hello")))
      )
      const client = server.connected(nsp)
      client.emit(nsp, "tell", 1)
      client.ask(nsp, 0, "message", "abc")
      assert.deepStrictEqual(client.events, [["said", "got 1", { at: "1970-01-01T00:00:00.000Z" }]])
      assert.deepStrictEqual(client.acks.get(0), [{ ok: true, value: { id: 8 } }])
    })
  )
})

describe("emit", () => {
  it.effect("arguments that do not fit are a defect with event and path", () =>
    Effect.gen(function* () {
      const exits: Array<Exit.Exit<unknown, unknown>> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          Effect.flatMap(Effect.exit(socket.emit("said", "x", { at: new Date(Number.NaN) })), (exit) =>
            Effect.sync(() => exits.push(exit))
          )
        )
      )
      server.connected(nsp)
      const exit = exits[0]!
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    })
  )

  it.effect("volatile is dropped when the transport is busy; the result says so", () =>
    Effect.gen(function* () {
      const results: Array<string> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, (socket) =>
          socket.on("tell", () =>
            Effect.gen(function* () {
              results.push(yield* socket.volatile.emit("said", "v", { at: new Date(0) }))
              results.push(yield* socket.compress(false).emit("said", "c", { at: new Date(0) }))
            })
          )
        )
      )
      const client = server.connected(nsp)
      client.session.writable = false
      client.clear()
      client.emit(nsp, "tell", 1)
      assert.deepStrictEqual(results, ["dropped", "buffered"])
      assert.deepStrictEqual(client.session.options, [{ volatile: false, compress: false }])
    })
  )
})
