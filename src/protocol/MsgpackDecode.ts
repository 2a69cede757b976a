/**
 * Values from msgpack, as `notepack.io` 3 reads them in Node (which includes what version 2 writes), but safe with hostile input: nothing is allocated for what is only
 * announced, nesting is limited, names cannot change prototypes, and every read stays inside the bytes.
 */
import * as OwnProperty from "./OwnProperty.ts"
import * as SocketBinary from "./SocketBinary.ts"

/** The bytes are not exactly one msgpack value. */
export interface MsgpackFailure {
  readonly _tag: "MsgpackFailure"
  readonly message: string
}

/** The value that the bytes hold. */
export interface MsgpackValue {
  readonly _tag: "MsgpackValue"
  readonly value: unknown
}

// Up to this length a loop is faster than the platform's decoder.
const shortText = 24

const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Reads one value after the other. After the first error everything it gives is `undefined`, and it reads no more. */
class Reader {
  error: string | undefined = undefined
  offset = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  private fail(message: string): undefined {
    this.error ??= message
    // Nothing is left to read: whoever still counts items stops at once.
    this.offset = this.bytes.length
    return undefined
  }

  /** Steps over so many bytes and gives the place where they were, or -1 past the end. */
  private take(count: number): number {
    const start = this.offset
    if (count > this.bytes.length - start) {
      this.fail("unexpected end of msgpack data")
      return -1
    }
    this.offset = start + count
    return start
  }

  /** An unsigned number of 1, 2 or 4 bytes; 0 past the end. */
  private unsigned(size: 1 | 2 | 4): number {
    const at = this.take(size)
    if (at < 0) return 0
    return size === 1 ? this.view.getUint8(at) : size === 2 ? this.view.getUint16(at) : this.view.getUint32(at)
  }

  private signed(size: 1 | 2 | 4): number {
    const at = this.take(size)
    if (at < 0) return 0
    return size === 1 ? this.view.getInt8(at) : size === 2 ? this.view.getInt16(at) : this.view.getInt32(at)
  }

  private float(size: 4 | 8): number {
    const at = this.take(size)
    if (at < 0) return 0
    return size === 4 ? this.view.getFloat32(at) : this.view.getFloat64(at)
  }

  private text(size: number): string | undefined {
    const at = this.take(size)
    if (at < 0) return undefined
    const end = at + size
    if (size <= shortText) {
      let text = ""
      let i = at
      for (; i < end; i++) {
        const byte = this.bytes[i]!
        if (byte >= 0x80) break
        text += String.fromCharCode(byte)
      }
      if (i === end) return text
    }
    return textDecoder.decode(this.bytes.subarray(at, end))
  }

  private binary(size: number): Uint8Array | undefined {
    const at = this.take(size)
    return at < 0 ? undefined : this.bytes.subarray(at, at + size)
  }

  private array(count: number, depth: number): Array<unknown> | undefined {
    if (depth >= SocketBinary.maxDepth) return this.fail("msgpack data is nested too deep")
    const items: Array<unknown> = []
    for (let i = 0; i < count && this.error === undefined; i++) items.push(this.value(depth + 1))
    return items
  }

  private map(count: number, depth: number): Record<string, unknown> | undefined {
    if (depth >= SocketBinary.maxDepth) return this.fail("msgpack data is nested too deep")
    const record: Record<string, unknown> = {}
    for (let i = 0; i < count && this.error === undefined; i++) {
      const key = this.value(depth + 1)
      if (typeof key === "string" || typeof key === "number") {
        OwnProperty.set(record, String(key), this.value(depth + 1))
      } else {
        this.fail("a msgpack map has a key that is no text")
      }
    }
    return record
  }

  /** Seconds in 64 bits, signed in the upper half, and the milliseconds that a number of nanoseconds adds. */
  private static date(high: number, low: number, nanos: number): Date {
    return new Date((high * 2 ** 32 + low) * 1000 + nanos / 1e6)
  }

