/** Socket.IO beside a plain `node:http` server: `node --conditions=source examples/http/main.ts` in a clone. */
import { Server } from "effect-socketio/facade"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const httpServer = createServer((_request, response) => {
  response.end("hello from node:http")
})
const io = new Server(httpServer)

io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => io.emit("heard", socket.id, message))
})

httpServer.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`)
})

// Also closes the HTTP server.
process.once("SIGTERM", () => void io.close())
