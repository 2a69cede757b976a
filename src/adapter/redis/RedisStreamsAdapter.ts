/**
 * The adapter over Redis Streams: official nodes with `@socket.io/redis-streams-adapter` 0.3 may be in the same cluster, and sockets are recovered
 * on whatever node their clients come back to.
 *
 * ```ts
 * const AdapterLive = RedisStreamsAdapter.layerConfig({ url: Config.String("REDIS_URL") })
 * ```
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createClient, type RedisClientOptions } from "redis"
import type { Adapter, AdapterError } from "../Adapter.ts"
import * as ClusterAdapter from "../ClusterAdapter.ts"
import * as Connections from "./RedisStreamConnections.ts"
import * as Broker from "./RedisStreamsBroker.ts"
import type { RedisStreamsOptions } from "./RedisStreamsOptions.ts"

/** Options of the adapter: how Redis is used, and how nodes ask each other. */
export interface AdapterOptions extends Broker.BrokerOptions, ClusterAdapter.ClusterOptions {}

/** Where Redis is, and options of the adapter. */
export interface LayerOptions extends AdapterOptions {
  /** `redis[s]://[[username][:password]@][host][:port][/db]`. Default "redis://localhost:6379". */
  readonly url?: string | undefined
  /** Further options of the client of `redis`: TLS, names, credentials. Reconnecting is not its own matter. */
  readonly client?: RedisClientOptions | undefined
  /** When Redis cannot be reached at the beginning: `fail` with `Unavailable` (default), or `wait` for it. */
  readonly whenUnreachable?: "fail" | "wait" | undefined
}

/** What can be read from a configuration. */
export interface ConfiguredOptions extends RedisStreamsOptions {
  readonly url: string
}

const clientOf = ({ url, client = {} }: LayerOptions): Connections.ClosableConnection => {
  // What is lost is made anew, and nothing waits in a client that is not connected.
  const socket = { ...client.socket, reconnectStrategy: false } as NonNullable<RedisClientOptions["socket"]>
  const options: RedisClientOptions = { ...client, socket, disableOfflineQueue: true }
  if (url !== undefined) options.url = url
  return Connections.fromClient(createClient(options))
}

/** The adapter over connections of its own, to be closed with the layer. */
export const layer = (options: LayerOptions = {}): Layer.Layer<Adapter, AdapterError> =>
  ClusterAdapter.layer(
    Broker.overConnections(() => clientOf(options), options, options.whenUnreachable ?? "fail"),
    options
  )

/** The same, with an url and options from the configuration; `options` are all others. */
export const layerConfig = (
  config: Config.Wrap<ConfiguredOptions>,
  options: LayerOptions = {}
): Layer.Layer<Adapter, AdapterError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(Config.unwrap(config), (configured) => layer({ ...options, ...configured })))

/** The adapter over a connected client of `redis` or `ioredis` that the program has made and closes. */
export const layerClient = (
  client: Connections.RedisStreamsClient,
  options: AdapterOptions = {}
): Layer.Layer<Adapter> => ClusterAdapter.layer(Broker.overClient(client, options), options)
