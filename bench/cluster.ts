/**
 * What a broadcast costs two servers on one Redis: the official server with its adapter beside ours, by their own CPU time.
 *
 * `node --conditions=source bench/cluster.ts [plain|sharded] [rounds] [broadcasts]`. Needs redis-server. Each round runs both, one after the other, so
 * that what else the machine does hits both; what counts is the ratio of the medians. Pace and receivers are the same for both.
 */
import { type ChildProcess, fork } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { WebSocket } from "ws"
import * as Redis from "../test/brokers/Redis.ts"

/** The servers that are compared, and what their adapter is. */
const kinds = ["official", "ours", "effect"] as const
type Kind = (typeof kinds)[number]

/** Clients of each server. */
const clientsEach = 5
/** Broadcasts that are made in one turn, and the pause between two turns in milliseconds: 2,500 a second. */
const burst = 25
const pause = 10
const text = "x".repeat(100)

type Ask = { readonly _tag: "mark" } | { readonly _tag: "emit"; readonly count: number }

// ---- a server, in a process of its own

interface Emits {
  emit(n: number): void
}

const serve = async (kind: Kind, way: string, url: string, prefix: string): Promise<{ port: number; io: Emits }> => {
  const { createClient } = await import("redis")
  const pub = createClient({ url })
  const sub = pub.duplicate()
  await Promise.all([pub.connect(), sub.connect()])
  const http = createServer()
  const listening = async (): Promise<number> => {
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    return (http.address() as AddressInfo).port
  }
  if (kind === "official") {
    const { Server } = await import("socket.io")
    const { createAdapter, createShardedAdapter } = await import("@socket.io/redis-adapter")
    const adapter =
      way === "plain"
        ? createAdapter(pub, sub, { key: prefix })
        : createShardedAdapter(pub, sub, { channelPrefix: prefix })
    const io = new Server(http, { adapter })
    return { port: await listening(), io: { emit: (n) => void io.emit("x", n, text) } }
  }
  if (kind === "ours") {
    const { Server } = await import("effect-socketio/facade")
    const { createAdapter, createShardedAdapter } = await import("effect-socketio/facade/redis-adapter")
    const adapter =
      way === "plain"
        ? createAdapter(pub, sub, { key: prefix })
        : createShardedAdapter(pub, sub, { channelPrefix: prefix })
    const io = new Server(http, { adapter })
    return { port: await listening(), io: { emit: (n) => void io.emit("x", n, text) } }
  }
  return serveEffect(way, pub, sub, prefix)
}

const serveEffect = async (
  way: string,
  pub: unknown,
  sub: unknown,
  prefix: string
): Promise<{ port: number; io: Emits }> => {
  const Effect = await import("effect/Effect")
  const Layer = await import("effect/Layer")
  const ManagedRuntime = await import("effect/ManagedRuntime")
  const Schema = await import("effect/Schema")
  const { SocketServer } = await import("effect-socketio")
  const { Event, Namespace } = await import("effect-socketio/contract")
  const { NodeEngine } = await import("effect-socketio/node")
  const { RedisAdapter, RedisShardedAdapter } = await import("effect-socketio/redis")
  const Main = Namespace.make("/", { fromServer: { x: Event.make({ args: [Schema.Finite, Schema.String] }) } })
  const adapter =
    way === "plain"
      ? RedisAdapter.layerClients(pub, sub, { key: prefix })
      : RedisShardedAdapter.layerClients(pub, sub, { channelPrefix: prefix })
  const http = createServer()
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  const runtime = ManagedRuntime.make(
    SocketServer.serve(SocketServer.namespace(Main, () => Effect.void)).pipe(
      Layer.provide(adapter),
      Layer.provide(NodeEngine.layerAttach(http))
    )
  )
  const handle = await runtime.runPromise(SocketServer.handle(Main))
  const { port } = http.address() as AddressInfo
  return { port, io: { emit: (n) => Effect.runSync(handle.emit("x", n, text)) } }
}

