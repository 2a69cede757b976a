import { assert, describe, it } from "@effect/vitest"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { vi } from "vitest"
import * as facade from "../../../src/facade/server.ts"
import { Server } from "../../../src/facade/server.ts"
import { client, next, pair, serve, ways } from "./serve.ts"

/** What keeps this process alive, by kind. */
const handles = (): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

describe("constructors", () => {
  it("with a port listen at once; of, use, join and emit act at once", async () => {
    const io = new Server(0)
    const address = io.httpServer.address()
    assert.isObject(address)
    const nsp = io.of("/x").use((_socket, next) => next())
    assert.isTrue(nsp.emit("nobody"))
    assert.strictEqual(io.path(), "/socket.io")
    assert.strictEqual(io.connectTimeout(), 45_000)
    assert.isTrue(io.serveClient())
    assert.strictEqual(io.adapter(), facade.Adapter)
    const { port } = address as { port: number }
    assert.strictEqual((await fetch(`http://127.0.0.1:${port}/other`)).status, 404)
    await io.close()
  })

  it("with options only wait for listen or attach", async () => {
    const io = new Server({ path: "/custom/", pingInterval: 1234 })
    const http = createServer((_request, response) => response.end("mine"))
    assert.strictEqual(io.path(), "/custom")
    assert.strictEqual(io.listen(http), io)
    assert.strictEqual(io.httpServer, http)
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    const url = `http://127.0.0.1:${(http.address() as { port: number }).port}`
    const open: { pingInterval: number } = await fetch(`${url}/custom/?EIO=4&transport=polling`)
      .then((response) => response.text())
      .then((text) => JSON.parse(text.slice(1)))
    assert.strictEqual(open.pingInterval, 1234)
    assert.strictEqual(await fetch(`${url}/other`).then((response) => response.text()), "mine")
    await io.close()
  })

  it("setters give the server, getters what was set", () => {
    const io = new Server()
    assert.strictEqual(io.path("/a/").path(), "/a")
    assert.strictEqual(io.connectTimeout(5).connectTimeout(), 5)
    assert.strictEqual(io.serveClient(false).serveClient(), false)
    assert.isUndefined(io.engine)
  })

  it("without new, as require gives it", async () => {
    // The entry point itself: what `require("effect-socketio/facade")` gives.
    const required: typeof facade & ((port: number) => Server) = createRequire(import.meta.url)(
      "../../../src/facade/server.ts"
    )
    assert.isFunction(required)
    assert.strictEqual(typeof required.Server, "function")
    const io = required(0)
    assert.strictEqual(io.constructor.name, "Server")
    await io.close()
  })
})

describe("servers", () => {
  it("two in one process do not know of each other", async () => {
    const [one, two] = [await serve(), await serve()]
    const [socket] = await pair(one)
    await pair(two)
    assert.strictEqual(one.io.engine.clientsCount, 1)
    assert.strictEqual(two.io.sockets.sockets.size, 1)
    assert.isFalse(two.io.sockets.sockets.has(socket.id))
  })

  it("two on one HTTP server by their paths", async () => {
    const http = createServer()
    const [one, two] = [new Server(http, { path: "/one" }), new Server(http, { path: "/two" })]
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    const url = `http://127.0.0.1:${(http.address() as { port: number }).port}`
    await next(client(url, { ...ways.upgrade, path: "/one" }), "connect")
    await next(client(url, { ...ways.upgrade, path: "/two" }), "connect")
    assert.deepStrictEqual([one.engine.clientsCount, two.engine.clientsCount], [1, 1])
    // The HTTP server is closed when the connections of both are.
    await Promise.all([one.close(), two.close()])
  })

  it("made and closed a thousand times leave nothing behind", async () => {
    const round = async (): Promise<void> => {
      const io = new Server(0)
      io.of("/x").on("connection", () => {})
      io.of(/^\/y/)
      await io.close()
    }
    const before = handles()
    for (let i = 0; i < 1000; i++) await round()
    // Node lets go of a listening socket some turns after it has closed.
    await vi.waitFor(() => assert.isAtMost(handles()["TCPServerWrap"] ?? 0, before["TCPServerWrap"] ?? 0))
    await vi.waitFor(() => assert.isAtMost(handles()["Timeout"] ?? 0, (before["Timeout"] ?? 0) + 1))
  }, 60_000)

  it("with clients, closed, leave nothing behind", async () => {
    const before = handles()
    for (let i = 0; i < 5; i++) {
      for (const way of Object.values(ways)) {
        const io = new Server(0)
        const { port } = io.httpServer.address() as { port: number }
        const peer = client(`http://127.0.0.1:${port}`, way)
        await next(peer, "connect")
        const lost = next(peer, "disconnect")
        await io.close()
        await lost
        peer.disconnect()
      }
    }
    for (const kind of ["TCPServerWrap", "TCPSocketWrap"]) {
      await vi.waitFor(() => assert.isAtMost(handles()[kind] ?? 0, before[kind] ?? 0))
    }
  })
})
