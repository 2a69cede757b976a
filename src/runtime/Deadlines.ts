/**
 * Many deadlines, one sleeping fiber.
 *
 * Heartbeats, ack timeouts and connect timeouts are set and cancelled by the thousand and seldom fire; a fiber or timer each
 * would cost more than the messages they guard. Deadlines of equal length form a queue that is sorted by construction, so setting
 * and cancelling are constant-time; one fiber sleeps on Effect's `Clock` until the earliest queue head is due. Times are
 * milliseconds of the monotonic clock.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"

/** A deadline that was set; pass it to `cancel` or `refresh`. */
export interface Deadline {
  /** @internal */ due: number
  /** @internal */ queue: DeadlineQueue | undefined
  /** @internal */ previous: Deadline | undefined
  /** @internal */ next: Deadline | undefined
  /** @internal */ target: Expirable
}

/** What is told when its deadline has passed. */
export interface Expirable {
  onDeadline(deadline: Deadline): void
}

interface DeadlineQueue {
  readonly millis: number
  head: Deadline | undefined
  tail: Deadline | undefined
}

/** Sets and cancels deadlines. After its scope has closed nothing fires any more. */
export interface Deadlines {
  /** Milliseconds of the monotonic clock. */
  now(): number
  /** Calls `target.onDeadline` once, `millis` milliseconds from now, unless cancelled. `Infinity` never fires. */
  set(millis: number, target: Expirable): Deadline
  /** Forgets a deadline; harmless when it has fired or was cancelled before. */
  cancel(deadline: Deadline): void
  /** Deadlines that are set and have not fired. */
  readonly size: number
}

const nanosPerMilli = 1_000_000n
/** Timers of the platform overflow past 2^31 - 1 ms: sleep in pieces. */
const longestSleep = 2 ** 31 - 1

/** Deadlines on the `Clock` found in the context, whose fiber ends with the scope. */
export const makeUnsafe = (context: Context.Context<never>, scope: Scope.Scope): Deadlines => {
  const clock = Context.get(context, Clock.Clock)
  const fork = Effect.runForkWith(context)
  const queues = new Map<number, DeadlineQueue>()
  let size = 0
  let closed = false
  let wakeAt = Number.POSITIVE_INFINITY
  let sleeper: Fiber.Fiber<void> | undefined

  const now = (): number => Number(clock.monotonicTimeNanosUnsafe() / nanosPerMilli)

  const unlink = (deadline: Deadline): void => {
    const queue = deadline.queue
    if (queue === undefined) return
    if (deadline.previous === undefined) queue.head = deadline.next
    else deadline.previous.next = deadline.next
    if (deadline.next === undefined) queue.tail = deadline.previous
    else deadline.next.previous = deadline.previous
    deadline.queue = deadline.previous = deadline.next = undefined
    if (closed) return
    if (queue.head === undefined) queues.delete(queue.millis)
    size--
  }

  const earliest = (): number => {
    let due = Number.POSITIVE_INFINITY
    for (const queue of queues.values()) if (queue.head!.due < due) due = queue.head!.due
    return due
  }

  const sleepUntil = (due: number): void => {
    sleeper?.interruptUnsafe()
    wakeAt = due
    if (due === Number.POSITIVE_INFINITY || closed) {
      sleeper = undefined
      return
    }
    const millis = Math.min(Math.max(due - now(), 0), longestSleep)
    sleeper = fork(Effect.andThen(clock.sleep(Duration.millis(millis)), Effect.sync(fire)))
  }

  const tell = (deadline: Deadline): void => {
    try {
      deadline.target.onDeadline(deadline)
    } catch (defect) {
      // Whoever threw, the deadlines of everybody else still count.
      fork(Effect.logError("a deadline's target failed", defect))
    }
  }

  const fire = (): void => {
    sleeper = undefined
    const time = now()
    // Due deadlines of all queues, earliest first; a target may set and cancel deadlines while it is told.
    for (;;) {
      let first: Deadline | undefined
      for (const queue of queues.values()) {
        const head = queue.head!
        if (head.due <= time && (first === undefined || head.due < first.due)) first = head
      }
      if (first === undefined || closed) break
      unlink(first)
      tell(first)
    }
    sleepUntil(earliest())
  }

  const deadlines: Deadlines = {
    now,
    set(millis, target) {
      const deadline: Deadline = { due: now() + millis, queue: undefined, previous: undefined, next: undefined, target }
      if (closed || millis === Number.POSITIVE_INFINITY) return deadline
      let queue = queues.get(millis)
      if (queue === undefined) queues.set(millis, (queue = { millis, head: undefined, tail: undefined }))
      deadline.queue = queue
      deadline.previous = queue.tail
      if (queue.tail === undefined) queue.head = deadline
      else queue.tail.next = deadline
      queue.tail = deadline
      size++
      if (deadline.due < wakeAt) sleepUntil(deadline.due)
      return deadline
    },
    cancel: unlink,
    get size() {
      return size
    }
  }

  const close = Effect.sync(() => {
    closed = true
    sleeper?.interruptUnsafe()
    sleeper = undefined
    queues.clear()
    size = 0
  })
  // Scopes run synchronous finalizers synchronously; a closed scope runs this at once.
  Effect.runSync(Scope.addFinalizer(scope, close))
  return deadlines
}

/** Deadlines in the current scope, on the current clock. */
export const make: Effect.Effect<Deadlines, never, Scope.Scope> = Effect.gen(function* () {
  return makeUnsafe(yield* Effect.context<never>(), yield* Effect.scope)
})
