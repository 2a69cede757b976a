import { assert, describe, it } from "vitest"
import type { Socket as ServerSocket } from "socket.io"
import type { Socket } from "../../../src/facade/client.ts"
import { next, official, socketOf, uncaught } from "./servers.ts"

const connected = async (url: string, options: Parameters<typeof socketOf>[1] = {}, nsp = "/"): Promise<Socket> => {
  const socket = socketOf(url, options, nsp)
  await next(socket, "connect")
  return socket
}

describe("the state of a socket", () => {
  it("follows the connection", async () => {
    const { url } = await official()
    const socket = socketOf(url, { autoConnect: false })
    const state = () => [socket.connected, socket.disconnected, socket.active, socket.id !== undefined]
    assert.deepStrictEqual(state(), [false, true, false, false])
    assert.strictEqual(socket.connect(), socket)
    assert.deepStrictEqual(state(), [false, true, true, false])
    await next(socket, "connect")
    assert.deepStrictEqual(state(), [true, false, true, true])
    assert.isFalse(socket.recovered)
    let reason = ""
    socket.once("disconnect", (why) => {
      reason = why
      assert.deepStrictEqual(state(), [false, true, false, false])
    })
    assert.strictEqual(socket.close(), socket)
    assert.strictEqual(reason, "io client disconnect")
    socket.open()
    await next(socket, "connect")
  })

  it("after a disconnect by the server it does not connect again, until it is told to", async () => {
    const { url, io } = await official()
    const socket = await connected(url)
    io.disconnectSockets()
    const [reason] = await next(socket, "disconnect")
    assert.strictEqual(reason, "io server disconnect")
    assert.isFalse(socket.active)
    socket.connect()
    await next(socket, "connect")
  })

  it("connecting again from the disconnect listener", async () => {
    const { url, io } = await official()
    for (const options of [{}, { reconnection: false }]) {
      const socket = await connected(url, options)
      socket.once("disconnect", () => void socket.connect())
      io.disconnectSockets(true)
      await next(socket, "connect")
      socket.disconnect()
    }
  })

  it("a refusal by middleware has message and data, and ends the attempts", async () => {
    const { url } = await official((io) => {
      io.use((socket, next) => {
        if (socket.handshake.auth["token"] === "secret") return next()
        next(Object.assign(new Error("not allowed"), { data: { code: 42 } }))
      })
    })
    const socket = socketOf(url, { auth: { token: "wrong" } })
    const [error] = (await next(socket, "connect_error")) as [Error & { data: unknown }]
    assert.instanceOf(error, Error)
    assert.strictEqual(error.message, "not allowed")
    assert.deepStrictEqual(error.data, { code: 42 })
    assert.isFalse(socket.active)
    socket.auth = { token: "secret" }
    socket.connect()
    await next(socket, "connect")
  })

  it("an unknown namespace is refused", async () => {
    const { url } = await official()
    const [error] = (await next(socketOf(url, {}, "/unknown"), "connect_error")) as [Error]
    assert.strictEqual(error.message, "Invalid namespace")
  })
})

describe("auth", () => {
  const authOf = async (auth: Socket["auth"]) => {
    const { url, io } = await official()
    const socket = await connected(url, { auth })
    return io.sockets.sockets.get(socket.id ?? "")?.handshake.auth
  }

  it("as a value, a function, an asynchronous function", async () => {
    assert.deepStrictEqual(await authOf({ a: 1 }), { a: 1 })
    assert.deepStrictEqual(await authOf((cb) => cb({ a: 2 })), { a: 2 })
    assert.deepStrictEqual(await authOf((cb) => void setTimeout(() => cb({ a: 3 }), 1)), { a: 3 })
    const later = async (cb: (data: object) => void): Promise<void> => {
      await Promise.resolve()
      cb({ a: 4 })
      cb({ a: 5 })
    }
    assert.deepStrictEqual(await authOf((cb) => void later(cb)), { a: 4 })
  })

  it("a function is asked for each connection", async () => {
    const { url, io } = await official()
    let asked = 0
    const socket = await connected(url, { auth: (cb) => cb({ n: ++asked }) })
    socket.io.engine.close()
    await next(socket, "connect")
    assert.deepStrictEqual(io.sockets.sockets.get(socket.id ?? "")?.handshake.auth, { n: 2 })
  })

  it("a function that throws, or rejects, is a connect_error, where the official client waits for ever", async () => {
    const { url } = await official()
    const error = new Error("no token")
    const throwing = () => {
      throw error
    }
    const rejecting = () => Promise.reject(error)
    for (const auth of [throwing, rejecting as () => void]) {
      const socket = socketOf(url, { auth })
      assert.deepStrictEqual(await next(socket, "connect_error"), [error])
      assert.isFalse(socket.active)
    }
  })
})

