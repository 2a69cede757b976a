/**
 * Servers of ours and official ones in one cluster over PostgreSQL: everything one of them does, the other does. And emitters: the official one
 * reaches ours (T11), ours reaches both.
 */
import { assert, describe, it } from "@effect/vitest"
import { decode } from "@msgpack/msgpack"
import * as official from "@socket.io/postgres-adapter"
import { Emitter as OfficialEmitter } from "@socket.io/postgres-emitter"
import * as Effect from "effect/Effect"
import { Namespace } from "effect-socketio/contract"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Pool } from "pg"
import { Server as OfficialServer, type ServerOptions as OfficialOptions } from "socket.io"
import { io as connect, type ManagerOptions, type Socket as ClientSocket, type SocketOptions } from "socket.io-client"
import { afterAll, beforeAll, onTestFinished } from "vitest"
import * as PostgresEmitter from "../../../src/adapter/postgres/PostgresEmitter.ts"
import * as Options from "../../../src/adapter/postgres/PostgresOptions.ts"
import * as Schema from "../../../src/adapter/postgres/PostgresSchema.ts"
import { createAdapter } from "../../../src/facade/adapters/postgres-adapter.ts"
import { Emitter } from "../../../src/facade/adapters/postgres-emitter.ts"
import { Server } from "../../../src/facade/server.ts"
import * as Postgres from "../../brokers/Postgres.ts"

/** What the tests use of a server; both have it. */
type AnyServer = OfficialServer

interface Running {
  readonly io: AnyServer
  readonly url: string
}

let postgres: Postgres.PostgresServer

const pool = (): Pool => {
  const pool = new Pool({ connectionString: postgres.url, max: 6 })
  pool.on("error", () => {})
  onTestFinished(async () => {
    // The official adapter lets go of its connection when the server is closed, and not before.
    await pool.end().catch(() => {})
  })
  return pool
}

const listen = async (attach: (http: ReturnType<typeof createServer>) => AnyServer): Promise<Running> => {
  const http = createServer()
  const io = attach(http)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    await io.close()
    http.closeAllConnections()
  })
  return { io, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }
}

const startOfficial = (options: Partial<OfficialOptions> = {}): Promise<Running> => {
  const adapter = official.createAdapter(pool(), { errorHandler: () => {} })
  return listen((http) => new OfficialServer(http, { ...options, adapter }))
}

const startOurs = (options: Partial<OfficialOptions> = {}): Promise<Running> => {
  const adapter = createAdapter(pool())
  return listen((http) => new Server(http, { ...options, adapter } as never) as unknown as AnyServer)
}

const client = async (url: string, options: Partial<ManagerOptions & SocketOptions> = {}): Promise<ClientSocket> => {
  const socket = connect(url, { forceNew: true, reconnection: false, transports: ["websocket"], ...options })
  onTestFinished(() => void socket.disconnect())
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve)
    socket.once("connect_error", reject)
  })
  return socket
}

const until = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  const end = performance.now() + 15_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Everything a client hears. */
const hear = (socket: ClientSocket): Array<ReadonlyArray<unknown>> => {
  const heard: Array<ReadonlyArray<unknown>> = []
  socket.onAny((...args) => {
    if (args[0] !== "hello") heard.push(args)
  })
  return heard
}

let run = 0

/** A namespace of its own for each test, since they share the server. */
const fresh = (): string => `/mixed-${++run}`

/** Waits until the servers count each other, and hear each other. */
const acquainted = async (nsp: string, ...servers: ReadonlyArray<Running>): Promise<void> => {
  for (const { io } of servers) io.of(nsp)
  await until(async () => {
    const counts = await Promise.all(servers.map(({ io }) => io.of(nsp).adapter.serverCount()))
    return counts.every((found) => found === servers.length)
  }, "servers that count each other")
}

