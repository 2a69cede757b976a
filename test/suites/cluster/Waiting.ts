/** Waiting for what comes from other nodes, in real time. */
import * as Effect from "effect/Effect"

/** How long anything may take on a machine that is busy. */
const patience = 15_000

/** Waits until the condition holds; a defect that says what was waited for when it takes too long. */
export const until = (what: string, condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    const end = performance.now() + patience
    const wait: Effect.Effect<void> = Effect.suspend(() => {
      if (condition()) return Effect.void
      if (performance.now() > end) return Effect.die(new Error(`waited in vain: ${what}`))
      return Effect.andThen(Effect.sleep("5 millis"), wait)
    })
    return wait
  })

/** Waits until the effect gives what is expected, running it again and again. */
export const untilEqual = <A, E, R>(
  what: string,
  effect: Effect.Effect<A, E, R>,
  expected: A
): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    const end = performance.now() + patience
    const wait: Effect.Effect<void, E, R> = Effect.flatMap(effect, (value) => {
      if (value === expected) return Effect.void
      if (performance.now() > end) {
        return Effect.die(new Error(`waited in vain: ${what}: ${String(value)} instead of ${String(expected)}`))
      }
      return Effect.andThen(Effect.sleep("10 millis"), wait)
    })
    return wait
  })
