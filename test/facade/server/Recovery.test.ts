/** Connection state recovery of the facade's server, with official clients, our own, and adapters of programs. */
import type { Adapter as OfficialAdapter } from "socket.io-adapter"
import { SessionAwareAdapter } from "socket.io-adapter"
import type { Socket as ClientSocket } from "socket.io-client"
import { assert, describe, it, onTestFinished } from "vitest"
import { io as connectOurs, type Socket as OurClient } from "../../../src/facade/client.ts"
import {
  Adapter,
  type AdapterConstructor,
  type PersistedSession,
  type SessionToPersist
} from "../../../src/facade/server/Adapter.ts"
import type { Socket } from "../../../src/facade/server.ts"
import { client, next, type Running, serve, ways } from "./serve.ts"

type AnyClient = ClientSocket | OurClient

const clients = {
  official: (url: string, auth: object = {}): AnyClient => client(url, { ...ways.websocket, auth }),
  ours: (url: string, auth: object = {}): AnyClient => {
    const socket = connectOurs(url, { ...ways.websocket, forceNew: true, reconnection: false, auth })
    onTestFinished(() => {
      socket.disconnect()
    })
    return socket
  }
}

/** The events of a client, without what the official one sees behind them. */
const listen = (socket: AnyClient): Array<unknown> => {
  const seen: Array<unknown> = []
  socket.onAny((event: string, first: unknown) => {
    if (event === "tick") seen.push(first)
    else seen.push(typeof first === "function" ? event : `${event} ${String(first)}`)
  })
  return seen
}

const begin = async ({ io, url }: Running, make: typeof clients.official, auth?: object) => {
  const connection = next(io, "connection")
  const socket = make(url, auth)
  const [server] = (await connection) as [Socket]
  if (!socket.connected) await next(socket as never, "connect")
  return { client: socket, server }
}

/** Cuts the connection and waits until the server knows. */
const cut = async (socket: AnyClient, server: Socket): Promise<void> => {
  const gone = next(server, "disconnect")
  socket.io.engine.close()
  await gone
}

/** Connects again; gives the server's socket. */
const comeBack = async ({ io }: Running, socket: AnyClient): Promise<Socket> => {
  const connection = next(io, "connection")
  const connected = next(socket as never, "connect")
  socket.connect()
  const [server] = (await connection) as [Socket]
  await connected
  return server
}

/** Waits until a client has caught up. */
const caughtUp = async (socket: AnyClient, server: Socket): Promise<void> => {
  const end = next(socket as never, "end")
  server.emit("end", 0)
  await end
}

for (const [name, make] of Object.entries(clients)) {
  describe(`with the client of ${name === "ours" ? "this library" : "socket.io-client"}`, () => {
    it("the socket is the one of before: id, rooms, data; what was missed arrives once, in order", async () => {
      const running = await serve({ connectionStateRecovery: {} })
      const { io } = running
      const { client: socket, server } = await begin(running, make)
      const seen = listen(socket)
      await server.join("a")
      server.data.name = "someone"
      io.emit("tick", 1)
      assert.isFalse(socket.recovered)
      await caughtUp(socket, server)
      await cut(socket, server)
      io.emit("tick", 2)
      io.to("a").emit("tick", 3)
      io.to("b").emit("tick", "not for it")
      io.except("a").emit("tick", "nor this")
      io.volatile.emit("tick", "volatile")
      const back = await comeBack(running, socket)
      assert.isTrue(back.recovered)
      assert.isTrue(socket.recovered)
      assert.deepStrictEqual(back.recovery, { _tag: "Recovered", missed: 2 })
      assert.strictEqual(back.id, server.id)
      assert.strictEqual(socket.id, server.id)
      assert.deepStrictEqual([...back.rooms].sort(), ["a", server.id].sort())
      assert.deepStrictEqual(back.data, { name: "someone" })
      assert.deepStrictEqual(back.handshake.auth, {})
      io.emit("tick", 4)
      await caughtUp(socket, back)
      assert.deepStrictEqual(seen, [1, "end 0", 2, 3, 4, "end 0"])
    })

    it("it is recovered though it has seen no event (T2)", async () => {
      const running = await serve({ connectionStateRecovery: {} })
      const { client: socket, server } = await begin(running, make)
      const seen = listen(socket)
      await cut(socket, server)
      running.io.emit("tick", "missed")
      const back = await comeBack(running, socket)
      assert.isTrue(back.recovered)
      await caughtUp(socket, back)
      assert.deepStrictEqual(seen, ["missed", "end 0"])
    })

    it("a volatile event that ends with a text costs nothing (T1)", async () => {
      const running = await serve({ connectionStateRecovery: {} })
      const { client: socket, server } = await begin(running, make)
      const seen = listen(socket)
      server.emit("tick", 1)
      server.volatile.emit("tick", "some text")
      running.io.volatile.emit("bare")
      await caughtUp(socket, server)
      server.volatile.emit("tick", "some text")
      const last = next(socket as never, "last")
      server.volatile.emit("last", "some text")
      await last
      await cut(socket, server)
      running.io.emit("tick", "missed")
      const back = await comeBack(running, socket)
      assert.isTrue(back.recovered)
      await caughtUp(socket, back)
      assert.strictEqual(seen.filter((event) => event === "missed").length, 1)
    })

    it("nothing that was missed leaves before a middleware has agreed (T7)", async () => {
      const running = await serve({ connectionStateRecovery: { skipMiddlewares: false } })
      let revoked = false
      running.io.use((_socket, next) => next(revoked ? new Error("revoked") : undefined))
      const { client: socket, server } = await begin(running, make)
      const seen = listen(socket)
      await cut(socket, server)
      running.io.emit("tick", "secret")
      revoked = true
      const refused = next(socket as never, "connect_error")
      socket.connect()
      assert.strictEqual(((await refused)[0] as Error).message, "revoked")
      assert.deepStrictEqual(seen, [])
      revoked = false
      const back = await comeBack(running, socket)
      assert.isTrue(back.recovered)
      await caughtUp(socket, back)
      assert.deepStrictEqual(seen, ["secret", "end 0"])
    })
  })
}