describe("events", () => {
  it("with any data, and answers of several arguments", async () => {
    const { url } = await official()
    const socket = await connected(url)
    const data = [1, "2", { 3: ["4"], 5: null }, [], new Date(0)]
    const answer = await new Promise((resolve) => {
      socket.emit("echo", ...data, (...args: Array<unknown>) => resolve(args))
    })
    assert.deepStrictEqual(answer, JSON.parse(JSON.stringify(data)))
    socket.send("a", "b")
    const said = next(socket, "said")
    socket.emit("say", "hi", 1)
    assert.deepStrictEqual(await said, ["hi", 1])
  })

  it("that the server wants answered: the first answer counts", async () => {
    const { url, io } = await official()
    const socket = await connected(url)
    const selves: Array<unknown> = []
    socket.on("ask", function (this: unknown, a: number, b: number, callback: (n: number) => void) {
      selves.push(this)
      callback(a + b)
      callback(0)
    })
    const [server] = [...io.sockets.sockets.values()] as [ServerSocket]
    assert.strictEqual(await server.timeout(2000).emitWithAck("ask", 1, 2), 3)
    assert.deepStrictEqual(selves, [socket])
  })

  it("named like the socket's own are refused, with Socket.IO's message", async () => {
    const socket = socketOf("http://127.0.0.1:1", { autoConnect: false })
    for (const name of [
      "connect",
      "connect_error",
      "disconnect",
      "disconnecting",
      "newListener",
      "removeListener"
    ] as const) {
      assert.throws(() => socket.emit(name), `"${name}" is a reserved event name`)
    }
    const rejected = await socket.emitWithAck("connect").catch((error: Error) => error.message)
    assert.strictEqual(rejected, '"connect" is a reserved event name')
  })

  it("that cannot be encoded throw where they are emitted", async () => {
    const { url } = await official()
    const socket = await connected(url)
    const cyclic: Record<string, unknown> = {}
    cyclic["self"] = cyclic
    assert.throws(() => socket.emit("say", cyclic))
    assert.throws(() => socket.emit("say", 1n), TypeError)
    const rejected = await socket.emitWithAck("say", 1n).catch((error: unknown) => error)
    assert.instanceOf(rejected, TypeError)
    assert.strictEqual(await socket.emitWithAck("echo", "still there"), "still there")
  })

  it("are heard by onAny first, and by onAnyOutgoing when they leave", async () => {
    const { url } = await official()
    const socket = socketOf(url)
    const calls: Array<unknown> = []
    const outgoing = (...args: Array<unknown>) => calls.push(["out", ...args])
    socket.onAnyOutgoing(outgoing).prependAnyOutgoing((...args) => calls.push(["out first", ...args]))
    socket.emit("say", 1)
    assert.deepStrictEqual(calls, [])
    socket.onAny((...args) => calls.push(["any", ...args]))
    socket.prependAny((...args) => calls.push(["any first", ...args]))
    socket.on("said", (...args) => calls.push(["said", ...args]))
    await next(socket, "said")
    assert.deepStrictEqual(calls, [
      ["out first", "say", 1],
      ["out", "say", 1],
      ["any first", "said", 1],
      ["any", "said", 1],
      ["said", 1]
    ])
    socket.offAnyOutgoing(outgoing)
    assert.lengthOf(socket.listenersAnyOutgoing(), 1)
    socket.offAnyOutgoing().offAny()
    assert.deepStrictEqual([socket.listenersAny(), socket.listenersAnyOutgoing()], [[], []])
    socket.onAny(outgoing)
    socket.listenersAny().length = 0
    socket.offAny(outgoing)
  })

  it("emitted before the connection wait, and can be taken back", async () => {
    const { url } = await official()
    const socket = socketOf(url, { autoConnect: false })
    socket.emit("say", 1).emit("say", 2).emit("say", 3)
    assert.deepStrictEqual(
      socket.sendBuffer.map(({ data }) => data),
      [
        ["say", 1],
        ["say", 2],
        ["say", 3]
      ]
    )
    socket.sendBuffer.splice(0, 1)
    socket.sendBuffer = socket.sendBuffer.filter(({ data }) => data[1] === 3)
    socket.connect()
    assert.deepStrictEqual(await next(socket, "said"), [3])
    assert.deepStrictEqual(socket.sendBuffer, [])
    assert.deepStrictEqual(socket.receiveBuffer, [])
  })

  it("sent by the server before it lets the socket in come with the connection", async () => {
    const { url } = await official((io) => {
      io.use((socket, next) => {
        socket.emit("early", 1)
        next()
      })
    })
    const socket = socketOf(url)
    const calls: Array<string> = []
    socket.on("early", () => calls.push("early"))
    socket.on("connect", () => calls.push("connect"))
    await next(socket, "connect")
    assert.deepStrictEqual(calls, ["early", "connect"])
  })

  it("that are volatile are dropped without a connection, and the flag holds for one event", async () => {
    const { url } = await official()
    const socket = socketOf(url, { autoConnect: false })
    socket.volatile.emit("say", 1).emit("say", 2)
    socket.connect()
    assert.deepStrictEqual(await next(socket, "said"), [2])
    socket.volatile.emit("say", 3)
    assert.deepStrictEqual(await next(socket, "said"), [3])
    socket.compress(false).emit("say", "x".repeat(5000))
    await next(socket, "said")
  })
})

