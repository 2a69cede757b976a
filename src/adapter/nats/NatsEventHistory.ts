/**
 * Where in the log the events of a namespace are, as far as a node has read it.
 *
 * The log is cut at its beginning for all namespaces together. Whether that has taken events of this one is known to whoever has read them:
 * a socket that has been idle for an hour has missed nothing, though its offset is long gone.
 */

/** What a node knows of the end of a log; can be kept and read by another node. */
export interface EventTail {
  /** Nothing is known of what is at or before this place. */
  readonly floor: number
  /** The places of events after `floor`, rising. */
  readonly places: ReadonlyArray<number>
  /** How far this is complete. */
  readonly position: number
}

/** The first event after a place: where it is, that there is none up to `position`, or that it is not known. */
export type Following =
  | { readonly _tag: "At"; readonly place: number }
  | { readonly _tag: "After"; readonly position: number }
  | { readonly _tag: "Unknown" }

const unknown: Following = { _tag: "Unknown" }

/** The first event after a place, by what somebody knows. */
export const following = ({ floor, places, position }: EventTail, place: number): Following => {
  if (place < floor) return unknown
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((places[middle] ?? 0) > place) high = middle
    else low = middle + 1
  }
  const found = places[low]
  return found === undefined ? { _tag: "After", position: Math.max(position, place) } : { _tag: "At", place: found }
}

/** How many places are remembered; eight bytes each. */
const remembered = 8192

/** What this node has read. */
export class EventHistory {
  /** Where this began. */
  readonly beginning: number
  #floor: number
  #places: Array<number> = []

  /** Begins at a place of which nothing before is known. */
  constructor(floor: number) {
    this.beginning = floor
    this.#floor = floor
  }

  /** The last event that was read; 0 where there was none. */
  get lastEvent(): number {
    return this.#places.at(-1) ?? 0
  }

  /** An event was read. */
  add(place: number): void {
    this.#places.push(place)
    if (this.#places.length < remembered * 2) return
    // Of places from the last forgotten one on, the next event is still known.
    this.#floor = this.#places[remembered - 1] ?? this.#floor
    this.#places = this.#places.slice(remembered)
  }

  /** All that is known, up to a position. */
  all(position: number): EventTail {
    return { floor: this.#floor, places: this.#places, position }
  }

  /** The newest part of it. */
  tail(count: number, position: number): EventTail {
    const from = Math.max(this.#places.length - count, 0)
    const floor = from === 0 ? this.#floor : (this.#places[from - 1] ?? this.#floor)
    return { floor, places: this.#places.slice(from), position }
  }
}
