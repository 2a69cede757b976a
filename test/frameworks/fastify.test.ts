/** The plugin of Fastify. */
import { assert, describe, it } from "@effect/vitest"
import fastify from "fastify"
import { spawnSync } from "node:child_process"
import type { AddressInfo } from "node:net"
import { fastifySocketIO } from "../../src/facade/fastify.ts"
import type { Socket } from "../../src/facade/server.ts"
import { converse, libraries, next, open, routes } from "./Conversation.ts"
import { fetchGreeting, suite } from "./Suite.ts"

suite({
  name: "Fastify",
  file: "examples/fastify/main.ts",
  greeting: fetchGreeting,
  more: (url) => {
    it("routes reach the sockets through the decorator", async () => {
      const socket = await open(libraries[0]!, url(), routes[2]!)
      const announced = next<[unknown]>(socket, "announced")
      const response = await fetch(`${url()}/announce`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ news: "good" })
      })
      assert.deepStrictEqual(await response.json(), { clients: 1 })
      assert.deepStrictEqual(await announced, [{ news: "good" }])
      socket.disconnect()
    })
  }
})

const echo = (socket: Socket): void => {
  socket.on("echo", (message, reply) => reply(message))
  socket.on("shout", (message) => socket.nsp.emit("heard", socket.id, message))
}

describe("the plugin of Fastify", () => {
  it("decorates the parent, so that siblings and children see it", async () => {
    const app = fastify()
    let seen: unknown
    app.register(fastifySocketIO)
    app.register((child, _options, done) => {
      seen = child.io
      done()
    })
    await app.ready()
    assert.isDefined(seen)
    assert.strictEqual(seen, app.io)
    await app.close()
  })

  it("takes the options of the server", async () => {
    const app = fastify()
    app.register(fastifySocketIO, { path: "/chat", pingInterval: 1234 })
    await app.listen({ port: 0, host: "127.0.0.1" })
    const { port } = app.server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/chat/?EIO=4&transport=polling`)
    assert.include(await response.text(), '"pingInterval":1234')
    assert.strictEqual((await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`)).status, 404)
    await app.close()
  })

  it("serves both addresses of localhost, though Fastify has a server for each", async () => {
    const app = fastify()
    app.register(fastifySocketIO)
    await app.ready()
    app.io.on("connection", echo)
    await app.listen({ port: 0, host: "localhost" })
    for (const { address, family, port } of app.addresses() as Array<AddressInfo>) {
      const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`
      for (const route of routes) await converse(libraries[0]!, url, route)
    }
    await app.close()
  })

  it("closes with Fastify, and Fastify with clients connected", async () => {
    const app = fastify()
    app.register(fastifySocketIO)
    await app.listen({ port: 0, host: "127.0.0.1" })
    const { port } = app.server.address() as AddressInfo
    const sockets = await Promise.all(routes.map((route) => open(libraries[0]!, `http://127.0.0.1:${port}`, route)))
    const left = Promise.all(sockets.map((socket) => next<[string]>(socket, "disconnect")))
    await app.close()
    // Not "io server disconnect", after which clients do not come back: the program may be starting again.
    assert.deepStrictEqual(
      (await left).map(([reason]) => reason),
      routes.map(() => "transport close")
    )
    assert.strictEqual(app.io.engine.clientsCount, 0)
  })

  it("closes a Fastify that never listened", async () => {
    const app = fastify()
    app.register(fastifySocketIO)
    await app.ready()
    await app.close()
  })

  it("preClose takes the place of the default", async () => {
    const app = fastify()
    let called = 0
    app.register(fastifySocketIO, {
      preClose: (done) => {
        called++
        app.io.disconnectSockets(true)
        done()
      }
    })
    await app.listen({ port: 0, host: "127.0.0.1" })
    const { port } = app.server.address() as AddressInfo
    const socket = await open(libraries[0]!, `http://127.0.0.1:${port}`, routes[1]!)
    const left = next<[string]>(socket, "disconnect")
    await app.close()
    assert.strictEqual((await left)[0], "io server disconnect")
    assert.strictEqual(called, 1)
  })

  it("can be required, and imported by default, as fastify-socket.io", () => {
    const program = `
      const required = require("effect-socketio/fastify")
      import("effect-socketio/fastify").then((imported) =>
        console.log(typeof required, required === imported.default, required === imported.fastifySocketIO)
      )`
    const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=source", "-e", program], { encoding: "utf8" })
    assert.strictEqual(stdout, "function true true\n", stderr)
  })
})
