/** The adapters over NATS under Socket.IO's API, with the official client: two servers, an emitter, and a client that moves between them. */
import { createServer } from "node:http"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { connect, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { io as officialClient, type Socket as OfficialSocket } from "socket.io-client"
import { afterAll, assert, beforeAll, describe, it, onTestFinished } from "vitest"
import * as entry from "../../../src/facade/adapters/nats-adapter.ts"
import { Server } from "../../../src/facade/server.ts"
import * as Nats from "../../brokers/Nats.ts"

const patience = 20_000

/** Waits until the assertion holds. */
const eventually = async (check: () => void | Promise<void>): Promise<void> => {
  const end = performance.now() + patience
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe.skipIf(!Nats.available)("facade over NATS", () => {
  const scope = Scope.makeUnsafe()
  let server: Nats.NatsServer | undefined
  let prefixes = 0
  beforeAll(async () => {
    server = await Effect.runPromise(Nats.make({ jetStream: true }).pipe(Scope.provide(scope)))
  }, 60_000)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 60_000)

  const connection = async (): Promise<NatsConnection> => {
    const made = await connect({ servers: server?.url ?? "", maxReconnectAttempts: -1, reconnectTimeWait: 100 })
    onTestFinished(() => made.close())
    return made
  }

  const fresh = (): { readonly prefix: string; readonly stream: string; readonly bucket: string } => {
    const name = `facade-${++prefixes}`
    return { prefix: name, stream: name, bucket: name }
  }

  const listen = async (adapter: ReturnType<typeof entry.createJetStreamAdapter>, recovery = false) => {
    const http = createServer()
    const io = new Server(http, { adapter, ...(recovery ? { connectionStateRecovery: {} } : {}) })
    onTestFinished(() => io.close())
    io.on("connection", (socket) => void socket.join("lobby"))
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    return { io, port: (http.address() as AddressInfo).port }
  }

  const client = async (port: number): Promise<OfficialSocket> => {
    const socket = officialClient(`http://127.0.0.1:${port}`, {
      transports: ["websocket"],
      reconnectionDelay: 10,
      reconnectionDelayMax: 50
    })
    onTestFinished(() => void socket.close())
    await new Promise<void>((resolve) => socket.once("connect", resolve))
    return socket
  }

  for (const jetStream of [false, true]) {
    const name = jetStream ? "createJetStreamAdapter" : "createAdapter"

    it(
      `${name}: broadcasts, questions and an emitter; close leaves the connection alone`,
      { timeout: 60_000 },
      async () => {
        const options = fresh()
        const connections = [await connection(), await connection()] as const
        const create = (connection: NatsConnection) =>
          jetStream ? entry.createJetStreamAdapter(connection, options) : entry.createAdapter(connection, options)
        const one = await listen(create(connections[0]))
        const two = await listen(create(connections[1]))
        const socket = await client(one.port)
        const heard: Array<unknown> = []
        socket.on("news", (value, answer) => {
          heard.push(value)
          if (typeof answer === "function") answer(`got ${value}`)
        })
        await client(two.port)
        await eventually(async () => assert.lengthOf(await two.io.fetchSockets(), 2))
        two.io.to("lobby").emit("news", 1)
        await eventually(() => assert.deepStrictEqual(heard, [1]))
        assert.deepStrictEqual(
          await two.io
            .in(socket.id ?? "")
            .timeout(patience)
            .emitWithAck("news", 2),
          ["got 2"]
        )
        const emitter = new entry.Emitter(await connection(), { ...options, jetStream })
        emitter
          .to("lobby")
          .except("nobody")
          .emit("news", Buffer.from([1, 2]))
        await eventually(() => assert.lengthOf(heard, 3))
        assert.deepStrictEqual(Array.from(heard[2] as Uint8Array), [1, 2])
        emitter.in("lobby").socketsLeave("lobby")
        await eventually(async () => assert.lengthOf(await two.io.in("lobby").fetchSockets(), 0))
        emitter.of("/").disconnectSockets()
        await eventually(() => assert.isFalse(socket.connected))
        await one.io.close()
        assert.isFalse(connections[0].isClosed())
        await connections[0].flush()
      }
    )
  }

  it(
    "connectionStateRecovery: a client of the official package moves to another server and misses nothing",
    { timeout: 60_000 },
    async () => {
      const options = fresh()
      const one = await listen(entry.createJetStreamAdapter(await connection(), options), true)
      const two = await listen(entry.createJetStreamAdapter(await connection(), options), true)
      const socket = await client(one.port)
      const heard: Array<unknown> = []
      socket.on("news", (value) => void heard.push(value))
      one.io.emit("news", "1")
      await eventually(() => assert.deepStrictEqual(heard, ["1"]))
      const id = socket.id
      // The next connection goes to the other server.
      Object.assign(socket.io, { uri: `http://127.0.0.1:${two.port}` })
      const back = new Promise<void>((resolve) => socket.once("connect", resolve))
      const session = new Promise<void>((resolve) =>
        one.io.sockets.sockets.get(id ?? "")?.once("disconnect", () => resolve())
      )
      socket.io.engine.close()
      await session
      one.io.to("lobby").emit("news", "2")
      two.io.emit("news", "3")
      await back
      two.io.emit("news", "4")
      // Two servers emit at once: which of theirs comes first is the log's to say.
      await eventually(() => assert.sameMembers(heard, ["1", "2", "3", "4"]))
      assert.deepStrictEqual([heard[0], heard[3]], ["1", "4"])
      assert.isTrue(socket.recovered)
      assert.strictEqual(socket.id, id)
      assert.isTrue(two.io.sockets.sockets.get(id ?? "")?.rooms.has("lobby"))
    }
  )

  it("what is no connection is refused at once", () => {
    for (const wrong of [undefined, null, 1, "nats://127.0.0.1", {}]) {
      const given = wrong as unknown as NatsConnection
      assert.throws(() => entry.createAdapter(given), TypeError)
      assert.throws(() => entry.createJetStreamAdapter(given), TypeError)
      assert.throws(() => new entry.Emitter(given), TypeError)
    }
  })

  it("require gives the same", () => {
    const required = createRequire(import.meta.url)("../../../src/facade/adapters/nats-adapter.ts")
    assert.deepStrictEqual(Object.keys(required), [
      "createAdapter",
      "createJetStreamAdapter",
      "Emitter",
      "BroadcastOperator"
    ])
  })
})
