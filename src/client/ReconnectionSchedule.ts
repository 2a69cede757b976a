/**
 * Reconnection by a `Schedule`: a module of its own, so that only those who use one pay for it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { ConnectFailed } from "./ClientError.ts"
import type { ReconnectionPolicy } from "./Reconnection.ts"

/**
 * A policy that waits as the schedule says and gives up when it ends. Its input is why the attempt is needed. After every connection
 * the schedule starts afresh.
 *
 * ```ts
 * Effect.provideService(SocketClient.Reconnection, SocketClient.fromSchedule(Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 5 }))))
 * ```
 */
export const fromSchedule = <Output>(schedule: Schedule.Schedule<Output, ConnectFailed>): ReconnectionPolicy => ({
  begin: () => {
    type Step = Effect.Success<ReturnType<typeof Schedule.toStep<Output, ConnectFailed, never, never>>>
    let step: Step | undefined
    return Effect.fnUntraced(function* (_attempt: number, error: ConnectFailed) {
      step ??= yield* Schedule.toStep(schedule)
      const now = yield* Clock.currentTimeMillis
      return yield* step(now, error).pipe(
        Effect.map(([, delay]): number | undefined => Duration.toMillis(delay)),
        // A schedule cannot fail: what comes here is its end.
        Effect.catch(() => Effect.undefined)
      )
    })
  }
})
