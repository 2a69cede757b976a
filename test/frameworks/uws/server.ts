/** A server on µWebSockets.js with middleware, CORS and limits, for the tests. */
import uWS from "@trufflesuite/uws-js-unofficial"
import { Server } from "effect-socketio/facade"
import session from "express-session"

const app = uWS.App()
const io = new Server({
  cors: { origin: "http://allowed.example", credentials: true },
  cookie: true,
  path: "/chat",
  maxHttpBufferSize: 500_000,
  allowRequest: (request, done) => done("not you", request.headers["x-refuse"] === undefined)
})
io.attachApp(app, { idleTimeout: 60 })

io.engine.use(session({ secret: "cats", resave: false, saveUninitialized: true }))
io.engine.use((_request, response, next) => {
  response.setHeader("X-Middleware", "was here")
  next()
})
io.engine.use((request, response, next) => {
  if (request.url?.includes("teapot")) {
    response.statusCode = 418
    response.end("a teapot")
  } else next(request.url?.includes("broken") ? new Error("broken") : undefined)
})
io.engine.on("initial_headers", (headers) => {
  headers["X-Initial"] = "yes"
})

io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => io.emit("heard", socket.id, message))
  socket.on("conn", (reply) => {
    const { handshake, request } = socket
    reply({
      address: handshake.address,
      secure: handshake.secure,
      url: request.url,
      session: "session" in request
    })
  })
  // More than the system's buffers hold.
  socket.on("flood", (count, reply) => {
    for (let i = 0; i < count; i++) socket.emit("flooded", i, "x".repeat(10_000))
    reply()
  })
})

app.listen("127.0.0.1", Number(process.env["PORT"] ?? 0), (listening) => {
  if (!listening) throw new Error("the port is taken")
  console.log(`listening on http://127.0.0.1:${uWS.us_socket_local_port(listening)}`)
})
