/** Clusters of official servers and ours, on one redis-server: everything in both directions, over both packages of clients. */
import { Emitter as OfficialEmitter } from "@socket.io/redis-emitter"
import type { Socket as ClientSocket } from "socket.io-client"
import { assert, describe, it } from "vitest"
import * as Redis from "../../brokers/Redis.ts"
import { Emitter } from "../../../src/facade/adapters/redis-emitter.ts"
import {
  clientOf,
  eventually,
  hearsRoom,
  type Flavour,
  knows,
  makeOfficial,
  makeOurs,
  type Party,
  redisClient,
  type Way
} from "./redisMixed.ts"
import { freshPrefix, useRedis } from "./redisNodes.ts"

/** What a client has heard of an event, in order. */
const heard = (client: ClientSocket, event: string): Array<Array<unknown>> => {
  const list: Array<Array<unknown>> = []
  client.on(event, (...args: Array<unknown>) => list.push(args))
  return list
}

const bytes = (value: unknown): Array<number> => Array.from(value as Uint8Array)

/** The room of whoever is to be reached alone; a name that is no id of a socket. */
const roomOf = async (party: Party, room: string): Promise<void> => {
  party.io.in(party.client.id!).socketsJoin(room)
  await eventually(() => {
    const { rooms } = party.io.of("/").adapter
    assert.isTrue(rooms.has(room))
  })
}

/** Time for what must not arrive: something that is sent after it on the same way has. */
const fence = async (from: Party, to: Party): Promise<void> => {
  const arrived = heard(to.client, "fence")
  from.io.to(to.client.id!).emit("fence")
  await eventually(() => assert.isAtLeast(arrived.length, 1))
}

/** One direction: `from` asks and tells, `to` is another server. */
const direction = async (way: Way, prefix: string, from: Party, to: Party): Promise<void> => {
  // Broadcasts: arguments, rooms, exceptions, one socket, flags.
  const got = heard(to.client, "x")
  const near = heard(from.client, "x")
  await roomOf(to, "room")
  await hearsRoom(way, prefix, "room")
  from.io.emit("x", 1, "ä", { a: [null, true, 1.5] })
  from.io.to("room").emit("x", 2)
  from.io.to(["room", "elsewhere"]).emit("x", 3)
  from.io.except("room").emit("x", "nobody")
  from.io.to(to.client.id!).emit("x", 4)
  from.io.local.emit("x", "nobody")
  from.io.emit("x", Buffer.from([1, 2, 3]), { inner: Buffer.from([255]) })
  from.io.to("nowhere").emit("x", "nobody")
  from.io.emit("x", "last")
  await eventually(() => assert.deepStrictEqual(got.at(-1), ["last"]))
  const binary = got[4]!
  assert.deepStrictEqual([bytes(binary[0]), bytes((binary[1] as { inner: unknown }).inner)], [[1, 2, 3], [255]])
  assert.deepStrictEqual(
    [...got.slice(0, 4), ...got.slice(5)],
    [[1, "ä", { a: [null, true, 1.5] }], [2], [3], [4], ["last"]]
  )
  await eventually(() => assert.deepStrictEqual(near.at(-1), ["last"]))
  // While the client is idle.
  from.io.volatile.emit("x", 5)
  await eventually(() => assert.deepStrictEqual(got.at(-1), [5]))
  // Answers of clients.
  for (const { client } of [from, to]) {
    client.removeAllListeners("ask")
    client.on("ask", (n: number, reply: (answer: unknown) => void) => reply({ n: n + 1, id: client.id }))
  }
  const answers = (await from.io.timeout(5000).emitWithAck("ask", 1)) as Array<{ n: number; id: string }>
  assert.sameMembers(
    answers.map(({ id }) => id),
    [from.client.id!, to.client.id!]
  )
  const [single] = (await from.io.to("room").timeout(5000).emitWithAck("ask", 7)) as Array<{ n: number }>
  assert.strictEqual(single?.n, 8)
  // A socket of the other server: description, answer, rooms.
  const sockets = await from.io.fetchSockets()
  assert.lengthOf(sockets, 2)
  const remote = sockets.find(({ id }) => id === to.client.id)!
  assert.isTrue(remote.rooms.has("room"))
  assert.strictEqual(remote.handshake.url.startsWith("/socket.io/"), true)
  assert.deepStrictEqual(await remote.timeout(5000).emitWithAck("ask", 4), { n: 5, id: to.client.id! })
  assert.lengthOf(await from.io.in("room").fetchSockets(), 1)
  const { rooms } = to.io.of("/").adapter
  remote.join(["a", "b"])
  await eventually(() => assert.isTrue(rooms.has("a") && rooms.has("b")))
  remote.leave("a")
  await eventually(() => assert.isFalse(rooms.has("a")))
  from.io.in("b").socketsJoin("c")
  await eventually(() => assert.isTrue(rooms.has("c")))
  from.io.in("c").socketsLeave("b")
  await eventually(() => assert.isFalse(rooms.has("b")))
  from.io.except("room").socketsJoin("wrong")
  await fence(from, to)
  assert.isFalse(rooms.get("wrong")?.has(to.client.id!) ?? false)
  // Servers.
  const news: Array<unknown> = []
  to.io.of("/").on("news" as never, ((...args: Array<unknown>) => news.push(args)) as never)
  to.io.of("/").on("sum" as never, ((a: number, b: number, reply: (n: number) => void) => reply(a + b)) as never)
  from.io.serverSideEmit("news", 1, { b: "x" })
  await eventually(() => assert.deepStrictEqual(news, [[1, { b: "x" }]]))
  assert.deepStrictEqual(await from.io.serverSideEmitWithAck("sum", 1, 2), [3])
  // Disconnecting.
  const left = heard(to.client, "disconnect")
  const other = await clientOf(to.url)
  from.io.in(other.id!).disconnectSockets()
  const otherLeft = heard(other, "disconnect")
  await eventually(() => assert.strictEqual(otherLeft[0]?.[0], "io server disconnect"))
  assert.lengthOf(left, 0)
  from.io.in("room").disconnectSockets(true)
  await eventually(() => assert.match(String(left[0]?.[0]), /io server disconnect|transport close/))
}