  /** An extension: a timestamp, or else a pair of type and bytes. */
  private extension(size: number): unknown {
    const type = this.signed(1)
    const data = this.binary(size)
    if (data === undefined) return undefined
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    if (type === -1) {
      if (size === 4) return Reader.date(0, view.getUint32(0), 0)
      if (size === 8) {
        const upper = view.getUint32(0)
        return Reader.date(upper & 3, view.getUint32(4), upper >>> 2)
      }
      if (size === 12) return Reader.date(view.getInt32(4), view.getUint32(8), view.getUint32(0))
      return this.fail("a msgpack timestamp has no valid length")
    }
    return [type, data]
  }

  /** One of fixed size; type 0 of version 2 is `undefined` or a date. */
  private fixedExtension(size: number): unknown {
    const extension = this.extension(size)
    if (!Array.isArray(extension) || extension[0] !== 0) return extension
    if (size === 1) return undefined
    if (size !== 8) return extension
    const data = extension[1] as Uint8Array
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    return new Date(view.getInt32(0) * 2 ** 32 + view.getUint32(4))
  }

  /** One with its size; type 0 of version 2 is an `ArrayBuffer`. */
  private sizedExtension(size: number): unknown {
    const extension = this.extension(size)
    if (!Array.isArray(extension) || extension[0] !== 0) return extension
    return new Uint8Array(extension[1] as Uint8Array).buffer
  }

  value(depth: number): unknown {
    const at = this.take(1)
    if (at < 0) return undefined
    const prefix = this.bytes[at]!
    if (prefix < 0x80) return prefix
    if (prefix < 0x90) return this.map(prefix & 0x0f, depth)
    if (prefix < 0xa0) return this.array(prefix & 0x0f, depth)
    if (prefix < 0xc0) return this.text(prefix & 0x1f)
    if (prefix >= 0xe0) return prefix - 0x100
    switch (prefix) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.binary(this.unsigned(1))
      case 0xc5:
        return this.binary(this.unsigned(2))
      case 0xc6:
        return this.binary(this.unsigned(4))
      case 0xc7:
        return this.sizedExtension(this.unsigned(1))
      case 0xc8:
        return this.sizedExtension(this.unsigned(2))
      case 0xc9:
        return this.sizedExtension(this.unsigned(4))
      case 0xca:
        return this.float(4)
      case 0xcb:
        return this.float(8)
      case 0xcc:
        return this.unsigned(1)
      case 0xcd:
        return this.unsigned(2)
      case 0xce:
        return this.unsigned(4)
      case 0xcf: {
        const high = this.unsigned(4)
        return high * 2 ** 32 + this.unsigned(4)
      }
      case 0xd0:
        return this.signed(1)
      case 0xd1:
        return this.signed(2)
      case 0xd2:
        return this.signed(4)
      case 0xd3: {
        const high = this.signed(4)
        return high * 2 ** 32 + this.unsigned(4)
      }
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.fixedExtension(1 << (prefix - 0xd4))
      case 0xd9:
        return this.text(this.unsigned(1))
      case 0xda:
        return this.text(this.unsigned(2))
      case 0xdb:
        return this.text(this.unsigned(4))
      case 0xdc:
        return this.array(this.unsigned(2), depth)
      case 0xdd:
        return this.array(this.unsigned(4), depth)
      case 0xde:
        return this.map(this.unsigned(2), depth)
      case 0xdf:
        return this.map(this.unsigned(4), depth)
      default:
        // 0xc1, which msgpack never uses.
        return this.fail("unknown msgpack type")
    }
  }
}

/** The one value that the bytes hold. Binary values are views of the bytes. */
export const decode = (bytes: Uint8Array): MsgpackValue | MsgpackFailure => {
  const reader = new Reader(bytes)
  const value = reader.value(0)
  if (reader.error !== undefined) return { _tag: "MsgpackFailure", message: reader.error }
  const trailing = bytes.length - reader.offset
  if (trailing > 0) return { _tag: "MsgpackFailure", message: `${trailing} trailing bytes` }
  return { _tag: "MsgpackValue", value }
}
