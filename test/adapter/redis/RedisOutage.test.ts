/** Redis goes away and comes back, hangs, or is not there at first; nodes die; and whoever can publish sends what he likes. */
import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { afterEach, beforeEach } from "vitest"
import { Adapter, AdapterError, type AdapterHealth } from "../../../src/adapter/Adapter.ts"
import * as RedisAdapter from "../../../src/adapter/redis/RedisAdapter.ts"
import * as RedisEmitter from "../../../src/adapter/redis/RedisEmitter.ts"
import * as RedisShardedAdapter from "../../../src/adapter/redis/RedisShardedAdapter.ts"
import * as RedisClient from "../../../src/adapter/redis/RedisClient.ts"
import * as Redis from "../../brokers/Redis.ts"
import { acquainted, Chat, type Node, nsp, over } from "../../suites/cluster/Nodes.ts"
import { until, untilEqual } from "../../suites/cluster/Waiting.ts"
import { nodeRedis } from "./redisNodes.ts"
import { sink } from "./redisSink.ts"

const reconnection = Schedule.spaced("30 millis")

/** The adapters with connections of their own. */
const ways = {
  plain: (url: string, options: object = {}) =>
    RedisAdapter.layer({ url, reconnection, requestsTimeout: 2000, ...options }),
  sharded: (url: string, options: object = {}) =>
    RedisShardedAdapter.layer({ url, reconnection, requestTimeout: "2 seconds", ...options })
}

const nodeOf = (layer: Layer.Layer<Adapter, AdapterError>): Effect.Effect<Node, unknown, Scope.Scope> =>
  Effect.flatMap(Layer.build(layer), (context) =>
    Effect.flatMap(Effect.provide(Adapter, context), (adapter) => over(adapter))
  )

/** What an adapter says about its health, from now on. */
const healthOf = (node: Node): Effect.Effect<Array<AdapterHealth["_tag"]>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seen: Array<AdapterHealth["_tag"]> = []
    yield* Effect.forkScoped(
      Stream.runForEach(node.adapter.health!, ({ _tag }) => Effect.sync(() => void seen.push(_tag))),
      { startImmediately: true }
    )
    return seen
  })

const errorOf = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<E, unknown> => Effect.flip(effect)

