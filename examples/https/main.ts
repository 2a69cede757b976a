/**
 * Socket.IO over TLS, for clients with a certificate: `TLS=<folder> node --conditions=source examples/https/main.ts` in a clone.
 *
 * The folder holds the server's `server-key.pem` and `server-cert.pem`, and `client-cert.pem`, by which clients are known; examples/README.md says
 * how to make them.
 */
import { Server } from "effect-socketio/facade"
import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type { TLSSocket } from "node:tls"

const pem = (name: string): Buffer => readFileSync(join(process.env["TLS"] ?? ".", name))

const httpServer = createServer(
  {
    key: pem("server-key.pem"),
    cert: pem("server-cert.pem"),
    ca: [pem("client-cert.pem")],
    requestCert: true,
    // Those without a certificate are told so by the namespace. By default TLS refuses them.
    rejectUnauthorized: false
  },
  (_request, response) => {
    response.end("hello from node:https")
  }
)
const io = new Server(httpServer)

// A client that moves to WebSocket leaves the connection that it came by: what is needed of it must be read at once.
const names = new WeakMap<object, string>()
io.engine.on("connection", (rawSocket) => {
  const tls = rawSocket.request.socket as TLSSocket
  const name = tls.getPeerCertificate().subject?.CN
  if (tls.authorized && typeof name === "string") names.set(rawSocket, name)
})

io.use((socket, next) => {
  if (names.has(socket.conn)) next()
  else next(new Error("no certificate"))
})

io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => io.emit("heard", socket.id, message))
  socket.on("whoami", (reply) => reply(names.get(socket.conn)))
})

httpServer.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on https://localhost:${(httpServer.address() as AddressInfo).port}`)
})

process.once("SIGTERM", () => void io.close())
