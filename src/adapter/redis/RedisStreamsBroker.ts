/**
 * The broker over Redis Streams with its connections: over a client that a program has made, or over connections of its own.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AdapterError } from "../Adapter.ts"
import type { Broker } from "../ClusterBus.ts"
import * as RedisClient from "./RedisClient.ts"
import * as RedisConnection from "./RedisConnection.ts"
import type { WhenUnreachable } from "./RedisLink.ts"
import * as Health from "./RedisStreamHealth.ts"
import * as Link from "./RedisStreamLink.ts"
import * as Bus from "./RedisStreamsBus.ts"
import * as Options from "./RedisStreamsOptions.ts"

/** Options of the broker. */
export interface BrokerOptions extends Options.RedisStreamsOptions {
  /** When the streams are read again after that has failed. Default: from 100 ms on, doubled each time up to 5 seconds, ±20 %. */
  readonly reconnection?: RedisConnection.Reconnection | undefined
}

const make = (
  writer: RedisClient.RedisClient,
  subscriber: RedisClient.RedisClient,
  options: BrokerOptions,
  whenUnreachable: WhenUnreachable
): Effect.Effect<Broker, never, Scope.Scope> =>
  Effect.gen(function* () {
    const settings = Options.settings(options)
    const reconnection = options.reconnection ?? RedisConnection.defaultReconnection
    const health = yield* Health.make
    const link = yield* Link.make(writer, subscriber, { sharded: settings.useShardedPubSub, health })
    return yield* Bus.make({ link, settings, health, reconnection, whenUnreachable })
  })

/**
 * The broker over a client of `redis` (from 4 on) or `ioredis` (from 5 on), single server or cluster, connected or connecting. It writes, and is
 * never closed here; what is heard and read comes over duplicates of it, which are closed with the scope. What is no client is a defect, a
 * `TypeError`. `whenUnreachable` says what a namespace does that is made while Redis cannot be reached.
 */
export const overClient = (
  client: unknown,
  options: BrokerOptions = {},
  whenUnreachable: WhenUnreachable = "fail"
): Effect.Effect<Broker, never, Scope.Scope> =>
  Effect.gen(function* () {
    const writer = RedisClient.from(client)
    const duplicate = Effect.sync(() => {
      const made = writer.duplicate()
      // How it is doing is told by its view.
      made.connected.catch(() => {})
      return made
    })
    const subscriber = yield* Effect.acquireRelease(duplicate, (made) => Effect.sync(() => made.close()))
    return yield* make(writer, subscriber.client, options, whenUnreachable)
  })

/** The broker over connections of its own, which end with the scope. */
export const overConnections = (
  options: BrokerOptions & RedisConnection.ConnectionOptions
): Effect.Effect<Broker, AdapterError, Scope.Scope> =>
  Effect.flatMap(RedisConnection.acquirePair(options), ({ publisher, subscriber }) =>
    make(publisher, subscriber, options, options.whenUnreachable ?? "fail")
  )
