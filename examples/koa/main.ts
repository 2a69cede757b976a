/** Socket.IO beside Koa: `node --conditions=source examples/koa/main.ts` in a clone. */
import { Server } from "effect-socketio/facade"
import Koa from "koa"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const app = new Koa()
app.use((context) => {
  context.body = "hello from Koa"
})

// `app.listen` would make another server.
const httpServer = createServer(app.callback())
const io = new Server(httpServer)

io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => io.emit("heard", socket.id, message))
})

httpServer.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`)
})

process.once("SIGTERM", () => void io.close())
