/** Chapter "服务器初始化", without the frameworks. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { createSecureServer } from "node:http2"
import { createServer as createHttpsServer, get } from "node:https"
import type { TLSSocket } from "node:tls"
import { Server } from "effect-socketio/facade"
import { io as connect } from "effect-socketio/facade/client"
import { connected, type Programs, type Scene } from "../Scene.ts"

const fixture = (name: string): string => new URL(`../../transport/fixtures/${name}.pem`, import.meta.url).pathname
const paths = { key: fixture("key"), cert: fixture("cert") }

/** A client over each transport finds the server whose `connection` listener prints the id. */
export const reached = async (
  scene: Scene,
  url: string,
  options: { readonly ca?: string | Buffer } = {}
): Promise<void> => {
  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    const client = await connected(scene.client(url, { transports, ...options }))
    assert.deepStrictEqual(await scene.printed(), [client.id])
  }
}

export const servers: Programs = {
  "server alone, CommonJS": async (scene) => {
    const [child, port] = await scene.child("alone.cjs")
    const client = await connected(scene.client(`http://localhost:${String(port)}`))
    const ids = new Promise((resolve) => child.once("message", resolve))
    child.send("which")
    assert.deepStrictEqual(await ids, [client.id])
  },

  "server alone": async (scene) => {
    const { console } = scene
    const io = new Server({})
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    io.listen(0)
    await reached(scene, await scene.url(io))
  },

  "server on a port": async (scene) => {
    const { console } = scene
    const io = new Server(0, {})
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    await reached(scene, await scene.url(io))
    assert.isTrue(io.httpServer.listening)
  },

  "server on an HTTP server": async (scene) => {
    const { console } = scene
    const httpServer = createServer()
    const io = new Server(httpServer, {})
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    httpServer.listen(0)
    await reached(scene, await scene.url(io))
    assert.strictEqual(io.httpServer, httpServer)
  },

  "server on an HTTPS server": async (scene) => {
    const { console } = scene
    const httpServer = createHttpsServer({ key: readFileSync(paths.key), cert: readFileSync(paths.cert) })
    const io = new Server(httpServer, {})
    io.on("connection", (socket) => {
      assert.isTrue(socket.handshake.secure)
      console.log(socket.id)
    })
    httpServer.listen(0)
    await reached(scene, await scene.url(io, "https"), { ca: readFileSync(paths.cert) })
  },

  "client certificates": async (scene) => {
    const { console } = scene
    const httpServer = createHttpsServer({
      key: readFileSync(paths.key),
      cert: readFileSync(paths.cert),
      requestCert: true,
      ca: [readFileSync(paths.cert)]
    })
    const io = new Server(httpServer, {})
    interface WithCertificate {
      peerCertificate?: ReturnType<TLSSocket["getPeerCertificate"]>
    }
    io.engine.on("connection", (rawSocket) => {
      const certified = rawSocket as WithCertificate
      certified.peerCertificate = (rawSocket.request.socket as TLSSocket).getPeerCertificate()
    })
    io.on("connection", (socket) => {
      console.log((socket.conn as WithCertificate).peerCertificate)
    })
    httpServer.listen(0)
    const url = await scene.url(io, "https")
    const socket = connect(url, {
      key: readFileSync(paths.key),
      cert: readFileSync(paths.cert),
      ca: [readFileSync(paths.cert)]
    })
    scene.keep(socket)
    const [certificate] = await scene.printed()
    assert.include((certificate as ReturnType<TLSSocket["getPeerCertificate"]>).subject, { CN: "localhost" })
  },

  "server on an HTTP/2 server": async (scene) => {
    const { console } = scene
    const httpServer = createSecureServer({
      allowHTTP1: true,
      key: readFileSync(paths.key),
      cert: readFileSync(paths.cert)
    })
    const io = new Server(httpServer, {})
    io.on("connection", (socket) => {
      console.log(socket.id)
    })
    httpServer.listen(0)
    const url = await scene.url(io, "https")
    const status = new Promise((resolve) => {
      get(`${url}/socket.io/?EIO=4&transport=polling`, { ca: readFileSync(paths.cert), agent: false }, (answer) =>
        resolve(answer.resume().statusCode)
      )
    })
    assert.strictEqual(await status, 200)
    await reached(scene, url, { ca: readFileSync(paths.cert) })
  }
}
