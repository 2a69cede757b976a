import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Heartbeat from "../../src/engine/Heartbeat.ts"
import { make, message, plain, turn } from "./Doubles.ts"

const beat = { pingInterval: 300, pingTimeout: 200 } as const

describe("heartbeat over WebSocket", () => {
  it.effect("pings after each interval and goes on as long as pongs come", () =>
    Effect.gen(function* () {
      const bench = yield* make(beat)
      const { socket, session } = yield* bench.websocket
      let heartbeats = 0
      session.observe({ heartbeat: () => heartbeats++ })
      for (let i = 1; i <= 3; i++) {
        yield* TestClock.adjust(299)
        yield* turn
        assert.deepStrictEqual(socket.take(), [])
        yield* TestClock.adjust(1)
        yield* turn
        assert.deepStrictEqual(socket.take(), ["2"])
        yield* TestClock.adjust(199)
        socket.receive("3")
        assert.strictEqual(heartbeats, i)
      }
      assert.deepStrictEqual(bench.closed, [])
    })
  )

  it.effect("closes with ping timeout when no pong comes, not a millisecond early", () =>
    Effect.gen(function* () {
      const bench = yield* make(beat)
      const { socket } = yield* bench.websocket
      yield* TestClock.adjust(499)
      assert.deepStrictEqual(bench.closed, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(bench.closed, [{ reason: "ping timeout", description: undefined }])
      assert.deepStrictEqual(socket.ended, { code: 1005 })
      assert.strictEqual(bench.engine.clientsCount, 0)
      assert.strictEqual(bench.engine.counters.closed["ping timeout"], 1)
      assert.strictEqual(bench.engine.deadlines.size, 0)
    })
  )

  it.effect("a message while waiting gives more time once, not for ever", () =>
    Effect.gen(function* () {
      const bench = yield* make(beat)
      const { socket } = yield* bench.websocket
      yield* TestClock.adjust(300)
      yield* TestClock.adjust(150)
      socket.receive("4busy")
      yield* TestClock.adjust(150)
      socket.receive("4busy")
      assert.deepStrictEqual(bench.closed, [])
      yield* TestClock.adjust(50)
      assert.strictEqual(bench.closed[0]?.reason, "ping timeout")
    })
  )

  it.effect("a binary message counts as well", () =>
    Effect.gen(function* () {
      const bench = yield* make(beat)
      const { socket } = yield* bench.websocket
      yield* TestClock.adjust(450)
      socket.receive(new Uint8Array([1]))
      yield* TestClock.adjust(199)
      assert.deepStrictEqual(bench.closed, [])
      assert.strictEqual(bench.heard.length, 1)
    })
  )

  it.effect("a ping of the client closes the session: invalid heartbeat direction", () =>
    Effect.gen(function* () {
      const bench = yield* make(beat)
      const { socket } = yield* bench.websocket
      socket.receive("2")
      assert.strictEqual(bench.closed[0]?.reason, "transport error")
      assert.strictEqual((bench.closed[0]?.description as Error | undefined)?.message, "invalid heartbeat direction")
    })
  )

  it.effect(
    "a session that we do not read is not blamed for its silence, and has the full time once we read again",
    () =>
      Effect.gen(function* () {
        const bench = yield* make(beat)
        const { session, socket } = yield* bench.websocket
        session.pause()
        assert.isTrue(socket.paused)
        yield* TestClock.adjust(5000)
        assert.deepStrictEqual(bench.closed, [])
        session.resume()
        assert.isFalse(socket.paused)
        yield* TestClock.adjust(199)
        assert.deepStrictEqual(bench.closed, [])
        yield* TestClock.adjust(1)
        assert.strictEqual(bench.closed[0]?.reason, "ping timeout")
      })
  )

  it.effect("a service of its own may set the times", () =>
    Effect.gen(function* () {
      const bench = yield* make({ pingInterval: 9999 })
      const { socket } = yield* bench.websocket
      assert.strictEqual(bench.engine.sessions.count, 1)
      yield* TestClock.adjust(50)
      yield* turn
      assert.deepStrictEqual(socket.take(), ["2"])
    }).pipe(Effect.provide(Heartbeat.layer({ pingInterval: 50, pingTimeout: 10, upgradeTimeout: 10 })))
  )

  it.effect("thousands of sessions share one fiber", () =>
    Effect.gen(function* () {
      const bench = yield* make(beat)
      const before = yield* fibersMade
      const sockets = Array.from({ length: 1000 }, () => bench.upgrade("EIO=4&transport=websocket").socket)
      yield* turn
      assert.isBelow((yield* fibersMade) - before, 10)
      yield* TestClock.adjust(300)
      yield* turn
      for (const socket of sockets) assert.strictEqual(socket.sent.at(-1), "2")
    })
  )
})

const fibersMade = Effect.map(
  Effect.forkChild(Effect.void, { startImmediately: true }),
  (fiber: Fiber.Fiber<void>) => fiber.id
)

describe("heartbeat over polling", () => {
  it.effect("the ping waits for the poll, the pong comes by POST", () =>
    Effect.gen(function* () {
      const bench = yield* make(beat)
      const { query } = yield* bench.polling
      yield* TestClock.adjust(350)
      const poll = bench.get(query)
      assert.strictEqual(poll.text, "2")
      assert.strictEqual(bench.post(query, "3").text, "ok")
      yield* TestClock.adjust(299)
      assert.deepStrictEqual(bench.closed, [])
    })
  )

  it.effect("a session without pong is gone at once: the next poll gets 400", () =>
    Effect.gen(function* () {
      const bench = yield* make(beat)
      const { query, session } = yield* bench.polling
      session.write(message("never read"), plain)
      yield* TestClock.adjust(500)
      assert.strictEqual(bench.closed[0]?.reason, "ping timeout")
      assert.strictEqual(bench.get(query).status, 400)
    })
  )

  it.effect("a waiting poll learns of the timeout", () =>
    Effect.gen(function* () {
      const bench = yield* make(beat)
      const { query } = yield* bench.polling
      yield* TestClock.adjust(300)
      const first = bench.get(query)
      assert.strictEqual(first.text, "2")
      const second = bench.get(query)
      yield* TestClock.adjust(200)
      assert.strictEqual(second.text, "1")
    })
  )
})