describe("options", () => {
  it("by default recovered sockets pass middleware unasked, as in Socket.IO", async () => {
    const running = await serve({ connectionStateRecovery: {} })
    assert.deepInclude(running.io._opts.connectionStateRecovery, {
      maxDisconnectionDuration: 120_000,
      skipMiddlewares: true
    })
    let asked = 0
    running.io.use((_socket, next) => {
      asked++
      next()
    })
    const { client: socket, server } = await begin(running, clients.official)
    await cut(socket, server)
    assert.isTrue((await comeBack(running, socket)).recovered)
    assert.strictEqual(asked, 1)
  })

  it("after the time it is a new socket, and says why", async () => {
    const running = await serve({ connectionStateRecovery: { maxDisconnectionDuration: 1 } })
    const { client: socket, server } = await begin(running, clients.official)
    await cut(socket, server)
    const lost = Date.now()
    while (Date.now() < lost + 20) await new Promise((resolve) => setImmediate(resolve))
    const back = await comeBack(running, socket)
    assert.isFalse(back.recovered)
    assert.deepStrictEqual(back.recovery, { _tag: "NotRecovered", reason: "SessionUnknown" })
    assert.notStrictEqual(back.id, server.id)
  })

  it("without the option there is nothing of it", async () => {
    const running = await serve()
    const { client: socket, server } = await begin(running, clients.official)
    const args = next(socket as never, "tick")
    server.emit("tick", 1)
    assert.deepStrictEqual(await args, [1])
    assert.deepStrictEqual([server.recovered, server.recovery], [false, { _tag: "Fresh" }])
  })
})

describe("adapters of programs", () => {
  it("socket.io-adapter's own, which delivers itself: its offsets and sessions are used", async () => {
    const running = await serve({
      adapter: SessionAwareAdapter as unknown as AdapterConstructor,
      connectionStateRecovery: {}
    })
    const { io } = running
    const { client: socket, server } = await begin(running, clients.official)
    const seen = listen(socket)
    await server.join("a")
    server.data.name = "someone"
    server.emit("tick", 1)
    socket.on("ask", (answer: (value: string) => void) => answer("answered"))
    assert.strictEqual(await server.timeout(5000).emitWithAck("ask"), "answered")
    await cut(socket, server)
    io.to("a").emit("tick", 2)
    io.to("b").emit("tick", "not for it")
    const back = await comeBack(running, socket)
    assert.isTrue(back.recovered)
    assert.deepStrictEqual(back.data, { name: "someone" })
    assert.isTrue(back.rooms.has("a"))
    io.to("a").emit("tick", 3)
    await caughtUp(socket, back)
    assert.deepStrictEqual(seen, [1, "ask", 2, 3, "end 0"])
    assert.strictEqual((io.of("/").adapter as unknown as OfficialAdapter).rooms.get("a")?.size, 1)
  })

  it("one that extends ours and keeps sessions elsewhere: what it does not keep is in memory", async () => {
    const sessions = new Map<string, SessionToPersist>()
    class Elsewhere extends Adapter {
      override persistSession(session: SessionToPersist): Promise<void> {
        sessions.set(session.pid, session)
        return Promise.resolve(super.persistSession(session))
      }

      override async restoreSession(pid: string, offset: string): Promise<PersistedSession | null> {
        const restored = await super.restoreSession(pid, offset)
        return restored === null ? null : { ...restored, data: { from: "elsewhere" } }
      }
    }
    const running = await serve({ adapter: Elsewhere, connectionStateRecovery: {} })
    const { client: socket, server } = await begin(running, clients.official)
    const seen = listen(socket)
    await server.join("a")
    server.emit("tick", 1)
    await caughtUp(socket, server)
    await cut(socket, server)
    assert.deepStrictEqual(
      [...sessions.values()].map(({ rooms }) => [...rooms].sort()),
      [[server.id, "a"].sort()]
    )
    running.io.to("a").emit("tick", 2)
    const back = await comeBack(running, socket)
    assert.isTrue(back.recovered)
    assert.deepStrictEqual(back.data, { from: "elsewhere" })
    await caughtUp(socket, back)
    assert.deepStrictEqual(seen, [1, "end 0", 2, "end 0"])
  })

  it("one that rejects, or gives nonsense: a new socket", async () => {
    const answers: Array<() => unknown> = [
      () => Promise.reject(new Error("gone")),
      () => null,
      () => ({ sid: 1 }),
      () => "nonsense",
      () => ({ sid: "s", pid: "p", rooms: [1] })
    ]
    class Broken extends Adapter {
      override restoreSession(): Promise<PersistedSession | null> {
        return Promise.resolve(answers.shift()!()) as Promise<PersistedSession | null>
      }
    }
    const running = await serve({ adapter: Broken, connectionStateRecovery: {} })
    while (answers.length > 0) {
      const { client: socket, server } = await begin(running, clients.official)
      await cut(socket, server)
      const back = await comeBack(running, socket)
      assert.deepStrictEqual(back.recovery, { _tag: "NotRecovered", reason: "SessionUnknown" })
    }
  })

  it("ours without the option keeps nothing", async () => {
    const { io } = await serve()
    const adapter = io.of("/").adapter as unknown as Adapter
    adapter.persistSession({ sid: "s", pid: "p", rooms: [], data: {} })
    assert.isNull(await adapter.restoreSession("p", "1"))
  })
})
