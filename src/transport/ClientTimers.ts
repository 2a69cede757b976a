/**
 * Time, deferral and chance, as the transports of a client get them: injected, so that the Effect client runs them on its `Clock`
 * and `Random`, and the plain one on `setTimeout`.
 */

/** Something that has gathered work during the turn. */
export interface Flushable {
  flush(): void
}

/** What a client's engine needs besides a platform. */
export interface ClientTimers {
  /**
   * Epoch milliseconds: the wall clock, since it also advances while a machine sleeps, which is how an expired ping is noticed
   * before the late timer fires.
   */
  now(): number
  /** Calls `f` once after `millis`, unless cancelled by the returned function. */
  set(millis: number, f: () => void): () => void
  /** Calls `target.flush()` once at the end of the turn. The caller sees to it that a target is scheduled once. */
  endOfTurn(target: Flushable): void
  /** A number from 0 (included) to 1 (excluded). */
  random(): number
}
