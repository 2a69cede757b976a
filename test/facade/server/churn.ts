/**
 * Clients that come, use everything and go, and servers that are made and closed by the thousand. Prints the heap after each round and
 * what is left at the end, as JSON, and must then end by itself: nothing may hold the process. Run with `--expose-gc`.
 */
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { WebSocket } from "ws"
import { Server, type ServerOptions } from "../../../src/facade/server.ts"

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Live bytes. Finalizers and weak references need a turn between collections. */
const heap = async (): Promise<number> => {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.()
    await turn()
  }
  return process.memoryUsage().heapUsed
}

const listening = async (options: Partial<ServerOptions> = {}): Promise<readonly [Server, number]> => {
  const http = createServer()
  const io = new Server(http, options)
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  return [io, (http.address() as AddressInfo).port]
}

/** Comes, says something, and is gone without a word once the answer is there. */
const visit = (port: number, nsp: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const path = nsp === "/" ? "" : `${nsp},`
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)
    socket.on("error", reject)
    socket.on("close", () => resolve())
    socket.on("message", (data: Buffer) => {
      const text = data.toString()
      if (text.startsWith("0")) socket.send(`40${path}{"token":"t"}`)
      else if (text.startsWith(`40${path}`)) socket.send(`42${path}7["echo",{"deep":["x"]}]`)
      else if (text.startsWith(`43${path}7`)) socket.terminate()
    })
  })

const busy = async (): Promise<readonly [Server, number]> => {
  const [io, port] = await listening()
  io.engine.use((_request, _response, next) => next())
  io.engine.on("connection", (conn) => {
    conn.on("packet", () => {})
    conn.on("close", () => {})
  })
  io.of("/").adapter.on("create-room", () => {})
  for (const nsp of [io.of("/"), io.of(/^\/room-\d+$/)]) {
    nsp.use((socket, next) => {
      socket.data = { token: socket.handshake.auth["token"] as unknown }
      setImmediate(next)
    })
    nsp.on("connection", (socket) => {
      void socket.join(["lobby", `own-${socket.id}`, "__proto__"])
      socket.onAny(() => {})
      socket.onAnyOutgoing(() => {})
      socket.use((_event, next) => next())
      socket.conn.on("drain", () => {})
      socket.on("disconnect", () => {})
      socket.emit("question", () => {})
      socket.timeout(3_600_000).emit("question", () => {})
      socket.emitWithAck("question").catch(() => {})
      io.to("lobby")
        .timeout(3_600_000)
        .emit("question", () => {})
      socket.on("echo", (value: unknown, reply: (value: unknown) => void) => {
        socket.to("lobby").volatile.emit("echo", value)
        reply(value)
      })
    })
  }
  return [io, port]
}

/** Milliseconds since the process began are of no use here: rounds are what counts. */
const rounds = async (count: number, round: () => Promise<void>): Promise<Array<number>> => {
  const heaps: Array<number> = []
  for (let i = 0; i < count; i++) {
    await round()
    heaps.push(await heap())
  }
  return heaps
}

const servers = await rounds(3, async () => {
  for (let i = 0; i < 334; i++) {
    const [io, port] = await listening({ connectTimeout: 1000 + i, cors: { origin: "*" } })
    io.of("/a")
    io.of(/b/)
    // Every tenth has a client when it closes.
    if (i % 10 === 0) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)
      socket.on("error", () => {})
      await once(socket, "message")
      const closed = once(socket, "close")
      await io.close()
      await closed
    } else await io.close()
  }
})

const [io, port] = await busy()
const clients = await rounds(4, async () => {
  for (let i = 0; i < 10; i++) {
    await Promise.all(Array.from({ length: 40 }, (_, at) => visit(port, at % 2 === 0 ? "/" : `/room-${at}`)))
  }
  // The server hears of the last ones' end a little later.
  while (io.engine.clientsCount > 0) await turn()
})
const counted = io._core.counters
const left = {
  clients: io.engine.clientsCount,
  engineSockets: Object.keys(io.engine.clients).length,
  sockets: [...io._nsps.values()].reduce((sum, nsp) => sum + nsp.sockets.size, 0),
  rooms: [...io._nsps.values()].reduce((sum, nsp) => sum + nsp.adapter.rooms.size, 0),
  deadlines: io._core.deadlines.size
}
await io.close()
process.stdout.write(`${JSON.stringify({ servers, clients, connected: counted.connected, left })}\n`)
