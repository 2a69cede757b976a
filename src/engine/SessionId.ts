/**
 * Session ids: 20 characters of base64url, as Socket.IO's own are, so that load balancers that look for that pattern find it.
 */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** Bytes for one id: 120 bits, four characters from three bytes. */
const size = 15
/** Ids drawn from the platform at once. */
const batch = 128

/** Fills bytes with randomness. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => void

/** Secure randomness of the platform (WebCrypto). */
export const secure: RandomBytes = (bytes) => {
  globalThis.crypto.getRandomValues(bytes)
}

/** A source of ids over a source of bytes. */
export const makeGenerator = (random: RandomBytes): (() => string) => {
  const pool = new Uint8Array(size * batch)
  let offset = pool.length
  return () => {
    if (offset === pool.length) {
      random(pool)
      offset = 0
    }
    let id = ""
    const end = offset + size
    for (; offset < end; offset += 3) {
      const bits = (pool[offset]! << 16) | (pool[offset + 1]! << 8) | pool[offset + 2]!
      id += alphabet[bits >>> 18]! + alphabet[(bits >>> 12) & 63]! + alphabet[(bits >>> 6) & 63]! + alphabet[bits & 63]!
    }
    return id
  }
}
