import { onTestFinished } from "vitest"
import { assert, describe, it } from "vitest"
import * as client from "../../../src/facade/client.ts"
import { next, official, uncaught } from "./servers.ts"

const { io } = client

const open = (url: string | undefined, options: client.LookupOptions = {}): client.Socket => {
  const socket = url === undefined ? io(options) : io(url, options)
  onTestFinished(() => void socket.disconnect())
  return socket
}

describe("io()", () => {
  it("shares the connection between namespaces of one server", async () => {
    const { url, io: server } = await official((io) => void io.of("/admin"))
    const main = open(url)
    const admin = open(url + "/admin")
    await Promise.all([next(main, "connect"), next(admin, "connect")])
    assert.strictEqual(main.io, admin.io)
    assert.strictEqual(server.engine.clientsCount, 1)
  })

  it("makes another connection for the same namespace, forceNew, multiplex: false, another path or port", async () => {
    const { url, port } = await official()
    const first = open(url, { autoConnect: false })
    const others = [
      open(url, { autoConnect: false }),
      open(url + "/a", { autoConnect: false, forceNew: true }),
      open(url + "/b", { autoConnect: false, multiplex: false }),
      open(url + "/c", { autoConnect: false, path: "/other" }),
      open(`http://127.0.0.1:${port + 1}/d`, { autoConnect: false })
    ]
    assert.strictEqual(new Set([first, ...others].map((socket) => socket.io)).size, 6)
    assert.strictEqual(open(url + "/e", { autoConnect: false }).io, first.io)
  })

  it("takes options alone, with the server in them", async () => {
    const { port } = await official()
    const socket = open(undefined, { hostname: "127.0.0.1", port, forceNew: true })
    await next(socket, "connect")
    const other = open(undefined, { host: "127.0.0.1", port: String(port), secure: false, forceNew: true })
    await next(other, "connect")
  })

  it("sends the query of the URL, unless there is one in the options", async () => {
    const { url, io: server } = await official()
    const queryOf = async (socket: client.Socket) => {
      await next(socket, "connect")
      return server.sockets.sockets.get(socket.id ?? "")?.handshake.query["x"]
    }
    assert.strictEqual(await queryOf(open(url + "/?x=a%26b", { forceNew: true })), "a&b")
    assert.strictEqual(await queryOf(open(url + "/?x=1", { forceNew: true, query: { x: 2 } })), "2")
    assert.strictEqual(await queryOf(open(url, { forceNew: true, query: "x=3&y=4" })), "3")
  })

  it("of a namespace with other characters than ASCII", async () => {
    const { url } = await official((io) => void io.of("/ünï cödé"))
    await next(open(url + "/ünï cödé", { forceNew: true }), "connect")
  })

  it("a URL that is none fails to connect, and says so", async () => {
    const socket = open("http://a b/", { forceNew: true, reconnection: false })
    const [error] = await next(socket, "connect_error")
    assert.match((error as Error).message, /is not an http or ws URL/)
    assert.strictEqual(socket.io.engine.readyState, "closed")
  })

  it("a namespace named like a property of Object.prototype", async () => {
    const { url } = await official((io) => void io.of("/__proto__"))
    const socket = open(url + "/__proto__", { forceNew: true })
    await next(socket, "connect")
    assert.strictEqual(socket.nsp, "/__proto__")
  })

  it("has what Socket.IO's own has", () => {
    for (const each of [client.io, client.connect, client.lookup, io.io, io.connect, io.lookup, io.default]) {
      assert.strictEqual(each, io)
    }
    assert.strictEqual(io.Manager, client.Manager)
    assert.strictEqual(io.Socket, client.Socket)
    assert.strictEqual(io.protocol, 5)
    assert.strictEqual(client.protocol, 5)
  })

  it("leaves nothing behind that throws later", async () => {
    const found = await uncaught(async () => {
      const socket = io("http://127.0.0.1:1", { forceNew: true, reconnection: false })
      await next(socket, "connect_error")
      socket.disconnect()
    })
    assert.deepStrictEqual(found, [])
  })
})