describe("acknowledgements", () => {
  it("with timeout() get an error first", async () => {
    const { url } = await official()
    const socket = await connected(url)
    const outcome = await new Promise((resolve) => {
      socket.timeout(20).emit("never", (...args: Array<unknown>) => resolve(args))
    })
    assert.deepStrictEqual(outcome, [new Error("operation has timed out")])
    const answer = await new Promise((resolve) => {
      socket.timeout(2000).emit("echo", 1, 2, (...args: Array<unknown>) => resolve(args))
    })
    assert.deepStrictEqual(answer, [null, 1, 2])
    const plain = await new Promise((resolve) => {
      socket.emit("echo", 1, (...args: Array<unknown>) => resolve(args))
    })
    assert.deepStrictEqual(plain, [1])
  })

  it("of emitWithAck resolve and reject", async () => {
    const { url } = await official()
    const socket = await connected(url)
    assert.strictEqual(await socket.emitWithAck("echo", 5), 5)
    assert.strictEqual(await socket.timeout(2000).emitWithAck("echo", 6), 6)
    const error = await socket
      .timeout(10)
      .emitWithAck("never")
      .catch((error: unknown) => error)
    assert.deepStrictEqual(error, new Error("operation has timed out"))
  })

  it("with the option ackTimeout are like with timeout()", async () => {
    const { url } = await official()
    const socket = await connected(url, { ackTimeout: 20 })
    const outcomes = await Promise.all(
      ["never", "echo"].map(
        (event) => new Promise((resolve) => void socket.emit(event, 1, (...args: Array<unknown>) => resolve(args)))
      )
    )
    assert.deepStrictEqual(outcomes, [[new Error("operation has timed out")], [null, 1]])
    assert.strictEqual(await socket.timeout(2000).emitWithAck("echo", 1), 1)
  })

  it("fail at once when the connection is lost, except plain ones and those that have not left", async () => {
    const { url, stop } = await official()
    const socket = await connected(url, { reconnection: false })
    const calls: Array<unknown> = []
    socket.emit("never", () => calls.push("plain"))
    socket.timeout(60_000).emit("never", (error: Error) => calls.push(error.message))
    const promise = socket.emitWithAck("never").catch((error: Error) => calls.push("promise: " + error.message))
    await Promise.all([stop(), next(socket, "disconnect")])
    socket.timeout(60_000).emit("never", () => calls.push("buffered"))
    await promise
    assert.deepStrictEqual(calls, ["socket has been disconnected", "promise: socket has been disconnected"])
  })

  it("a buffered event whose time has passed is not sent any more", async () => {
    const { url } = await official()
    const socket = socketOf(url, { autoConnect: false })
    const error = await socket
      .timeout(5)
      .emitWithAck("say", "late")
      .catch((error: Error) => error.message)
    assert.strictEqual(error, "operation has timed out")
    assert.deepStrictEqual(socket.sendBuffer, [])
  })

  it("with retries: in order, error first, sent again until they are answered", async () => {
    const seen: Array<unknown> = []
    const { url } = await official((io) => {
      io.on("connection", (socket) => {
        let tries = 0
        socket.on("order", (n: number, ack: (n: number) => void) => {
          seen.push(n)
          if (n !== 1 || ++tries === 3) ack(n)
        })
        socket.on("lost", () => seen.push("lost"))
      })
    })
    const socket = socketOf(url, { retries: 2, ackTimeout: 100, transports: ["websocket"] })
    const outcomes: Array<unknown> = []
    socket.emit("order", 1, (...args: Array<unknown>) => outcomes.push(args))
    socket.emit("order", 2, (...args: Array<unknown>) => outcomes.push(args))
    const lost = new Promise((resolve) => socket.emit("lost", (error: Error) => resolve(error.message)))
    assert.strictEqual(await lost, "operation has timed out")
    assert.deepStrictEqual(outcomes, [
      [null, 1],
      [null, 2]
    ])
    assert.deepStrictEqual(seen, [1, 1, 1, 2, "lost", "lost", "lost"])
  })

  it("retries without ackTimeout still get an error first, where the official client takes the answer for one", async () => {
    const { url } = await official()
    const socket = await connected(url, { retries: 1 })
    const answer = await new Promise((resolve) => {
      socket.emit("echo", "value", (...args: Array<unknown>) => resolve(args))
    })
    assert.deepStrictEqual(answer, [null, "value"])
  })
})

