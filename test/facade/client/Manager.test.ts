import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { assert, describe, it, onTestFinished } from "vitest"
import type { Manager } from "../../../src/facade/client.ts"
import { type LookupOptions, Socket } from "../../../src/facade/client.ts"
import { managerOf, next, official, socketOf } from "./servers.ts"

/** The names and arguments of all events of a manager, and of the connect_error events of a socket. */
const record = (manager: Manager, socket?: Socket): Array<ReadonlyArray<unknown>> => {
  const calls: Array<ReadonlyArray<unknown>> = []
  const plain = (args: ReadonlyArray<unknown>) => args.map((arg) => (arg instanceof Error ? arg.message : arg))
  for (const name of [
    "open",
    "error",
    "close",
    "reconnect",
    "reconnect_attempt",
    "reconnect_error",
    "reconnect_failed"
  ] as const) {
    manager.on(name, (...args: Array<unknown>) => void calls.push([name, ...plain(args)]))
  }
  socket?.on("connect_error", (error) => void calls.push(["connect_error", error.message]))
  return calls
}

/** A port where nobody listens. */
const deadPort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

describe("the options of a manager", () => {
  it("have Socket.IO's defaults, and can be changed", () => {
    const manager = managerOf("http://127.0.0.1:1", {
      autoConnect: false,
      reconnectionDelay: 0,
      randomizationFactor: 0.5,
      reconnectionAttempts: 0
    })
    assert.strictEqual(manager.reconnection(), true)
    assert.strictEqual(manager.reconnectionAttempts(), Infinity)
    assert.strictEqual(manager.reconnectionDelay(), 1000)
    assert.strictEqual(manager.reconnectionDelayMax(), 5000)
    assert.strictEqual(manager.randomizationFactor(), 0.5)
    assert.strictEqual(manager.timeout(), 20_000)
    assert.strictEqual(manager.opts.path, "/socket.io")
    assert.strictEqual(manager.engine, undefined)
    manager
      .reconnection(false)
      .reconnectionAttempts(3)
      .reconnectionDelay(4)
      .reconnectionDelayMax(5)
      .randomizationFactor(0.1)
      .timeout(false)
    const { opts: _, ...values } = {
      opts: undefined,
      reconnection: manager.reconnection(),
      attempts: manager.reconnectionAttempts(),
      delay: manager.reconnectionDelay(),
      max: manager.reconnectionDelayMax(),
      factor: manager.randomizationFactor(),
      timeout: manager.timeout()
    }
    assert.deepStrictEqual(values, {
      reconnection: false,
      attempts: 3,
      delay: 4,
      max: 5,
      factor: 0.1,
      timeout: false
    })
  })

  it("transports given twice are refused, with Socket.IO's message", () => {
    const twice = { transports: ["polling"], transportImplementations: [], autoConnect: false }
    assert.throws(
      () => managerOf("http://127.0.0.1:1", twice),
      "specifying both 'transportImplementations' and 'transports' options is not supported"
    )
  })

  it("changed between two attempts hold for the next: a WebSocket that fails, then polling", async () => {
    const { url } = await official(() => undefined, { transports: ["polling"] })
    const socket = socketOf(url, { transports: ["websocket"] })
    socket.on("connect_error", () => {
      socket.io.opts.transports = ["polling", "websocket"]
      socket.io.opts.query = { second: "yes" }
    })
    await next(socket, "connect")
    assert.strictEqual(socket.io.engine.transport.name, "polling")
  })
})

describe("opening by hand", () => {
  it("tells the callback, and needs no namespace", async () => {
    const { url } = await official()
    const manager = managerOf(url, { autoConnect: false })
    const open = () => new Promise<unknown>((resolve) => void manager.open(resolve))
    assert.strictEqual(manager._readyState, "closed")
    assert.strictEqual(await open(), undefined)
    assert.strictEqual(manager._readyState, "open")
    assert.strictEqual(await open(), undefined)
    const socket = manager.socket("/")
    assert.isFalse(socket.active)
    socket.connect()
    await next(socket, "connect")
  })

  it("tells the callback of a failure, which is not repeated", async () => {
    const port = await deadPort()
    const manager = managerOf(`http://127.0.0.1:${port}`, { autoConnect: false })
    const calls = record(manager)
    const error = await new Promise<Error | undefined>((resolve) => void manager.connect(resolve))
    assert.strictEqual(error?.message, "xhr poll error")
    await new Promise((resolve) => setTimeout(resolve, 40))
    assert.deepStrictEqual(calls, [["error", "xhr poll error"]])
  })

  it("without a callback it is tried again, also without a namespace", async () => {
    const port = await deadPort()
    const manager = managerOf(`http://127.0.0.1:${port}`)
    await next(manager, "reconnect_attempt")
    await official(() => undefined, {}, port)
    await next(manager, "reconnect")
    assert.strictEqual(manager._readyState, "open")
  })

  it("does not wait for the time of the next attempt", async () => {
    const port = await deadPort()
    const socket = socketOf(`http://127.0.0.1:${port}`, { reconnectionDelay: 100_000, reconnectionDelayMax: 100_000 })
    await next(socket, "connect_error")
    await official(() => undefined, {}, port)
    assert.isTrue(socket.io._reconnecting)
    socket.io.open()
    await next(socket, "connect")
  })

  it("a manager that is disconnected does not connect again", async () => {
    const { url, io } = await official()
    const socket = socketOf(url)
    await next(socket, "connect")
    const calls = record(socket.io, socket)
    socket.io.disconnect()
    assert.isFalse(socket.connected)
    await new Promise((resolve) => setTimeout(resolve, 40))
    assert.deepStrictEqual(calls, [["close", "forced close", undefined]])
    assert.strictEqual(io.engine.clientsCount, 0)
  })
})