describe.skipIf(!Postgres.available)(`PostgreSQL beside official servers (${Postgres.hint})`, () => {
  beforeAll(async () => {
    postgres = await Postgres.start()
    const admin = new Pool({ connectionString: postgres.url, max: 1 })
    // The official package leaves its table to the program.
    await admin.query(Schema.attachments(Options.settings()))
    await admin.end()
  }, 60_000)
  afterAll(() => postgres?.close())

  const pairs = [
    ["ours, then official", startOurs, startOfficial],
    ["official, then ours", startOfficial, startOurs]
  ] as const

  describe.each(pairs)("%s", (_name, startNear, startFar) => {
    it("broadcasts, rooms, answers, remote sockets, events between servers", async () => {
      const nsp = fresh()
      const near = await startNear()
      const far = await startFar()
      for (const { io } of [near, far]) {
        io.of(nsp).on("connection", (socket) => {
          void socket.join("all")
          socket.data = { name: "x" }
        })
      }
      await acquainted(nsp, near, far)
      const a = await client(near.url + nsp)
      const b = await client(far.url + nsp)
      const [heardA, heardB] = [hear(a), hear(b)]
      const here = near.io.of(nsp)
      /** Official servers use any connection of their pool, and overtake themselves: one thing after the other. */
      const arrived = (n: number): Promise<void> => until(() => heardB.some((args) => args[1] === n), `event ${n}`)
      // Broadcasts (3), as a notification and with a row.
      const binary = Buffer.from([0, 1, 254, 255])
      const large = "ä".repeat(20_000)
      here.emit("x", 1, { deep: [null, true, "é😀"] }, binary)
      await arrived(1)
      here.to("all").emit("x", 2, large)
      await arrived(2)
      here.to(b.id!).emit("x", 3)
      here.except(b.id!).emit("x", 4)
      here.to("nobody").emit("x", 5)
      here.local.emit("x", 6)
      await arrived(3)
      // Joining (4) and leaving (5).
      const fetched = async (): Promise<ReadonlyArray<string>> =>
        (await here.in(b.id!).fetchSockets()).flatMap(({ rooms }) => [...rooms])
      here.in(b.id!).socketsJoin(["r1", "r2"])
      await until(async () => (await fetched()).includes("r1"), "the room r1")
      here.to("r1").emit("x", 7)
      await arrived(7)
      here.in(b.id!).socketsLeave("r1")
      await until(async () => !(await fetched()).includes("r1"), "the end of r1")
      here.to("r1").emit("x", 8)
      here.to("r2").emit("x", 9)
      await arrived(9)
      assert.deepStrictEqual(
        heardB.map((args) => args[1]),
        [1, 2, 3, 7, 9]
      )
      assert.deepStrictEqual(heardB[0], ["x", 1, { deep: [null, true, "é😀"] }, binary])
      assert.strictEqual(heardB[1]![2], large)
      await until(() => heardA.length === 4, "the events here")
      assert.sameMembers(
        heardA.map((args) => args[1]),
        [1, 2, 4, 6]
      )
      // A broadcast with acks (3, 11, 12).
      a.on("ask", (n: number, reply: (value: unknown) => void) => reply(n + 1))
      b.on("ask", (n: number, reply: (value: unknown) => void) => reply(Buffer.from([n])))
      const answers = await here.timeout(10_000).emitWithAck("ask", 1)
      assert.sameDeepMembers(answers, [2, Buffer.from([1])])
      // Sockets of others (7, 8).
      const sockets = await here.fetchSockets()
      assert.sameMembers(
        sockets.map(({ id }) => id),
        [a.id!, b.id!]
      )
      const remote = sockets.find(({ id }) => id === b.id)!
      assert.deepStrictEqual(remote.data, { name: "x" })
      assert.sameMembers([...remote.rooms], [b.id!, "all", "r2"])
      assert.strictEqual(remote.handshake.url.startsWith("/socket.io/"), true)
      assert.strictEqual((await remote.timeout(10_000).emitWithAck("ask", 9))[0], 9)
      // Events between servers (9, 10), also binary.
      far.io.of(nsp).on("question", (n: Buffer, reply: (value: unknown) => void) => reply({ got: n }))
      assert.deepStrictEqual(await here.serverSideEmitWithAck("question", binary), [{ got: binary }])
      const told = new Promise((resolve) => far.io.of(nsp).on("tell", resolve))
      here.serverSideEmit("tell", "x")
      assert.strictEqual(await told, "x")
      // Disconnecting (6).
      const gone = new Promise((resolve) => b.once("disconnect", resolve))
      here.in("r2").disconnectSockets(true)
      assert.include(["io server disconnect", "transport close"], await gone)
      assert.isTrue(a.connected)
    })

    it("a server that closes is not counted any more", async () => {
      const nsp = fresh()
      const near = await startNear()
      const far = await startFar()
      await acquainted(nsp, near, far)
      await far.io.close()
      await until(async () => (await near.io.of(nsp).adapter.serverCount()) === 1, "its goodbye")
    })
  })

  it("notifications are those of the official adapter, byte for byte; rows hold what its decoder reads", async () => {
    const nsp = "/golden"
    /** What a server publishes on its own and when it is asked, with random ids replaced. */
    const record = async (start: (channelPrefix: string) => Promise<Running>, channelPrefix: string) => {
      const raw = await pool().connect()
      onTestFinished(() => raw.release(true))
      const channel = `${channelPrefix}#${nsp}`
      const notes: Array<string> = []
      raw.on("notification", ({ payload = "" }) => {
        // Our own questions come back, too; and how often a server says that it is there is a matter of time.
        if (!payload.includes('"uid":"asker"') && !payload.startsWith('{"type":2')) notes.push(payload)
      })
      await raw.query(`LISTEN "${channel}"`)
      const { io } = await start(channelPrefix)
      const arrived = (count: number): Promise<void> => until(() => notes.length >= count, `${count} notifications`)
      const target = io.of(nsp)
      await arrived(1)
      const acts: ReadonlyArray<() => unknown> = [
        () => target.emit("hello", 1, { a: null }, 'ä😀\u2028\n"\\'),
        () => target.to(["a", "b"]).except("c").volatile.emit("x"),
        () => target.compress(false).emit("x", [[]], true),
        () => target.in("r").socketsJoin(["s", "t"]),
        () => target.socketsLeave("s"),
        () => target.except("e").disconnectSockets(true),
        () => target.serverSideEmit("s", { n: 1.5 }),
        () => target.emit("bytes", Buffer.from([1, 2, 3])),
        () => target.emit("large", "l".repeat(9000))
      ]
      for (const act of acts) {
        const count = notes.length
        act()
        // Official servers may overtake themselves.
        await arrived(count + 1)
      }
      target.on("question", (n: number, reply: (value: unknown) => void) => reply({ n }))
      const opts = { rooms: [], except: [], flags: { timeout: 5000 } }
      const requestId = "00112233445566ff"
      const questions = [
        { type: 7, data: { opts, requestId } },
        { type: 9, data: { requestId, packet: ["question", 7] } },
        { type: 3, data: { packet: { type: 2, data: ["ask"] }, requestId, opts } }
      ]
      for (const question of questions) {
        const count = notes.length
        await raw.query("SELECT pg_notify($1, $2)", [channel, JSON.stringify({ ...question, uid: "asker", nsp })])
        await arrived(count + 1)
      }
      await io.close()
      await until(() => notes.some((note) => note.startsWith('{"type":13')), "the goodbye")
      const rows: Array<unknown> = []
      const normal = (text: string): string => text.replace(/"uid":"[0-9a-f]{16}"/, '"uid":"u"')
      for (const note of notes) {
        const { attachmentId } = JSON.parse(note) as { attachmentId?: string }
        if (attachmentId === undefined) continue
        const { rows: found } = await raw.query("SELECT payload FROM socket_io_attachments WHERE id = $1", [
          attachmentId
        ])
        rows.push({ ...(decode(found[0].payload) as object), uid: "u" })
      }
      return { notes: notes.map((note) => normal(note).replace(/"attachmentId":"\d+"/, '"attachmentId":"1"')), rows }
    }
    const theirs = await record((channelPrefix) => {
      const adapter = official.createAdapter(pool(), { channelPrefix, errorHandler: () => {} })
      return listen((http) => new OfficialServer(http, { adapter }))
    }, "golden1")
    const ours = await record((channelPrefix) => {
      const adapter = createAdapter(pool(), { channelPrefix })
      return listen((http) => new Server(http, { adapter }) as unknown as AnyServer)
    }, "golden2")
    // Those of rows name their namespace, which official servers do not look at.
    const withoutNsp = (note: string): string =>
      note.replace(/^(\{"uid":"u","type":\d+,"attachmentId":"1"),"nsp":"\/golden"\}$/, "$1}")
    assert.deepStrictEqual(ours.notes.map(withoutNsp), theirs.notes)
    assert.lengthOf(ours.notes, 14)
    assert.deepStrictEqual(ours.rows, theirs.rows)
    assert.lengthOf(ours.rows, 2)
  })

  it("an official server in a cluster that recovers: it hears what is stored, as what it is", async () => {
    const nsp = fresh()
    const near = await startOurs({ connectionStateRecovery: {} })
    const far = await startOfficial()
    await acquainted(nsp, near, far)
    const b = await client(far.url + nsp)
    const heard = hear(b)
    near.io.of(nsp).emit("x", 1)
    near.io.of(nsp).emit("x", Buffer.from([1, 2]))
    near.io.of(nsp).emit("x", "y".repeat(10_000))
    await until(() => heard.length === 3, "three events")
    assert.sameDeepMembers(
      heard.map((args) => args.slice(1)),
      [[1], [Buffer.from([1, 2])], ["y".repeat(10_000)]]
    )
  })

  it("T4: between ours, events arrive in the order in which they were made, large and binary ones among them", async () => {
    const nsp = fresh()
    const [near, far] = [await startOurs(), await startOurs()]
    await acquainted(nsp, near, far)
    const b = await client(far.url + nsp)
    const heard = hear(b)
    b.on("ask", (_n: number, reply: () => void) => reply())
    const here = near.io.of(nsp)
    for (let i = 0; i < 300; i += 3) {
      here.emit("x", i, i % 2 === 0 ? Buffer.from([i & 255]) : "small")
      here.timeout(10_000).emit("ask", i + 1, () => {})
      here.emit("x", i + 2, i % 5 === 0 ? "z".repeat(9000) : "small")
    }
    await until(() => heard.length === 300, "all events")
    assert.deepStrictEqual(
      heard.map((args) => args[1]),
      Array.from({ length: 300 }, (_, i) => i)
    )
  })

  it("a client that comes back to another server, after PostgreSQL was started again, is recovered and gets what it missed", async () => {
    const nsp = fresh()
    const recovering = { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } }
    const [near, far] = [await startOurs(recovering), await startOurs(recovering)]
    await acquainted(nsp, near, far)
    near.io.of(nsp).on("connection", (socket) => {
      socket.data = { bytes: Buffer.from([7]) }
      void socket.join("room")
    })
    const recovered = new Promise<{ rooms: Set<string>; data: unknown }>((resolve) => {
      far.io.of(nsp).on("connection", (socket) => {
        if (socket.recovered) resolve(socket as never)
      })
    })
    const first = await client(near.url + nsp)
    const id = first.id!
    const heard = hear(first)
    far.io.of(nsp).emit("x", 1)
    await until(() => heard.length === 1, "the first event")
    // As a network that breaks: no goodbye.
    const gone = new Promise((resolve) =>
      near.io
        .of(nsp)
        .sockets.get(id as never)!
        .once("disconnect", resolve)
    )
    first.io.engine.close()
    await gone
    const sessions = pool()
    await until(async () => {
      const { rows } = await sessions.query("SELECT 1 FROM socket_io_sessions WHERE channel = $1", [`socket.io#${nsp}`])
      return rows.length === 1
    }, "the session")
    for (let i = 2; i < 5; i++)
      near.io
        .of(nsp)
        .to("room")
        .emit("x", i, i === 3 ? Buffer.from([i]) : "l".repeat(i * 3000))
    near.io.of(nsp).to("elsewhere").emit("x", 5)
    const last = await client(near.url + nsp)
    const heardLast = hear(last)
    near.io.of(nsp).emit("x", 6)
    await until(() => heardLast.some((args) => args[1] === 6), "the last event")
    await postgres.kill()
    await postgres.start()
    const again = connect(far.url + nsp, {
      forceNew: true,
      reconnection: false,
      autoConnect: false,
      transports: ["websocket"]
    })
    onTestFinished(() => void again.disconnect())
    // What a client keeps while it is disconnected.
    const { _pid, _lastOffset } = first as unknown as { _pid: string; _lastOffset: string }
    Object.assign(again, { _pid, _lastOffset })
    const heardAgain = hear(again)
    // The servers may still be on their way back to PostgreSQL.
    let hello = false
    last.once("hello", () => (hello = true))
    await until(async () => {
      // What is to be kept and cannot be is a hole in the log: nobody would be recovered across it.
      far.io.of(nsp).volatile.emit("hello")
      await new Promise((resolve) => setTimeout(resolve, 20))
      return hello
    }, "servers that hear each other again")
    again.connect()
    await until(() => again.connected, "the connection")
    assert.deepStrictEqual([again.id, again.recovered], [id, true])
    far.io.of(nsp).emit("x", 7)
    await until(() => heardAgain.some((args) => args[1] === 7), "an event after")
    assert.deepStrictEqual(
      heardAgain.map((args) => args[1]),
      [2, 3, 4, 6, 7]
    )
    assert.deepStrictEqual(heardAgain[1]![2], Buffer.from([3]))
    const { rooms, data } = await recovered
    assert.isTrue(rooms.has("room"))
    assert.deepStrictEqual(data, { bytes: Buffer.from([7]) })
  })

  describe("emitters", () => {
    /** What an emitter does, whichever it is. */
    const exercise = async (
      nsp: string,
      servers: ReadonlyArray<Running>,
      emitter: Pick<OfficialEmitter, "emit" | "to" | "except" | "in" | "serverSideEmit" | "volatile">
    ): Promise<void> => {
      for (const { io, url } of servers) {
        io.of(nsp).on("connection", (socket) => void socket.join("all"))
        const other = await client(url + nsp)
        const socket = await client(url + nsp)
        const heard = hear(socket)
        const arrived = (n: unknown): Promise<void> =>
          until(() => heard.some((args) => args[1] === n), `event ${String(n)}`)
        emitter.emit("x", 1)
        await arrived(1)
        emitter.to("all").emit("x", 2, Buffer.from([1, 2, 3]))
        await arrived(2)
        emitter.to(socket.id!).emit("x", 3, "l".repeat(20_000))
        await arrived(3)
        emitter.except(socket.id!).emit("x", 4)
        emitter.in(socket.id!).socketsJoin("room")
        await until(
          () =>
            io
              .of(nsp)
              .sockets.get(socket.id as never)
              ?.rooms.has("room") === true,
          "the room"
        )
        emitter.to("room").emit("x", 5)
        await arrived(5)
        emitter.in("room").socketsLeave(["room"])
        await until(
          () =>
            io
              .of(nsp)
              .sockets.get(socket.id as never)
              ?.rooms.has("room") === false,
          "its end"
        )
        const told = new Promise((resolve) => io.of(nsp).once("tell", resolve))
        emitter.serverSideEmit("tell", "x")
        assert.strictEqual(await told, "x")
        emitter.volatile.emit("x", 6)
        await arrived(6)
        assert.deepStrictEqual(
          heard.map((args) => args[1]),
          [1, 2, 3, 5, 6]
        )
        assert.deepStrictEqual(heard[1]![2], Buffer.from([1, 2, 3]))
        const gone = new Promise((resolve) => socket.once("disconnect", resolve))
        emitter.in(socket.id!).disconnectSockets(true)
        await gone
        assert.isTrue(other.connected)
        other.disconnect()
      }
    }

    it("T11: the official emitter, whose messages name no namespace, reaches our servers", async () => {
      const nsp = fresh()
      const ours = await startOurs()
      await acquainted(nsp, ours)
      await exercise(nsp, [ours], new OfficialEmitter(pool()).of(nsp))
    })

    it("our emitter reaches our servers and official ones", async () => {
      const nsp = fresh()
      const [ours, theirs] = [await startOurs(), await startOfficial()]
      await acquainted(nsp, ours, theirs)
      const emitter = new Emitter(pool()).of(nsp)
      await exercise(nsp, [ours, theirs], emitter as never)
      assert.throws(() => emitter.emit("connect"), '"connect" is a reserved event name')
      assert.throws(() => emitter.serverSideEmit("x", () => {}), "Acknowledgements are not supported")
    })

    it("our emitter keeps its order, and its options in other namespaces", async () => {
      const nsp = fresh()
      const [ours, stranger] = [await startOurs(), await startOfficial()]
      await acquainted(nsp, ours, stranger)
      const there = await client(ours.url + nsp)
      const heard = hear(there)
      new Emitter(pool(), "/", { channelPrefix: "elsewhere" }).of(nsp).emit("x", "lost")
      const emitter = new Emitter(pool()).of(nsp.slice(1))
      for (let i = 0; i < 100; i++) emitter.emit("x", i, i % 10 === 3 ? "m".repeat(9000) : "")
      await until(() => heard.length === 100, "all events")
      assert.deepStrictEqual(
        heard.map((args) => args[1]),
        Array.from({ length: 100 }, (_, i) => i)
      )
    })

    it("the emitter of the Effect API, by contract, and what it is told when PostgreSQL refuses", async () => {
      const nsp = fresh()
      const ours = await startOurs()
      await acquainted(nsp, ours)
      const there = await client(ours.url + nsp)
      const heard = hear(there)
      const emitter = PostgresEmitter.make(pool()).namespace(Namespace.untyped(nsp))
      await Effect.runPromise(emitter.to(there.id!).emit("x", 1))
      await until(() => heard.length === 1, "the event")
      assert.deepStrictEqual(heard, [["x", 1]])
      const strange = PostgresEmitter.make(pool(), { tableName: "no_such_table" }).namespace(Namespace.untyped(nsp))
      const refused = await Effect.runPromise(Effect.flip(strange.emit("x", new Uint8Array(3))))
      assert.strictEqual(refused.reason, "Rejected")
      const nowhere = new Pool({ host: "127.0.0.1", port: 1 })
      const lost = PostgresEmitter.make(nowhere).namespace(Namespace.untyped(nsp))
      assert.strictEqual((await Effect.runPromise(Effect.flip(lost.emit("x")))).reason, "Unavailable")
      await nowhere.end()
    })
  })
})
