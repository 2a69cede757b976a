/**
 * What the bus over Redis Streams needs of the connections to Redis: one to write, one to hear channels, one for each stream that is read.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RedisClient } from "./RedisClient.ts"
import type { Words } from "./RedisStreamCommands.ts"
import type { Health } from "./RedisStreamHealth.ts"
import type { ReaderConnection } from "./RedisStreamReader.ts"

/** The connections of a server. */
export interface StreamLink {
  /** Whether a command would leave at once. Where it is not, nothing is written: clients of Redis queue without bound. */
  readonly ready: boolean
  /** Carries out a command about one key, in the order of the calls. */
  command(key: string, words: Words): Promise<unknown>
  /** Publishes on a channel, in the order of the calls, with commands. */
  publish(channel: string, bytes: Uint8Array): Promise<unknown>
  /** Hears a channel, from when the subscription is active until the scope closes, whatever becomes of the connection meanwhile. */
  subscribe(channel: string, listener: (bytes: Uint8Array) => void): Effect.Effect<Heard, never, Scope.Scope>
  /** How many connections hear a channel. Not known while this server's own does not. */
  subscribers(channel: string): Promise<number>
  /** A connection for reading, which may block; it ends with the scope. */
  readonly reader: Effect.Effect<ReaderConnection, unknown, Scope.Scope>
}

/** A subscription. */
export interface Heard {
  /** Completes when it is active; fails when Redis refuses. */
  readonly active: Effect.Effect<void, unknown>
  /** Fails when there is no connection. */
  readonly lost: Effect.Effect<never, unknown>
}

const gone = (cause: unknown): unknown => cause ?? new Error("the connection to Redis is lost")

/** Fails when the connection of a client is lost. */
const lossOf = (client: RedisClient): Effect.Effect<never, unknown> =>
  Effect.callback<never, unknown>((resume) => {
    const stop = client.observe({ down: (cause) => resume(Effect.fail(gone(cause))) })
    return Effect.sync(stop)
  })

/** The stream that a command is about: what tells a cluster where to send it. */
const keyOf = (words: Words): string => {
  const at = words[0] === "XREAD" ? words.length - 2 : words[0] === "XINFO" ? 2 : 1
  return words[at] ?? ""
}

const readerOf = (writer: RedisClient): StreamLink["reader"] =>
  Effect.gen(function* () {
    const duplicate = Effect.sync(() => writer.duplicate())
    const { client, connected } = yield* Effect.acquireRelease(duplicate, (made) => Effect.sync(() => made.close()))
    const lost = lossOf(client)
    // Clients try again by themselves: here the first failure counts, since whoever reads has a schedule.
    yield* Effect.raceFirst(Effect.tryPromise({ try: () => connected, catch: gone }), lost)
    return {
      lost,
      command: (words) => Effect.tryPromise({ try: () => client.command(keyOf(words), words), catch: gone })
    }
  })

const watch = (name: string, client: RedisClient, health: Health): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => client.observe({ up: () => health.up(name), down: (cause) => health.down(name, gone(cause)) })),
      (stop) => Effect.sync(stop)
    )
  )

/** The link over two clients, which stay with whoever made them; readers are duplicates of the first. */
export const make = (
  writer: RedisClient,
  subscriber: RedisClient,
  options: { readonly sharded: boolean; readonly health: Health }
): Effect.Effect<StreamLink, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { sharded, health } = options
    yield* watch("writer", writer, health)
    yield* watch("channels", subscriber, health)
    const kind = sharded ? "shard" : "channel"
    return {
      get ready() {
        return writer.ready
      },
      command: (key, words) => writer.command(key, words),
      publish: async (channel, bytes) => (sharded ? writer.sPublish(channel, bytes) : writer.publish(channel, bytes)),
      subscribe: (channel, listener) =>
        Effect.map(
          Effect.acquireRelease(
            Effect.sync(() => subscriber.subscribe(kind, channel, listener)),
            (subscription) => Effect.sync(() => subscription.close())
          ),
          ({ active }) => ({
            active: Effect.tryPromise({ try: () => active, catch: gone }),
            lost: lossOf(subscriber)
          })
        ),
      subscribers: async (channel) => {
        if (!subscriber.ready) throw gone(undefined)
        return writer.subscribers(kind, channel)
      },
      reader: readerOf(writer)
    }
  })
