/**
 * Socket.IO beside HTTP/2: `TLS=<folder> node --conditions=source examples/http2/main.ts` in a clone.
 *
 * Browsers poll over HTTP/2 and open their WebSocket over HTTP/1.1, which `allowHTTP1` is for. The folder holds `server-key.pem` and
 * `server-cert.pem`; examples/README.md says how to make them.
 */
import { Server } from "effect-socketio/facade"
import { readFileSync } from "node:fs"
import { createSecureServer } from "node:http2"
import type { AddressInfo } from "node:net"
import { join } from "node:path"

const pem = (name: string): Buffer => readFileSync(join(process.env["TLS"] ?? ".", name))

const httpServer = createSecureServer(
  { allowHTTP1: true, key: pem("server-key.pem"), cert: pem("server-cert.pem") },
  (request, response) => {
    response.end(`hello from node:http2 over HTTP/${request.httpVersion}`)
  }
)
const io = new Server(httpServer)

io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => io.emit("heard", socket.id, message))
})

httpServer.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on https://localhost:${(httpServer.address() as AddressInfo).port}`)
})

process.once("SIGTERM", () => void io.close())