describe("reconnection", () => {
  it("counts attempts, tells of each, and gives up", async () => {
    const port = await deadPort()
    const socket = socketOf(`http://127.0.0.1:${port}`, { reconnectionAttempts: 2, autoConnect: false })
    const calls = record(socket.io, socket)
    socket.connect()
    await next(socket.io, "reconnect_failed")
    const failed = [
      ["error", "xhr poll error"],
      ["connect_error", "xhr poll error"]
    ]
    assert.deepStrictEqual(calls, [
      ...failed,
      ["reconnect_attempt", 1],
      ...failed,
      ["reconnect_error", "xhr poll error"],
      ["reconnect_attempt", 2],
      ...failed,
      ["reconnect_error", "xhr poll error"],
      ["reconnect_failed"]
    ])
    assert.isTrue(socket.active)
  })

  for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
    it(`after the server was restarted, by ${transports.join(" and ")}`, async () => {
      const first = await official()
      const socket = socketOf(first.url, { transports })
      await next(socket, "connect")
      if (transports.length > 1) await next(socket.io.engine, "upgrade")
      const calls = record(socket.io, socket)
      const disconnected = next(socket, "disconnect")
      await first.stop()
      const [reason] = await disconnected
      assert.include(["transport close", "transport error", "io server disconnect"], reason)
      if (reason === "io server disconnect") socket.connect()
      socket.emit("say", "kept")
      await official(() => undefined, {}, first.port)
      assert.deepStrictEqual(await next(socket, "said"), ["kept"])
      assert.isTrue(calls.some(([name]) => name === "reconnect") || reason === "io server disconnect")
    })
  }

  it("can be turned off", async () => {
    const port = await deadPort()
    const socket = socketOf(`http://127.0.0.1:${port}`, { reconnection: false, autoConnect: false })
    const calls = record(socket.io, socket)
    socket.connect()
    await next(socket, "connect_error")
    await new Promise((resolve) => setTimeout(resolve, 40))
    assert.deepStrictEqual(calls, [
      ["error", "xhr poll error"],
      ["connect_error", "xhr poll error"]
    ])
  })

  it("can be turned off while the next attempt is waited for", async () => {
    const port = await deadPort()
    const socket = socketOf(`http://127.0.0.1:${port}`)
    await next(socket, "connect_error")
    const calls = record(socket.io, socket)
    socket.io.reconnection(false)
    await new Promise((resolve) => setTimeout(resolve, 40))
    assert.deepStrictEqual(calls, [])
    assert.isTrue(socket.active)
    await official(() => undefined, {}, port)
    socket.connect()
    await next(socket, "connect")
  })

  it("stops when the last socket leaves while it waits", async () => {
    const port = await deadPort()
    const socket = socketOf(`http://127.0.0.1:${port}`)
    await next(socket, "connect_error")
    const calls = record(socket.io, socket)
    socket.disconnect()
    await new Promise((resolve) => setTimeout(resolve, 40))
    assert.deepStrictEqual(calls, [])
    assert.strictEqual(socket.io._readyState, "closed")
  })
})

describe("an attempt that takes too long", () => {
  const silent = async (): Promise<number> => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    onTestFinished(() => void server.close())
    server.on("connection", (socket) => onTestFinished(() => void socket.destroy()))
    return (server.address() as AddressInfo).port
  }

  it("is given up after the timeout", async () => {
    const socket = socketOf(`http://127.0.0.1:${await silent()}`, { timeout: 20, reconnection: false })
    const [error] = (await next(socket, "connect_error")) as [Error]
    assert.strictEqual(error.message, "timeout")
  })

  it("or never, with false", async () => {
    const options: LookupOptions = { timeout: false, reconnection: false }
    const socket = socketOf(`http://127.0.0.1:${await silent()}`, options)
    let failed = false
    socket.on("connect_error", () => {
      failed = true
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.isFalse(failed)
    assert.strictEqual(socket.io._readyState, "opening")
  })
})

describe("the namespaces of a manager", () => {
  it("are made once, and connect again when they are asked for again", async () => {
    const { url } = await official()
    const manager = managerOf(url)
    const socket = manager.socket("/")
    await next(socket, "connect")
    assert.strictEqual(manager.socket("/"), socket)
    assert.strictEqual(manager.nsps["/"], socket)
    socket.disconnect()
    assert.strictEqual(manager.socket("/"), socket)
    await next(socket, "connect")
  })

  it("share one connection, which ends with the last one", async () => {
    const { url, io } = await official((io) => void io.of("/a"))
    const manager = managerOf(url)
    const main = manager.socket("/")
    const other = manager.socket("/a")
    await Promise.all([next(main, "connect"), next(other, "connect")])
    main.disconnect()
    assert.isTrue(other.connected)
    assert.strictEqual(manager._readyState, "open")
    other.disconnect()
    assert.strictEqual(manager._readyState, "closed")
    assert.strictEqual(io.engine.clientsCount <= 1, true)
  })

  it("can be made by hand", async () => {
    const { url } = await official()
    const socket = new Socket(managerOf(url), "/", { auth: { a: 1 } })
    await next(socket, "connect")
    assert.deepStrictEqual(socket.auth, { a: 1 })
  })

  it("a manager tells of pings and packets", async () => {
    const { url } = await official(() => undefined, { pingInterval: 30 })
    const socket = socketOf(url)
    const packets: Array<unknown> = []
    socket.io.on("packet", (packet) => void packets.push(packet.type))
    await next(socket.io, "ping")
    await next(socket, "connect").catch(() => undefined)
    assert.include(packets, 0)
  })
})
