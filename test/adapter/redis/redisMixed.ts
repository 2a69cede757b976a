/** Official servers and ours on one redis-server, each with an official client, for the tests of mixed clusters. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as official from "@socket.io/redis-adapter"
import { Redis as IoRedis } from "ioredis"
import { createClient } from "redis"
import { Server as OfficialServer } from "socket.io"
import { io as connect, type Socket as ClientSocket } from "socket.io-client"
import { onTestFinished, vi } from "vitest"
import { Server } from "../../../src/facade/server.ts"
import * as ours from "../../../src/facade/adapters/redis-adapter.ts"
import * as RedisClient from "../../../src/adapter/redis/RedisClient.ts"
import { redis } from "./redisNodes.ts"

/** The two ways of Pub/Sub. */
export type Way = "plain" | "sharded"

/** Which package the clients of Redis are of. */
export type Flavour = "redis" | "ioredis"

/** The methods of servers that are used here; both have them. */
export type AnyServer = Pick<
  OfficialServer,
  | "emit"
  | "to"
  | "in"
  | "except"
  | "local"
  | "volatile"
  | "timeout"
  | "fetchSockets"
  | "socketsJoin"
  | "socketsLeave"
  | "disconnectSockets"
  | "serverSideEmit"
  | "serverSideEmitWithAck"
  | "on"
  | "of"
  | "close"
>

/** A server with one client. */
export interface Party {
  readonly io: AnyServer
  readonly client: ClientSocket
  readonly url: string
}

/** A client of Redis, connected, until the test is finished. */
export const redisClient = async (flavour: Flavour): Promise<unknown> => {
  if (flavour === "redis") {
    const client = createClient({ url: redis().url, socket: { reconnectStrategy: 50 } })
    client.on("error", () => {})
    await client.connect()
    // Official servers do not wait for what they ask of Redis when they close.
    onTestFinished(() => (client.isReady ? client.close() : client.destroy()))
    return client
  }
  const client = new IoRedis(redis().port, "127.0.0.1", { retryStrategy: () => 50 })
  client.on("error", () => {})
  onTestFinished(async () => {
    if (client.status === "ready") await client.quit()
    else client.disconnect()
  })
  await new Promise<void>((resolve) => client.once("ready", () => resolve()))
  return client
}

/** Waits until a condition holds. */
export const eventually = (condition: () => void): Promise<void> =>
  vi.waitFor(condition, { timeout: 15_000, interval: 10 })

const listen = async (io: OfficialServer | Server): Promise<string> => {
  const http = createServer()
  io.attach(http)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    await io.close()
    http.closeAllConnections()
  })
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
}

/** Another client of a server, connected. */
export const clientOf = async (url: string, nsp = ""): Promise<ClientSocket> => {
  const client = connect(`${url}${nsp}`, { forceNew: true, reconnection: false, transports: ["websocket"] })
  onTestFinished(() => void client.disconnect())
  await new Promise<void>((resolve, reject) => {
    client.once("connect", resolve)
    client.once("connect_error", reject)
  })
  return client
}

const partyOf = async (io: OfficialServer | Server): Promise<Party> => {
  const url = await listen(io)
  return { io: io as unknown as AnyServer, url, client: await clientOf(url) }
}

/** A server of the package socket.io, with its adapter. */
export const makeOfficial = async (
  way: Way,
  prefix: string,
  flavour: Flavour = "redis",
  options: object = {}
): Promise<Party> => {
  const pub = await redisClient(flavour)
  const sub = await redisClient(flavour)
  const adapter =
    way === "plain"
      ? official.createAdapter(pub, sub, { key: prefix, requestsTimeout: 3000, ...options })
      : official.createShardedAdapter(pub, sub, { channelPrefix: prefix, ...options })
  return partyOf(new OfficialServer({ adapter }))
}

/** A server of ours. */
export const makeOurs = async (
  way: Way,
  prefix: string,
  flavour: Flavour = "redis",
  options: object = {}
): Promise<Party> => {
  const pub = await redisClient(flavour)
  const sub = await redisClient(flavour)
  const adapter =
    way === "plain"
      ? ours.createAdapter(pub, sub, { key: prefix, requestsTimeout: 3000, ...options })
      : ours.createShardedAdapter(pub, sub, { channelPrefix: prefix, ...options })
  return partyOf(new Server({ adapter }))
}

/** Waits until a server knows of so many. */
export const knows = async (party: Party, count: number): Promise<void> => {
  const adapter = party.io.of("/").adapter as unknown as { serverCount(): Promise<number> }
  await vi.waitFor(
    async () => {
      const known = await adapter.serverCount()
      if (known !== count) throw new Error(`${known} servers instead of ${count}`)
    },
    { timeout: 15_000, interval: 20 }
  )
}

/** Waits until so many servers hear the channel of a room of the main namespace, where rooms have channels. */
export const hearsRoom = async (way: Way, prefix: string, room: string, count = 1): Promise<void> => {
  if (way === "plain") return
  const client = RedisClient.from(await redisClient("redis"))
  await vi.waitFor(
    async () => {
      const hearing = await client.subscribers("shard", `${prefix}#/#${room}#`)
      if (hearing !== count) throw new Error(`${hearing} servers hear "${room}" instead of ${count}`)
    },
    { timeout: 15_000, interval: 10 }
  )
}
