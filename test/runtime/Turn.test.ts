import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as Turn from "../../src/runtime/Turn.ts"

const endOfTurn = Effect.yieldNow

describe("Turn", () => {
  it.effect("runs what was scheduled at the end of the turn, in order, once", () =>
    Effect.gen(function* () {
      const turn = Turn.makeUnsafe(yield* Effect.context<never>())
      const log: Array<string> = []
      turn.schedule({ flush: () => log.push("a") })
      turn.schedule({ flush: () => log.push("b") })
      assert.deepStrictEqual(log, [])
      yield* endOfTurn
      assert.deepStrictEqual(log, ["a", "b"])
      yield* endOfTurn
      assert.deepStrictEqual(log, ["a", "b"])
    })
  )

  it.effect("what is scheduled while flushing runs in the next turn", () =>
    Effect.gen(function* () {
      const turn = Turn.makeUnsafe(yield* Effect.context<never>())
      const log: Array<string> = []
      turn.schedule({
        flush: () => {
          log.push("first")
          turn.schedule({ flush: () => log.push("second") })
          assert.deepStrictEqual(log, ["first"])
        }
      })
      yield* TestClock.adjust(0)
      yield* endOfTurn
      assert.deepStrictEqual(log, ["first", "second"])
    })
  )

  it.effect("one that throws is reported and takes no other with it", () =>
    Effect.gen(function* () {
      const reports: Array<unknown> = []
      yield* Effect.gen(function* () {
        const turn = Turn.makeUnsafe(yield* Effect.context<never>())
        const log: Array<string> = []
        turn.schedule({
          flush: () => {
            throw new Error("bug")
          }
        })
        turn.schedule({ flush: () => log.push("b") })
        yield* endOfTurn
        assert.deepStrictEqual(log, ["b"])
      }).pipe(Effect.provide(Logger.layer([Logger.make((entry) => reports.push(entry.message))])))
      assert.strictEqual(reports.length, 1)
    })
  )
})
