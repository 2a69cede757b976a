/**
 * The adapter over sharded Redis Pub/Sub (Redis 7 and newer): official nodes with `createShardedAdapter` of `@socket.io/redis-adapter` 8 may be
 * in the same cluster.
 *
 * ```ts
 * const AdapterLive = RedisShardedAdapter.layerConfig({ url: Config.String("REDIS_URL") }, { subscriptionMode: "dynamic-private" })
 * ```
 *
 * Pub/Sub keeps nothing: while a node is cut off from Redis its clients miss what others publish, which `Adapter.health` tells as a `Gap`.
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Adapter, AdapterError } from "../Adapter.ts"
import * as ClusterAdapter from "../ClusterAdapter.ts"
import type { Broker } from "../ClusterBus.ts"
import { defaultMaxSize } from "../ClusterCodec.ts"
import * as RedisClient from "./RedisClient.ts"
import * as RedisConnection from "./RedisConnection.ts"
import * as RedisLink from "./RedisLink.ts"
import * as RedisShardedBus from "./RedisShardedBus.ts"

/** Options with the names, meanings and defaults of `createShardedAdapter`, and our own bounds. */
export interface RedisShardedOptions
  extends RedisLink.LinkOptions, Pick<ClusterAdapter.ClusterOptions, "requestTimeout" | "maxPendingRequests"> {
  /** The beginning of the names of channels. Default "socket.io". */
  readonly channelPrefix?: string | undefined
  /** Which rooms have a channel of their own. Default "dynamic": all but those that each socket is in alone. */
  readonly subscriptionMode?: RedisShardedBus.SubscriptionMode | undefined
  /** The largest message that is sent and read, in bytes. Default 16 MiB. */
  readonly maxMessageSize?: number | undefined
}

/** The broker over two clients, which stay with whoever made them. */
export const makeBroker = (
  publisher: RedisClient.RedisClient,
  subscriber: RedisClient.RedisClient,
  options: RedisShardedOptions = {},
  whenUnreachable: RedisLink.WhenUnreachable = "fail"
): Effect.Effect<Broker, never, Scope.Scope> =>
  Effect.map(RedisLink.make(publisher, subscriber, whenUnreachable, options), (link) =>
    RedisShardedBus.make(link, {
      channelPrefix: options.channelPrefix ?? "socket.io",
      subscriptionMode: options.subscriptionMode ?? "dynamic",
      maxMessageSize: options.maxMessageSize ?? defaultMaxSize
    })
  )

/** Options of the adapter, and where Redis is. */
export interface LayerOptions extends RedisShardedOptions, RedisConnection.ConnectionOptions {}

/** The adapter over connections of its own, to be closed with the layer. */
export const layer = (options: LayerOptions = {}): Layer.Layer<Adapter, AdapterError> =>
  ClusterAdapter.layer(
    Effect.flatMap(RedisConnection.acquirePair(options), ({ publisher, subscriber }) =>
      makeBroker(publisher, subscriber, options, options.whenUnreachable ?? "fail")
    ),
    options
  )

/** The same, with the url and options from the configuration; `options` are all others. */
export const layerConfig = (
  config: Config.Wrap<RedisConnection.ConnectionConfig & { readonly channelPrefix?: string }>,
  options: LayerOptions = {}
): Layer.Layer<Adapter, AdapterError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(RedisConnection.configured(config, options), layer))

/**
 * The adapter over two connected clients of `redis` (from 4 on) or `ioredis` (from 5 on), single servers or clusters. They are not closed, and
 * the second has to be one that does nothing else than subscribe. What is no client is a defect: a `TypeError`.
 */
export const layerClients = (
  publisher: unknown,
  subscriber: unknown,
  options: RedisShardedOptions & { readonly whenUnreachable?: RedisLink.WhenUnreachable | undefined } = {}
): Layer.Layer<Adapter> =>
  ClusterAdapter.layer(
    Effect.suspend(() =>
      makeBroker(RedisClient.from(publisher), RedisClient.from(subscriber), options, options.whenUnreachable ?? "fail")
    ),
    options
  )
