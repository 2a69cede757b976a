/**
 * Events that were delivered and are not in the log: whoever missed them must not be told that nothing is missing.
 */
import type { Deadlines } from "../runtime/Deadlines.ts"

/** Places behind a hole that are remembered; those before them count as before the hole. */
export const maxPassed = 10_000

/** Longer than a lost connection takes to be noticed: what was written before that has arrived. In milliseconds. */
const detectionTime = 60_000

/** The last hole in a log. Places cannot be compared, so those behind it are remembered for as long as sessions from before it can come back. */
export class Holes {
  readonly #deadlines: Deadlines
  readonly #window: number
  #passed: Set<string> | undefined = undefined
  #until = 0

  /** `window`: how long sessions are kept, in milliseconds. */
  constructor(deadlines: Deadlines, window: number) {
    this.#deadlines = deadlines
    this.#window = window
  }

  /** An event went out that the log does not have. */
  open(): void {
    this.#passed = new Set()
    this.#until = this.#deadlines.now() + this.#window + detectionTime
  }

  /** An event with a place went out. */
  passed(offset: string): void {
    if (this.#passed === undefined) return
    if (this.#deadlines.now() > this.#until) {
      this.#passed = undefined
      return
    }
    this.#passed.add(offset)
    if (this.#passed.size > maxPassed) for (const oldest of this.#passed) return void this.#passed.delete(oldest)
  }

  /** Whether the hole, if there is one, may lie behind this place. */
  isBehind(offset: string | undefined): boolean {
    if (this.#passed === undefined || this.#deadlines.now() > this.#until) return false
    return offset === undefined || !this.#passed.has(offset)
  }
}
