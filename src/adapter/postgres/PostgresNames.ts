/**
 * Names in PostgreSQL: channels of namespaces, and tables as options name them.
 */
import * as Effect from "effect/Effect"
import * as Utf8 from "../../protocol/Utf8.ts"

/** The name of a channel; of one that is a hash it is known a moment later. */
export type ChannelName = Effect.Effect<string>

/** PostgreSQL cuts longer names off where they are listened to, and refuses them where something is sent. */
const maxNameLength = 63

/** Text that no PostgreSQL takes: the zero character, and halves of surrogate pairs. */
const unspeakable = /\0|\p{Surrogate}/u

const hexDigits = 48

const hashed = (name: string): ChannelName =>
  Effect.promise(async () => {
    const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(name)))
    const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
    return `socket.io~${hex.slice(0, hexDigits)}`
  })

/**
 * The channel of a namespace: `<prefix>#<namespace>`, as official nodes have it.
 *
 * Where that is longer than the 63 bytes of a name, or no text for PostgreSQL, official nodes hear a channel that nobody can send to; ours
 * meet on `socket.io~<hash>`, which is no channel of any other namespace: those have `#/` in them.
 */
export const channelOf = (prefix: string, namespace: string): ChannelName => {
  const name = `${prefix}#${namespace}`
  return Utf8.byteLength(name) <= maxNameLength && !unspeakable.test(name) ? Effect.succeed(name) : hashed(name)
}

/** Whether it can be a value of type text. */
export const isText = (value: string): boolean => !unspeakable.test(value)

/** A name in quotes, whatever is in it. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A table, also in a schema, in the spelling of SQL: what official nodes take as it is. */
const sqlName = /^(?:[a-z_][\w$]*|"(?:[^"\0]|"")+")(?:\.(?:[a-z_][\w$]*|"(?:[^"\0]|"")+"))?$/i

/** A table as it goes into a statement: names in the spelling of SQL as they are, anything else in quotes. */
export const table = (name: string): string => (sqlName.test(name) ? name : quoted(name))
