/**
 * A scheduler that knows whether anything is left to run.
 *
 * Fibers that yield, are forked or are woken through queues, turns that end and deliveries of the network are all tasks of a
 * dispatcher. Counting them tells when a cascade has come to rest, however many steps it takes, without sleeping or guessing.
 */
import type * as Scheduler from "effect/Scheduler"

/** A scheduler whose tasks are counted. */
export interface TrackedScheduler extends Scheduler.Scheduler {
  /** Tasks that wait or run. */
  readonly pending: number
  /** Calls `listener` once, when no task is pending; returns how to forget it. */
  onIdle(listener: () => void): () => void
}

/** Counts the tasks of all dispatchers made by it; the parent runs them. */
export const make = (parent: Scheduler.Scheduler): TrackedScheduler => {
  let pending = 0
  const listeners = new Set<() => void>()
  const finished = (): void => {
    pending--
    // A listener wakes a fiber, which may schedule: the others then wait for the next rest.
    for (const listener of listeners) {
      if (pending > 0) return
      listeners.delete(listener)
      listener()
    }
  }
  return {
    executionMode: parent.executionMode,
    shouldYield: (fiber) => parent.shouldYield(fiber),
    makeDispatcher() {
      const dispatcher = parent.makeDispatcher()
      return {
        scheduleTask(task, priority) {
          pending++
          dispatcher.scheduleTask(() => {
            try {
              task()
            } finally {
              finished()
            }
          }, priority)
        },
        flush: () => dispatcher.flush()
      }
    },
    get pending() {
      return pending
    },
    onIdle(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    }
  }
}
