/**
 * Servers of ours and official ones in one cluster over Redis Streams: everything one of them does, the other does.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Redis from "../../brokers/Redis.ts"
import {
  acquainted,
  client,
  fresh,
  hear,
  type Options,
  startOfficial,
  startOurs,
  until,
  useRedis
} from "./streamServers.ts"

describe.skipIf(!Redis.available)(`Redis Streams beside official servers (${Redis.hint})`, () => {
  useRedis()

  const pairs = [
    ["ours, then official", startOurs, startOfficial],
    ["official, then ours", startOfficial, startOurs],
    [
      "ours over ioredis, then official",
      (options: Options) => startOurs({ ...options, with: "ioredis" }),
      startOfficial
    ]
  ] as const

  describe.each(pairs)("%s", (_name, startNear, startFar) => {
    it("broadcasts, rooms, answers, remote sockets, events between servers", async () => {
      const nsp = fresh()
      const near = await startNear({})
      const far = await startFar({})
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
      // Broadcasts (3), each by the stream.
      const binary = Buffer.from([0, 1, 254, 255])
      here.emit("x", 1, { deep: [null, true, "é😀"] }, binary)
      here.to("all").emit("x", 2)
      here.to(b.id!).emit("x", 3)
      here.except(b.id!).emit("x", 4)
      here.to("nobody").emit("x", 5)
      here.local.emit("x", 6)
      // Joining (4) and leaving (5).
      here.in(b.id!).socketsJoin(["r1", "r2"])
      here.to("r1").emit("x", 7)
      here.in(b.id!).socketsLeave("r1")
      here.to("r1").emit("x", 8)
      here.to("r2").emit("x", 9)
      await until(() => heardB.some((args) => args[1] === 9), "the last event")
      assert.deepStrictEqual(
        heardB.map((args) => args[1]),
        [1, 2, 3, 7, 9]
      )
      assert.deepStrictEqual(heardB[0], ["x", 1, { deep: [null, true, "é😀"] }, binary])
      await until(() => heardA.some((args) => args[1] === 6), "the last event here")
      // Those of official servers arrive as `6 1 2 4` there.
      const atHome = heardA.map((args) => args[1])
      if (startNear === startOfficial) assert.sameMembers(atHome, [1, 2, 4, 6])
      else assert.deepStrictEqual(atHome, [1, 2, 4, 6])
      // A broadcast with acks (3, 11, 12), by Pub/Sub.
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
      // Events between servers (9, 10).
      far.io.of(nsp).on("question", (n: number, reply: (value: unknown) => void) => reply({ got: n }))
      assert.deepStrictEqual(await here.serverSideEmitWithAck("question", 5), [{ got: 5 }])
      // Disconnecting (6).
      const gone = new Promise((resolve) => b.once("disconnect", resolve))
      here.in("r2").disconnectSockets(true)
      assert.include(["io server disconnect", "transport close"], await gone)
      assert.isTrue(a.connected)
    })

    it("T4: events of one server reach a client of the other in the order in which they were made", async () => {
      const nsp = fresh()
      const near = await startNear({})
      const far = await startFar({})
      await acquainted(nsp, near, far)
      const b = await client(far.url + nsp)
      const heard = hear(b)
      const here = near.io.of(nsp)
      for (let i = 0; i < 200; i++) here.emit("x", i)
      await until(() => heard.length === 200, "all events")
      assert.deepStrictEqual(
        heard.map((args) => args[1]),
        Array.from({ length: 200 }, (_, i) => i)
      )
    })
  })

  it("T4: between ours, questions keep their place among broadcasts", async () => {
    const nsp = fresh()
    const near = await startOurs()
    const far = await startOurs({ with: "ioredis" })
    await acquainted(nsp, near, far)
    const b = await client(far.url + nsp)
    const heard = hear(b)
    b.on("ask", (_n: number, reply: () => void) => reply())
    const here = near.io.of(nsp)
    for (let i = 0; i < 300; i += 3) {
      here.emit("x", i)
      here.timeout(10_000).emit("ask", i + 1, () => {})
      here.emit("x", i + 2)
    }
    await until(() => heard.length === 300, "all events")
    assert.deepStrictEqual(
      heard.map((args) => args[1]),
      Array.from({ length: 300 }, (_, i) => i)
    )
  })

  it("T10: with several streams, namespaces of all names reach official servers", async () => {
    const streams = { streamName: "t10", streamCount: 4 }
    const near = await startOurs({ streams })
    const far = await startOfficial({ streams })
    const names = ["/notifications", "/", "/a", "/b", "/chat", "/admin"]
    for (const name of names) {
      await acquainted(name, near, far)
      const there = await client(far.url + name)
      const here = await client(near.url + name)
      const [heardThere, heardHere] = [hear(there), hear(here)]
      near.io.of(name).emit("x", name)
      await until(() => heardThere.length === 1, `an event of ours in ${name}`)
      far.io.of(name).emit("y", name)
      await until(() => heardHere.length === 2, `an event of an official server in ${name}`)
    }
  })
})
