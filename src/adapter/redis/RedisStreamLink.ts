/**
 * What the bus over Redis Streams needs of the connections to Redis: one to write, one to hear channels, one for each stream that is read.
 */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Words } from "./RedisStreamCommands.ts"
import * as Connections from "./RedisStreamConnections.ts"
import type { Health } from "./RedisStreamHealth.ts"
import type { ReaderConnection } from "./RedisStreamReader.ts"
import { Subscriber } from "./RedisStreamSubscriber.ts"

/** The connections of a server. */
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

/** What a link is made of. */
export interface LinkParts {
  /** Writes. */
  readonly writer: Pick<Connections.Connection, "ready" | "command" | "publish" | "subscribers" | "watch">
  /** Makes the other connections. */
  readonly duplicate: () => Connections.ClosableConnection
  readonly sharded: boolean
  readonly health: Health
  readonly reconnection: Schedule.Schedule<unknown, unknown>
}

const readerOf = (open: Effect.Effect<Connections.Opened, unknown, Scope.Scope>): StreamLink["reader"] =>
  Effect.map(open, ({ connection, lost }) => ({
    lost,
    command: (words) =>
      Effect.tryPromise({
        // The key is where the stream is: what blocks is sent by its last name but one.
        try: () => connection.command(keyOf(words), words),
        catch: (cause) => cause
      })
  }))

/** The stream that a command is about. */
const keyOf = (words: Words): string =>
  words[words[0] === "XREAD" ? words.length - 2 : words[0] === "XINFO" ? 2 : 1] ?? ""

/** The link in the current scope, over a connection that others look after. */
export const make = (parts: LinkParts): Effect.Effect<StreamLink, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { writer, duplicate, sharded, health, reconnection } = parts
    const open = Connections.open(duplicate)
    const subscriber = new Subscriber(sharded, {
      connected: () => health.up("channels"),
      disconnected: (cause) => health.down("channels", cause)
    })
    yield* Effect.forkScoped(subscriber.run(open, reconnection), { startImmediately: true })
    const watch = Effect.sync(() =>
      writer.watch(
        () => health.up("writer"),
        // Clients tell of errors, too, that are not their end.
        (cause) => (writer.ready ? undefined : health.down("writer", cause))
      )
    )
    yield* Effect.acquireRelease(watch, (stop) => Effect.sync(stop))
    return {
      get ready() {
        return writer.ready
      },
      command: (key, words) => writer.command(key, words),
      publish: (channel, bytes) => writer.publish(channel, bytes, sharded),
      subscribe: (channel, listener) => subscriber.subscribe(channel, listener),
      subscribers: (channel) => writer.subscribers(channel, sharded),
      reader: readerOf(open)
    }
  })
