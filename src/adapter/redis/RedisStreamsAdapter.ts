/**
 * The adapter over Redis Streams: official nodes with `@socket.io/redis-streams-adapter` 0.3 may be in the same cluster, and sockets are recovered
 * on whatever node their clients come back to.
 *
 * ```ts
 * const AdapterLive = RedisStreamsAdapter.layerConfig({ url: Config.String("REDIS_URL") })
 * ```
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Adapter, AdapterError } from "../Adapter.ts"
import * as ClusterAdapter from "../ClusterAdapter.ts"
import * as RedisConnection from "./RedisConnection.ts"
import type { WhenUnreachable } from "./RedisLink.ts"
import * as Broker from "./RedisStreamsBroker.ts"
import type { RedisStreamsOptions } from "./RedisStreamsOptions.ts"

/** Options of the adapter: how Redis is used, and how nodes ask each other. */
export interface AdapterOptions
  extends Broker.BrokerOptions, Pick<ClusterAdapter.ClusterOptions, "requestTimeout" | "maxPendingRequests"> {}

/** Options of the adapter, and where Redis is. */
export interface LayerOptions extends AdapterOptions, RedisConnection.ConnectionOptions {}

/** The adapter over connections of its own, to be closed with the layer. */
export const layer = (options: LayerOptions = {}): Layer.Layer<Adapter, AdapterError> =>
  ClusterAdapter.layer(Broker.overConnections(options), options)

/** The same, with the url and options from the configuration; `options` are all others. */
export const layerConfig = (
  config: Config.Wrap<RedisConnection.ConnectionConfig & RedisStreamsOptions>,
  options: LayerOptions = {}
): Layer.Layer<Adapter, AdapterError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(RedisConnection.configured(config, options), layer))

/** The adapter over a client of `redis` (from 4 on) or `ioredis` (from 5 on) that the program has made, and closes. */
export const layerClient = (
  client: unknown,
  options: AdapterOptions & { readonly whenUnreachable?: WhenUnreachable | undefined } = {}
): Layer.Layer<Adapter> => ClusterAdapter.layer(Broker.overClient(client, options, options.whenUnreachable), options)
