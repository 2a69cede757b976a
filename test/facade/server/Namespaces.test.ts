import { assert, describe, it } from "@effect/vitest"
import type { Namespace } from "../../../src/facade/server.ts"
import { client, collect, next, pair, serve, settle, ways } from "./serve.ts"

const refusal = async (url: string, options = {}): Promise<{ message: string; data?: unknown }> => {
  const [error] = await next(client(url, { ...ways.websocket, ...options }), "connect_error")
  const { message, data } = error as Error & { data?: unknown }
  return data === undefined ? { message } : { message, data }
}

describe("namespaces", () => {
  it("exist once, with and without the slash, and are told", async () => {
    const running = await serve()
    const created = collect(running.io, "new_namespace")
    const nsp = running.io.of("chat")
    assert.strictEqual(nsp.name, "/chat")
    assert.strictEqual(running.io.of("/chat"), nsp)
    assert.strictEqual(running.io.of("/"), running.io.sockets)
    assert.deepStrictEqual(created, [[nsp]])
    const [socket, peer] = await pair(running, ways.websocket, "/chat")
    assert.strictEqual(socket.nsp, nsp)
    assert.strictEqual(nsp.sockets.get(socket.id), socket)
    assert.strictEqual(nsp.sockets.size, 1)
    assert.deepStrictEqual([...nsp.sockets.values()], [socket])
    assert.strictEqual(running.io.sockets.sockets.size, 0)
    const heard = next(peer, "x")
    running.io.emit("x", "not for it")
    nsp.emit("x", "for it")
    assert.deepStrictEqual(await heard, ["for it"])
  })

  it("whose name looks like a path with parameters are names", async () => {
    const running = await serve()
    running.io.of("/room/:id")
    await pair(running, ways.websocket, "/room/:id")
    assert.deepStrictEqual(await refusal(`${running.url}/room/1`), { message: "Invalid namespace" })
  })

  it("on one connection are independent", async () => {
    const running = await serve()
    running.io.of("/a")
    const [main, peer] = await pair(running)
    const connected = next(running.io.of("/a"), "connection")
    const other = peer.io.socket("/a", {})
    // It connects by itself, too: two CONNECT packets, and yet one socket.
    other.connect()
    await next(other, "connect")
    const [socket] = (await connected) as [typeof main]
    assert.strictEqual(socket.client, main.client)
    assert.strictEqual(socket.conn, main.conn)
    assert.notStrictEqual(socket.id, main.id)
    assert.strictEqual(running.io.of("/a").sockets.size, 1)
    const gone = next(socket, "disconnect")
    other.disconnect()
    assert.deepStrictEqual(await gone, ["client namespace disconnect", undefined])
    assert.isTrue(main.connected)
  })

  it("that nobody declared are refused in Socket.IO's words", async () => {
    const { url } = await serve()
    assert.deepStrictEqual(await refusal(`${url}/unknown`), { message: "Invalid namespace" })
  })
})

describe("dynamic namespaces", () => {
  it("of a regular expression", async () => {
    const running = await serve()
    const parent = running.io.of(/^\/dynamic-\d+$/)
    const connected: Array<unknown> = []
    parent.use((socket, next) => {
      socket.data.seen = true
      next()
    })
    parent.on("connection", (socket) => connected.push(socket.nsp.name, socket.data.seen))
    const created = collect(running.io, "new_namespace")
    const [one, first] = await pair(running, ways.websocket, "/dynamic-1").catch(() => assert.fail("not connected"))
    assert.strictEqual((created[0]![0] as Namespace).name, "/dynamic-1")
    assert.strictEqual(running.io.of("/dynamic-1"), one.nsp)
    const [two, second] = await pair(running, ways.websocket, "/dynamic-2")
    assert.deepStrictEqual(connected, ["/dynamic-1", true, "/dynamic-2", true])
    const heard = [next(first, "all"), next(second, "all")]
    parent.emit("all", 1)
    assert.deepStrictEqual(await Promise.all(heard), [[1], [1]])
    const inRoom = collect(first, "room")
    void one.join("r")
    parent.to("r").emit("room", 2)
    await Promise.all([settle(one, first), settle(two, second)])
    assert.deepStrictEqual(inRoom, [[2]])
    assert.throws(() => void parent.fetchSockets(), "fetchSockets() is not supported on parent namespaces")
    assert.match(parent.name, /^\/_\d+$/)
  })

  it("made by name belong to the regular expression that they match", async () => {
    const running = await serve()
    const connected: Array<string> = []
    running.io.of(/^\/dynamic-\d+$/).on("connection", (socket) => connected.push(socket.nsp.name))
    running.io.of("/dynamic-7")
    await pair(running, ways.websocket, "/dynamic-7")
    assert.deepStrictEqual(connected, ["/dynamic-7"])
    assert.throws(() => running.io.of(/x/g), "stateful regular expressions are not supported")
  })

  it("of a function that takes its time and reads the auth", async () => {
    const running = await serve()
    running.io.of((name, auth, next) => {
      setTimeout(() => next(null, name === "/secret" && auth["key"] === "k"), 5)
    })
    await next(client(`${running.url}/secret`, { ...ways.websocket, auth: { key: "k" } }), "connect")
    assert.deepStrictEqual(await refusal(`${running.url}/other`, { auth: { key: "k" } }), {
      message: "Invalid namespace"
    })
  })

  it("of a function that throws are refused, and it is told", async () => {
    const running = await serve()
    const told = next(running.io, "listener_error")
    running.io.of(() => {
      throw new Error("oops")
    })
    assert.deepStrictEqual(await refusal(`${running.url}/x`), { message: "Invalid namespace" })
    assert.strictEqual(((await told)[0] as Error).message, "oops")
  })

  it("are forgotten when empty, where the server was told so", async () => {
    const running = await serve({ cleanupEmptyChildNamespaces: true })
    running.io.of(/^\/x/)
    const [socket, peer] = await pair(running, ways.websocket, "/x1").catch(() => assert.fail("not connected"))
    const gone = next(socket, "disconnect")
    assert.isTrue(running.io._nsps.has("/x1"))
    peer.disconnect()
    await gone
    assert.isFalse(running.io._nsps.has("/x1"))
  })
})

