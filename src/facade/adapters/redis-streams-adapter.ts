/**
 * Entry "effect-socketio/facade/redis-streams-adapter": `createAdapter` as `@socket.io/redis-streams-adapter` has it.
 *
 * ```ts
 * import { createAdapter } from "effect-socketio/facade/redis-streams-adapter"
 *
 * const io = new Server({ adapter: createAdapter(redisClient), connectionStateRecovery: {} })
 * ```
 */
import type * as Layer from "effect/Layer"
import type { Adapter } from "../../adapter/Adapter.ts"
import * as ClusterAdapter from "../../adapter/ClusterAdapter.ts"
import * as RedisClient from "../../adapter/redis/RedisClient.ts"
import * as Broker from "../../adapter/redis/RedisStreamsBroker.ts"
import type { RedisStreamsOptions } from "../../adapter/redis/RedisStreamsOptions.ts"

/** The options of the official package, and our own bounds. */
export interface RedisStreamsAdapterOptions extends RedisStreamsOptions {
  /** Not used, as in the official package: Redis counts the servers. */
  readonly heartbeatInterval?: number | undefined
  /** Not used, as in the official package. */
  readonly heartbeatTimeout?: number | undefined
  /** How long `fetchSockets` waits for the other servers, in milliseconds. Default 5,000. */
  readonly requestsTimeout?: number | undefined
}

/**
 * The adapter over Redis Streams, for the option `adapter` and for `io.adapter()`. The client is one of `redis` or `ioredis`, single or cluster; it
 * stays yours, and yours to close. Servers with the official package may be in the same cluster. While Redis cannot be reached the server serves
 * its own clients. Throws a `TypeError` for what is no client.
 */
export const createAdapter = (redisClient: unknown, opts: RedisStreamsAdapterOptions = {}): Layer.Layer<Adapter> => {
  // So that a program that gives something else learns it at once.
  RedisClient.from(redisClient)
  return ClusterAdapter.layer(Broker.overClient(redisClient, opts, "alone"), { requestTimeout: opts.requestsTimeout })
}

const requirable = { createAdapter }

export { requirable as "module.exports" }
