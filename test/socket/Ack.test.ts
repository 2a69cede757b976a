import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { ServerSocket } from "../../src/socket/ServerSocket.ts"
import { AckTimeout, Disconnected, HandlerFailed, InvalidPayload, PartialResult } from "../../src/socket/SocketError.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "./FakeSession.ts"

class Busy extends Schema.TaggedError<Busy>()("Busy", {}) {}

const Poll = Namespace.make("/poll", {
  fromClient: { go: Event.make({ args: [] }) },
  fromServer: {
    vote: Event.make({ args: [Schema.String], ack: Schema.Boolean }),
    work: Event.make({ args: [Schema.Finite], ack: Schema.Finite, error: Busy })
  }
})
const nsp = "/poll"

const Quiet = SocketServer.namespace(Poll, () => Effect.void)

const poll = (server: Fake.TestServer) => SocketServer.handle(Poll).pipe(Effect.provide(server.context))

const firstSocket = Effect.fnUntraced(function* (server: Fake.TestServer) {
  const [socket] = yield* (yield* poll(server)).sockets
  return socket!
})

const pendingAcks = (server: Fake.TestServer): number =>
  Array.from(server.server.core.registry.get(nsp)!.sockets.values()).reduce(
    (sum, socket: ServerSocket) => sum + socket.pendingAcks,
    0
  )

/** Starts an effect and gives a way to see how it ended. */
const start = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.forkChild(effect, { startImmediately: true }), (fiber) => ({
    fiber,
    exit: () => fiber.pollUnsafe()
  }))

const failureOf = (exit: Exit.Exit<unknown, unknown> | undefined): unknown =>
  exit !== undefined && Exit.isFailure(exit)
    ? exit.cause.reasons.map((reason) => "error" in reason && reason.error)[0]
    : exit

describe("asking one client", () => {
  it.effect("the answer", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const client = server.connected(nsp)
      const socket = yield* firstSocket(server)
      const asked = yield* start(socket.emitWithAck("vote", "pizza?"))
      assert.strictEqual(client.frames.at(-1), `42/poll,0["vote","pizza?"]`)
      client.answer(nsp, 0, true)
      assert.deepStrictEqual(asked.exit(), Exit.succeed(true))
      assert.strictEqual(pendingAcks(server), 0)
    })
  )

  it.effect("ids count per namespace; a second answer and one that nobody asked for are ignored", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const client = server.connected(nsp)
      const socket = yield* firstSocket(server)
      const first = yield* start(socket.emitWithAck("vote", "a"))
      const second = yield* start(socket.emitWithAck("vote", "b"))
      client.answer(nsp, 1, false)
      client.answer(nsp, 1, true)
      client.answer(nsp, 77, true)
      client.answer(nsp, 0, true)
      assert.deepStrictEqual([first.exit(), second.exit()], [Exit.succeed(true), Exit.succeed(false)])
      assert.strictEqual(server.server.core.counters.acksReceived, 2)
    })
  )

  it.effect("T5: an ack without timeout fails at once when the client goes, and nothing is left behind", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const client = server.connected(nsp)
      const socket = yield* firstSocket(server)
      const asked = yield* start(socket.timeout("1 hour").emitWithAck("vote", "pizza?"))
      assert.strictEqual(pendingAcks(server), 1)
      client.lose("ping timeout")
      const failure = failureOf(asked.exit())
      assert.instanceOf(failure, Disconnected)
      assert.strictEqual(failure.reason, "ping timeout")
      assert.strictEqual(server.server.core.deadlines.size, 0)
    })
  )

  it.effect("a client that has gone is not asked", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const client = server.connected(nsp)
      const socket = yield* firstSocket(server)
      client.disconnect(nsp)
      const failure = yield* Effect.flip(socket.emitWithAck("vote", "pizza?"))
      assert.strictEqual(failure._tag, "Disconnected")
      assert.strictEqual(yield* socket.emit("vote", "pizza?"), "dropped")
    })
  )

  it.effect("T18: without a timeout the server's default holds: 10 seconds, not 1 ms and not for ever", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      server.connected(nsp)
      const socket = yield* firstSocket(server)
      const asked = yield* start(socket.emitWithAck("vote", "pizza?"))
      yield* TestClock.adjust(9999)
      assert.isUndefined(asked.exit())
      yield* TestClock.adjust(1)
      const failure = failureOf(asked.exit())
      assert.instanceOf(failure, AckTimeout)
      assert.deepStrictEqual([failure.event, failure.timeout], ["vote", 10_000])
      assert.strictEqual(pendingAcks(server), 0)
      assert.strictEqual(server.server.core.counters.ackTimeouts, 1)
    })
  )

  it.effect("an interrupted question leaves nothing behind", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      server.connected(nsp)
      const socket = yield* firstSocket(server)
      const asked = yield* start(socket.emitWithAck("vote", "pizza?"))
      yield* Fiber.interrupt(asked.fiber)
      assert.strictEqual(pendingAcks(server), 0)
      assert.strictEqual(server.server.core.deadlines.size, 0)
    })
  )

  it.effect("typed failures: declared error, faults, an answer that does not fit, arguments that do not", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const client = server.connected(nsp)
      const socket = yield* firstSocket(server)
      const answers = [
        { ok: false, error: { _tag: "Busy" } },
        { ok: false, error: { _tag: "HandlerFailed", event: "work" } },
        { ok: false, error: { _tag: "InvalidPayload", event: "work", path: [0], message: "Expected x" } },
        { ok: true, value: "x" },
        { ok: true, value: 5 }
      ]
      const exits: Array<unknown> = []
      for (const [id, answer] of answers.entries()) {
        const asked = yield* start(socket.emitWithAck("work", id))
        client.answer(nsp, id, answer)
        exits.push(failureOf(asked.exit()))
      }
      assert.instanceOf(exits[0], Busy)
      assert.instanceOf(exits[1], HandlerFailed)
      assert.instanceOf(exits[2], InvalidPayload)
      assert.instanceOf(exits[3], InvalidPayload)
      assert.deepStrictEqual(exits[3].path, ["value"])
      assert.deepStrictEqual(exits[4], Exit.succeed(5))
      const ours = yield* Effect.flip(socket.emitWithAck("work", Number.NaN))
      assert.instanceOf(ours, InvalidPayload)
    })
  )
})

