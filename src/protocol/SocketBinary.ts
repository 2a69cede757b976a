/**
 * Binary inside the arguments of an event: taken out into attachments when sent, put back when received.
 *
 * On the wire `{"_placeholder":true,"num":n}` stands for the n-th attachment.
 */
import * as OwnProperty from "./OwnProperty.ts"

/** The data cannot be sent, or placeholders and attachments do not belong together. */
export interface SocketBinaryFailure {
  readonly _tag: "SocketBinaryFailure"
  readonly message: string
}

// A class of its own: data from the network can have any `_tag`.
class Failure implements SocketBinaryFailure {
  readonly _tag = "SocketBinaryFailure"
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

/** Whether taking out or putting back failed; data that only looks like a failure is none. */
export const isFailure = (value: unknown): value is SocketBinaryFailure => value instanceof Failure

/** How deep data may be nested: far more than any program needs, far less than what overflows the stack. */
export const maxDepth = 1000

/** Whether it is sent as an attachment: `ArrayBuffer`, `Buffer` and every other view. */
export const isBinary = (value: object): value is ArrayBuffer | ArrayBufferView =>
  ArrayBuffer.isView(value) || value instanceof ArrayBuffer

/** The bytes of a binary value, not copied. */
export const bytesOf = (binary: ArrayBuffer | ArrayBufferView): Uint8Array => {
  if (binary instanceof Uint8Array) return binary
  return binary instanceof ArrayBuffer
    ? new Uint8Array(binary)
    : new Uint8Array(binary.buffer, binary.byteOffset, binary.byteLength)
}

/** Whether it says itself what is to be sent in its place. */
export const hasToJson = (value: object): value is { toJSON(): unknown } =>
  typeof (value as { readonly toJSON?: unknown }).toJSON === "function"

/**
 * Whether it is a `Blob` or `File`, which can only be read asynchronously. Only asked for objects without own properties, which
 * would be sent as `{}`.
 */
export const isBlob = (value: object): boolean => {
  const { arrayBuffer, size } = value as { readonly arrayBuffer?: unknown; readonly size?: unknown }
  return typeof arrayBuffer === "function" && typeof size === "number"
}

/** What the sender of a `Blob` reads. */
export const blobMessage = "a Blob must be read before it is sent, for example by its arrayBuffer()"

const search = (value: unknown, depth: number, unwrap: boolean): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (depth > maxDepth) return true
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      if (typeof item === "object" && item !== null && search(item, depth + 1, true)) return true
    }
    return false
  }
  if (isBinary(value)) return true
  if (unwrap && hasToJson(value)) return search(value.toJSON(), depth + 1, false)
  const keys = Object.keys(value)
  for (let i = 0; i < keys.length; i++) {
    const item = (value as Readonly<Record<string, unknown>>)[keys[i]!]
    if (typeof item === "object" && item !== null && search(item, depth + 1, true)) return true
  }
  return keys.length === 0 && isBlob(value)
}

/**
 * Whether there is binary anywhere in the value. Also `true` for what cannot be looked through (cyclic, nested too deep, a
 * `Blob`, a `toJSON` that throws): `deconstruct` then has the failure.
 */
export const hasBinary = (value: unknown): boolean => {
  try {
    return search(value, 0, true)
  } catch {
    return true
  }
}

/** Data with placeholders, and what they stand for. */
export interface Deconstructed {
  readonly data: unknown
  readonly attachments: ReadonlyArray<Uint8Array>
}

const tooDeep = new Failure("data is cyclic or nested too deep")
const unread = new Failure(blobMessage)
const ambiguous = new Failure("data looks like the placeholder of an attachment")

const takeOut = (value: unknown, attachments: Array<Uint8Array>, depth: number, unwrap: boolean): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (depth > maxDepth) return tooDeep
  if (isBinary(value)) {
    const num = attachments.push(bytesOf(value)) - 1
    return { _placeholder: true, num }
  }
  if (Array.isArray(value)) {
    const copy: Array<unknown> = []
    for (let i = 0; i < value.length; i++) {
      const item = takeOut(value[i], attachments, depth + 1, true)
      if (isFailure(item)) return item
      copy.push(item)
    }
    return copy
  }
  // Dates stay: JSON writes them.
  if (value instanceof Date) return value
  if (unwrap && hasToJson(value)) return takeOut(value.toJSON(), attachments, depth + 1, false)
  const keys = Object.keys(value)
  if (keys.length === 0 && isBlob(value)) return unread
  const copy: Record<string, unknown> = {}
  for (const key of keys) {
    const item = takeOut((value as Readonly<Record<string, unknown>>)[key], attachments, depth + 1, true)
    if (isFailure(item)) return item
    OwnProperty.set(copy, key, item)
  }
  return copy["_placeholder"] === true ? ambiguous : copy
}

/**
 * A copy of the data with a placeholder for each binary value, and these. `toJSON` is honoured once for each object, before its
 * own properties are looked at. Fails for cyclic data, and for data that itself looks like a placeholder: receivers would put an
 * attachment in its place, or drop the connection.
 */
export const deconstruct = (data: unknown): Deconstructed | SocketBinaryFailure => {
  const attachments: Array<Uint8Array> = []
  try {
    const copy = takeOut(data, attachments, 0, true)
    return isFailure(copy) ? copy : { data: copy, attachments }
  } catch (error) {
    return new Failure(error instanceof Error ? error.message : "data cannot be read")
  }
}

const illegal = new Failure("illegal attachments")

const putBack = (value: unknown, attachments: ReadonlyArray<Uint8Array>, used: Set<number>, depth: number): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (depth > maxDepth) return illegal
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const before: unknown = value[i]
      const after = putBack(before, attachments, used, depth + 1)
      if (after === illegal) return illegal
      if (after !== before) value[i] = after
    }
    return value
  }
  const record = value as Record<string, unknown>
  const keys = Object.keys(record)
  if (Object.hasOwn(record, "_placeholder") && record["_placeholder"] === true) {
    const num = record["num"]
    const attachment = keys.length === 2 && typeof num === "number" ? attachments[num] : undefined
    if (attachment === undefined) return illegal
    used.add(num as number)
    return attachment
  }
  for (const key of keys) {
    const before = record[key]
    const after = putBack(before, attachments, used, depth + 1)
    if (after === illegal) return illegal
    // An own property `__proto__`, as JSON.parse makes it, is assigned like any other.
    if (after !== before) record[key] = after
  }
  return value
}

/**
 * The data with the attachments in the places of their placeholders; changes the data in place, which must come from
 * `JSON.parse`. Fails unless each placeholder is exactly one, names an attachment, and each attachment is named.
 */
export const reconstruct = (data: unknown, attachments: ReadonlyArray<Uint8Array>): unknown => {
  const used = new Set<number>()
  const result = putBack(data, attachments, used, 0)
  return used.size === attachments.length ? result : illegal
}
