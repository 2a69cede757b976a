/**
 * One direction of one connection: parcels arrive once, in order, later than they were sent.
 *
 * It behaves as TCP does to those who use it. What is sent is accepted at once; a receiver that does not read, a slow line or a dead
 * one lets at most `window` bytes go unread before the sender sees them pile up as `bufferedAmount`.
 */
import type { Deadline, Deadlines, Expirable } from "../runtime/Deadlines.ts"
import type { Flushable, Turn } from "../runtime/Turn.ts"

/** Bytes that the two kernels of a real connection would hold between them. */
export const defaultWindow = 65_536

/** What the line is like; changed while it is in use. */
export interface LineConditions {
  /** Milliseconds from one end to the other. */
  readonly latency: number
  /** Bytes per second; `Infinity` by default. */
  readonly bandwidth: number
  /** Nothing arrives, and nobody is told. */
  readonly frozen: boolean
}

/** What all wires of a network share. */
export interface WireContext {
  readonly turn: Turn
  readonly deadlines: Deadlines
  /** Called for each parcel that arrived. */
  readonly arrived: (bytes: number) => void
}

interface Parcel {
  readonly size: number
  readonly due: number
  readonly deliver: () => void
}

/** One direction of a connection. */
export class Wire implements Flushable, Expirable {
  readonly #context: WireContext
  readonly #window: number
  #parcels: Array<Parcel> = []
  #conditions: LineConditions
  #unread = 0
  #lineFree = 0
  #lastDue = 0
  #scheduled = false
  #alarm: Deadline | undefined
  #paused = false
  #state: "open" | "lost" | "ended" = "open"
  /** Told when bytes that had to wait have left. */
  onDrain: (() => void) | undefined

  constructor(context: WireContext, conditions: LineConditions, window: number = defaultWindow) {
    this.#context = context
    this.#conditions = conditions
    this.#window = window
  }

  /** Sends a parcel; `deliver` runs when it arrives, never from inside this call. */
  push(size: number, deliver: () => void): void {
    if (this.#state === "ended") return
    this.#unread += size
    if (this.#state === "lost") return
    const now = this.#context.deadlines.now()
    const { bandwidth, latency } = this.#conditions
    this.#lineFree = Math.max(now, this.#lineFree) + (size / bandwidth) * 1000
    this.#lastDue = Math.max(this.#lastDue, this.#lineFree + latency)
    this.#parcels.push({ size, due: this.#lastDue, deliver })
    this.#wake()
  }

  /** Bytes accepted by `push` that the sender still holds. */
  get bufferedAmount(): number {
    return Math.max(0, this.#unread - this.#window)
  }

  /** Parcels on their way. */
  get inFlight(): number {
    return this.#parcels.length
  }

  /** Stops or resumes reading at the far end. */
  set paused(paused: boolean) {
    this.#paused = paused
    this.#wake()
  }

  /** Changes the line, also for what is on its way where it was frozen. */
  set conditions(conditions: LineConditions) {
    this.#conditions = conditions
    this.#wake()
  }

  /** From now on nothing arrives, for ever, and neither end is told. */
  lose(): void {
    if (this.#state === "open") this.#state = "lost"
    this.#parcels = []
    this.#disarm()
  }

  /** The connection is over: what has not arrived never will. */
  end(): void {
    this.#state = "ended"
    this.#parcels = []
    this.#unread = 0
    this.onDrain = undefined
    this.#disarm()
  }

  /** @internal */
  flush(): void {
    this.#scheduled = false
    const before = this.bufferedAmount
    for (;;) {
      const parcel = this.#parcels[0]
      if (parcel === undefined || this.#blocked) break
      const wait = parcel.due - this.#context.deadlines.now()
      if (wait > 0) {
        this.#arm(wait)
        break
      }
      this.#parcels.shift()
      this.#unread -= parcel.size
      this.#context.arrived(parcel.size)
      parcel.deliver()
    }
    if (before > this.bufferedAmount) this.onDrain?.()
  }

  /** @internal */
  onDeadline(): void {
    this.#alarm = undefined
    this.flush()
  }

  get #blocked(): boolean {
    return this.#paused || this.#conditions.frozen || this.#state !== "open"
  }

  #wake(): void {
    if (this.#scheduled || this.#alarm !== undefined || this.#parcels.length === 0 || this.#blocked) return
    this.#scheduled = true
    this.#context.turn.schedule(this)
  }

  #arm(millis: number): void {
    // Clocks count whole milliseconds here: a fraction must not end in a deadline that comes too early, again and again.
    this.#alarm ??= this.#context.deadlines.set(Math.ceil(millis), this)
  }

  #disarm(): void {
    if (this.#alarm === undefined) return
    this.#context.deadlines.cancel(this.#alarm)
    this.#alarm = undefined
  }
}
