/**
 * How binary is handed to the program: as `Buffer` in Node, as `ArrayBuffer` in browsers, or as `engine.binaryType` says.
 */

/** The forms of binary. */
export type BinaryType = "nodebuffer" | "arraybuffer" | "blob"

type FromBytes = (buffer: ArrayBufferLike, offset: number, length: number) => Uint8Array

const nodeBuffer = (bytes: Uint8Array): unknown => {
  const { Buffer } = globalThis as { readonly Buffer?: { readonly from: FromBytes; isBuffer(value: unknown): boolean } }
  if (Buffer === undefined || Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const arrayBuffer = (bytes: Uint8Array): ArrayBufferLike =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : new Uint8Array(bytes).buffer

/** The bytes in that form, not copied where they need not be. */
export const toBinary = (bytes: Uint8Array, type: BinaryType): unknown => {
  if (type === "nodebuffer") return nodeBuffer(bytes)
  const buffer = arrayBuffer(bytes)
  return type === "blob" ? new Blob([buffer as ArrayBuffer]) : buffer
}

/**
 * The same data with every `Uint8Array` in that form; changes the data in place, which must come from a decoder, so that it is
 * neither cyclic nor deeper than decoders allow.
 */
export const convertBinary = (value: unknown, type: BinaryType): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Uint8Array) return toBinary(value, type)
  const record = value as Record<string, unknown>
  for (const key of Object.keys(record)) {
    const before = record[key]
    const after = convertBinary(before, type)
    if (after !== before) record[key] = after
  }
  return value
}
