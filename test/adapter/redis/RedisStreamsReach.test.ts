/** Redis Streams where Redis cannot be reached at the start. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Redis as IoRedis } from "ioredis"
import { onTestFinished } from "vitest"
import { Adapter, AdapterError } from "../../../src/adapter/Adapter.ts"
import * as RedisStreamsAdapter from "../../../src/adapter/redis/RedisStreamsAdapter.ts"
import { createAdapter } from "../../../src/facade/adapters/redis-streams-adapter.ts"
import * as Redis from "../../brokers/Redis.ts"
import { Recorder } from "../../suites/cluster/Recorder.ts"
import { client, hear, serve, until } from "./streamServers.ts"
import * as Nodes from "./streamNodes.ts"

const server = Effect.acquireRelease(
  Effect.promise(() => Redis.start()),
  (redis) => Effect.promise(() => redis.close())
)

const reasonOf = (exit: Exit.Exit<unknown, unknown>): string => {
  const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.findErrorOption(exit.cause)) : undefined
  assert.instanceOf(error, AdapterError)
  return (error as AdapterError).reason
}

describe.skipIf(!Redis.available)(`Redis Streams, where Redis is away (${Redis.hint})`, () => {
  it.live("the layer, by configuration: fails with Unavailable, or waits", () =>
    Effect.gen(function* () {
      const redis = yield* server
      const env = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { REDIS_URL: redis.url, STREAM: "mine" } }))
      const config = { url: Config.String("REDIS_URL"), streamName: Config.String("STREAM") }
      const count = Effect.gen(function* () {
        const adapter = yield* Adapter
        assert.strictEqual(adapter.name, "redis-streams")
        const near = yield* adapter.make(new Recorder("/reach"))
        return yield* near.serverCount
      })
      const run = (options: RedisStreamsAdapter.LayerOptions) =>
        Effect.scoped(count).pipe(
          Effect.provide(Layer.fresh(RedisStreamsAdapter.layerConfig(config, options))),
          Effect.provide(env)
        )
      assert.strictEqual(yield* run({}), 1)
      const commands = yield* Nodes.commands(redis.url)
      assert.strictEqual(Number(yield* commands("EXISTS", "mine")), 1)
      yield* Effect.promise(() => redis.stop())
      assert.strictEqual(reasonOf(yield* Effect.exit(run({}))), "Unavailable")
      const waiting = yield* Effect.forkChild(run({ whenUnreachable: "wait" }), { startImmediately: true })
      yield* Effect.promise(() => redis.start())
      assert.strictEqual(yield* Fiber.join(waiting), 1)
    })
  )

  it.live("over a client that is not connected a namespace cannot be made, unless it may be alone", () =>
    Effect.gen(function* () {
      const redis = yield* server
      const over = yield* Nodes.client("redis", redis.url)
      yield* Effect.promise(() => redis.stop())
      const make = Effect.flatMap(Adapter, (adapter) => adapter.make(new Recorder("/alone")))
      const strict = Effect.scoped(make).pipe(Effect.provide(RedisStreamsAdapter.layerClient(over)))
      assert.strictEqual(reasonOf(yield* Effect.exit(strict)), "Unavailable")
      const lenient = Effect.gen(function* () {
        const near = yield* make
        assert.strictEqual(reasonOf(yield* Effect.exit(near.serverCount)), "Unavailable")
        yield* Effect.promise(() => redis.start())
        while (Exit.isFailure(yield* Effect.exit(near.serverCount))) yield* Effect.sleep("10 millis")
        return yield* near.serverCount
      })
      const layer = RedisStreamsAdapter.layerClient(over, { whenUnreachable: "alone" })
      assert.strictEqual(yield* Effect.scoped(lenient).pipe(Effect.provide(layer)), 1)
    })
  )

  it("createAdapter: a server starts and serves alone, and is part of the cluster when Redis is there", async () => {
    const redis = await Redis.start()
    onTestFinished(() => redis.close())
    await redis.stop()
    const start = () => {
      const over = new IoRedis(redis.url, { retryStrategy: () => 50 })
      over.on("error", () => {})
      onTestFinished(() => over.disconnect())
      return serve({ adapter: createAdapter(over) as never, connectionStateRecovery: {} })
    }
    const [near, far] = [await start(), await start()]
    const [a, b] = [await client(near.url), await client(far.url)]
    const [heardA, heardB] = [hear(a), hear(b)]
    near.io.emit("x", 1)
    await until(() => heardA.length === 1, "an event of its own server")
    assert.lengthOf(heardB, 0)
    await redis.start()
    await until(async () => {
      near.io.emit("x", 2)
      await new Promise((resolve) => setTimeout(resolve, 20))
      return heardB.length > 0
    }, "an event of the other server")
    assert.strictEqual(await near.io.of("/").adapter.serverCount(), 2)
  })

  it("createAdapter refuses what is no client of Redis", () => {
    assert.throws(() => createAdapter({}), TypeError)
  })
})
