/**
 * When the client tries again: a policy held by a reference, Socket.IO's by default.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Backoff from "../protocol/Backoff.ts"
import type { ConnectFailed } from "./ClientError.ts"

/**
 * The delays of one row of attempts: how many milliseconds to wait before the `attempt`th (from 1), or `undefined` to give up.
 * `error` is why there has to be an attempt.
 */
export type Delays = (attempt: number, error: ConnectFailed) => Effect.Effect<number | undefined>

/**
 * Decides about attempts. A row begins when a connection is lost or the first attempt fails, and ends with a connection: the next one
 * starts afresh.
 */
export interface ReconnectionPolicy {
  readonly begin: () => Delays
}

/** The options of Socket.IO, with its defaults. Milliseconds. */
export interface BackoffOptions {
  /** Default: without limit. */
  readonly reconnectionAttempts?: number | undefined
  /** Default 1000; doubled each time. */
  readonly reconnectionDelay?: number | undefined
  /** Default 5000. */
  readonly reconnectionDelayMax?: number | undefined
  /** Default 0.5: how far a delay may be off, as a part of it. */
  readonly randomizationFactor?: number | undefined
}

/** Socket.IO's policy: delays that double, with jitter, up to a maximum. The chance is that of Effect's `Random`. */
export const backoff = (options: BackoffOptions = {}): ReconnectionPolicy => {
  const { defaultOptions } = Backoff
  const attempts = options.reconnectionAttempts ?? Number.POSITIVE_INFINITY
  const settings: Backoff.BackoffOptions = {
    min: options.reconnectionDelay ?? defaultOptions.min,
    max: options.reconnectionDelayMax ?? defaultOptions.max,
    factor: defaultOptions.factor,
    jitter: options.randomizationFactor ?? defaultOptions.jitter
  }
  const delays: Delays = (attempt) =>
    attempt > attempts
      ? Effect.undefined
      : Effect.map(Random.next, (random) => Backoff.delay(settings, attempt - 1, random))
  return { begin: () => delays }
}

/** No attempts after the first one. */
export const none: ReconnectionPolicy = { begin: () => () => Effect.undefined }

/** The policy in use, taken when a client is made; see `fromSchedule` for one made of a `Schedule`. Default: {@link backoff}. */
export const Reconnection: Context.Reference<ReconnectionPolicy> = Context.Reference<ReconnectionPolicy>(
  "effect-socketio/client/Reconnection",
  { defaultValue: () => backoff() }
)
