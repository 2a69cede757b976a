/**
 * Values as JSON has them, with binary leaves, for a channel that copies structures: a copy keeps what JSON does not (cycles, big integers)
 * and loses what it honours (`toJSON`), and each node's clients are to get the same.
 */

/** Deeper values are cycles, or as good as. */
const maxDepth = 1000

const isBinary = (value: object): boolean => value instanceof ArrayBuffer || ArrayBuffer.isView(value)

const hasToJson = (value: object): value is { toJSON(key: string): unknown } =>
  typeof (value as { readonly toJSON?: unknown }).toJSON === "function"

const copy = (value: unknown, key: string, depth: number): unknown => {
  switch (typeof value) {
    case "bigint":
      throw new TypeError("a bigint cannot be sent")
    case "function":
    case "symbol":
      return undefined
    case "object":
      break
    default:
      return value
  }
  if (value === null || isBinary(value)) return value
  if (depth > maxDepth) throw new TypeError("the value contains itself, or is nested too deeply")
  if (hasToJson(value)) return copy(value.toJSON(key), key, depth + 1)
  if (Array.isArray(value)) return value.map((item, index) => copy(item, String(index), depth + 1))
  // Also `__proto__` becomes a key like any other.
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, copy(item, name, depth + 1)]))
}

/** A copy of JSON's values and binary. Throws what JSON would throw, and what a `toJSON` throws. */
export const toPlain = (value: unknown): unknown => copy(value, "", 0)
