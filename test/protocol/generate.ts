/** Seeded generators for the property tests of this folder: the same seed gives the same values. */
import * as OwnProperty from "../../src/protocol/OwnProperty.ts"

export interface Random {
  /** From 0 (included) to 1 (excluded). */
  next(): number
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number
  pick<A>(items: ReadonlyArray<A>): A
}

/** A generator of numbers (mulberry32). */
export const random = (seed: number): Random => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return { next, below, pick: (items) => items[below(items.length)]! }
}

/** Calls the body with so many generators of different seeds; a failure names the seed. */
export const forAll = (runs: number, body: (random: Random) => void): void => {
  for (let seed = 1; seed <= runs; seed++) {
    try {
      body(random(seed))
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
}

const characters = [
  "a",
  "Z",
  "0",
  " ",
  '"',
  "\\",
  "/",
  ",",
  "-",
  "\x1e",
  "\x00",
  "\n",
  "é",
  "€",
  "\u2028",
  "😀",
  "\u{10ffff}",
  "b"
]

/** Text of up to so many characters, of every UTF-8 length, without lone surrogates. */
export const text = (random: Random, limit = 40): string => {
  let result = ""
  for (let n = random.below(limit + 1); n > 0; n--) result += random.pick(characters)
  return result
}

export const bytes = (random: Random, limit = 40): Uint8Array<ArrayBuffer> => {
  const result = new Uint8Array(random.below(limit + 1))
  for (let i = 0; i < result.length; i++) result[i] = random.below(256)
  return result
}

const numbers = [0, 1, -1, 127, 128, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]

export const number = (random: Random): number => {
  switch (random.below(4)) {
    case 0:
      return random.pick(numbers)
    case 1:
      return -random.pick(numbers) - 1
    case 2:
      return random.below(1000)
    default:
      return (random.next() - 0.5) * 10 ** random.below(20)
  }
}

/** What values are made of. */
export interface ValueOptions {
  /** Share of the leaves that are binary. */
  readonly binary: number
  /** More leaves: dates, undefined, objects with toJSON … */
  readonly extra: ReadonlyArray<(random: Random) => unknown>
  readonly keys?: (random: Random) => string
}

/** JSON with what the options add, nested up to `depth`. */
export const value = (random: Random, options: ValueOptions, depth = 3): unknown => {
  const kind = random.below(depth > 0 ? 8 : 5)
  if (kind < 5) {
    if (random.next() < options.binary) return bytes(random)
    if (options.extra.length > 0 && random.below(4) === 0) return random.pick(options.extra)(random)
    switch (kind) {
      case 0:
        return null
      case 1:
        return random.below(2) === 0
      case 2:
        return number(random)
      default:
        return text(random)
    }
  }
  const size = random.below(5)
  if (kind === 5) return Array.from({ length: size }, () => value(random, options, depth - 1))
  const record: Record<string, unknown> = {}
  for (let i = 0; i < size; i++) {
    OwnProperty.set(record, options.keys?.(random) ?? text(random, 6), value(random, options, depth - 1))
  }
  return record
}

/**
 * A form in which values can be compared: bytes of every class as arrays, records as sorted entries without absent fields (so that
 * `__proto__` is a name like any other), -0 as 0.
 */
export const comparable = (value: unknown): unknown => {
  if (value === 0) return 0
  if (typeof value !== "object" || value === null || value instanceof Date) return value
  if (value instanceof ArrayBuffer) return { bytes: [...new Uint8Array(value)] }
  if (ArrayBuffer.isView(value)) return { bytes: [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)] }
  if (Array.isArray(value)) return value.map(comparable)
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => [key, comparable(item)] as const)
  return { entries: entries.sort(([a], [b]) => (a < b ? -1 : 1)) }
}
