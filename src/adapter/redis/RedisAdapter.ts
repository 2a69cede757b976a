/**
 * The adapter over plain Redis Pub/Sub: official nodes with `@socket.io/redis-adapter` (also of versions before 8) may be in the same cluster,
 * and official emitters reach its clients.
 *
 * ```ts
 * const AdapterLive = RedisAdapter.layerConfig({ url: Config.String("REDIS_URL") })
 * ```
 *
 * Pub/Sub keeps nothing: while a node is cut off from Redis its clients miss what others publish, which `Adapter.health` tells as a `Gap`.
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Deadlines from "../../runtime/Deadlines.ts"
import { Adapter, type AdapterError } from "../Adapter.ts"
import { defaultMaxSize } from "../ClusterCodec.ts"
import * as RedisClient from "./RedisClient.ts"
import * as RedisConnection from "./RedisConnection.ts"
import * as RedisLink from "./RedisLink.ts"
import { msgpack, type RedisParser } from "./RedisMessage.ts"
import { type NamespaceSettings, RedisNamespace } from "./RedisNamespace.ts"

/** Options with the names, meanings and defaults of `@socket.io/redis-adapter`, and our own bounds. */
export interface RedisAdapterOptions extends RedisLink.LinkOptions {
  /** The beginning of the names of channels. Default "socket.io". */
  readonly key?: string | undefined
  /** How long `fetchSockets` waits for the other nodes, and broadcasts with acks that bring no timeout of their own: milliseconds. Default 5000. */
  readonly requestsTimeout?: number | undefined
  /** Answers only the node that has asked, on a channel of its own, instead of all of them; every node understands it. Default false. */
  readonly publishOnSpecificResponseChannel?: boolean | undefined
  /** How values become bytes; the same on all nodes and emitters of a cluster. Default: msgpack, as official nodes have it. */
  readonly parser?: RedisParser | undefined
  /** The largest message that is read, in bytes; larger ones are ignored and counted. Default 16 MiB. */
  readonly maxMessageSize?: number | undefined
  /** How many questions of a namespace may wait for answers; further ones fail as `Rejected`. Default 10,000. */
  readonly maxPendingRequests?: number | undefined
}

const defaultMaxPendingRequests = 10_000

const settingsOf = (options: RedisAdapterOptions): NamespaceSettings => ({
  key: options.key ?? "socket.io",
  parser: options.parser ?? msgpack,
  requestsTimeout: options.requestsTimeout ?? 5000,
  publishOnSpecificResponseChannel: options.publishOnSpecificResponseChannel === true,
  maxMessageSize: options.maxMessageSize ?? defaultMaxSize,
  maxPendingRequests: options.maxPendingRequests ?? defaultMaxPendingRequests
})

/**
 * The adapter over two clients, one to publish and one to hear, which stay with whoever made them. `whenUnreachable` says what a namespace does
 * that is made while the second is not connected.
 */
export const make = (
  publisher: RedisClient.RedisClient,
  subscriber: RedisClient.RedisClient,
  options: RedisAdapterOptions = {},
  whenUnreachable: RedisLink.WhenUnreachable = "fail"
): Effect.Effect<Adapter["Service"], never, Scope.Scope> =>
  Effect.map(RedisLink.make(publisher, subscriber, whenUnreachable, options), (link) => {
    const settings = settingsOf(options)
    return {
      name: "redis",
      health: link.health.changes,
      counters: link.counters,
      make: (sockets) =>
        Effect.gen(function* () {
          const context = yield* Effect.context<never>()
          const deadlines = Deadlines.makeUnsafe(context, yield* Effect.scope)
          const namespace = new RedisNamespace({ sockets, link, deadlines, context, settings })
          yield* namespace.open
          return namespace
        })
    }
  })

/** Options of the adapter, and where Redis is. */
export interface LayerOptions extends RedisAdapterOptions, RedisConnection.ConnectionOptions {}

/** The adapter over connections of its own, to be closed with the layer. */
export const layer = (options: LayerOptions = {}): Layer.Layer<Adapter, AdapterError> =>
  Layer.effect(
    Adapter,
    Effect.flatMap(RedisConnection.acquirePair(options), ({ publisher, subscriber }) =>
      make(publisher, subscriber, options, options.whenUnreachable ?? "fail")
    )
  )

/** The same, with the url and options from the configuration; `options` are all others. */
export const layerConfig = (
  config: Config.Wrap<RedisConnection.ConnectionConfig & { readonly key?: string }>,
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
  options: RedisAdapterOptions & { readonly whenUnreachable?: RedisLink.WhenUnreachable | undefined } = {}
): Layer.Layer<Adapter> =>
  Layer.effect(
    Adapter,
    Effect.suspend(() =>
      make(RedisClient.from(publisher), RedisClient.from(subscriber), options, options.whenUnreachable ?? "fail")
    )
  )
