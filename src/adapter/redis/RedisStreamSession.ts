/**
 * Work over a connection that is made anew whenever it is lost.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Reconnection } from "./RedisConnection.ts"

/** Between a connection that was lost and the next attempt, in milliseconds; attempts that fail follow the schedule. */
const pause = 50

/** What is told of a session. */
export interface SessionSink {
  connected(): void
  disconnected(cause: unknown): void
}

/**
 * Runs a session for ever. It says `up` when it is at work, and fails when its connection is lost. `schedule` says when to try again after
 * attempts that never came that far; it begins anew after each that did.
 */
export const keep = (
  session: (up: () => void) => Effect.Effect<never, unknown, Scope.Scope>,
  schedule: Reconnection,
  sink: SessionSink
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
    }).pipe(
      Effect.tapError((cause) => Effect.sync(() => sink.disconnected(cause))),
      Effect.mapError((cause) => (cause instanceof Error ? cause : new Error("disconnected", { cause })))
    )
    const until = Effect.retry(attempt, { schedule, while: () => !wasUp })
    return Effect.forever(Effect.andThen(Effect.ignore(until), Effect.sleep(pause)))
  })