describe("asking many", () => {
  it.effect("replies come as they are given; all have answered: the stream ends", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const clients = [1, 2, 3].map(() => server.connected(nsp))
      const asked = yield* start(Stream.runCollect((yield* poll(server)).emitWithAck("vote", "pizza?")))
      // The same bytes for everybody.
      assert.strictEqual(new Set(clients.map((client) => client.session.groups.at(-1))).size, 1)
      for (const client of clients) client.answer(nsp, 0, client === clients[0])
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(
        asked.exit(),
        Exit.succeed(clients.map((client, i) => ({ socketId: client.sid(nsp), value: i === 0 })))
      )
    })
  )

  it.effect("nobody to ask: it ends at once", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const replies = yield* Stream.runCollect((yield* poll(server)).to("nowhere").emitWithAck("vote", "?"))
      assert.deepStrictEqual(replies, [])
    })
  )

  it.effect("T5, T18: who leaves and who stays silent is told, after 10 seconds and not after 1 ms", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const [quick, leaving, silent] = [1, 2, 3].map(() => server.connected(nsp))
      const replies: Array<unknown> = []
      const asked = yield* start(
        (yield* poll(server))
          .emitWithAck("vote", "?")
          .pipe(Stream.runForEach((reply) => Effect.sync(() => replies.push(reply))))
      )
      quick!.answer(nsp, 0, true)
      leaving!.lose()
      yield* TestClock.adjust(9_999)
      assert.deepStrictEqual(replies, [{ socketId: quick!.sid(nsp), value: true }])
      assert.isUndefined(asked.exit())
      yield* TestClock.adjust(1)
      const failure = failureOf(asked.exit())
      assert.instanceOf(failure, PartialResult)
      assert.deepStrictEqual([failure.received, failure.missing], [1, 2])
      assert.deepStrictEqual(
        failure.failures.map(({ socketId, error }) => [socketId, (error as { readonly _tag: string })._tag]),
        [
          [leaving!.sid(nsp), "Disconnected"],
          [silent!.sid(nsp), "AckTimeout"]
        ]
      )
      assert.strictEqual(pendingAcks(server), 0)
    })
  )

  it.effect("T5: when the last one leaves, it is over at once", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const client = server.connected(nsp)
      const asked = yield* start(Stream.runDrain((yield* poll(server)).timeout("1 hour").emitWithAck("vote", "?")))
      client.lose()
      yield* TestClock.adjust(0)
      assert.instanceOf(failureOf(asked.exit()), PartialResult)
      assert.strictEqual(server.server.core.deadlines.size, 0)
    })
  )

  it.effect("a client that answers nonsense is a failure among the others", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const [good, bad] = [1, 2].map(() => server.connected(nsp))
      const asked = yield* start(Stream.runCollect((yield* poll(server)).emitWithAck("vote", "?")))
      bad!.answer(nsp, 0, "yes")
      good!.answer(nsp, 0, true)
      yield* TestClock.adjust(0)
      const failure = failureOf(asked.exit())
      assert.instanceOf(failure, PartialResult)
      assert.deepStrictEqual(
        failure.failures.map(({ socketId }) => socketId),
        [bad!.sid(nsp)]
      )
    })
  )

  it.effect("a reader that has enough stops the waiting", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const clients = [1, 2, 3].map(() => server.connected(nsp))
      const asked = yield* start((yield* poll(server)).emitWithAck("vote", "?").pipe(Stream.take(1), Stream.runCollect))
      clients[1]!.answer(nsp, 0, true)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(asked.exit(), Exit.succeed([{ socketId: clients[1]!.sid(nsp), value: true }]))
      assert.strictEqual(pendingAcks(server), 0)
      assert.strictEqual(server.server.core.deadlines.size, 0)
    })
  )

  it.effect("each run of the stream asks anew; nothing is sent before it is run", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Quiet)
      const client = server.connected(nsp)
      const question = (yield* poll(server)).emitWithAck("vote", "?")
      assert.strictEqual(client.events.length, 0)
      for (const id of [0, 1]) {
        const asked = yield* start(Stream.runCollect(question))
        client.answer(nsp, id, true)
        yield* TestClock.adjust(0)
        assert.isDefined(asked.exit())
      }
      assert.strictEqual(client.events.length, 2)
    })
  )
})
