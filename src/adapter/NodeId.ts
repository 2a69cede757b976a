/**
 * Names of nodes and of their requests: 16 hexadecimal digits, as official nodes have them.
 */
import * as Context from "effect/Context"
import * as Random from "effect/Random"

const size = 8

const fill = (context: Context.Context<never>): ((bytes: Uint8Array<ArrayBuffer>) => void) => {
  const random = Context.getOrUndefined(context as Context.Context<Random.Random>, Random.Random)
  // Who guesses the id of a request can answer it: the platform's secure randomness, unless a simulation brings its own.
  if (random === undefined) return (bytes) => void globalThis.crypto.getRandomValues(bytes)
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random.nextDoubleUnsafe() * 256)
  }
}

/** A source of ids: secure randomness, or Effect's `Random` where the context has one of its own. */
export const makeGenerator = (context: Context.Context<never>): (() => string) => {
  const random = fill(context)
  return () => {
    const bytes = new Uint8Array(size)
    random(bytes)
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
  }
}
