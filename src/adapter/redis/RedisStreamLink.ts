/**
 * What the bus over Redis Streams needs of the connections to Redis.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Words } from "./RedisStreamCommands.ts"
import type { ReaderConnection } from "./RedisStreamReader.ts"

/** The connections of a server: one to write, one to hear channels, one for each stream that is read. */
export interface StreamLink {
  /** Whether a command would leave at once. Where it is not, nothing is written: clients of Redis queue without bound. */
  readonly ready: boolean
  /** Carries out a command about one key, in the order of the calls. */
  command(key: string, words: Words): Promise<unknown>
  /** Publishes on a channel, in the order of the calls, with commands. */
  publish(channel: string, bytes: Uint8Array): Promise<unknown>
  /** Hears a channel, until the scope closes; completes when the subscription is active. */
  subscribe(channel: string, listener: (bytes: Uint8Array) => void): Effect.Effect<void, unknown, Scope.Scope>
  /** How many connections hear a channel. */
  subscribers(channel: string): Promise<number>
  /** A connection for reading, which may block; it ends with the scope. */
  readonly reader: Effect.Effect<ReaderConnection, unknown, Scope.Scope>
}
