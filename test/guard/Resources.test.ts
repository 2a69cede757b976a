/** What an idle connection holds beside memory: no fiber and no timer of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as Client from "../../bench/load/Client.ts"
import { effectServer, facadeServer, type Running } from "./Servers.ts"

const connections = 100

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length

/** The value once it has stopped changing: timers of HTTP requests and of tests that ended go within turns. */
const atRest = async (read: () => number): Promise<number> => {
  let last = read()
  let same = 0
  for (let i = 0; i < 2000 && same < 50; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = read()
    same = now === last ? same + 1 : 0
    last = now
  }
  return last
}

const growth = async (server: Running, read: () => number): Promise<number> => {
  // The first connection may bring what all of them share.
  const first = await Client.webSocket(server.port)
  await Client.settleEach([first], () => [])
  const before = await atRest(read)
  const clients = await Client.many(connections, 10, () => Client.webSocket(server.port))
  await Client.settleEach(clients, () => [])
  const after = await atRest(read)
  for (const client of [first, ...clients]) client.destroy()
  await server.close()
  return after - before
}

describe("idle connections", () => {
  it("have no fiber: a hundred more connections, not one more fiber", async () => {
    let started = 0
    let ended = 0
    const services = Context.make(Metric.FiberRuntimeMetrics, {
      recordFiberStart: () => void started++,
      recordFiberEnd: () => void ended++
    }) as Context.Context<never>
    const server = await effectServer(services)
    assert.strictEqual(await growth(server, () => started - ended), 0)
    assert.isAbove(started, 0)
  })

  it("have no timer in the Effect API: heartbeats share one", async () => {
    assert.isAtMost(await growth(await effectServer(), timers), 1)
  })

  it("have no timer in the facade", async () => {
    assert.isAtMost(await growth(await facadeServer(), timers), 1)
  })
})
