/**
 * The ids of stream entries, `<milliseconds>-<number>`: their order, and the memory of which came after which.
 */

/** An id in numbers. */
export interface EntryId {
  readonly millis: number
  readonly sequence: number
}

const pattern = /^(\d{1,16})-(\d{1,16})$/

/** The position before every entry. */
export const beginning = "0-0"

/** Reads an id; undefined for what Redis never gives, such as offsets that a client made up. */
export const parse = (text: string): EntryId | undefined => {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const millis = Number(match[1])
  const sequence = Number(match[2])
  return Number.isSafeInteger(millis) && Number.isSafeInteger(sequence) ? { millis, sequence } : undefined
}

const order = (a: EntryId, b: EntryId): number => a.millis - b.millis || a.sequence - b.sequence

/** Whether `a` comes after `b`. What is no id comes before everything. */
export const isAfter = (a: string, b: string): boolean => {
  const left = parse(a)
  if (left === undefined) return false
  const right = parse(b)
  return right === undefined || order(left, right) > 0
}

/** The least id after this one, for ranges: exclusive ones came with Redis 6.2 only. */
export const next = ({ millis, sequence }: EntryId): string => `${millis}-${sequence + 1}`

/**
 * The ids that were read, in order, the newest `capacity` of them. Tells whether an entry was the last one that has been trimmed: the
 * stream itself only knows its first entry that is left.
 */
export class History {
  readonly #millis: Float64Array
  readonly #sequences: Float64Array
  readonly #capacity: number
  #start = 0
  #size = 0

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity)
    this.#millis = new Float64Array(this.#capacity)
    this.#sequences = new Float64Array(this.#capacity)
  }

  /** How many ids are remembered. */
  get size(): number {
    return this.#size
  }

  /** Remembers the id that was read next. */
  push(id: EntryId): void {
    const at = (this.#start + this.#size) % this.#capacity
    this.#millis[at] = id.millis
    this.#sequences[at] = id.sequence
    if (this.#size < this.#capacity) this.#size++
    else this.#start = (this.#start + 1) % this.#capacity
  }

  /** Forgets everything: what is read next need not follow what was read last. */
  clear(): void {
    this.#start = this.#size = 0
  }

  /** The id that was read right after this one; undefined where that is not known. */
  following(id: EntryId): EntryId | undefined {
    let low = 0
    let high = this.#size - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const found = this.#at(middle)
      const compared = order(found, id)
      if (compared === 0) return middle + 1 < this.#size ? this.#at(middle + 1) : undefined
      if (compared < 0) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }

  #at(index: number): EntryId {
    const at = (this.#start + index) % this.#capacity
    return { millis: this.#millis[at]!, sequence: this.#sequences[at]! }
  }
}
