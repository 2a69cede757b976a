/**
 * Thousands of connections that come, use everything and go in every way. Prints what is left of them, which must be nothing, and the heap
 * after each round, which must not grow. Run with `--expose-gc`.
 */
import { Event, InMemoryAdapter, Middleware, Namespace, SocketServer } from "effect-socketio"
import * as SocketClient from "effect-socketio/client"
import { NodeEngine } from "effect-socketio/node"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { WebSocket } from "ws"

const perRound = 400
const rounds = 5

const Busy = Namespace.make("/", {
  fromClient: {
    never: Event.make({ args: [], ack: Schema.String }),
    slow: Event.make({ args: [], concurrency: 1 }),
    streamed: Event.make({ args: [Schema.String] }),
    echo: Event.make({ args: [Schema.String], ack: Schema.String })
  },
  fromServer: { question: Event.make({ args: [], ack: Schema.String }) }
})
const Dynamic = Namespace.make("/room/:id", {})
const Slow = Namespace.untyped("/slow")

const BusyLive = SocketServer.namespace(Busy, (socket) =>
  Effect.gen(function* () {
    yield* socket.join(["lobby", `room-${socket.id}`, "__proto__"])
    yield* socket.use((packet, next) => next(packet))
    yield* socket.transform(Stream.filter(() => true))
    yield* socket.on("never", () => Effect.never)
    yield* socket.on("slow", () => Effect.never)
    yield* socket.on("echo", Effect.succeed)
    yield* socket.events("streamed").pipe(Stream.runDrain, Effect.forkScoped)
    yield* socket.incoming.pipe(Stream.runDrain, Effect.forkScoped)
    yield* socket.conn.upgrades.pipe(Stream.runDrain, Effect.forkScoped)
    yield* socket.disconnected.pipe(Effect.forkScoped)
    yield* Effect.forkScoped(Effect.ignore(socket.timeout("1 hour").emitWithAck("question")))
    yield* Effect.forkScoped(
      Effect.ignore(Stream.runDrain(socket.to("lobby").timeout("1 hour").emitWithAck("question")))
    )
    yield* Effect.forkScoped(Effect.never)
    yield* socket.onDisconnect(() => Effect.sleep(1))
  })
)

const Live = Layer.mergeAll(
  BusyLive,
  SocketServer.namespace(Dynamic, (socket) => socket.join("x")),
  SocketServer.namespace(Slow, () => Effect.void).pipe(Layer.provide(Middleware.make(() => Effect.never)))
)

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const http = Http.createServer((_request, response) => response.writeHead(404).end())
const agent = new Http.Agent({ keepAlive: true, maxSockets: 50 })
let port = 0

const request = (method: string, query: string, body?: string, abortAfter?: number): Promise<string> =>
  new Promise((resolve) => {
    const path = `/socket.io/?EIO=4&transport=polling${query}`
    const sent = Http.request({ agent, port, host: "127.0.0.1", path, method }, (response) => {
      let text = ""
      response.on("data", (chunk) => (text += String(chunk)))
      response.on("close", () => resolve(text))
    })
    sent.on("error", () => resolve(""))
    sent.end(body)
    if (abortAfter !== undefined) setTimeout(() => sent.destroy(), abortAfter)
  })

const sidOf = async (): Promise<string> => /"sid":"([^"]+)"/.exec(await request("GET", ""))?.[1] ?? ""

/** A WebSocket client that uses everything and leaves in one of several ways. */
const overWebSocket = (i: number): Promise<void> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)
    socket.on("close", () => resolve())
    socket.on("error", () => {})
    socket.on("open", () => {
      for (const frame of [
        "40",
        `40/room/${i},`,
        "40/slow,",
        '421["never"]',
        '42["slow"]',
        '42["slow"]',
        '42["streamed","a"]',
        '451-["streamed",{"_placeholder":true,"num":0}]'
      ]) {
        socket.send(frame)
      }
      setTimeout(() => {
        if (i % 4 === 0) socket.terminate()
        else if (i % 4 === 1) socket.close()
        else if (i % 4 === 2) socket.send("1")
        else for (const frame of ["41/slow,", `41/room/${i},`, "41", "nonsense"]) socket.send(frame)
      }, 20)
    })
  })

