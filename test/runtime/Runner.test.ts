import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Runner from "../../src/runtime/Runner.ts"

class Name extends Context.Service<Name, string>()("test/Name") {}

const setup = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const run = Runner.make(Context.add(yield* Effect.context<never>(), Name, "ann"))
  const exits: Array<Exit.Exit<unknown, unknown>> = []
  return { scope, run, exits, note: (exit: Exit.Exit<unknown, unknown>) => void exits.push(exit) }
})

describe("Runner", () => {
  it.effect("tells at once what is finished already or finishes without waiting", () =>
    Effect.gen(function* () {
      const { exits, note, run, scope } = yield* setup
      run(Effect.succeed(1), scope, note)
      run(Effect.fail("no"), scope, note)
      run(
        Name.use((name) => Effect.sync(() => name)),
        scope,
        note
      )
      assert.deepStrictEqual(exits, [Exit.succeed(1), Exit.fail("no"), Exit.succeed("ann")])
    })
  )

  it.effect("contains defects", () =>
    Effect.gen(function* () {
      const { exits, note, run, scope } = yield* setup
      run(
        Effect.sync((): number => {
          throw new Error("bug")
        }),
        scope,
        note
      )
      assert.isTrue(Exit.isFailure(exits[0]!) && Cause.hasDies(exits[0].cause))
    })
  )

  it.effect("tells later of what waits", () =>
    Effect.gen(function* () {
      const { exits, note, run, scope } = yield* setup
      run(Effect.as(Effect.sleep(100), "late"), scope, note)
      assert.deepStrictEqual(exits, [])
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(exits, [Exit.succeed("late")])
    })
  )

  it.effect("interrupts what waits when the scope closes, and what starts after that", () =>
    Effect.gen(function* () {
      const { exits, note, run, scope } = yield* setup
      let finalized = 0
      const waiting = Effect.onInterrupt(Effect.never, () => Effect.sync(() => finalized++))
      run(waiting, scope, note)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(finalized, 1)
      assert.isTrue(exits.every((exit) => Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)))
      run(waiting, scope, note)
      yield* Effect.yieldNow
      assert.strictEqual(exits.length, 2)
      assert.strictEqual(finalized, 2)
    })
  )
})
