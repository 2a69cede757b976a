/**
 * Socket.IO on µWebSockets.js: `node --conditions=source examples/uws/main.ts` in a clone, on a Node that µWebSockets.js has a binary for.
 *
 * `@trufflesuite/uws-js-unofficial` is the µWebSockets.js that npm has; the original comes from GitHub as `uWebSockets.js`.
 */
import uWS from "@trufflesuite/uws-js-unofficial"
import { Server } from "effect-socketio/facade"

const app = uWS.App()
app.get("/", (response) => {
  response.end("hello from µWebSockets.js")
})

const io = new Server()
io.attachApp(app)

io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => io.emit("heard", socket.id, message))
})

app.listen("127.0.0.1", Number(process.env["PORT"] ?? 3000), (listening) => {
  if (!listening) throw new Error("the port is taken")
  console.log(`listening on http://127.0.0.1:${uWS.us_socket_local_port(listening)}`)
  process.once("SIGTERM", () => {
    uWS.us_listen_socket_close(listening)
    void io.close()
  })
})