describe("middleware of a namespace", () => {
  it("runs in order, sees the handshake, and may put the socket into rooms", async () => {
    const running = await serve()
    const order: Array<unknown> = []
    running.io.use((socket, next) => {
      order.push(1, socket.handshake.auth["token"], socket.handshake.query["q"], socket.connected)
      void socket.join("early")
      assert.deepStrictEqual(socket.rooms, new Set(["early"]))
      setTimeout(next, 5)
    })
    running.io.use((_socket, next) => {
      order.push(2)
      next()
      next()
    })
    const [socket] = await pair(running, { ...ways.websocket, auth: { token: "t" }, query: { q: "1" } })
    assert.deepStrictEqual(order, [1, "t", "1", false, 2])
    assert.deepStrictEqual(socket.rooms, new Set([socket.id, "early"]))
  })

  it("refuses with message and data", async () => {
    const running = await serve()
    running.io.use((_socket, next) => next(Object.assign(new Error("not authorized"), { data: { retry: 1 } })))
    assert.deepStrictEqual(await refusal(running.url), { message: "not authorized", data: { retry: 1 } })
    assert.strictEqual(running.io.sockets.sockets.size, 0)
  })

  it("T6: one that throws or rejects refuses the client, is told, and lets neither hang nor end the process", async () => {
    const running = await serve()
    const told = collect(running.io, "listener_error")
    let failing: () => unknown = () => {
      throw new Error("sync")
    }
    running.io.use(() => failing())
    assert.deepStrictEqual(await refusal(running.url), { message: "internal error" })
    failing = () => Promise.reject(new Error("async"))
    assert.deepStrictEqual(await refusal(running.url), { message: "internal error" })
    assert.deepStrictEqual(
      told.map(([error, where]) => [(error as Error).message, (where as { event: string }).event]),
      [
        ["sync", "middleware"],
        ["async", "middleware"]
      ]
    )
  })

  it("a client that leaves meanwhile is neither connected nor disconnected", async () => {
    const running = await serve()
    let proceed = (): void => {}
    let gone: Promise<unknown> | undefined
    const entered = new Promise<void>((resolve) => {
      running.io.use((socket, pass) => {
        socket.on("disconnect", () => assert.fail("disconnected"))
        proceed = pass
        gone = next(socket.conn, "close")
        resolve()
      })
    })
    running.io.on("connection", () => assert.fail("connected"))
    const peer = client(running.url)
    await entered
    peer.io.engine.close()
    await gone
    proceed()
    assert.strictEqual(running.io.sockets.sockets.size, 0)
    assert.strictEqual(running.io.sockets._admitting.size, 0)
  })

  it("T8: a client that asks five times meanwhile gets one socket", async () => {
    const running = await serve()
    const passes: Array<() => void> = []
    running.io.use((_socket, next) => passes.push(next))
    const connections = collect(running.io, "connection")
    const peer = client(running.url, ways.websocket)
    await next(peer.io, "open")
    for (let i = 0; i < 4; i++) peer.io.engine.write("0")
    const received = next(peer, "connect")
    const seen = collect(peer, "x")
    while (passes.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.lengthOf(passes, 1)
    passes[0]!()
    await received
    running.io.emit("x")
    await settle(running.io.sockets.sockets.values().next().value!, peer)
    assert.lengthOf(connections, 1)
    assert.lengthOf(seen, 1)
  })
})
