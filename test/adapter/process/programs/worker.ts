/** A worker: the same program on this package's plain server and on the official one, and one on the Effect API. */
import type { Server as OurServer } from "effect-socketio/facade"
import cluster from "node:cluster"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Server as OfficialServer } from "socket.io"

const kind = process.env["KIND"]
const sticky = process.env["STICKY"] === "1"
const id = cluster.worker?.id ?? 0

/** Everything that is not Socket.IO's: says who answered, and how much came. */
const page = (request: IncomingMessage, response: ServerResponse): void => {
  let bytes = 0
  request.on("data", (chunk: Buffer) => (bytes += chunk.length))
  request.on("end", () => {
    const { method, url, headers, socket } = request
    response.setHeader("Content-Type", "application/json")
    response.end(JSON.stringify({ worker: id, method, url, headers, bytes, address: socket.remoteAddress }))
  })
}
const http = createServer(page)

const report = (): void => {
  const address = http.address() as AddressInfo | null
  process.send?.({ report: { id, pid: process.pid, port: address?.port ?? 0 } })
}

process.on("message", (message: unknown) => {
  const { inject } = message as { readonly inject?: ReadonlyArray<unknown> }
  for (const value of inject ?? []) process.send?.(value)
})

const serve = (io: OurServer | OfficialServer): void => {
  const server = io as OfficialServer
  server.on("connection", (socket) => {
    socket.emit("hello", { worker: id, address: socket.handshake.address, secure: socket.handshake.secure })
    socket.on("join", (room: string, done: () => void) => {
      void socket.join(room)
      done()
    })
    socket.on("say", (room: string, ...args: Array<unknown>) => server.to(room).emit("said", ...args))
    socket.on("echo", (value: unknown, done: (value: unknown) => void) => done(value))
    socket.on("sockets", async (done: (ids: Array<string>) => void) =>
      done((await server.fetchSockets()).map(({ id }) => id))
    )
    socket.on("ask", (room: string, done: (answers: unknown) => void) => {
      server
        .to(room)
        .timeout(5000)
        .emit("question", (error: Error | null, answers: unknown) => done(error?.message ?? answers))
    })
    socket.on("servers", (done: (answers: unknown) => void) => {
      server.serverSideEmit("who", (error: Error | null, answers: unknown) => done(error?.message ?? answers))
    })
    socket.on("count", async (done: (count: number) => void) => done(await server.of("/").adapter.serverCount()))
    socket.on("move", (from: string, to: string) => server.in(from).socketsJoin(to))
  })
  server.on("who", (done: (id: number) => void) => done(id))
}

const serveEffect = async (): Promise<void> => {
  const { Namespace, SocketServer } = await import("effect-socketio")
  const { NodeClusterAdapter } = await import("effect-socketio/cluster")
  const { StickyWorker } = await import("effect-socketio/node")
  const Effect = await import("effect/Effect")
  const Layer = await import("effect/Layer")
  const Main = SocketServer.namespace(Namespace.untyped("/"), (socket) =>
    Effect.gen(function* () {
      const io = yield* SocketServer.handle(Namespace.untyped("/"))
      yield* socket.emit("hello", { worker: id, address: socket.handshake.address, secure: socket.handshake.secure })
      yield* socket.on("join", (room) => socket.join(String(room)))
      yield* socket.on("say", (room, ...args) => io.to(String(room)).emit("said", ...args))
      yield* socket.on("echo", (value) => Effect.succeed(value))
      yield* socket.on("count", () => Effect.orDie(io.serverCount))
    })
  )
  const Live = SocketServer.serve(Main).pipe(
    Layer.provide(Layer.orDie(NodeClusterAdapter.layer())),
    Layer.provide(StickyWorker.layer(http))
  )
  const Reported = Layer.effectDiscard(Effect.sync(report))
  Effect.runFork(Layer.launch(Layer.provide(Reported, Live)))
}

const serveOurs = async (): Promise<void> => {
  const { Server } = await import("effect-socketio/facade")
  const { createAdapter } = await import("effect-socketio/facade/cluster-adapter")
  const { setupWorker } = await import("effect-socketio/facade/sticky")
  const io = new Server(http, { adapter: createAdapter({ heartbeatInterval: 1000 }) })
  serve(io)
  if (!sticky) return listen()
  setupWorker(io)
  report()
}

const serveOfficial = async (): Promise<void> => {
  const { createAdapter } = await import("@socket.io/cluster-adapter")
  const { Server } = await import("socket.io")
  const adapter = createAdapter({ heartbeatInterval: 1000, heartbeatTimeout: 30_000 })
  serve(new Server(http, { adapter }))
  listen()
}

const listen = (): void => {
  http.listen({ port: 0, host: "127.0.0.1", exclusive: true }, report)
}

if (kind === "effect") await serveEffect()
else if (kind === "ours") await serveOurs()
else await serveOfficial()
