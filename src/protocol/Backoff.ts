/**
 * The delay before a reconnection attempt, as a function: `min * factor^attempt`, spread by the jitter, cut at `max`.
 */

/** How delays grow. Milliseconds. */
export interface BackoffOptions {
  /** The first delay (`reconnectionDelay`). */
  readonly min: number
  /** No delay is longer, jitter included (`reconnectionDelayMax`). */
  readonly max: number
  readonly factor: number
  /** The part of the delay by which it may be off in either direction, 0 to 1 (`randomizationFactor`); else there is none. */
  readonly jitter: number
}

/** Socket.IO's defaults: 1 s to 5 s, doubled each time, half of it jitter. */
export const defaultOptions: BackoffOptions = { min: 1000, max: 5000, factor: 2, jitter: 0.5 }

/**
 * The delay before an attempt, in whole milliseconds.
 *
 * `attempt` counts from 0, `random` is a number from 0 (included) to 1 (excluded); one draw decides size and direction, as in
 * the official client. Unlike there, neither a huge attempt number nor a huge `max` turns the delay into 0 or less.
 */
export const delay = (options: BackoffOptions, attempt: number, random: number): number => {
  const base = options.min * options.factor ** attempt
  // Past this size the jitter cannot bring it below max any more, or the numbers are no numbers any more.
  if (!(base < Number.MAX_SAFE_INTEGER)) return Math.trunc(options.max)
  let millis = base
  if (options.jitter > 0 && options.jitter <= 1) {
    const deviation = Math.floor(random * options.jitter * base)
    millis = (Math.floor(random * 10) & 1) === 0 ? base - deviation : base + deviation
  }
  return Math.trunc(Math.min(millis, options.max))
}
