/** Chapter "什么是 Socket.IO" and the features after it. */
import { assert } from "@effect/vitest"
import { Server } from "effect-socketio/facade"
import { io as connect } from "effect-socketio/facade/client"
import { WebSocket, WebSocketServer } from "ws"
import { connected, event, type Programs } from "../Scene.ts"

export const introduction: Programs = {
  "bare WebSocket server and client": async (scene) => {
    const { console } = scene
    const server = new WebSocketServer({ port: 0 })
    server.on("connection", (socket) => {
      socket.send(JSON.stringify({ type: "hello from server", content: [1, "2"] }))
      socket.on("message", (data) => {
        const packet = JSON.parse(String(data))
        if (packet.type === "hello from server") console.log("server", packet.content)
      })
    })
    await event(server, "listening")
    const { port } = server.address() as { port: number }
    const socket = new WebSocket(`ws://localhost:${port}`)
    scene.defer(() => {
      socket.close()
      server.close()
    })
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ type: "hello from server", content: [3, "4"] }))
    })
    socket.addEventListener("message", ({ data }) => {
      const packet = JSON.parse(String(data))
      if (packet.type === "hello from server") console.log("client", packet.content)
    })
    const lines = [await scene.printed(), await scene.printed()].sort()
    assert.deepStrictEqual(lines, [
      ["client", [1, "2"]],
      ["server", [3, "4"]]
    ])
  },

  "first server and client": async (scene) => {
    const { console } = scene
    const io = new Server(0)
    io.on("connection", (socket) => {
      socket.emit("hello from server", 1, "2", { 3: Buffer.from([4]) })
      socket.on("hello from server", (...args) => console.log("server", ...args))
    })
    const url = await scene.url(io)
    const socket = connect(url.replace("http", "ws"))
    scene.keep(socket)
    socket.emit("hello from server", 5, "6", { 7: Uint8Array.from([8]) })
    socket.on("hello from server", (...args) => console.log("client", ...args))
    const lines = [await scene.printed(), await scene.printed()].sort()
    assert.deepStrictEqual(lines, [
      ["client", 1, "2", { 3: Buffer.from([4]) }],
      ["server", 5, "6", { 7: Buffer.from([8]) }]
    ])
  },

  "client of a plain WebSocket server": async (scene) => {
    const echo = new WebSocketServer({ port: 0 })
    scene.defer(() => echo.close())
    await event(echo, "listening")
    const socket = connect(`ws://localhost:${(echo.address() as { port: number }).port}`)
    scene.keep(socket)
    const [error] = await event(socket, "connect_error")
    assert.strictEqual((error as Error).message, "xhr poll error")
    assert.isFalse(socket.connected)
  },

  "acknowledgement by callback": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      socket.on("hello", (arg, callback) => {
        console.log(arg)
        callback("got it!")
      })
    })
    const sender = (socket: ReturnType<typeof connect>) => {
      socket.emit("hello", "world", (response: unknown) => {
        console.log(response)
      })
    }
    sender(scene.client(url))
    assert.deepStrictEqual(await scene.printed(), ["world"])
    assert.deepStrictEqual(await scene.printed(), ["got it!"])
  },

  "acknowledgement in the other direction": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    const client = scene.client(url)
    client.on("hello", (arg, callback) => {
      console.log(arg)
      callback("got it!")
    })
    io.on("connection", (socket) => {
      socket.emit("hello", "world", (response: unknown) => {
        console.log(response)
      })
    })
    assert.deepStrictEqual(await scene.printed(), ["world"])
    assert.deepStrictEqual(await scene.printed(), ["got it!"])
  },

  "broadcast to all and to a room": async (scene) => {
    const [io, url] = await scene.serve()
    const [reader, readerClient] = await scene.pair(io, url)
    const [, otherClient] = await scene.pair(io, url)
    await reader.join("news")
    const counts = { reader: 0, other: 0 }
    readerClient.on("hello", () => counts.reader++)
    otherClient.on("hello", () => counts.other++)
    io.emit("hello")
    io.to("news").emit("hello")
    const ends = [event(readerClient, "end"), event(otherClient, "end")]
    io.emit("end")
    await Promise.all(ends)
    assert.deepStrictEqual(counts, { reader: 2, other: 1 })
  },

  "namespaces share a connection": async (scene) => {
    const { console } = scene
    const [io, url] = await scene.serve()
    io.on("connection", (socket) => {
      console.log("user", socket.nsp.name)
    })
    io.of("/admin").on("connection", (socket) => {
      console.log("admin", socket.nsp.name)
    })
    const user = scene.client(url)
    const admin = scene.keep(user.io.socket("/admin", {}))
    await Promise.all([connected(user), connected(admin)])
    const lines = [await scene.printed(), await scene.printed()].sort()
    assert.deepStrictEqual(lines, [
      ["admin", "/admin"],
      ["user", "/"]
    ])
    assert.strictEqual(io.engine.clientsCount, 1)
  }
}
