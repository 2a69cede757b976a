/**
 * Waiting for what is on its way, but not for ever.
 *
 * The time is cut into slices: a process that did nothing for seconds finds its deadlines due before it has read what arrived meanwhile,
 * and must not give up on that.
 */
import type { Deadline, Deadlines, Expirable } from "../../runtime/Deadlines.ts"

const slices = 10

/** Calls `giveUp` once, unless cancelled before. */
export class Patience implements Expirable {
  readonly #deadlines: Deadlines
  readonly #slice: number
  readonly #giveUp: () => void
  #left = slices
  #deadline: Deadline

  /** Begins to wait, for so many milliseconds in which the process was awake. */
  constructor(deadlines: Deadlines, millis: number, giveUp: () => void) {
    this.#deadlines = deadlines
    this.#slice = millis / slices
    this.#giveUp = giveUp
    this.#deadline = deadlines.set(this.#slice, this)
  }

  /** Waits no longer. */
  cancel(): void {
    this.#deadlines.cancel(this.#deadline)
  }

  /** @internal */
  onDeadline(): void {
    if (--this.#left > 0) this.#deadline = this.#deadlines.set(this.#slice, this)
    else this.#giveUp()
  }
}
