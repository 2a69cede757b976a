/**
 * Entry "effect-socketio/facade/redis-adapter": `createAdapter` and `createShardedAdapter` as `@socket.io/redis-adapter` has them.
 *
 * ```ts
 * import { createClient } from "redis"
 * import { createAdapter } from "effect-socketio/facade/redis-adapter"
 *
 * const pubClient = createClient({ url: "redis://localhost:6379" })
 * const subClient = pubClient.duplicate()
 * await Promise.all([pubClient.connect(), subClient.connect()])
 * const io = new Server({ adapter: createAdapter(pubClient, subClient) })
 * ```
 *
 * Clients of `redis` (from 4 on) and `ioredis` (from 5 on), single servers and clusters. They stay yours: `io.close()` does not close them. While
 * Redis cannot be reached the server serves its own clients.
 */
import type * as Layer from "effect/Layer"
import type { Adapter } from "../../adapter/Adapter.ts"
import * as RedisAdapter from "../../adapter/redis/RedisAdapter.ts"
import * as RedisClient from "../../adapter/redis/RedisClient.ts"
import type { RedisParser } from "../../adapter/redis/RedisMessage.ts"
import * as RedisShardedAdapter from "../../adapter/redis/RedisShardedAdapter.ts"

/** The options of the official package, and our own bounds. */
export interface RedisAdapterOptions {
  /** The beginning of the names of channels. Default "socket.io". */
  key?: string
  /** How long `fetchSockets()` waits for the other servers, in milliseconds. Default 5000. */
  requestsTimeout?: number
  /** Answers only the server that has asked, instead of all of them. Default false. */
  publishOnSpecificResponseChannel?: boolean
  /** How values become bytes; the same on all servers and emitters. Default: msgpack. */
  parser?: RedisParser
  /** The largest message that is read, in bytes; larger ones are ignored. Default 16 MiB. */
  maxMessageSize?: number
  /** The most messages under way to Redis; past it broadcasts do not leave this server. Default 10,000. */
  maxInFlight?: number
}

/** The options of the official package, and our own bounds. */
export interface ShardedRedisAdapterOptions {
  /** The beginning of the names of channels. Default "socket.io". */
  channelPrefix?: string
  /** Which rooms have a channel of their own. Default "dynamic". */
  subscriptionMode?: RedisShardedAdapter.RedisShardedOptions["subscriptionMode"]
  /** The largest message that is sent and read, in bytes. Default 16 MiB. */
  maxMessageSize?: number
  /** The most messages under way to Redis; past it broadcasts do not leave this server. Default 10,000. */
  maxInFlight?: number
}

/** Throws where a program gave something else than clients, so that it learns it at once. */
const checked = (pubClient: unknown, subClient: unknown): void => {
  RedisClient.from(pubClient)
  RedisClient.from(subClient)
}

/** The adapter over plain Pub/Sub, for the option `adapter` and for `io.adapter()`. Throws a `TypeError` for what is no client of Redis. */
export const createAdapter = (
  pubClient: unknown,
  subClient: unknown,
  opts: RedisAdapterOptions = {}
): Layer.Layer<Adapter> => {
  checked(pubClient, subClient)
  return RedisAdapter.layerClients(pubClient, subClient, { ...opts, whenUnreachable: "alone" })
}

/** The adapter over sharded Pub/Sub (Redis 7 and newer), likewise. */
export const createShardedAdapter = (
  pubClient: unknown,
  subClient: unknown,
  opts: ShardedRedisAdapterOptions = {}
): Layer.Layer<Adapter> => {
  checked(pubClient, subClient)
  return RedisShardedAdapter.layerClients(pubClient, subClient, { ...opts, whenUnreachable: "alone" })
}

/** `createAdapter` itself with both as its properties, as `require("@socket.io/redis-adapter")` has them. */
const callable = Object.assign(
  (pubClient: unknown, subClient: unknown, opts?: RedisAdapterOptions): Layer.Layer<Adapter> =>
    createAdapter(pubClient, subClient, opts),
  { createAdapter, createShardedAdapter }
)

export { callable as "module.exports" }
