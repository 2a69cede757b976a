/**
 * Names of nodes and requests over plain Redis Pub/Sub: six characters, as official nodes have them.
 */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const size = 6

/** A new name. Secure randomness: who guesses the name of a request can answer it. */
export const make = (): string => {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(size))
  return Array.from(bytes, (byte) => alphabet[byte & 63]!).join("")
}
