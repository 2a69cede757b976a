/**
 * Express with sessions and passport, which the sockets share: `node --conditions=source examples/express/main.ts` in a clone.
 *
 * Who logs in by `POST /login` (ada, secret) is known to the sockets that the same browser opens.
 */
import { Server, type Socket } from "effect-socketio/facade"
import express, { type RequestHandler, type Response } from "express"
import session from "express-session"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import passport from "passport"
import { Strategy } from "passport-local"

interface User {
  readonly username: string
}

/** What session and passport add to a request. */
type SessionRequest = IncomingMessage & {
  readonly session: session.Session & { visits?: number }
  readonly user?: User
}

passport.use(
  new Strategy((username, password, done) => {
    done(null, username === "ada" && password === "secret" ? { username } : false)
  })
)
passport.serializeUser((user, done) => done(null, (user as User).username))
passport.deserializeUser((username: string, done) => done(null, { username }))

// In production: a store that outlives the process, and a secret from outside.
const sessions = session({ secret: "cats", resave: false, saveUninitialized: false })

const app = express()
app.use(express.urlencoded({ extended: false }), sessions, passport.initialize(), passport.session())
app.get("/", (_request, response) => {
  response.send("hello from Express")
})
app.post("/login", passport.authenticate("local"), (_request, response) => {
  response.send("welcome")
})

// `app.listen` would make another server.
const httpServer = createServer(app)
const io = new Server(httpServer)

// Runs for every request of the engine, so that the session's cookie is set and renewed by these too.
io.engine.use(sessions)

// The usual wrap: middleware of Express for the sockets of a namespace, over the first request of each.
const wrap = (middleware: RequestHandler) => (socket: Socket, next: (error?: Error) => void) =>
  middleware(socket.request as Parameters<RequestHandler>[0], {} as Response, next as Parameters<RequestHandler>[2])

const members = io.of("/members")
members.use(wrap(passport.initialize()))
members.use(wrap(passport.session()))
members.use((socket, next) => {
  if ((socket.request as SessionRequest).user === undefined) next(new Error("unauthorized"))
  else next()
})
members.on("connection", (socket) => {
  const request = socket.request as SessionRequest
  socket.on("whoami", (reply) => reply(request.user?.username))
  socket.on("visit", (reply) => {
    // The session may have changed since the request that this socket came with.
    request.session.reload(() => {
      request.session.visits = (request.session.visits ?? 0) + 1
      request.session.save(() => reply(request.session.visits))
    })
  })
  // All sockets of a session can be reached at once, to log them out for example.
  socket.join(request.session.id)
})

io.on("connection", (socket) => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => io.emit("heard", socket.id, message))
})

app.post("/logout", (request, response) => {
  members.in(request.session.id).disconnectSockets(true)
  request.session.destroy(() => response.send("bye"))
})

httpServer.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`)
})

process.once("SIGTERM", () => void io.close())
