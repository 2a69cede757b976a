/**
 * One way between a node and a broker in memory: what is sent arrives in order after a delay, unless faults are asked for.
 */
import * as Context from "effect/Context"
import * as Random from "effect/Random"
import type { Deadline, Deadlines, Expirable } from "../runtime/Deadlines.ts"
import type { Flushable, Turn } from "../runtime/Turn.ts"

/** What goes wrong on a way. */
export interface LinkFaults {
  /** Milliseconds until something arrives. */
  readonly latency: number
  /** Up to so many milliseconds more, drawn for each message: these may overtake each other. */
  readonly jitter: number
  /** The probability, from 0 to 1, that a message is lost. */
  readonly drop: number
  /** The probability that a message arrives twice. */
  readonly duplicate: number
}

/** Nothing goes wrong, and nothing takes time. */
export const noFaults: LinkFaults = { latency: 0, jitter: 0, drop: 0, duplicate: 0 }

/** Where links have their time and their chance from. */
export interface LinkContext {
  readonly context: Context.Context<never>
  readonly deadlines: Deadlines
  readonly turn: Turn
}

interface Parcel {
  readonly due: number
  arrive(): void
  lost(): void
}

/** A way in one direction. Without a delay things arrive at the end of the turn, never inside the call that sends them. */
export class BrokerLink implements Flushable, Expirable {
  readonly #parts: LinkContext
  readonly #random: () => number
  #parcels: Array<Parcel> = []
  #scheduled = false
  #deadline: Deadline | undefined = undefined
  #wakeAt = Number.POSITIVE_INFINITY

  constructor(parts: LinkContext) {
    this.#parts = parts
    const random = Context.get(parts.context, Random.Random)
    this.#random = () => random.nextDoubleUnsafe()
  }

  /** Sends something that may be lost and may arrive twice. */
  send(faults: LinkFaults, arrive: () => void): void {
    if (faults.drop > 0 && this.#random() < faults.drop) return
    this.post(faults, arrive, () => {})
    if (faults.duplicate > 0 && this.#random() < faults.duplicate) this.post(faults, arrive, () => {})
  }

  /** Sends something that arrives once; `lost` is called instead if the way is cut before. */
  post(faults: LinkFaults, arrive: () => void, lost: () => void): void {
    const { deadlines } = this.#parts
    // Deadlines count whole milliseconds.
    const jitter = faults.jitter > 0 ? Math.round(this.#random() * faults.jitter) : 0
    const sooner = deadlines.now() + faults.latency + jitter
    // A shorter latency does not let later messages overtake earlier ones; jitter does.
    const last = this.#parcels.at(-1)?.due ?? 0
    this.#parcels.push({ due: faults.jitter > 0 ? sooner : Math.max(sooner, last), arrive, lost })
    if (faults.jitter > 0) this.#parcels.sort((a, b) => a.due - b.due)
    this.#wake()
  }

  /** Everything under way is lost. */
  cut(): void {
    const parcels = this.#parcels
    this.#parcels = []
    for (const { lost } of parcels) lost()
  }

  flush(): void {
    this.#scheduled = false
    this.#deliver()
  }

  onDeadline(): void {
    this.#wakeAt = Number.POSITIVE_INFINITY
    this.#deadline = undefined
    this.#deliver()
  }

  #deliver(): void {
    const now = this.#parts.deadlines.now()
    // What is sent while this is told arrives in a later turn.
    const due = this.#parcels.filter((parcel) => parcel.due <= now)
    this.#parcels.splice(0, due.length)
    for (const { arrive } of due) arrive()
    if (this.#parcels.length > 0) this.#wake()
  }

  #wake(): void {
    const { deadlines, turn } = this.#parts
    const first = this.#parcels[0]!
    if (first.due <= deadlines.now()) {
      if (this.#scheduled) return
      this.#scheduled = true
      return turn.schedule(this)
    }
    if (first.due >= this.#wakeAt) return
    if (this.#deadline !== undefined) deadlines.cancel(this.#deadline)
    this.#wakeAt = first.due
    this.#deadline = deadlines.set(first.due - deadlines.now(), this)
  }
}
