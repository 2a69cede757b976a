/**
 * Values as msgpack, byte for byte as the official packages write them by `notepack.io`, in its two dialects.
 *
 * Where that library writes something wrong, this one does not: `ArrayBuffer`s and typed arrays are written as their bytes and
 * as what every peer reads as binary (in Node, version 2 writes the whole underlying buffer, in a form that browsers do not
 * read), integers that fit no 64 bits as floats, invalid dates as nil, and lone surrogates as U+FFFD.
 */
import * as SocketBinary from "./SocketBinary.ts"
import * as Utf8 from "./Utf8.ts"

/**
 * How dates and `undefined` are written. `notepack2`: as extensions of type 0, also for properties that are undefined
 * (`socket.io-msgpack-parser` 3, which cannot read the other form of dates). `notepack3`: as timestamps and nil, and such
 * properties are left out (the Redis adapters and emitters).
 */
export type Dialect = "notepack2" | "notepack3"

// Up to this length a loop is faster than the platform's encoder.
const shortText = 32
// A larger scratch space is given back after use.
const keptScratch = 64 * 1024

const textEncoder = new TextEncoder()

/** A byte array that grows. */
class Writer {
  bytes: Uint8Array<ArrayBuffer>
  view: DataView<ArrayBuffer>
  length = 0
  dialect: Dialect = "notepack2"

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for so many bytes and gives the place where they go. */
  reserve(count: number): number {
    const start = this.length
    const end = start + count
    if (end > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(end, this.bytes.length * 2))
      bytes.set(this.bytes.subarray(0, start))
      this.bytes = bytes
      this.view = new DataView(bytes.buffer)
    }
    this.length = end
    return start
  }

  byte(value: number): void {
    const at = this.reserve(1)
    this.bytes[at] = value
  }

  /** A prefix and a number of 1, 2 or 4 bytes, the smallest that holds it; prefixes follow each other. */
  sized(prefix8: number, value: number): void {
    if (value < 0x100) {
      const at = this.reserve(2)
      this.bytes[at] = prefix8
      this.bytes[at + 1] = value
    } else if (value < 0x10000) {
      const at = this.reserve(3)
      this.bytes[at] = prefix8 + 1
      this.view.setUint16(at + 1, value)
    } else {
      const at = this.reserve(5)
      this.bytes[at] = prefix8 + 2
      this.view.setUint32(at + 1, value)
    }
  }

  /** The head of an array (0x90, 0xdc) or map (0x80, 0xde). */
  container(fixPrefix: number, prefix16: number, count: number): void {
    if (count < 0x10) {
      this.byte(fixPrefix | count)
    } else if (count < 0x10000) {
      const at = this.reserve(3)
      this.bytes[at] = prefix16
      this.view.setUint16(at + 1, count)
    } else {
      const at = this.reserve(5)
      this.bytes[at] = prefix16 + 1
      this.view.setUint32(at + 1, count)
    }
  }

  text(value: string): void {
    const size = Utf8.byteLength(value)
    if (size < 0x20) this.byte(0xa0 | size)
    else this.sized(0xd9, size)
    const at = this.reserve(size)
    if (size <= shortText && size === value.length) {
      for (let i = 0; i < size; i++) this.bytes[at + i] = value.charCodeAt(i)
    } else {
      textEncoder.encodeInto(value, this.bytes.subarray(at, at + size))
    }
  }

  float(value: number): void {
    const at = this.reserve(9)
    this.bytes[at] = 0xcb
    this.view.setFloat64(at + 1, value)
  }

  number(value: number): void {
    if (!Number.isInteger(value)) this.float(value)
    else if (value >= 0) this.natural(value)
    else this.negative(value)
  }

  natural(value: number): void {
    if (value < 0x80) this.byte(value)
    else if (value < 2 ** 32) this.sized(0xcc, value)
    else if (value < 2 ** 64) this.wide(0xcf, value)
    else this.float(value)
  }

  negative(value: number): void {
    if (value >= -0x20) {
      this.byte(value)
    } else if (value >= -0x80) {
      const at = this.reserve(2)
      this.bytes[at] = 0xd0
      this.bytes[at + 1] = value
    } else if (value >= -0x8000) {
      const at = this.reserve(3)
      this.bytes[at] = 0xd1
      this.view.setInt16(at + 1, value)
    } else if (value >= -0x80000000) {
      const at = this.reserve(5)
      this.bytes[at] = 0xd2
      this.view.setInt32(at + 1, value)
    } else if (value >= -(2 ** 63)) {
      this.wide(0xd3, value)
    } else {
      this.float(value)
    }
  }

  /** A prefix and an integer of 64 bits; both halves wrap as they should. */
  wide(prefix: number, value: number): void {
    const at = this.reserve(9)
    this.bytes[at] = prefix
    this.view.setUint32(at + 1, Math.floor(value / 2 ** 32))
    this.view.setUint32(at + 5, value)
  }

  binary(bytes: Uint8Array): void {
    this.sized(0xc4, bytes.length)
    // Growing replaces `this.bytes`: reserve first.
    const at = this.reserve(bytes.length)
    this.bytes.set(bytes, at)
  }

  undefined(): void {
    if (this.dialect === "notepack3") return this.byte(0xc0)
    const at = this.reserve(3)
    this.bytes.set([0xd4, 0, 0], at)
  }

  date(value: Date): void {
    const millis = value.getTime()
    if (Number.isNaN(millis)) this.byte(0xc0)
    else if (this.dialect === "notepack3") this.timestamp(millis)
    else this.legacyDate(millis)
  }

  /** An extension of type 0: milliseconds in 64 bits. */
  legacyDate(millis: number): void {
    const at = this.reserve(10)
    this.bytes.set([0xd7, 0], at)
    this.view.setUint32(at + 2, Math.floor(millis / 2 ** 32))
    this.view.setUint32(at + 6, millis)
  }

  /** The timestamp extension (-1) in its shortest form of 32, 64 or 96 bits. */
  timestamp(millis: number): void {
    const seconds = Math.floor(millis / 1000)
    const nanos = (millis - seconds * 1000) * 1e6
    if (seconds < 0 || seconds >= 2 ** 34) {
      const at = this.reserve(15)
      this.bytes.set([0xc7, 12, 0xff], at)
      this.view.setUint32(at + 3, nanos)
      this.view.setUint32(at + 7, Math.floor(seconds / 2 ** 32))
      this.view.setUint32(at + 11, seconds)
    } else if (nanos === 0 && seconds < 2 ** 32) {
      const at = this.reserve(6)
      this.bytes.set([0xd6, 0xff], at)
      this.view.setUint32(at + 2, seconds)
    } else {
      const at = this.reserve(10)
      this.bytes.set([0xd7, 0xff], at)
      this.view.setUint32(at + 2, nanos * 4 + Math.floor(seconds / 2 ** 32))
      this.view.setUint32(at + 6, seconds)
    }
  }

  map(value: object, depth: number): void {
    const record = value as Readonly<Record<string, unknown>>
    const keys = Object.keys(record).filter((key) => {
      const type = typeof record[key]
      return type !== "function" && (type !== "undefined" || this.dialect === "notepack2")
    })
    if (keys.length === 0 && SocketBinary.isBlob(value)) throw new Error(SocketBinary.blobMessage)
    this.container(0x80, 0xde, keys.length)
    for (const key of keys) {
      this.text(key)
      this.value(record[key], depth + 1)
    }
  }

  object(value: object, depth: number): void {
    if (depth > SocketBinary.maxDepth) throw new Error("data is cyclic or nested too deep")
    if (Array.isArray(value)) {
      this.container(0x90, 0xdc, value.length)
      for (let i = 0; i < value.length; i++) this.value(value[i], depth + 1)
    } else if (value instanceof Date) {
      this.date(value)
    } else if (SocketBinary.isBinary(value)) {
      this.binary(SocketBinary.bytesOf(value))
    } else if (SocketBinary.hasToJson(value)) {
      this.value(value.toJSON(), depth + 1)
    } else {
      this.map(value, depth)
    }
  }

  value(value: unknown, depth: number): void {
    switch (typeof value) {
      case "string":
        return this.text(value)
      case "number":
        return this.number(value)
      case "boolean":
        return this.byte(value ? 0xc3 : 0xc2)
      case "undefined":
        return this.undefined()
      case "object":
        return value === null ? this.byte(0xc0) : this.object(value, depth)
      default:
        throw new Error(`a ${typeof value} has no msgpack form`)
    }
  }
}

let idle: Writer | undefined

/**
 * The msgpack bytes of a value.
 *
 * Throws, for the codec to catch: for functions, symbols and BigInts, for data that is cyclic or nested deeper than
 * `SocketBinary.maxDepth`, and whatever a `toJSON` or getter throws.
 */
export const encodeOrThrow = (value: unknown, dialect: Dialect): Uint8Array<ArrayBuffer> => {
  // A toJSON may encode something itself: it must not find this writer.
  const writer = idle ?? new Writer(512)
  idle = undefined
  writer.length = 0
  writer.dialect = dialect
  writer.value(value, 0)
  const bytes = writer.bytes.slice(0, writer.length)
  if (writer.bytes.length <= keptScratch) idle = writer
  return bytes
}
