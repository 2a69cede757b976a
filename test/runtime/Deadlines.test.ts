import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Deadlines from "../../src/runtime/Deadlines.ts"

/** Notes its name and the time at which it was told. */
const noting = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const log: Array<string> = []
  const target = (name: string, then?: () => void): Deadlines.Expirable => ({
    onDeadline() {
      log.push(`${name}@${clock.currentTimeMillisUnsafe()}`)
      then?.()
    }
  })
  return { log, target }
})

describe("Deadlines", () => {
  it.effect("fire once, when due, not a millisecond before", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const { log, target } = yield* noting
      deadlines.set(1000, target("a"))
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, ["a@1000"])
      yield* TestClock.adjust(5000)
      assert.deepStrictEqual(log, ["a@1000"])
    })
  )

  it.effect("fire in order of time, and of setting where times are equal", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const { log, target } = yield* noting
      deadlines.set(300, target("c"))
      deadlines.set(100, target("a"))
      deadlines.set(300, target("d"))
      yield* TestClock.adjust(50)
      deadlines.set(100, target("b"))
      deadlines.set(250, target("e"))
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(log, ["a@100", "b@150", "c@300", "d@300", "e@300"])
    })
  )

  it.effect("cancelled ones never fire, whether first, middle or last of their queue", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const { log, target } = yield* noting
      const all = ["a", "b", "c", "d"].map((name) => deadlines.set(100, target(name)))
      assert.strictEqual(deadlines.size, 4)
      deadlines.cancel(all[0]!)
      deadlines.cancel(all[2]!)
      deadlines.cancel(all[3]!)
      deadlines.cancel(all[3]!)
      assert.strictEqual(deadlines.size, 1)
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(log, ["b@100"])
      deadlines.cancel(all[1]!)
      assert.strictEqual(deadlines.size, 0)
    })
  )

  it.effect("a target may set and cancel deadlines while it is told", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const { log, target } = yield* noting
      let rounds = 0
      const again = target("ping", () => {
        if (++rounds < 3) deadlines.set(100, again)
      })
      deadlines.set(100, again)
      const victim = deadlines.set(150, target("victim"))
      deadlines.set(
        150 - 1,
        target("killer", () => deadlines.cancel(victim))
      )
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(log, ["ping@100", "killer@149", "ping@200", "ping@300"])
    })
  )

  it.effect("no time at all is due at once, infinity never", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const { log, target } = yield* noting
      deadlines.set(Number.POSITIVE_INFINITY, target("never"))
      assert.strictEqual(deadlines.size, 0)
      deadlines.set(0, target("now"))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(log, ["now@0"])
      yield* TestClock.adjust(Duration.days(400))
      assert.deepStrictEqual(log, ["now@0"])
    })
  )

  it.effect("sleep longer than the platform's longest timer", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const { log, target } = yield* noting
      const days = Duration.toMillis(Duration.days(60))
      deadlines.set(days, target("late"))
      yield* TestClock.adjust(days - 1)
      assert.deepStrictEqual(log, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(log, [`late@${days}`])
    })
  )

  it.effect("nothing fires after the scope has closed, and setting is harmless", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const deadlines = Deadlines.makeUnsafe(yield* Effect.context<never>(), scope)
      const { log, target } = yield* noting
      const pending = deadlines.set(100, target("a"))
      yield* Scope.close(scope, Exit.void)
      deadlines.cancel(pending)
      deadlines.set(100, target("b"))
      assert.strictEqual(deadlines.size, 0)
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(log, [])
    })
  )

  it.effect("a target that throws is reported and takes no other with it", () =>
    Effect.gen(function* () {
      const reports: Array<unknown> = []
      yield* Effect.gen(function* () {
        const deadlines = yield* Deadlines.make
        const { log, target } = yield* noting
        deadlines.set(
          100,
          target("bad", () => {
            throw new Error("bug")
          })
        )
        deadlines.set(100, target("good"))
        yield* TestClock.adjust(100)
        assert.deepStrictEqual(log, ["bad@100", "good@100"])
      }).pipe(Effect.provide(Logger.layer([Logger.make((entry) => reports.push(entry.message))])))
      assert.strictEqual(reports.length, 1)
    })
  )

  it.effect("behave like a sorted list under any sequence of set, cancel and time", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make
      const clock = yield* Clock.Clock
      const fired: Array<number> = []
      const expected = new Map<number, { readonly due: number; readonly deadline: Deadlines.Deadline }>()
      let serial = 0
      for (let round = 0; round < 400; round++) {
        const dice = yield* Random.nextIntBetween(0, 10)
        if (dice < 6) {
          const id = serial++
          const millis = (yield* Random.nextIntBetween(1, 8)) * 10
          const deadline = deadlines.set(millis, {
            onDeadline: () => {
              assert.strictEqual(expected.get(id)?.due, clock.currentTimeMillisUnsafe())
              expected.delete(id)
              fired.push(id)
            }
          })
          expected.set(id, { due: clock.currentTimeMillisUnsafe() + millis, deadline })
        } else if (dice < 8) {
          const [id, entry] = [...expected][0] ?? []
          if (id === undefined || entry === undefined) continue
          deadlines.cancel(entry.deadline)
          expected.delete(id)
        } else {
          yield* TestClock.adjust(yield* Random.nextIntBetween(1, 30))
          const time = clock.currentTimeMillisUnsafe()
          for (const { due } of expected.values()) assert.isAbove(due, time)
        }
        assert.strictEqual(deadlines.size, expected.size)
      }
      assert.isAbove(fired.length, 50)
    }).pipe(Random.withSeed("deadlines"))
  )
})
