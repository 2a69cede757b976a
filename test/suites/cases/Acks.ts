/** Answers, both ways: values, declared errors, faults, deadlines, disconnects. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Await from "../Await.ts"
import type { Case } from "../Harness.ts"
import { RoomClosed } from "../Lab.ts"
import { join, start } from "../Start.ts"

export const cases: ReadonlyArray<Case> = [
  {
    name: "a handler's declared error arrives as that error",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const error = yield* harness.pass(Effect.flip(ada.socket.emitWithAck("join", "closed")))
      assert.instanceOf(error, RoomClosed)
      assert.strictEqual(error._tag === "RoomClosed" ? error.room : "", "closed")
      assert.deepStrictEqual(log.reports, [], "it is the caller's to handle")
    })
  },
  {
    name: "a handler's defect arrives as HandlerFailed, goes to the sink, and the connection stays",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const error = yield* harness.pass(Effect.flip(ada.socket.emitWithAck("crash")))
      assert.strictEqual(error._tag, "HandlerFailed")
      assert.strictEqual(log.reports[0]?.event, "crash")
      assert.strictEqual(yield* harness.pass(ada.socket.emitWithAck("text", "still")), "still!")
    })
  },
  {
    name: "an answer that never comes is an AckTimeout after the deadline, and not before",
    run: Effect.fnUntraced(function* (harness) {
      const { ada } = yield* start(harness)
      const { ackTimeout } = harness.times
      const fiber = yield* Effect.forkChild(Effect.flip(ada.socket.timeout(ackTimeout).emitWithAck("never")), {
        startImmediately: true
      })
      yield* harness.elapse(ackTimeout / 2)
      assert.isUndefined(fiber.pollUnsafe())
      const error = yield* harness.pass(Fiber.join(fiber))
      assert.strictEqual(error._tag, "AckTimeout")
      assert.strictEqual(error._tag === "AckTimeout" ? error.timeout : 0, ackTimeout)
    })
  },
  {
    name: "an answer that is waited for when the connection goes is Disconnected at once, not after the deadline",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const fiber = yield* Effect.forkChild(Effect.flip(ada.socket.timeout("1 hour").emitWithAck("never")), {
        startImmediately: true
      })
      yield* ada.socket.emit("note", "sent")
      yield* Await.length(harness, log.notes, 1)
      yield* harness.cut
      const error = yield* harness.pass(Fiber.join(fiber))
      assert.strictEqual(error._tag, "Disconnected")
      yield* Await.until(harness, () => log.interrupted === 1)
    })
  },
  {
    name: "the server asks one client and gets its answer",
    run: Effect.fnUntraced(function* (harness) {
      const { ada } = yield* start(harness)
      assert.strictEqual(yield* harness.pass(ada.socket.emitWithAck("askMe", "tea?")), "yes to tea?")
    })
  },
  {
    name: "T5: the server's question to a client that leaves ends at once with Disconnected",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness, { client: { answer: undefined } })
      const fiber = yield* Effect.forkChild(
        Effect.flip(log.sockets[0]!.timeout("1 hour").emitWithAck("question", "are you there?")),
        { startImmediately: true }
      )
      yield* ada.socket.emit("note", "asked")
      yield* Await.length(harness, log.notes, 1)
      yield* ada.socket.disconnect
      const error = yield* harness.pass(Fiber.join(fiber))
      assert.strictEqual(error._tag, "Disconnected")
      assert.strictEqual(error._tag === "Disconnected" ? error.reason : "", "client namespace disconnect")
    })
  },
  {
    name: "the server's question that is not answered in time is an AckTimeout",
    run: Effect.fnUntraced(function* (harness) {
      const { log } = yield* start(harness, { client: { answer: undefined } })
      const question = log.sockets[0]!.timeout(harness.times.ackTimeout).emitWithAck("question", "hello?")
      const error = yield* harness.pass(Effect.flip(question))
      assert.strictEqual(error._tag, "AckTimeout")
    })
  },
  {
    name: "a broadcast gathers the answers of all, and says who is missing",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* join(harness, log, "bob", { answer: "aye" })
      yield* join(harness, log, "carol", { answer: "nay" })
      assert.deepStrictEqual(yield* harness.pass(ada.socket.emitWithAck("poll", "pizza?")), [
        "aye to pizza?",
        "nay to pizza?"
      ])
      yield* join(harness, log, "dave", { answer: undefined })
      assert.deepStrictEqual(yield* harness.pass(ada.socket.timeout("1 minute").emitWithAck("poll", "tea?")), [
        "1 missing",
        "aye to tea?",
        "nay to tea?"
      ])
    })
  },
  {
    name: "calls of a sequential event run one after the other, in order",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const answers = yield* harness.pass(
        Effect.forEach([1, 2, 3], (number) => ada.socket.timeout("1 minute").emitWithAck("turn", number), {
          concurrency: "unbounded"
        })
      )
      assert.deepStrictEqual(answers, [1, 2, 3])
      assert.deepStrictEqual(log.turns, ["start 1", "end 1", "start 2", "end 2", "start 3", "end 3"])
    })
  }
]
