/** Chapters "反向代理", "使用多个节点" and "处理 CORS". */
import { assert } from "@effect/vitest"
import { createServer, type IncomingMessage, type Server as HttpServer } from "node:http"
import httpProxy from "http-proxy"
import { Server } from "effect-socketio/facade"
import { io as connect } from "effect-socketio/facade/client"
import { connected, event, type Programs, type Scene } from "../Scene.ts"
import { reached } from "./Servers.ts"

/** What a browser does before and with a polling request of a page of `origin`. */
const asked = async (url: string, origin: string, headers: string = "content-type") => {
  const polling = `${url}/socket.io/?EIO=4&transport=polling`
  const preflight = await fetch(polling, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": headers }
  })
  const answer = await fetch(polling, { headers: { origin } })
  assert.match(await answer.text(), /^0\{"sid":/)
  const of = (response: Response, name: string) => response.headers.get(`access-control-allow-${name}`)
  return {
    status: preflight.status,
    origin: [of(preflight, "origin"), of(answer, "origin")],
    credentials: [of(preflight, "credentials"), of(answer, "credentials")],
    methods: of(preflight, "methods"),
    headers: of(preflight, "headers")
  }
}

const listening = async (scene: Scene, httpServer: HttpServer, io: Server): Promise<string> => {
  httpServer.listen(0)
  return scene.url(io)
}

export const deployment: Programs = {
  "path of one's own": async (scene) => {
    const io = new Server({
      path: "/my-custom-path/"
    })
    const { console } = scene
    io.on("connection", (socket) => console.log(socket.id))
    io.listen(0)
    const url = await scene.url(io)
    const socket = connect(url, {
      path: "/my-custom-path/"
    })
    await connected(scene.keep(socket))
    assert.deepStrictEqual(await scene.printed(), [socket.id])
    assert.strictEqual((await fetch(`${url}/my-custom-path/?EIO=4&transport=polling`)).status, 200)
  },

  "http-proxy in front": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => console.log(socket.id))
    const proxy = httpProxy.createProxyServer({
      target: url,
      ws: true
    })
    proxy.on("error", () => {})
    proxy.listen(0)
    const { _server: listener } = proxy as unknown as { readonly _server: HttpServer }
    await reached(scene, await scene.address(listener))
  },

  "WebSocket only": async (scene) => {
    const [io, url] = await scene.serve()
    const arrival = event(io, "connection")
    const socket = connect(url, {
      transports: ["websocket"]
    })
    scene.keep(socket)
    const [there] = await arrival
    assert.strictEqual((there as { conn: { transport: { name: string } } }).conn.transport.name, "websocket")
    const either = connect(url, {
      forceNew: true,
      transports: ["websocket", "polling"]
    })
    await connected(scene.keep(either))
    assert.strictEqual(either.io.engine.transport.name, "websocket")
  },

  "sticky sessions by cookie across origins": async (scene) => {
    const [, port] = await scene.child("sticky-cookie.cjs")
    const url = `http://localhost:${String(port)}`
    assert.deepStrictEqual(await asked(url, "https://front-domain.com"), {
      status: 204,
      origin: ["https://front-domain.com", "https://front-domain.com"],
      credentials: ["true", "true"],
      methods: "GET,POST",
      headers: "content-type"
    })
    const [, outcome] = await scene.child("sticky-cookie-client.cjs", url)
    assert.deepStrictEqual(outcome, { connected: true, cookie: "SERVERID=app01" })
  },

  "origin allowed": async (scene) => {
    const httpServer = createServer()
    const io = new Server(httpServer, {
      cors: {
        origin: "https://example.com"
      }
    })
    const url = await listening(scene, httpServer, io)
    assert.deepStrictEqual(await asked(url, "https://example.com"), {
      status: 204,
      origin: ["https://example.com", "https://example.com"],
      credentials: [null, null],
      methods: "GET,HEAD,PUT,PATCH,POST,DELETE",
      headers: "content-type"
    })
  },

  "headers and credentials across origins": async (scene) => {
    const { console } = scene
    const httpServer = createServer()
    const io = new Server(httpServer, {
      cors: {
        origin: "https://example.com",
        allowedHeaders: ["my-custom-header"],
        credentials: true
      }
    })
    const url = await listening(scene, httpServer, io)
    assert.deepStrictEqual(await asked(url, "https://example.com", "my-custom-header"), {
      status: 204,
      origin: ["https://example.com", "https://example.com"],
      credentials: ["true", "true"],
      methods: "GET,HEAD,PUT,PATCH,POST,DELETE",
      headers: "my-custom-header"
    })
    io.on("connection", (socket) => console.log(socket.handshake.headers["my-custom-header"]))
    const socket = connect(url, {
      withCredentials: true,
      extraHeaders: {
        "my-custom-header": "abcd"
      }
    })
    await connected(scene.keep(socket))
    assert.deepStrictEqual(await scene.printed(), ["abcd"])
  },

  "page on another port of localhost": async (scene) => {
    const httpServer = createServer()
    const io = new Server(httpServer, {
      cors: {
        origin: "http://localhost:8080"
      }
    })

    httpServer.listen(0)
    const { origin } = await asked(await scene.url(io), "http://localhost:8080")
    assert.deepStrictEqual(origin, ["http://localhost:8080", "http://localhost:8080"])
  },

  "no other origin at all": async (scene) => {
    const httpServer = createServer()
    const io = new Server(httpServer, {
      allowRequest: (req: IncomingMessage, callback) => {
        const noOriginHeader = req.headers.origin === undefined
        callback(null, noOriginHeader)
      }
    })
    const url = await listening(scene, httpServer, io)
    await connected(scene.client(url))
    const polling = `${url}/socket.io/?EIO=4&transport=polling`
    const refused = await fetch(polling, { headers: { origin: "https://example.com" } })
    assert.strictEqual(refused.status, 403)
    assert.strictEqual(((await refused.json()) as { code: number }).code, 4)
    const extraHeaders = { origin: "https://example.com" }
    const socket = scene.client(url, { transports: ["websocket"], reconnection: false, extraHeaders })
    await event(socket, "connect_error")
    assert.isFalse(socket.connected)
  },

  "credentials need an origin that is named": async (scene) => {
    const httpServer = createServer()
    const io = new Server(httpServer, {
      cors: {
        origin: "https://my-frontend.com",
        credentials: true
      }
    })
    const url = await listening(scene, httpServer, io)
    const { origin, credentials } = await asked(url, "https://elsewhere.com")
    assert.deepStrictEqual(origin, ["https://my-frontend.com", "https://my-frontend.com"])
    assert.deepStrictEqual(credentials, ["true", "true"])
  },

  "origins that are listed": async (scene) => {
    const httpServer = createServer()
    const io = new Server(httpServer, {
      cors: {
        origin: ["https://my-frontend.com", "https://my-other-frontend.com", "http://localhost:3000"],
        credentials: true
      }
    })
    const url = await listening(scene, httpServer, io)
    const listed = await asked(url, "https://my-other-frontend.com")
    assert.deepStrictEqual(listed.origin, ["https://my-other-frontend.com", "https://my-other-frontend.com"])
    assert.deepStrictEqual((await asked(url, "https://elsewhere.com")).origin, [null, null])
  }
}