const child = async (): Promise<void> => {
  const [, , , kind = "", way = "", url = "", prefix = ""] = process.argv
  const { port, io } = await serve(kind as Kind, way, url, prefix)
  process.on("message", (ask: Ask) => {
    if (ask._tag === "mark") {
      const { user, system } = process.cpuUsage()
      return process.send!(user + system)
    }
    let sent = 0
    const timer = setInterval(() => {
      for (let i = 0; i < burst && sent < ask.count; i++) io.emit(sent++)
      if (sent < ask.count) return
      clearInterval(timer)
      process.send!("emitted")
    }, pause)
    return undefined
  })
  process.once("disconnect", () => process.exit(0))
  process.send!({ port })
}

// ---- the measurement

const answer = <A>(from: ChildProcess): Promise<A> =>
  new Promise((resolve, reject) => {
    from.once("message", (message) => resolve(message as A))
    from.once("exit", (code) => reject(new Error(`a server ended with ${code}`)))
  })

const ask = <A>(from: ChildProcess, question: Ask): Promise<A> => {
  const answered = answer<A>(from)
  from.send(question)
  return answered
}

/** Counts the events that all clients get. */
class Tally {
  #missing = 0
  #done: (() => void) | undefined = undefined

  /** Settles when so many more have come; rejects when they do not. */
  expect(count: number): Promise<void> {
    this.#missing = count
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.#missing} of ${count} events are missing`)), 60_000)
      this.#done = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  add(): void {
    if (--this.#missing === 0) this.#done?.()
  }
}

/** A client that counts the events that it gets. */
const receiver = (port: number, onEvent: () => void): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)
    socket.once("error", reject)
    socket.on("message", (data: Buffer) => {
      const frame = data.toString()
      if (frame.startsWith("42")) onEvent()
      else if (frame === "2") socket.send("3")
      else if (frame.startsWith("40")) resolve(socket)
      else if (frame.startsWith("0")) socket.send("40")
    })
  })

const self = fileURLToPath(import.meta.url)

/** Microseconds of CPU that both servers together spend on a broadcast. */
const measure = async (kind: Kind, way: string, url: string, prefix: string, count: number): Promise<number> => {
  const servers = [0, 1].map(() =>
    fork(self, ["serve", kind, way, url, prefix], {
      execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"]
    })
  )
  try {
    const ports = await Promise.all(servers.map((server) => answer<{ port: number }>(server)))
    const tally = new Tally()
    const clients = await Promise.all(
      ports.flatMap(({ port }) => Array.from({ length: clientsEach }, () => receiver(port, () => tally.add())))
    )
    const emit = async (events: number): Promise<void> => {
      const arrived = tally.expect(events * clients.length)
      await ask(servers[0]!, { _tag: "emit", count: events })
      await arrived
    }
    // What is slow at first is over.
    await emit(Math.max(2000, count >> 1))
    const marks = (): Promise<Array<number>> =>
      Promise.all(servers.map((server) => ask<number>(server, { _tag: "mark" })))
    const before = await marks()
    await emit(count)
    const after = await marks()
    for (const socket of clients) socket.terminate()
    return after.reduce((sum, cpu, i) => sum + cpu - before[i]!, 0) / count
  } finally {
    for (const server of servers) server.disconnect()
  }
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

const main = async (): Promise<void> => {
  const [, , way = "plain", rounds = "5", broadcasts = "10000"] = process.argv
  const redis = await Redis.start()
  try {
    const results = new Map<Kind, Array<number>>(kinds.map((kind) => [kind, []]))
    for (let round = 0; round < Number(rounds); round++) {
      for (const kind of kinds) {
        const cost = await measure(kind, way, redis.url, `bench-${round}-${kind}`, Number(broadcasts))
        results.get(kind)!.push(cost)
        console.log(`round ${round + 1} ${way} ${kind}: ${cost.toFixed(1)} µs of CPU for a broadcast on both servers`)
      }
    }
    const official = median(results.get("official")!)
    for (const kind of kinds) {
      const cost = median(results.get(kind)!)
      console.log(`${way} ${kind}: median ${cost.toFixed(1)} µs, ratio ${(cost / official).toFixed(2)}`)
    }
  } finally {
    await redis.close()
  }
}

await (process.argv[2] === "serve" ? child() : main())
