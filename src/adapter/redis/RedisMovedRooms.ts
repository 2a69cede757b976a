/**
 * Rooms that sockets of other nodes were just put into: their nodes may not hear the channels of these rooms yet.
 */

/** How long a node may take to subscribe to the channel of a room, in milliseconds. */
const subscribing = 5000

/** Rooms that are remembered at most; the oldest are forgotten first. */
const maxRooms = 10_000

/** The rooms that others have been told to put sockets into, for a while. */
export class MovedRooms {
  readonly #now: () => number
  /** Until when, oldest first. */
  readonly #until = new Map<string, number>()

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#until.size
  }

  /** Sockets of other nodes are put into a room. */
  add(room: string): void {
    const now = this.#now()
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size < maxRooms) break
      this.#until.delete(oldest)
    }
    this.#until.delete(room)
    this.#until.set(room, now + subscribing)
  }

  /** Whether that was lately. */
  has(room: string): boolean {
    if (this.#until.size === 0) return false
    const until = this.#until.get(room)
    if (until === undefined) return false
    if (until > this.#now()) return true
    this.#until.delete(room)
    return false
  }
}
