/** Chapter "中间件". */
import { assert } from "@effect/vitest"
import express from "express"
import session, { type SessionData } from "express-session"
import type { IncomingMessage } from "node:http"
import { createServer } from "node:http"
import passport from "passport"
import { Strategy } from "passport-local"
import { type ExtendedError, Server, type Socket } from "effect-socketio/facade"
import { io as connect } from "effect-socketio/facade/client"
import { connected, event, type Programs } from "../Scene.ts"

type Next = (err?: ExtendedError) => void

/** A middleware of Express, as the seed's `wrap` takes it. */
type ExpressMiddleware = (request: never, response: never, next: (err?: unknown) => void) => void

const wrap = (middleware: ExpressMiddleware) => (socket: Socket, next: Next) =>
  middleware(socket.request as never, {} as never, next as (err?: unknown) => void)

interface WithSession extends IncomingMessage {
  readonly session: SessionData & { visits?: number }
}

const cookieOf = (response: Response): string => (response.headers.get("set-cookie") ?? "").split(";")[0]!

export const middleware: Programs = {
  "middleware of a namespace": async (scene) => {
    const isValid = (request: IncomingMessage): boolean => request.headers["x-valid"] === "yes"
    const [io, url] = await scene.serve()
    io.use((socket, next) => {
      if (isValid(socket.request)) {
        next()
      } else {
        next(new Error("invalid"))
      }
    })
    const [error] = await event(scene.client(url), "connect_error")
    assert.strictEqual((error as Error).message, "invalid")
    await connected(scene.client(url, { extraHeaders: { "x-valid": "yes" } }))
  },

  "several middlewares": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.use((_socket, next) => {
      console.log("first")
      next()
    })

    io.use((_socket, next) => {
      console.log("second")
      next(new Error("thou shall not pass"))
    })

    io.use((_socket, next) => {
      console.log("third")
      next()
    })
    const [error] = await event(scene.client(url), "connect_error")
    assert.strictEqual((error as Error).message, "thou shall not pass")
    console.log("end")
    const lines = [await scene.printed(), await scene.printed(), await scene.printed()]
    assert.deepStrictEqual(lines, [["first"], ["second"], ["end"]])
  },

  "client that leaves during a middleware": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const called = new Promise<number>((resolve) => {
      io.use((socket, next) => {
        console.log("middleware")
        setTimeout(() => {
          const { clientsCount } = io.engine
          next()
          setImmediate(() => resolve(clientsCount))
        }, 200)

        socket.on("disconnect", () => {
          console.log("disconnect")
        })
      })
    })

    io.on("connection", () => {
      console.log("connection")
    })

    const socket = connect(url, { forceNew: true })
    assert.deepStrictEqual(await scene.printed(), ["middleware"])
    setTimeout(() => {
      socket.disconnect()
    }, 0)
    assert.strictEqual(await called, 0)
    console.log("end")
    assert.deepStrictEqual(await scene.printed(), ["end"])
  },

  credentials: async (scene) => {
    const { console } = scene
    const [server, url] = await scene.serve()
    server.use((socket, next) => {
      const token = socket.handshake.auth.token
      console.log(token)
      next()
    })
    {
      const socket = connect(url, {
        forceNew: true,
        auth: {
          token: "abc"
        }
      })
      await connected(scene.keep(socket))
      assert.deepStrictEqual(await scene.printed(), ["abc"])
    }
    {
      const socket = connect(url, {
        forceNew: true,
        auth: (cb) => {
          cb({
            token: "abc"
          })
        }
      })
      await connected(scene.keep(socket))
      assert.deepStrictEqual(await scene.printed(), ["abc"])
    }
  },

  "message of a refusal": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.use((_, next) => next(new Error("not authorized")))
    const socket = scene.client(url)
    socket.on("connect_error", (err) => {
      console.log(err.message)
    })
    assert.deepStrictEqual(await scene.printed(), ["not authorized"])
  },

  "details of a refusal": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.use((_socket, next) => {
      const err: ExtendedError = new Error("not authorized")
      err.data = { content: "Please retry later" }
      next(err)
    })

    const socket = scene.client(url)
    socket.on("connect_error", (err) => {
      console.log(err instanceof Error)
      console.log(err.message)
      console.log((err as ExtendedError).data)
    })
    assert.deepStrictEqual(await scene.printed(), [true])
    assert.deepStrictEqual(await scene.printed(), ["not authorized"])
    assert.deepStrictEqual(await scene.printed(), [{ content: "Please retry later" }])
  },

  "express-session": async (scene) => {
    const { console } = scene
    const sessions = session({ secret: "cats", resave: false, saveUninitialized: true })
    const app = express()
    app.use(sessions)
    app.get("/", (request, response) => {
      Object.assign(request.session, { visits: 1 })
      response.end()
    })
    const httpServer = createServer(app)
    const io = new Server(httpServer)
    httpServer.listen(0)
    const url = await scene.url(io)

    io.use(wrap(sessions))

    io.on("connection", (socket) => {
      const session = (socket.request as WithSession).session
      console.log(session.visits)
    })
    const cookie = cookieOf(await fetch(url))
    await connected(scene.client(url, { extraHeaders: { cookie } }))
    assert.deepStrictEqual(await scene.printed(), [1])
    await connected(scene.client(url))
    assert.deepStrictEqual(await scene.printed(), [undefined])
  },

  Passport: async (scene) => {
    const authenticator = new passport.Passport()
    authenticator.use(new Strategy((username, _password, done) => done(null, { username })))
    authenticator.serializeUser((user, done) => done(null, user))
    authenticator.deserializeUser((user: Express.User, done) => done(null, user))

    const sessions = session({ secret: "cats", resave: false, saveUninitialized: false })
    const app = express()
    app.use(sessions, authenticator.initialize(), authenticator.session(), express.urlencoded())
    app.post("/login", authenticator.authenticate("local"), (_, response) => void response.end())
    const httpServer = createServer(app)
    const io = new Server(httpServer)
    httpServer.listen(0)
    const url = await scene.url(io)

    io.use(wrap(sessions))
    io.use(wrap(authenticator.initialize()))
    io.use(wrap(authenticator.session()))

    io.use((socket, next) => {
      if ((socket.request as IncomingMessage & { user?: unknown }).user) {
        next()
      } else {
        next(new Error("unauthorized"))
      }
    })
    const login = { method: "POST", body: new URLSearchParams({ username: "alice", password: "secret" }) }
    const cookie = cookieOf(await fetch(`${url}/login`, login))
    const arrival = event(io, "connection")
    await connected(scene.client(url, { extraHeaders: { cookie } }))
    const [socket] = await arrival
    assert.deepStrictEqual((socket as { request: IncomingMessage & { user?: unknown } }).request.user, {
      username: "alice"
    })
    const [error] = await event(scene.client(url), "connect_error")
    assert.strictEqual((error as Error).message, "unauthorized")
  }
}
