import { assert, describe, it } from "@effect/vitest"
import { createServer } from "node:http"
import { onTestFinished, vi } from "vitest"
import { type ListenerFailure, Server, type Socket } from "../../../src/facade/server.ts"
import { client, collect, next, pair, serve, settle, ways } from "./serve.ts"

const failuresOf = (io: Server): Array<readonly [message: string, where: ListenerFailure]> => {
  const seen: Array<readonly [string, ListenerFailure]> = []
  io.on("listener_error", (error: Error, where) => seen.push([error.message, where]))
  return seen
}

const throwing = (message: string) => (): never => {
  throw new Error(message)
}

const rejecting = (message: string) => (): Promise<never> => Promise.reject(new Error(message))

describe("a listener that fails does not take the process down", () => {
  it("T6: thrown or rejected, it reaches listener_error with socket and event, and the connection stays", async () => {
    const running = await serve()
    const failures = failuresOf(running.io)
    const [socket, peer] = await pair(running)
    socket.on("sync", throwing("a"))
    socket.on("async", rejecting("b"))
    socket.onAny((event) => {
      if (event === "any") throw new Error("c")
    })
    socket.use(([event], pass) => {
      if (event === "gate") throw new Error("d")
      pass()
    })
    socket.on("gate", () => assert.fail("let through"))
    for (const event of ["sync", "async", "any", "gate"]) peer.emit(event)
    await vi.waitFor(() => assert.lengthOf(failures, 4))
    assert.sameDeepMembers(
      failures.map(([message, where]) => [message, where.event, where.namespace, where.socket === (socket as never)]),
      [
        ["a", "sync", "/", true],
        ["b", "async", "/", true],
        ["c", "any", "/", true],
        ["d", "gate", "/", true]
      ]
    )
    assert.isTrue(socket.connected)
  })

  it("the error listeners of the socket hear of it, too", async () => {
    const running = await serve()
    const failures = failuresOf(running.io)
    const [socket, peer] = await pair(running)
    const heard = next(socket, "error")
    socket.on("x", throwing("a"))
    peer.emit("x")
    assert.strictEqual(((await heard)[0] as Error).message, "a")
    assert.lengthOf(failures, 1)
  })

  it("a rejection handler that the program set is honoured", async () => {
    const running = await serve()
    const failures = failuresOf(running.io)
    const [socket, peer] = await pair(running)
    const caught = new Promise<Array<unknown>>((resolve) => {
      Object.assign(socket, { [Symbol.for("nodejs.rejection")]: (...args: Array<unknown>) => resolve(args) })
    })
    socket.on("x", rejecting("a"))
    peer.emit("x", 1)
    const [error, event, argument] = await caught
    assert.deepStrictEqual([(error as Error).message, event, argument], ["a", "x", 1])
    assert.deepStrictEqual(failures, [])
  })

  it("connection, disconnecting and disconnect listeners, acknowledgements, engine and adapter", async () => {
    const running = await serve()
    const { io } = running
    const failures = failuresOf(io)
    io.on("connection", throwing("connection"))
    io.on("connection", () => assert.fail("Node calls no listener after one that threw"))
    io.engine.on("connection", throwing("engine"))
    io.of("/").adapter.on("join-room", throwing("adapter"))
    const peer = client(running.url)
    const [socket] = (await next(io, "connect")) as [Socket]
    await next(peer, "connect")
    socket.on("disconnecting", throwing("disconnecting"))
    socket.on("disconnect", rejecting("disconnect"))
    socket.conn.on("packet", throwing("packet"))
    peer.on("ask", (reply: () => void) => reply())
    socket.emit("ask", throwing("ack"))
    io.timeout(1000).emit("ask", throwing("broadcast ack"))
    await settle(socket, peer)
    const gone = next(peer, "disconnect")
    socket.disconnect(true)
    await gone
    await new Promise((resolve) => setImmediate(resolve))
    assert.includeMembers(
      failures.map(([message]) => message),
      ["engine", "adapter", "connection", "packet", "ack", "broadcast ack", "disconnecting", "disconnect"]
    )
    assert.strictEqual(io.engine.clientsCount, 0)
  })

  it("a listener_error listener that fails ends there", async () => {
    const running = await serve()
    running.io.on("listener_error", throwing("again"))
    const [socket, peer] = await pair(running)
    socket.on("error", throwing("and again"))
    socket.on("x", throwing("a"))
    peer.emit("x")
    await settle(socket, peer)
    assert.isTrue(socket.connected)
  })
})

describe("packets that are none", () => {
  it("reach the error listeners of the sockets, then the connection is closed", async () => {
    const running = await serve()
    const [socket, peer] = await pair(running)
    const errors = collect(socket, "error")
    const gone = next(socket, "disconnect")
    peer.io.engine.write("garbage")
    const [reason] = await gone
    assert.strictEqual(reason, "forced close")
    assert.strictEqual((errors[0]![0] as Error).message, "unknown packet type NaN")
  })
})

describe("wrong arguments", () => {
  it("an Express function is refused in Socket.IO's words", () => {
    const app = Object.assign(() => {}, { listen: () => {} })
    assert.throws(
      () => new Server(app as never),
      "You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance."
    )
  })

  it("options that make no sense are refused at once", () => {
    assert.throws(() => new Server(createServer(), { pingInterval: 0 }), /pingInterval/)
    assert.throws(() => new Server(createServer(), { maxHttpBufferSize: 0 }), /maxHttpBufferSize/)
  })
})

describe("disconnecting", () => {
  const reasons = async (act: (socket: Socket) => void): Promise<readonly [unknown, unknown]> => {
    const running = await serve()
    const [socket, peer] = await pair(running)
    const both = Promise.all([next(socket, "disconnect"), next(peer, "disconnect")])
    act(socket)
    const [[here], [there]] = await both
    return [here, there]
  }

  it("from the namespace, from all, and at the engine", async () => {
    assert.deepStrictEqual(await reasons((socket) => socket.disconnect()), [
      "server namespace disconnect",
      "io server disconnect"
    ])
    assert.deepStrictEqual(await reasons((socket) => socket.disconnect(true)), [
      "server namespace disconnect",
      "io server disconnect"
    ])
    assert.deepStrictEqual(await reasons((socket) => socket.conn.close()), ["forced close", "transport close"])
  })

  it("by the end of the server", async () => {
    const http = createServer()
    const io = new Server(http)
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    const { port } = http.address() as { port: number }
    const connected = next(io, "connection")
    const peer = client(`http://127.0.0.1:${port}`, ways.websocket)
    await next(peer, "connect")
    const [socket] = (await connected) as [Socket]
    const gone = next(socket, "disconnect")
    const lost = next(peer, "disconnect")
    let told: unknown = "not told"
    await io.close((error) => {
      told = error
    })
    assert.deepStrictEqual(await gone, ["server shutting down", undefined])
    assert.deepStrictEqual((await lost)[0], "transport close")
    assert.isUndefined(told)
    assert.isFalse(http.listening)
    await io.close((error) => {
      told = error
    })
    assert.strictEqual((told as unknown as NodeJS.ErrnoException).code, "ERR_SERVER_NOT_RUNNING")
  })

  it("a client without a namespace is closed after connectTimeout", async () => {
    const running = await serve({ connectTimeout: 20 })
    const socket = new WebSocket(`${running.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`)
    onTestFinished(() => socket.close())
    await new Promise((resolve) => socket.addEventListener("close", resolve))
    assert.strictEqual(running.io.engine.clientsCount, 0)
  })
})