// Where there is no redis-server: see the hint of `test/brokers/Redis.ts`.
describe.skipIf(!Redis.available)("outages of Redis", () => {
  let server: Redis.RedisServer
  beforeEach(async () => {
    server = await Redis.start()
  })
  afterEach(() => server.close())

  for (const [name, layer] of Object.entries(ways)) {
    it.live(
      `${name}: killed and started again: clients here are served, failures are told, everything is heard again`,
      () =>
        Effect.gen(function* () {
          const [a, b] = [yield* nodeOf(layer(server.url)), yield* nodeOf(layer(server.url))]
          yield* acquainted(a, b)
          const [near, far] = [a.client(), b.client()]
          yield* far.join("room")
          const health = yield* healthOf(b)
          assert.deepStrictEqual(health, ["Connected"])
          yield* Effect.promise(() => server.kill())
          yield* until("the loss is told", () => health.at(-1) === "Disconnected")
          const { counters } = a.adapter
          yield* until("publishing fails", () => {
            Effect.runSync(a.chat.emit("said", "lost"))
            return counters!.publishFailures > 0
          })
          assert.strictEqual(near.heard().at(-1), "lost")
          assert.deepStrictEqual(far.heard(), [])
          // Questions do not wait for nobody knows what.
          const began = performance.now()
          const failed = yield* errorOf(a.chat.fetchSockets())
          assert.instanceOf(failed, AdapterError)
          assert.strictEqual((failed as AdapterError).reason, "Unavailable")
          const moved = yield* errorOf(a.chat.socketsJoin("x"))
          assert.strictEqual((moved as AdapterError).reason, "Unavailable")
          assert.isBelow(performance.now() - began, 1000)
          // What happens meanwhile is made good: a room that came, one that went.
          yield* Effect.sync(() => {
            far.fake.emit(nsp, "join", "later")
            far.fake.emit(nsp, "leave", "room")
          })
          yield* Effect.promise(() => server.start())
          yield* until("the gap is told", () => health.at(-1) === "Gap")
          assert.deepStrictEqual(
            health.filter((tag, i) => tag !== health[i - 1]),
            ["Connected", "Disconnected", "Connected", "Gap"]
          )
          assert.strictEqual(b.adapter.counters!.gaps, 1)
          for (const { chat } of [a, b]) {
            // Each comes back in its own time, and knows of nobody before.
            const count = Effect.orElseSucceed(chat.serverCount, () => 0)
            yield* untilEqual("both are back", count, 2)
          }
          yield* a.chat.to("room").emit("said", "nobody is there any more")
          yield* until("heard again", () => {
            Effect.runSync(a.chat.to("later").emit("said", "again"))
            return far.heard().includes("again")
          })
          assert.notInclude(far.heard(), "nobody is there any more")
          assert.lengthOf(yield* a.chat.fetchSockets(), 2)
        }).pipe(Effect.scoped)
    )

    it.live(`${name}: hangs: no more than the bound is under way, and what was under way arrives in order`, () =>
      Effect.gen(function* () {
        const [a, b] = [yield* nodeOf(layer(server.url, { maxInFlight: 20 })), yield* nodeOf(layer(server.url))]
        yield* acquainted(a, b)
        const far = b.client()
        server.freeze()
        for (let i = 0; i < 50; i++) yield* a.chat.emit("said", i)
        assert.strictEqual(a.adapter.counters!.publishFailures, 30)
        const failed = yield* errorOf(a.chat.socketsJoin("x"))
        assert.strictEqual((failed as AdapterError).reason, "Unavailable")
        server.thaw()
        yield* until("what was under way", () => far.heard().length === 20)
        assert.deepStrictEqual(
          far.heard(),
          Array.from({ length: 20 }, (_, i) => i)
        )
        yield* a.chat.emit("said", "on")
        yield* until("the next", () => far.heard().at(-1) === "on")
      }).pipe(Effect.ensuring(Effect.sync(() => server.thaw())), Effect.scoped)
    )

    it.live(`${name}: not there at first: a typed failure at once, or waiting for it`, () =>
      Effect.gen(function* () {
        yield* Effect.promise(() => server.stop())
        const failed = yield* errorOf(Effect.scoped(Layer.build(layer(server.url))))
        assert.instanceOf(failed, AdapterError)
        assert.strictEqual((failed as AdapterError).reason, "Unavailable")
        const waiting = yield* Effect.forkScoped(nodeOf(layer(server.url, { whenUnreachable: "wait" })), {
          startImmediately: true
        })
        yield* Effect.sleep("100 millis")
        assert.isUndefined(waiting.pollUnsafe())
        yield* Effect.promise(() => server.start())
        const node = yield* Fiber.join(waiting)
        yield* untilEqual("it counts itself", node.chat.serverCount, 1)
      }).pipe(Effect.scoped)
    )

    it.live(`${name}: the schedule ends: the adapter stays disconnected, and nothing goes on trying`, () =>
      Effect.gen(function* () {
        const few = Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 2 }))
        const node = yield* nodeOf(layer(server.url, { reconnection: few }))
        const health = yield* healthOf(node)
        yield* Effect.promise(() => server.kill())
        yield* until("the loss is told", () => health.at(-1) === "Disconnected")
        yield* Effect.sleep("300 millis")
        yield* Effect.promise(() => server.start())
        yield* Effect.sleep("200 millis")
        const near = node.client()
        yield* node.chat.emit("said", 1)
        assert.deepStrictEqual(near.heard(), [1])
        assert.strictEqual(health.at(-1), "Disconnected")
      }).pipe(Effect.scoped)
    )

    it.live(`${name}: closed layers leave no connection, also while Redis is away`, () =>
      Effect.gen(function* () {
        const probe = RedisClient.from(yield* nodeRedis(server.url))
        const connected = Effect.map(
          Effect.promise(() => probe.command("", ["CLIENT", "LIST"])),
          (list) => String(list).trim().split("\n").length
        )
        assert.strictEqual(yield* connected, 1)
        for (let i = 0; i < 5; i++) {
          yield* Effect.scoped(Effect.flatMap(nodeOf(layer(server.url)), ({ chat }) => chat.emit("said", 1)))
        }
        yield* untilEqual("all connections are closed", connected, 1)
        const scope = yield* Scope.make()
        const node = yield* Scope.provide(nodeOf(layer(server.url)), scope)
        yield* Effect.promise(() => server.kill())
        yield* until("the loss is noticed", () => {
          Effect.runSync(node.chat.emit("said", 1))
          return node.adapter.counters!.publishFailures > 0
        })
        yield* Scope.close(scope, Exit.void)
        yield* Effect.promise(() => server.start())
        yield* until("the probe is back", () => probe.ready)
        // Longer than the pause between two attempts.
        yield* Effect.sleep("150 millis")
        assert.strictEqual(yield* connected, 1)
      }).pipe(Effect.scoped)
    )

    it.live(`${name}: malformed, foreign and oversized messages reach nobody, are counted, and break nothing`, () =>
      Effect.gen(function* () {
        const key = "flood"
        const options = { key, channelPrefix: key, maxMessageSize: 20_000 }
        const [a, b] = [yield* nodeOf(layer(server.url, options)), yield* nodeOf(layer(server.url, options))]
        yield* acquainted(a, b)
        const far = b.client()
        yield* far.join("room")
        const probe = RedisClient.from(yield* nodeRedis(server.url))
        const publish = (channel: string, payload: string | Uint8Array): Promise<unknown> =>
          name === "plain" ? probe.publish(channel, payload) : probe.sPublish(channel, payload)
        const channels =
          name === "plain"
            ? [`${key}#${nsp}#`, `${key}#${nsp}#room#`, `${key}-request#${nsp}#`, `${key}-response#${nsp}#`]
            : [`${key}#${nsp}#`, `${key}#${nsp}#room#`]
        let sent = 0
        yield* Effect.promise(async () => {
          for (const payload of sink) {
            for (const channel of channels) {
              await publish(channel, payload)
              sent++
            }
          }
          await publish(channels[0]!, Buffer.alloc(20_001, 0x7b))
        })
        assert.isAbove(sent, 50)
        yield* a.chat.emit("said", "after it")
        yield* until("what is right", () => far.heard().length > 0)
        assert.deepStrictEqual(far.heard(), ["after it"])
        assert.strictEqual(far.fake.session.closed, undefined)
        assert.isAbove(b.adapter.counters!.ignored, sink.length)
        assert.lengthOf(yield* a.chat.fetchSockets(), 1)
      }).pipe(Effect.scoped)
    )

    it.live(
      `${name}: a server that hangs: partial results; killed -9: it is counted no more`,
      () =>
        Effect.gen(function* () {
          const key = "victim"
          const make = nodeOf(layer(server.url, { key, channelPrefix: key }))
          const node = yield* Effect.flatMap(make, ({ adapter }) => overMain(adapter))
          const other = yield* Effect.flatMap(make, ({ adapter }) => overMain(adapter))
          const child = yield* Effect.acquireRelease(
            Effect.promise(() => startChild([server.url, key, name])),
            (child) => Effect.sync(() => void child.kill("SIGKILL"))
          )
          yield* untilEqual("three servers", node.count, 3)
          assert.lengthOf(yield* node.fetch, 1)
          child.kill("SIGSTOP")
          const failed = (yield* errorOf(node.fetch)) as AdapterError
          assert.strictEqual(failed.reason, "Timeout")
          assert.deepStrictEqual(failed.missing, { count: 1, nodes: [] })
          assert.deepStrictEqual(failed.received, [])
          child.kill("SIGKILL")
          yield* untilEqual("it is gone", node.count, 2)
          assert.deepStrictEqual(yield* node.fetch, [])
          void other
        }).pipe(Effect.scoped),
      // Starts a process, which takes its time on a busy machine.
      60_000
    )
  }

  it.live("T13: names of namespaces are no patterns, and malformed broadcasts throw nowhere", () =>
    Effect.gen(function* () {
      const [publisher, subscriber] = [
        RedisClient.from(yield* nodeRedis(server.url)),
        RedisClient.from(yield* nodeRedis(server.url))
      ]
      const service = yield* RedisAdapter.make(publisher, subscriber)
      const names = ["/a*", "/ab", "/a[b]", "/a?", "/a\\"]
      const heard: Array<string> = []
      const adapters = yield* Effect.forEach(names, (namespace) =>
        service.make(recording(namespace, (text) => heard.push(text)))
      )
      const others = yield* RedisAdapter.make(
        RedisClient.from(yield* nodeRedis(server.url)),
        RedisClient.from(yield* nodeRedis(server.url))
      )
      const senders = yield* Effect.forEach(names, (namespace) => others.make(recording(namespace, () => {})))
      for (const sender of senders) sender.publish(everybody, { data: ["hello"] }, flags)
      yield* until("all have heard", () => heard.length === names.length)
      assert.deepStrictEqual(heard, names)
      assert.strictEqual(service.counters!.ignored, 0)
      assert.lengthOf(adapters, names.length)
    }).pipe(Effect.scoped)
  )

  it.live("the layers read the configuration; the emitter of the Effect API reaches both", () =>
    Effect.gen(function* () {
      const env = ConfigProvider.layer(ConfigProvider.fromEnv({ env: { REDIS_URL: server.url, KEY: "configured" } }))
      const config = { url: Config.String("REDIS_URL"), key: Config.String("KEY") }
      const node = yield* nodeOf(Layer.provide(RedisAdapter.layerConfig(config), env) as never)
      const client = node.client()
      yield* client.join("room")
      const context = yield* Layer.build(Layer.provide(RedisEmitter.layerConfig(config), env))
      const emitter = (yield* Effect.provide(RedisEmitter.RedisEmitter, context)).namespace(Chat)
      const told: Array<unknown> = []
      yield* node.chat.onServerSide("reload", (n) => Effect.sync(() => void told.push(n)))
      yield* emitter.emit("said", 1)
      yield* emitter.to("room").volatile.compress(false).emit("said", 2)
      yield* emitter.except("room").emit("said", "nobody")
      yield* emitter.in(client.id).socketsJoin(["x", "y"])
      yield* emitter.to("x").emit("said", 3)
      yield* emitter.socketsLeave("x")
      yield* emitter.to("x").emit("said", "nobody")
      yield* emitter.serverSideEmit("reload", 7)
      yield* until("all of it", () => told.length === 1 && client.heard().length === 3)
      assert.deepStrictEqual([client.heard(), told], [[1, 2, 3], [7]])
      const wrong = yield* Effect.exit(
        (emitter.emit as (name: string) => Effect.Effect<void, AdapterError>)("no event of it")
      )
      assert.isTrue(Exit.isFailure(wrong) && Cause.hasDies(wrong.cause))
      yield* emitter.disconnectSockets()
      yield* until("disconnected", () => client.fake.packets.some(({ type }) => type === 1))
      yield* Effect.promise(() => server.kill())
      yield* untilEqual(
        "emitting fails",
        Effect.match(emitter.emit("said", "lost"), { onSuccess: () => "sent", onFailure: ({ reason }) => reason }),
        "Unavailable"
      )
    }).pipe(Effect.scoped)
  )
})

const everybody = { rooms: new Set<string>(), except: new Set<string>() }
const flags = { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false }

/** Sockets that tell when they are reached. */
const recording = (namespace: string, tell: (namespace: string) => void) => ({
  namespace,
  recovery: undefined,
  deliver: () => tell(namespace),
  deliverWithAcks: () => {},
  join: () => {},
  leave: () => {},
  disconnect: () => {},
  describe: () => [],
  serverSideEvent: () => {}
})

/** A node of the main namespace without sockets. */
const overMain = (adapter: Adapter["Service"]) =>
  Effect.map(adapter.make(recording("/", () => {})), (made) => ({
    count: made.serverCount,
    fetch: made.fetchSockets(everybody)
  }))

/** Starts a server in a process of its own. */
const startChild = (args: ReadonlyArray<string>): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const file = new URL("./redisChild.ts", import.meta.url).pathname
    const child = spawn(process.execPath, ["--conditions=source", file, ...args], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    child.stdout.on("data", (data: Buffer) => {
      if (String(data).includes("ready")) resolve(child)
    })
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)))
  })
