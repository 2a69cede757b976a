/** Clients of a Redis cluster, of both packages: a cluster of one server that has all slots. */
import { Cluster } from "ioredis"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { createClient, createCluster } from "redis"
import { afterAll, assert, beforeAll, describe, it, onTestFinished } from "vitest"
import type { EventData, LocalSockets } from "../../../src/adapter/Adapter.ts"
import * as ClusterAdapter from "../../../src/adapter/ClusterAdapter.ts"
import * as RedisAdapter from "../../../src/adapter/redis/RedisAdapter.ts"
import * as RedisClient from "../../../src/adapter/redis/RedisClient.ts"
import * as RedisShardedAdapter from "../../../src/adapter/redis/RedisShardedAdapter.ts"
import * as Redis from "../../brokers/Redis.ts"
import { eventually } from "./redisMixed.ts"

const everybody = { rooms: new Set<string>(), except: new Set<string>() }
const flags = { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false }

// Where there is no redis-server: see the hint of `test/brokers/Redis.ts`.
describe.skipIf(!Redis.available)("clients of a Redis cluster", () => {
  let server: Redis.RedisServer | undefined

  beforeAll(async () => {
    server = await Redis.start("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1")
    const client = createClient({ url: server.url })
    await client.connect()
    await client.sendCommand(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])
    const deadline = Date.now() + 15_000
    while (!String(await client.sendCommand(["CLUSTER", "INFO"])).includes("cluster_state:ok")) {
      if (Date.now() > deadline) throw new Error("the cluster did not form")
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    client.destroy()
  })
  afterAll(() => server?.close())

  const clients = {
    redis: async () => {
      const client = createCluster({ rootNodes: [{ url: server!.url }] })
      client.on("error", () => {})
      await client.connect()
      onTestFinished(() => client.destroy())
      return RedisClient.from(client)
    },
    ioredis: async () => {
      const client = new Cluster([{ host: "127.0.0.1", port: server!.port }], { shardedSubscribers: true })
      client.on("error", () => {})
      await new Promise<void>((resolve) => client.once("ready", () => resolve()))
      onTestFinished(() => client.disconnect())
      return RedisClient.from(client)
    }
  }

  const ways = {
    plain: (publisher: RedisClient.RedisClient, subscriber: RedisClient.RedisClient) =>
      RedisAdapter.make(publisher, subscriber),
    sharded: (publisher: RedisClient.RedisClient, subscriber: RedisClient.RedisClient) =>
      Effect.map(RedisShardedAdapter.makeBroker(publisher, subscriber), (broker) => ClusterAdapter.make(broker))
  }

  for (const [flavour, make] of Object.entries(clients)) {
    for (const [way, adapterOf] of Object.entries(ways)) {
      it(`${flavour}, ${way}: broadcasts, rooms, questions and counts`, async () => {
        const scope = Scope.makeUnsafe()
        onTestFinished(() => Effect.runPromise(Scope.close(scope, Exit.void)))
        const node = async (heard: Array<EventData["data"]>) => {
          const sockets: LocalSockets = {
            namespace: `/${flavour}-${way}`,
            recovery: undefined,
            deliver: (_target, event) => void heard.push(event.data),
            deliverWithAcks: () => {},
            join: () => {},
            leave: () => {},
            disconnect: () => {},
            describe: () => [{ id: "id", handshake: {}, rooms: ["id"], data: undefined }],
            serverSideEvent: (_event, reply) => reply?.([1])
          }
          const [publisher, subscriber] = [await make(), await make()]
          assert.isTrue(publisher.cluster)
          const made = Effect.flatMap(adapterOf(publisher, subscriber), (adapter) => adapter.make(sockets))
          return Effect.runPromise(Scope.provide(made, scope))
        }
        const heard: Array<EventData["data"]> = []
        const [a, b] = [await node([]), await node(heard)]
        assert.strictEqual(await Effect.runPromise(a.serverCount), 2)
        b.roomCreated("room")
        await Effect.runPromise(b.subscribed("room"))
        a.publish(everybody, { data: ["x", 1] }, flags)
        a.publish({ rooms: new Set(["room"]), except: new Set() }, { data: ["x", Buffer.from([1, 2])] }, flags)
        await eventually(() => assert.lengthOf(heard, 2))
        // Channels of different slots are heard on different ways: they have no common order.
        const first = heard.find(([, value]) => value === 1)
        const second = heard.find(([, value]) => value instanceof Uint8Array)
        assert.deepStrictEqual(
          [first, Array.from(second![1] as Uint8Array)],
          [
            ["x", 1],
            [1, 2]
          ]
        )
        const sockets = await Effect.runPromise(a.fetchSockets(everybody))
        assert.deepStrictEqual(
          sockets.map(({ id }) => id),
          ["id"]
        )
        b.roomDeleted("room")
      })
    }
  }

  it("a Cluster of ioredis that would hear nothing is refused", async () => {
    const client = new Cluster([{ host: "127.0.0.1", port: server!.port }])
    client.on("error", () => {})
    await new Promise<void>((resolve) => client.once("ready", () => resolve()))
    onTestFinished(() => client.disconnect())
    const subscription = RedisClient.from(client).subscribe("shard", "x", () => {})
    const error: unknown = await subscription.active.then(
      () => undefined,
      (reason: unknown) => reason
    )
    assert.match(String(error), /shardedSubscribers/)
    subscription.close()
  })
})
