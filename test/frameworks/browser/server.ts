/**
 * What the browsers' tests talk to: pages that load the client by a classic script and by ESM, from this server or another, and sockets.
 *
 * `PORT`, and `OPTIONS`: the options of the server, as JSON.
 */
import { Server, type ServerOptions } from "effect-socketio/facade"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"

const loaders: Readonly<Record<string, (from: string) => string>> = {
  "/script": (from) => `<script src="${from}/socket.io/socket.io.js"></script>`,
  "/script.min": (from) => `<script src="${from}/socket.io/socket.io.min.js"></script>`,
  "/esm": (from) =>
    `<script type="module">import { io } from "${from}/socket.io/socket.io.esm.min.js"; window.io = io</script>`
}

/** `?from=<origin>` names the server that the client's file comes from; none is this one. */
const pages: RequestListener = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost")
  const from = searchParams.get("from") ?? ""
  const loader = loaders[pathname]
  if (loader === undefined || !/^(?:https?:\/\/[\w.]+:\d+)?$/.test(from)) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" })
  response.end(`<!doctype html><title>${pathname}</title>${loader(from)}`)
}

const options = JSON.parse(process.env["OPTIONS"] ?? "{}") as Partial<ServerOptions>
const httpServer = createServer(pages)
const io = new Server(httpServer, { pingInterval: 1000, pingTimeout: 1000, ...options })

// A cookie of the program's own, beside the one of the engine.
io.engine.on("initial_headers", (headers) => {
  headers["Set-Cookie"] = [headers["Set-Cookie"] ?? [], "visitor=42; Path=/; SameSite=Lax"].flat()
})

io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("silence", () => {})
  socket.on("shout", (message) => io.emit("heard", message))
  socket.on("conn", (reply) =>
    reply({
      transport: socket.conn.transport.name,
      cookie: socket.handshake.headers.cookie ?? null,
      origin: socket.handshake.headers.origin ?? null,
      xdomain: socket.handshake.xdomain,
      extra: socket.handshake.headers["x-extra"] ?? null
    })
  )
  socket.emit("welcome", Buffer.from([1, 2, 3]), { nested: Buffer.from([4]) })
})

httpServer.listen(Number(process.env["PORT"] ?? 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`)
})

process.once("SIGTERM", () => void io.close())
