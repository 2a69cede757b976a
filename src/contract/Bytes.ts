/**
 * Binary values as they come from and go to a Socket.IO wire, whichever of the two classes a platform hands out.
 */

/** A binary attachment: an ArrayBuffer or a view of one (`Buffer`, `Uint8Array`, `DataView`, …). */
export type BytesOnWire = ArrayBuffer | ArrayBufferView

/** Whether a value is an ArrayBuffer, also one of another realm (a frame, a `vm` context). */
export const isArrayBuffer = (value: unknown): value is ArrayBuffer =>
  value instanceof ArrayBuffer || Object.prototype.toString.call(value) === "[object ArrayBuffer]"

/** Whether a value is sent as an attachment. */
export const isBytes = (value: unknown): value is BytesOnWire => ArrayBuffer.isView(value) || isArrayBuffer(value)

/** The same bytes as a Uint8Array, without a copy; a Uint8Array (also a Buffer) is returned as it is. */
export const toUint8Array = (bytes: BytesOnWire): Uint8Array<ArrayBufferLike> => {
  if (bytes instanceof Uint8Array) return bytes
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
}

/**
 * The same bytes as an ArrayBuffer of exactly their length: copied when the bytes are a part of a larger buffer (as those of a pooled
 * Node Buffer are) or shared.
 */
export const toArrayBuffer = (bytes: BytesOnWire): ArrayBuffer => {
  if (!ArrayBuffer.isView(bytes)) return bytes
  const { buffer, byteOffset, byteLength } = bytes
  if (isArrayBuffer(buffer) && byteLength === buffer.byteLength) return buffer
  const copy = new ArrayBuffer(byteLength)
  new Uint8Array(copy).set(new Uint8Array(buffer, byteOffset, byteLength))
  return copy
}
