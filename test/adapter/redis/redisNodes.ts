/** Nodes over plain and sharded Redis Pub/Sub on a redis-server of their own, for the tests. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { createClient } from "redis"
import { afterAll, beforeAll } from "vitest"
import type { Adapter } from "../../../src/adapter/Adapter.ts"
import * as ClusterAdapter from "../../../src/adapter/ClusterAdapter.ts"
import * as RedisAdapter from "../../../src/adapter/redis/RedisAdapter.ts"
import type { Listener, RedisClient } from "../../../src/adapter/redis/RedisClient.ts"
import * as RedisConnection from "../../../src/adapter/redis/RedisConnection.ts"
import * as RedisShardedAdapter from "../../../src/adapter/redis/RedisShardedAdapter.ts"
import * as Redis from "../../brokers/Redis.ts"
import { suiteOptions } from "../../suites/cluster/Harness.ts"

let server: Redis.RedisServer | undefined

/** The redis-server of this file of tests. */
export const redis = (): Redis.RedisServer => server!

/** Starts a redis-server for the tests of a file. */
export const useRedis = (): void => {
  beforeAll(async () => {
    if (Redis.available) server = await Redis.start()
  })
  afterAll(async () => {
    await server?.close()
  })
}

let prefixes = 0

/** A prefix that nobody else uses. */
export const freshPrefix = (): string => `test-${++prefixes}`

/** A client of `redis`, connected, until the scope closes. */
export const nodeRedis = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = createClient({ url, socket: { reconnectStrategy: 30 } })
      client.on("error", () => {})
      await client.connect()
      return client
    }),
    (client) =>
      Effect.sync(() => {
        if (client.isOpen) client.destroy()
      })
  )

/** Two connections to Redis. */
export interface Pair {
  readonly publisher: RedisClient
  readonly subscriber: RedisClient
}

/** Connections of one node. */
export const pair: Effect.Effect<Pair, unknown, Scope.Scope> = Effect.suspend(() =>
  RedisConnection.acquirePair({ url: redis().url })
)

/** How long a process that hangs keeps its connections before Redis gives up on them. */
const hanging = "5 seconds"

/**
 * Connections that can fall silent as those of a process that hangs: nothing comes or goes any more, but Redis counts them, until the connections
 * end, too.
 */
export const mortalPair: Effect.Effect<Pair & { readonly kill: Effect.Effect<void> }, unknown, Scope.Scope> =
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const connections = yield* Scope.fork(scope)
    const { publisher, subscriber } = yield* Scope.provide(pair, connections)
    let dead = false
    const silent = (client: RedisClient): RedisClient => ({
      flavour: client.flavour,
      cluster: client.cluster,
      get ready() {
        return client.ready
      },
      publish: (channel, payload) => (dead ? Promise.resolve(0) : client.publish(channel, payload)),
      sPublish: (channel, payload) => (dead ? Promise.resolve(0) : client.sPublish(channel, payload)),
      subscribe: (kind, name, listener: Listener) => {
        const subscription = client.subscribe(kind, name, (payload, channel) => {
          if (!dead) listener(payload, channel)
        })
        return {
          active: subscription.active,
          close: () => {
            if (!dead) subscription.close()
          }
        }
      },
      subscribers: (kind, channel) => client.subscribers(kind, channel),
      command: (key, words) => client.command(key, words),
      duplicate: () => client.duplicate(),
      observe: (observer) => client.observe(observer)
    })
    const kill = Effect.andThen(
      Effect.sync(() => {
        dead = true
      }),
      Effect.forkIn(Effect.andThen(Effect.sleep(hanging), Scope.close(connections, Exit.void)), scope)
    )
    return { publisher: silent(publisher), subscriber: silent(subscriber), kill: Effect.asVoid(kill) }
  })

/** Makes the adapter of a node from its connections. */
export type MakeAdapter = (pair: Pair, prefix: string) => Effect.Effect<Adapter["Service"], unknown, Scope.Scope>

/** Plain Pub/Sub. */
export const plain: MakeAdapter = ({ publisher, subscriber }, key) =>
  RedisAdapter.make(publisher, subscriber, { key, requestsTimeout: 3000 })

/** Sharded Pub/Sub. */
export const sharded =
  (options: RedisShardedAdapter.RedisShardedOptions = {}): MakeAdapter =>
  ({ publisher, subscriber }, channelPrefix) =>
    Effect.map(RedisShardedAdapter.makeBroker(publisher, subscriber, { ...options, channelPrefix }), (broker) =>
      ClusterAdapter.make(broker, suiteOptions)
    )