/** A polling client that goes without a word, in the middle of something. */
const overPolling = async (i: number): Promise<void> => {
  const sid = `&sid=${await sidOf()}`
  if (i % 3 === 0) return
  await request("POST", sid, '40\x1e421["never"]')
  if (i % 3 === 1) {
    await request("GET", sid)
    await request("GET", sid, undefined, 5)
  } else await request("POST", sid, "1")
}

/** An upgrade that is given up after so many steps. */
const overUpgrade = async (i: number): Promise<void> => {
  const sid = await sidOf()
  await request("POST", `&sid=${sid}`, "40")
  await new Promise<void>((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&sid=${sid}`)
    socket.on("close", () => resolve())
    socket.on("error", () => {})
    socket.on("open", () => {
      if (i % 3 !== 0) socket.send("2probe")
      if (i % 3 === 2) socket.send("5")
      setTimeout(() => socket.terminate(), 20)
    })
  })
  if (i % 3 !== 2) await request("POST", `&sid=${sid}`, "1")
}

/** Our own client, closed while it waits for answers. */
const overClient = (i: number): Promise<void> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const client = yield* SocketClient.connect(Busy, {
          url: `http://127.0.0.1:${port}`,
          transports: i % 2 === 0 ? ["websocket"] : ["polling", "websocket"]
        })
        yield* client.on("question", () => Effect.never)
        yield* Effect.forkScoped(Effect.ignore(client.timeout("1 hour").emitWithAck("never")), {
          startImmediately: true
        })
        yield* SocketClient.states(client).pipe(Stream.runDrain, Effect.forkScoped)
        return yield* client.emitWithAck("echo", "x")
      })
    )
  ).then(() => {})

const round = async (): Promise<void> => {
  const kinds = [overWebSocket, overPolling, overUpgrade, overClient]
  for (let i = 0; i < perRound; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, k) => kinds[k % kinds.length]!(i + k)))
  }
}

const main = async (): Promise<void> => {
  const scope = Scope.makeUnsafe()
  const layer = SocketServer.serve(Live, {
    cleanupEmptyChildNamespaces: true,
    connectTimeout: 400,
    pollCloseTimeout: 300,
    pingInterval: 300,
    pingTimeout: 300
  }).pipe(Layer.provide(InMemoryAdapter.layer), Layer.provide(NodeEngine.layerAttach(http)))
  const built = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  const { core, engine } = Context.get(built, SocketServer.SocketServer)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  port = (http.address() as AddressInfo).port
  const heaps: Array<number> = []
  for (let i = 0; i < rounds; i++) {
    await round()
    for (let waited = 0; waited < 100 && engine.sessions.values().length > 0; waited++) await pause(50)
    await pause(100)
    globalThis.gc?.()
    await pause(10)
    globalThis.gc?.()
    heaps.push(process.memoryUsage().heapUsed)
  }
  const left = {
    sessions: engine.sessions.values().length,
    clients: engine.clientsCount,
    deadlines: core.deadlines.size,
    sockets: core.counters.sockets,
    connectedAndNotDisconnected: core.counters.connected - core.counters.disconnected,
    namespaces: core.registry
      .all()
      .map(({ name }) => name)
      .sort(),
    rooms: core.registry.all().flatMap(({ rooms }) => [...rooms.names()]),
    members: core.registry.all().reduce((sum, { sockets }) => sum + sockets.size, 0),
    admitting: core.registry.all().reduce((sum, { admitting }) => sum + admitting, 0)
  }
  await Effect.runPromise(Scope.close(scope, Exit.void))
  console.log(
    JSON.stringify({ left, heaps, connected: core.counters.connected, upgrades: engine.counters.upgradesFailed })
  )
  process.exit(0)
}

void main()
