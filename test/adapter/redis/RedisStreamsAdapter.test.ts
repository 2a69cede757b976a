/** Three servers over Redis Streams: everything that adapters have in common, recovery on any node included. */
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { afterAll, beforeAll } from "vitest"
import type { AdapterError } from "../../../src/adapter/Adapter.ts"
import * as ClusterAdapter from "../../../src/adapter/ClusterAdapter.ts"
import type { Broker } from "../../../src/adapter/ClusterBus.ts"
import * as StreamNames from "../../../src/adapter/redis/RedisStreamNames.ts"
import * as StreamsBroker from "../../../src/adapter/redis/RedisStreamsBroker.ts"
import * as Options from "../../../src/adapter/redis/RedisStreamsOptions.ts"
import * as Redis from "../../brokers/Redis.ts"
import * as TcpProxy from "../../suites/TcpProxy.ts"
import { busSuite } from "../../suites/cluster/BusSuite.ts"
import { clusterSuite } from "../../suites/cluster/ClusterSuite.ts"
import { everything, suiteOptions, type ClusterHarness } from "../../suites/cluster/Harness.ts"
import { client, commands } from "./streamNodes.ts"

let redis: Redis.RedisServer

/** Options of a cluster of its own. */
let clusters = 0
const freshOptions = (options: Options.RedisStreamsOptions): Options.RedisStreamsOptions => {
  const streamName = `cluster-${++clusters}`
  return { ...options, streamName, channelPrefix: streamName, sessionKeyPrefix: `${streamName}:` }
}

type MakeBroker = (options: Options.RedisStreamsOptions) => Effect.Effect<Broker, AdapterError, Scope.Scope>

const overOwnConnections: MakeBroker = (options) => StreamsBroker.overConnections({ ...options, url: redis.url })

const overIoRedis: MakeBroker = (options) =>
  Effect.flatMap(
    Effect.suspend(() => client("ioredis", redis.url)),
    (made) => StreamsBroker.overClient(made, options)
  )

/** A node whose connections break for good, as those of a process that is killed. */
const mortal = (options: Options.RedisStreamsOptions) =>
  Effect.gen(function* () {
    const proxy = yield* TcpProxy.make(() => redis.port)
    const broker = yield* StreamsBroker.overConnections({ ...options, url: `redis://127.0.0.1:${proxy.port}` })
    return { adapter: ClusterAdapter.make(broker, suiteOptions), kill: proxy.cut }
  })

const clusterOf = (make: MakeBroker, options: Options.RedisStreamsOptions = {}) =>
  Effect.gen(function* () {
    const cluster = freshOptions(options)
    const run = yield* commands(redis.url)
    const settings = Options.settings(cluster)
    const channel = (namespace: string): string => `${settings.channelPrefix}#${namespace}#`
    return {
      broker: make(cluster),
      node: Effect.map(make(cluster), (broker) => ClusterAdapter.make(broker, suiteOptions)),
      mortal: mortal(cluster),
      inject: (namespace: string, payload: string) =>
        Effect.gen(function* () {
          const fields = ["uid", "x", "nsp", namespace, "type", "3", "data", payload]
          yield* run("XADD", StreamNames.streamOf(namespace, settings), "*", ...fields)
          yield* run(settings.useShardedPubSub ? "SPUBLISH" : "PUBLISH", channel(namespace), payload)
        }),
      truncate: (namespace: string) =>
        Effect.asVoid(run("XTRIM", StreamNames.streamOf(namespace, settings), "MAXLEN", "0"))
    }
  })

const harness = (make: MakeBroker, options?: Options.RedisStreamsOptions): ClusterHarness => ({
  supports: { ...everything, named: false },
  cluster: clusterOf(make, options)
})

describe.skipIf(!Redis.available)(`Redis Streams (${Redis.hint})`, () => {
  beforeAll(async () => {
    redis = await Redis.start()
  })
  afterAll(() => redis.close())

  busSuite("redis streams", { supports: { store: true }, cluster: clusterOf(overOwnConnections) })
  clusterSuite("redis streams", harness(overOwnConnections))
  clusterSuite(
    "redis streams over ioredis, four streams, sharded Pub/Sub",
    harness(overIoRedis, { streamCount: 4, useShardedPubSub: true })
  )
})
