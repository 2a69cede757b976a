/** Runs suites against a target: some cases at a time, each with a deadline, and prints nothing itself. */
import type { Runnable, Suite } from "./Case.ts"
import type { Target } from "./Target.ts"
import { within } from "./raw/Wait.ts"

/** How a case went. */
export interface Outcome {
  readonly target: string
  readonly suite: string
  readonly title: string
  /** The reason why an official implementation was held to another behaviour, when it was. */
  readonly difference: string | undefined
  readonly failure: unknown
  readonly passed: boolean
  readonly ms: number
  /** How often the case was run again because the machine stood still (see {@link stallLimit}). */
  readonly reruns: number
}

/** Milliseconds one case may take in all. */
export const caseDeadline = 15_000

/**
 * Milliseconds of a stopped event loop after which the failure of a timed case says nothing: the timings under test are 200 and
 * 300 ms, and client and server share the loop.
 */
export const stallLimit = 60

const maxReruns = 4

/** Watches how late the event loop is. */
class LoopWatch {
  readonly #late: Array<{ readonly at: number; readonly ms: number }> = []
  readonly #timer: ReturnType<typeof setInterval>
  #last = performance.now()

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now()
      const ms = now - this.#last - 10
      if (ms > stallLimit) this.#late.push({ at: now, ms })
      this.#last = now
    }, 10)
  }

  /** The longest stall since `from`, in milliseconds; 0 when none passed the limit. */
  since(from: number): number {
    return this.#late.reduce((max, { at, ms }) => (at >= from && ms > max ? ms : max), 0)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

let serial = 0

const runOnce = async (each: Runnable, target: Target): Promise<unknown> => {
  try {
    await within(each.run(target, `${(++serial).toString(36)}`), "the case to end", caseDeadline)
    return undefined
  } catch (failure) {
    return failure ?? new Error("failed without a reason")
  }
}

/** Options of {@link run}. */
export interface RunOptions {
  /** Cases at a time. */
  readonly concurrency: number
  readonly report: (outcome: Outcome) => void
}

/** Runs all cases of the suites; suites about time after all others, so that load does not disturb them. */
export const run = async (target: Target, suites: ReadonlyArray<Suite>, options: RunOptions): Promise<void> => {
  const watch = new LoopWatch()
  for (const timed of [false, true]) {
    const queue = suites
      .filter((suite) => suite.timed === timed)
      .flatMap((suite) => suite.cases.map((each) => ({ suite, each })))
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { suite, each } = next
        let failure: unknown
        let reruns = 0
        let started = performance.now()
        for (; ; reruns++) {
          started = performance.now()
          failure = await runOnce(each, target)
          if (failure === undefined || !timed || reruns === maxReruns || watch.since(started) === 0) break
        }
        options.report({
          target: target.name,
          suite: suite.name,
          title: each.title,
          difference: each.difference(target),
          failure,
          passed: failure === undefined,
          ms: performance.now() - started,
          reruns
        })
      }
    }
    await Promise.all(Array.from({ length: options.concurrency }, worker))
  }
  watch.stop()
}
