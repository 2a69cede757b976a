/**
 * Servers of ours and official ones over Redis Streams, with official clients, for the tests of both together.
 */
import * as official from "@socket.io/redis-streams-adapter"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createClient } from "redis"
import { Redis as IoRedis } from "ioredis"
import { Server as OfficialServer, type ServerOptions as OfficialOptions } from "socket.io"
import { io as connect, type ManagerOptions, type Socket as ClientSocket, type SocketOptions } from "socket.io-client"
import { afterAll, beforeAll, onTestFinished } from "vitest"
import { createAdapter, type RedisStreamsAdapterOptions } from "../../../src/facade/adapters/redis-streams-adapter.ts"
import { Server } from "../../../src/facade/server.ts"
import * as Redis from "../../brokers/Redis.ts"

/** What the tests use of a server; both have it. */
export type AnyServer = OfficialServer

/** A server that runs. */
export interface Running {
  readonly io: AnyServer
  readonly url: string
}

let redis: Redis.RedisServer | undefined

/** The url of the redis-server of the file. */
export const redisUrl = (): string => redis!.url

/** Starts a redis-server for the tests of a file. */
export const useRedis = (): void => {
  beforeAll(async () => {
    redis = await Redis.start()
  })
  afterAll(async () => {
    await redis?.close()
  })
}

/** A client of `redis`, until the test is finished. */
export const nodeRedis = async () => {
  const client = createClient({ url: redisUrl() })
  client.on("error", () => {})
  await client.connect()
  onTestFinished(() => client.destroy())
  return client
}

/** A client of `ioredis`, until the test is finished. */
export const ioRedis = async () => {
  const client = new IoRedis(redisUrl())
  await new Promise((resolve) => client.once("ready", resolve))
  onTestFinished(() => client.disconnect())
  return client
}

const listen = async (attach: (http: ReturnType<typeof createServer>) => AnyServer): Promise<Running> => {
  const http = createServer()
  const io = attach(http)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    await io.close()
    http.closeAllConnections()
  })
  return { io, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }
}

/** Options of a server, and of its adapter. */
export type Options = Partial<OfficialOptions> & { streams?: RedisStreamsAdapterOptions; with?: "redis" | "ioredis" }

/** Official servers read their first entry some time after they were made: until they are heard of, they are not there. */
export const startOfficial = async ({ streams, ...options }: Options = {}): Promise<Running> => {
  const client = await ioRedis()
  const adapter = official.createAdapter(client, streams as never)
  return listen((http) => new OfficialServer(http, { ...options, adapter }))
}

/** A server of ours, with any adapter. */
export const serve = (options: Partial<OfficialOptions>): Promise<Running> =>
  listen((http) => new Server(http, options as never) as unknown as AnyServer)

/** One of ours. */
export const startOurs = async ({ streams, with: kind = "redis", ...options }: Options = {}): Promise<Running> => {
  const client = kind === "redis" ? await nodeRedis() : await ioRedis()
  const adapter = createAdapter(client as never, streams)
  return serve({ ...options, adapter: adapter as never })
}

/** A connected official client. */
export const client = async (
  url: string,
  options: Partial<ManagerOptions & SocketOptions> = {}
): Promise<ClientSocket> => {
  const socket = connect(url, { forceNew: true, reconnection: false, transports: ["websocket"], ...options })
  onTestFinished(() => void socket.disconnect())
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve)
    socket.once("connect_error", reject)
  })
  return socket
}

/** Waits for a condition, 15 seconds at most. */
export const until = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  const end = performance.now() + 15_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Everything a client hears. */
export const hear = (socket: ClientSocket): Array<ReadonlyArray<unknown>> => {
  const heard: Array<ReadonlyArray<unknown>> = []
  socket.onAny((...args) => {
    if (args[0] !== "hello") heard.push(args)
  })
  return heard
}

let run = 0

/** A namespace of its own for each test, since the log is shared. */
export const fresh = (): string => `/mixed-${++run}`

/** Waits until a client of each server hears all servers by the stream, and they count each other. Official servers begin to read at some time. */
export const acquainted = async (nsp: string, ...servers: ReadonlyArray<Running>): Promise<void> => {
  const count = servers.length
  await until(async () => {
    const counts = await Promise.all(servers.map(({ io }) => io.of(nsp).adapter.serverCount()))
    return counts.every((found) => found === count)
  }, "servers that count each other")
  const probes = await Promise.all(
    servers.map(async ({ url }) => {
      const heard = new Set<number>()
      const socket = await client(url + nsp)
      socket.on("hello", (from: number) => heard.add(from))
      return { socket, heard }
    })
  )
  await until(async () => {
    servers.forEach(({ io }, i) => io.of(nsp).emit("hello", i))
    await new Promise((resolve) => setTimeout(resolve, 20))
    return probes.every(({ heard }) => heard.size === count)
  }, "servers that hear each other")
  for (const { socket } of probes) socket.disconnect()
  await until(() => servers.every(({ io }) => io.of(nsp).sockets.size === 0), "the end of the probes")
}