describe("what throws in the program", () => {
  it("does not disturb the connection, and is thrown later", async () => {
    const { url } = await official()
    const errors = ["connect", "event", "any", "outgoing", "ack", "disconnect"].map((text) => new Error(text))
    const throwing = (i: number) => () => {
      throw errors[i]!
    }
    const found = await uncaught(async () => {
      const socket = socketOf(url)
      socket.once("connect", throwing(0))
      await next(socket, "connect")
      socket.on("said", throwing(1)).onAny(throwing(2)).onAnyOutgoing(throwing(3))
      socket.emit("say", 1)
      await next(socket, "said")
      socket.offAny().offAnyOutgoing()
      socket.emit("echo", throwing(4))
      assert.strictEqual(await socket.emitWithAck("echo", 1), 1)
      socket.once("disconnect", throwing(5))
      const again = next(socket, "connect")
      socket.io.engine.close()
      await again
      assert.strictEqual(await socket.emitWithAck("echo", 2), 2)
    })
    assert.deepStrictEqual(found, [errors[0], errors[3], errors[2], errors[1], errors[4], errors[5]])
  })

  it("an acknowledgement that cannot be encoded throws where it is called", async () => {
    const { url, io } = await official()
    const socket = await connected(url)
    let thrown: unknown
    socket.on("ask", (ack: (value: unknown) => void) => {
      try {
        ack(1n)
      } catch (error) {
        thrown = error
      }
    })
    io.emit("ask", () => undefined)
    io.timeout(50).emit("ask", () => undefined)
    await next(socket, "ask")
    assert.instanceOf(thrown, TypeError)
  })
})
