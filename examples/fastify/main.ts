/** Socket.IO as a plugin of Fastify: `node --conditions=source examples/fastify/main.ts` in a clone. */
import { fastifySocketIO } from "effect-socketio/fastify"
import fastify from "fastify"

const app = fastify()
await app.register(fastifySocketIO, { pingInterval: 10_000 })

app.get("/", () => "hello from Fastify")
app.post("/announce", (request) => {
  app.io.emit("announced", request.body)
  return { clients: app.io.engine.clientsCount }
})

app.io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => app.io.emit("heard", socket.id, message))
})

const address = await app.listen({ port: Number(process.env["PORT"] ?? 3000), host: "127.0.0.1" })
console.log(`listening on ${address}`)

// Closes the sockets, too.
process.once("SIGTERM", () => void app.close())
