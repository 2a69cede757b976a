/** The adapters under Socket.IO's API: how they are given, and whose the clients are. */
import { createRequire } from "node:module"
import { assert, describe, it, onTestFinished } from "vitest"
import * as Redis from "../../brokers/Redis.ts"
import { createAdapter, createShardedAdapter } from "../../../src/facade/adapters/redis-adapter.ts"
import { Emitter } from "../../../src/facade/adapters/redis-emitter.ts"
import { Server } from "../../../src/facade/server.ts"
import { eventually, knows, makeOurs, redisClient } from "./redisMixed.ts"
import { freshPrefix, useRedis } from "./redisNodes.ts"

interface Client {
  readonly isOpen?: boolean
  readonly status?: string
  listenerCount(event: string): number
}

const events = ["error", "ready", "reconnecting", "end", "close", "messageBuffer", "pmessageBuffer", "smessageBuffer"]

const listeners = (client: Client): Array<number> => events.map((event) => client.listenerCount(event))

// Where there is no redis-server: see the hint of `test/brokers/Redis.ts`.
describe.skipIf(!Redis.available)("facade over Redis", () => {
  useRedis()

  for (const flavour of ["redis", "ioredis"] as const) {
    for (const way of ["plain", "sharded"] as const) {
      it(`${way} (${flavour}): also by io.adapter(); close gives the clients back as they were`, async () => {
        const prefix = freshPrefix()
        const create = way === "plain" ? createAdapter : createShardedAdapter
        const options = { key: prefix, channelPrefix: prefix }
        const clients = [await redisClient(flavour), await redisClient(flavour)] as const
        const before = clients.map((client) => listeners(client as Client))
        const io = new Server()
        onTestFinished(() => io.close())
        assert.strictEqual(io.adapter(create(...clients, options)), io)
        const other = await makeOurs(way, prefix)
        await knows(other, 2)
        const told: Array<unknown> = []
        io.on("news", (n: number) => told.push(n))
        other.io.serverSideEmit("news", 1)
        await eventually(() => assert.deepStrictEqual(told, [1]))
        await io.close()
        await knows(other, 1)
        assert.deepStrictEqual(
          clients.map((client) => listeners(client as Client)),
          before
        )
        const [{ isOpen, status }] = clients as unknown as [Client]
        assert.isTrue(isOpen ?? status === "ready")
      })
    }
  }

  it("another adapter takes the place of the first", async () => {
    const clients = [await redisClient("redis"), await redisClient("redis")] as const
    const io = new Server({ adapter: createAdapter(...clients, { key: "first" }) })
    onTestFinished(() => io.close())
    const prefix = freshPrefix()
    io.adapter(createAdapter(...clients, { key: prefix }))
    const other = await makeOurs("plain", prefix)
    await knows(other, 2)
    const told: Array<unknown> = []
    io.on("news", (n: number) => told.push(n))
    other.io.serverSideEmit("news", 1)
    other.io.serverSideEmit("news", 2)
    await eventually(() => assert.deepStrictEqual(told, [1, 2]))
  })

  it("what is no client is refused at once", () => {
    for (const wrong of [undefined, null, 1, "redis://localhost", {}, { on() {}, off() {}, publish() {} }]) {
      assert.throws(() => createAdapter(wrong, wrong), TypeError)
      assert.throws(() => createShardedAdapter(wrong, wrong), TypeError)
      assert.throws(() => new Emitter(wrong), TypeError)
    }
  })

  it("require gives what the official packages give", () => {
    const require = createRequire(import.meta.url)
    const adapter = require("../../../src/facade/adapters/redis-adapter.ts")
    assert.strictEqual(typeof adapter, "function")
    assert.deepStrictEqual(Object.keys(adapter), ["createAdapter", "createShardedAdapter"])
    const emitter = require("../../../src/facade/adapters/redis-emitter.ts")
    assert.strictEqual(typeof emitter.Emitter, "function")
  })
})
