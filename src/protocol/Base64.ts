/**
 * Base64 of the polling transport (RFC 4648, section 4): strict about the alphabet, padding optional, as decoders of other
 * languages leave it out.
 */

/** The part of Node's `Buffer` that makes it fast. */
export interface BufferLike {
  from(text: string, encoding: "base64"): Uint8Array
  from(bytes: ArrayBufferLike, offset: number, length: number): { toString(encoding: "base64"): string }
}

/** Base64 both ways. */
export interface Base64 {
  encode(bytes: Uint8Array): string
  /** The bytes, or `undefined` if the text is not base64. */
  decode(text: string): Uint8Array | undefined
}

const alphabet = /^[A-Za-z0-9+/]*={0,2}$/

/** Whether the text has only characters of the alphabet and a possible length. */
const isBase64 = (text: string): boolean => {
  if (!alphabet.test(text)) return false
  const unpadded = text.endsWith("==") ? text.length - 2 : text.endsWith("=") ? text.length - 1 : text.length
  return unpadded % 4 !== 1 && (unpadded === text.length || text.length % 4 === 0)
}

// Arguments of one call: engines limit their number.
const chunk = 0x2000

/** Base64 by `atob` and `btoa`, for browsers. */
export const portable: Base64 = {
  encode(bytes) {
    let binary = ""
    for (let i = 0; i < bytes.length; i += chunk) {
      binary += String.fromCharCode(...bytes.subarray(i, i + chunk))
    }
    return btoa(binary)
  },
  decode(text) {
    if (!isBase64(text)) return undefined
    const binary = atob(text)
    const bytes = new Uint8Array(binary.length)
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
    return bytes
  }
}

/** Base64 by Node's `Buffer`; decodes to `Buffer`s. */
export const withBuffer = (buffer: BufferLike): Base64 => ({
  encode: (bytes) => buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
  decode: (text) => (isBase64(text) ? buffer.from(text, "base64") : undefined)
})

/** The fastest one that a global object offers. */
export const fromGlobals = (globals: { readonly Buffer?: BufferLike | undefined }): Base64 =>
  globals.Buffer === undefined ? portable : withBuffer(globals.Buffer)

const platform = fromGlobals(globalThis as { readonly Buffer?: BufferLike })

/** The base64 text of the bytes. */
export const encode: (bytes: Uint8Array) => string = platform.encode

/** The bytes of a base64 text, or `undefined` if it is none. In Node a `Buffer`. */
export const decode: (text: string) => Uint8Array | undefined = platform.decode

/** The length of the base64 text of so many bytes. */
export const encodedLength = (bytes: number): number => 4 * Math.ceil(bytes / 3)
