// The CommonJS form of a server under Fastify.
const { listenOnLoopback } = require("../Loopback.ts")
const fastify = require("fastify")
const fastifyIO = require("effect-socketio/fastify")

listenOnLoopback()
const server = fastify()
server.register(fastifyIO)

server.get("/", (req, reply) => {
  server.io.emit("hello")
  reply.send("from Fastify")
})

server.ready().then(() => {
  server.io.on("connection", (socket) => {
    socket.emit("id", socket.id)
  })
})

server.listen({ port: 0 }, () => process.send(server.server.address().port))
process.on("disconnect", () => server.close())
