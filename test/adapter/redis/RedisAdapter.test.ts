/** Three servers over Redis Pub/Sub, plain and sharded: everything that adapters have in common. */
import * as Effect from "effect/Effect"
import { describe } from "vitest"
import * as RedisShardedAdapter from "../../../src/adapter/redis/RedisShardedAdapter.ts"
import { busSuite } from "../../suites/cluster/BusSuite.ts"
import { clusterSuite } from "../../suites/cluster/ClusterSuite.ts"
import type { ClusterHarness } from "../../suites/cluster/Harness.ts"
import * as Redis from "../../brokers/Redis.ts"
import {
  freshPrefix,
  type MakeAdapter,
  mortalPair,
  nodeRedis,
  pair,
  plain,
  redis,
  sharded,
  useRedis
} from "./redisNodes.ts"

const harness = (make: MakeAdapter, way: "publish" | "sPublish"): ClusterHarness => ({
  supports: { recovery: false, named: false, order: true, binary: true, goodbye: way === "sPublish" },
  cluster: Effect.sync(() => {
    const prefix = freshPrefix()
    return {
      node: Effect.flatMap(pair, (connections) => make(connections, prefix)),
      mortal: Effect.flatMap(mortalPair, (connections) =>
        Effect.map(make(connections, prefix), (adapter) => ({ adapter, kill: connections.kill }))
      ),
      inject: (namespace, payload) =>
        Effect.scoped(
          Effect.flatMap(nodeRedis(redis().url), (client) =>
            Effect.promise(() => client[way](`${prefix}#${namespace}#`, payload))
          )
        )
    }
  })
})

// Where there is no redis-server: see the hint of `test/brokers/Redis.ts`.
describe.skipIf(!Redis.available)("Redis Pub/Sub", () => {
  useRedis()
  clusterSuite("redis", harness(plain, "publish"))
  clusterSuite("redis, sharded", harness(sharded(), "sPublish"))
  clusterSuite("redis, sharded, static", harness(sharded({ subscriptionMode: "static" }), "sPublish"))
  clusterSuite("redis, sharded, dynamic-private", harness(sharded({ subscriptionMode: "dynamic-private" }), "sPublish"))
  busSuite("redis, sharded", {
    supports: { store: false },
    cluster: Effect.sync(() => {
      const channelPrefix = freshPrefix()
      return {
        broker: Effect.flatMap(pair, ({ publisher, subscriber }) =>
          RedisShardedAdapter.makeBroker(publisher, subscriber, { channelPrefix })
        ),
        inject: (namespace, payload) =>
          Effect.scoped(
            Effect.flatMap(nodeRedis(redis().url), (client) =>
              Effect.promise(() => client.sPublish(`${channelPrefix}#${namespace}#`, payload))
            )
          )
      }
    })
  })
})
