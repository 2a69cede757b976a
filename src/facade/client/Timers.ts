/**
 * Time and chance of the plain client: `setTimeout`, microtasks, the wall clock and `Math.random`.
 */
import type { ClientTimers } from "../../transport/ClientTimers.ts"

/** The longest delay that `setTimeout` knows, in milliseconds; a longer one would fire at once. */
export const maxDelay = 2 ** 31 - 1

// As they were before anybody replaced them, for `useNativeTimers`.
const native = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout }

/** How timers behave. */
export interface TimerOptions {
  /** Use the timers of the time when this module was loaded, not fake ones installed since. */
  readonly useNativeTimers?: boolean | undefined
  /** Timers do not keep the process alive (Node). */
  readonly autoUnref?: boolean | undefined
}

/** The timers of one manager. */
export const make = (options: TimerOptions): ClientTimers => {
  const timers = options.useNativeTimers === true ? native : globalThis
  const start = timers.setTimeout.bind(globalThis) as (f: () => void, millis: number) => unknown
  const clear = timers.clearTimeout.bind(globalThis) as (timer: unknown) => void
  return {
    now: () => Date.now(),
    set(millis, f) {
      const timer = start(f, Math.min(millis, maxDelay))
      if (options.autoUnref === true) (timer as { unref?(): void }).unref?.()
      return () => clear(timer)
    },
    endOfTurn: (target) => queueMicrotask(() => target.flush()),
    random: () => Math.random()
  }
}
