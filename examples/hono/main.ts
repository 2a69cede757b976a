/** Socket.IO beside Hono on Node: `node --conditions=source examples/hono/main.ts` in a clone. */
import { serve } from "@hono/node-server"
import { Server } from "effect-socketio/facade"
import { Hono } from "hono"
import type { Server as HttpServer } from "node:http"

const app = new Hono()
app.get("/", (context) => context.text("hello from Hono"))

const port = Number(process.env["PORT"] ?? 3000)
const httpServer = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, (address) => {
  console.log(`listening on http://127.0.0.1:${address.port}`)
})
const io = new Server(httpServer as HttpServer)

io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => io.emit("heard", socket.id, message))
})

process.once("SIGTERM", () => void io.close())
