/**
 * The end of the event-loop turn: where writes gathered during a turn leave together.
 *
 * Tasks run through the dispatcher of Effect's `Scheduler` (`setImmediate` on Node), so that replies resolved later in the same
 * turn are batched too, and so that `TestClock.adjust` waits for them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"

/** Something that has gathered work during the turn. */
export interface Flushable {
  flush(): void
}

/** Runs flushables once, at the end of the current turn, in the order in which they were scheduled. */
export interface Turn {
  /** Runs `target.flush()` at the end of the turn. The caller sees to it that a target is scheduled once. */
  schedule(target: Flushable): void
}

/** A turn of the scheduler found in the context. */
export const makeUnsafe = (context: Context.Context<never>): Turn => {
  const dispatcher = Context.get(context, Scheduler.Scheduler).makeDispatcher()
  const fork = Effect.runForkWith(context)
  let pending: Array<Flushable> = []
  const run = (): void => {
    const targets = pending
    pending = []
    for (const target of targets) {
      try {
        target.flush()
      } catch (defect) {
        // Whoever threw, the others still have something to send.
        fork(Effect.logError("a flush at the end of the turn failed", defect))
      }
    }
  }
  return {
    schedule(target) {
      if (pending.push(target) === 1) dispatcher.scheduleTask(run, 0)
    }
  }
}