const flavours: ReadonlyArray<Flavour> = ["redis", "ioredis"]
const ways: ReadonlyArray<Way> = ["plain", "sharded"]

// Where there is no redis-server: see the hint of `test/brokers/Redis.ts`.
describe.skipIf(!Redis.available)("mixed clusters", () => {
  useRedis()

  for (const way of ways) {
    for (const flavour of flavours) {
      it(`${way}: ours (${flavour}) to official`, async () => {
        const prefix = freshPrefix()
        const [from, to] = [await makeOurs(way, prefix, flavour), await makeOfficial(way, prefix)]
        await knows(from, 2)
        await direction(way, prefix, from, to)
      })

      it(`${way}: official to ours (${flavour})`, async () => {
        const prefix = freshPrefix()
        const [from, to] = [await makeOfficial(way, prefix), await makeOurs(way, prefix, flavour)]
        await knows(from, 2)
        await direction(way, prefix, from, to)
      })
    }
  }

  it("plain: answers on channels of their own, to either", async () => {
    const prefix = freshPrefix()
    const specific = { publishOnSpecificResponseChannel: true }
    const [a, b] = [
      await makeOfficial("plain", prefix, "redis", specific),
      await makeOurs("plain", prefix, "redis", specific)
    ]
    await knows(a, 2)
    assert.lengthOf(await a.io.fetchSockets(), 2)
    assert.lengthOf(await b.io.fetchSockets(), 2)
    b.client.on("ask", (reply: (n: number) => void) => reply(1))
    a.client.on("ask", (reply: (n: number) => void) => reply(2))
    assert.sameMembers(await a.io.timeout(5000).emitWithAck("ask"), [1, 2])
    assert.sameMembers(await b.io.timeout(5000).emitWithAck("ask"), [1, 2])
  })

  for (const subscriptionMode of ["static", "dynamic-private"] as const) {
    it(`sharded, ${subscriptionMode}: rooms and single sockets in both directions`, async () => {
      const prefix = freshPrefix()
      const [a, b] = [
        await makeOfficial("sharded", prefix, "redis", { subscriptionMode }),
        await makeOurs("sharded", prefix, "redis", { subscriptionMode })
      ]
      await knows(a, 2)
      let hearing = 0
      for (const [from, to] of [
        [a, b],
        [b, a]
      ] as const) {
        const got = heard(to.client, "x")
        await roomOf(to, "a room of 20 letters")
        // It has a channel of its own where sockets have, too.
        if (subscriptionMode === "dynamic-private")
          await hearsRoom("sharded", prefix, "a room of 20 letters", ++hearing)
        from.io.to("a room of 20 letters").emit("x", "room")
        from.io.to(to.client.id!).emit("x", "socket")
        await eventually(() => assert.deepStrictEqual(got, [["room"], ["socket"]]))
      }
    })
  }

  for (const flavour of flavours) {
    for (const [name, make] of [
      ["official", async () => new OfficialEmitter(await redisClient(flavour), { key: "emit" })],
      ["our", async () => new Emitter(await redisClient(flavour), { key: "emit" }) as unknown as OfficialEmitter]
    ] as const) {
      it(`the ${name} emitter (${flavour}) reaches the clients of both servers`, async () => {
        const [a, b] = [await makeOfficial("plain", "emit"), await makeOurs("plain", "emit", flavour)]
        await knows(a, 2)
        const emitter = await make()
        const clients = [a.client, b.client]
        const got = clients.map((client) => heard(client, "x"))
        const all = async (...expected: Array<Array<unknown>>): Promise<void> => {
          for (const list of got) await eventually(() => assert.deepStrictEqual(list, expected))
        }
        emitter.emit("x", 1, { a: null })
        await all([1, { a: null }])
        emitter.in([a.client.id!, b.client.id!]).socketsJoin(["r", "s"])
        for (const { io } of [a, b])
          await eventually(() => assert.strictEqual(io.of("/").adapter.rooms.get("r")?.size, 1))
        emitter.to("r").volatile.compress(false).emit("x", 2)
        await all([1, { a: null }], [2])
        emitter.to("r").except("s").emit("x", "nobody")
        emitter.in("r").socketsLeave("s")
        for (const { io } of [a, b]) await eventually(() => assert.isUndefined(io.of("/").adapter.rooms.get("s")))
        emitter.to(["r", "other"]).emit("x", 3)
        await all([1, { a: null }], [2], [3])
        emitter.emit("x", Buffer.from([9]))
        for (const list of got) await eventually(() => assert.deepStrictEqual(bytes(list[3]?.[0]), [9]))
        const told: Array<unknown> = []
        for (const { io } of [a, b]) io.of("/").on("news" as never, ((n: number) => told.push(n)) as never)
        emitter.serverSideEmit("news", 5)
        await eventually(() => assert.deepStrictEqual(told, [5, 5]))
        assert.throws(() => emitter.emit("connect"), /reserved event name/)
        assert.throws(() => emitter.serverSideEmit("news", () => {}), "Acknowledgements are not supported")
        const left = clients.map((client) => heard(client, "disconnect"))
        emitter.to("r").disconnectSockets(true)
        for (const list of left) await eventually(() => assert.lengthOf(list, 1))
      })

      it(`the ${name} emitter (${flavour}) reaches other namespaces`, async () => {
        const [a, b] = [await makeOfficial("plain", "emit"), await makeOurs("plain", "emit", flavour)]
        const got: Array<Array<Array<unknown>>> = []
        for (const { io, url } of [a, b]) {
          io.of("/admin")
          got.push(heard(await clientOf(url, "/admin"), "x"))
        }
        const emitter = await make()
        await eventually(() => {
          emitter.of("admin").emit("x", "hi")
          for (const list of got) assert.isAtLeast(list.length, 1)
        })
        for (const list of got) assert.deepStrictEqual(list[0], ["hi"])
      })
    }
  }
})
