/**
 * Work over a connection that is made anew whenever it is lost.
 */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/** Hears how a connection is doing; never throws. */
export interface ConnectionSink {
  connected(): void
  disconnected(cause: unknown): void
}

/** The least time between the end of a connection and the next attempt. */
const pause = "50 millis"

/**
 * Does its work over one connection after the other, for ever. `session` says `up` when it is at work and fails when its connection is lost;
 * `schedule` says when to try again after attempts that never came that far, and begins anew after each that did.
 */
export const keep = <E>(
  session: (up: () => void) => Effect.Effect<never, E, Scope.Scope>,
  schedule: Schedule.Schedule<unknown, E>,
  sink: ConnectionSink
): Effect.Effect<never> =>
  Effect.suspend(() => {
    let wasUp = false
    const up = (): void => {
      wasUp = true
      sink.connected()
    }
    const attempt = Effect.suspend(() => {
      wasUp = false
      return Effect.scoped(session(up))
    }).pipe(Effect.tapError((cause) => Effect.sync(() => sink.disconnected(cause))))
    const until = Effect.retry(attempt, { schedule, while: () => !wasUp })
    return Effect.forever(Effect.andThen(Effect.ignore(until), Effect.sleep(pause)))
  })
