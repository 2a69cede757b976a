/** Waiting for what a test expects, in whichever time. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Harness } from "./Harness.ts"

/** Lets time pass until the condition holds. */
export const until = (harness: Harness, condition: () => boolean): Effect.Effect<void> =>
  harness.pass(
    Effect.suspend(function wait(): Effect.Effect<void> {
      return condition() ? Effect.void : Effect.andThen(Effect.sleep("5 millis"), Effect.suspend(wait))
    })
  )

/** Lets time pass until the list has so many entries; more are a failure. */
export const length = (harness: Harness, list: ReadonlyArray<unknown>, count: number): Effect.Effect<void> =>
  Effect.andThen(
    until(harness, () => list.length >= count),
    Effect.sync(() => assert.lengthOf(list, count))
  )
