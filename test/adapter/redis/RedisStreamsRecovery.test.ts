/**
 * Connection state recovery over Redis Streams, with official clients that move between servers of ours and official ones.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Socket as ClientSocket } from "socket.io-client"
import * as Redis from "../../brokers/Redis.ts"
import {
  acquainted,
  client,
  fresh,
  hear,
  nodeRedis,
  type Options,
  type Running,
  startOfficial,
  startOurs,
  until,
  useRedis
} from "./streamServers.ts"

const recovering: Options = { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } }

/** Breaks the connection, and waits until the session is kept. */
const cut = async (socket: ClientSocket): Promise<void> => {
  const redis = await nodeRedis()
  const { _pid: pid } = socket as unknown as { readonly _pid: string }
  socket.io.engine.close()
  await until(async () => (await redis.exists(`sio:session:${pid}`)) === 1, "the session")
}

/** Comes back, to this server. */
const comeBack = async (socket: ClientSocket, { url }: Running): Promise<void> => {
  Object.assign(socket.io, { uri: url })
  const connected = new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve)
    socket.once("connect_error", reject)
  })
  socket.connect()
  await connected
}

/** The first arguments, without the offsets that official clients show. */
const values = (heard: ReadonlyArray<ReadonlyArray<unknown>>): ReadonlyArray<unknown> => heard.map((args) => args[1])

const joining = (nsp: string, ...servers: ReadonlyArray<Running>): void => {
  for (const { io } of servers) {
    io.of(nsp).on("connection", (socket) => {
      if (socket.recovered) return
      void socket.join("room")
      socket.data = { name: "Ada" }
    })
  }
}

describe.skipIf(!Redis.available)(`recovery over Redis Streams (${Redis.hint})`, () => {
  useRedis()

  const moves = [
    ["from ours to ours", startOurs, startOurs],
    ["from ours to official", startOurs, startOfficial],
    ["from official to ours", startOfficial, startOurs]
  ] as const

  it.each(moves)(
    "a client moves %s and back: id, rooms, data, and all that it missed, once",
    async (_name, one, two) => {
      const nsp = fresh()
      const from = await one(recovering)
      const to = await two(recovering)
      await acquainted(nsp, from, to)
      joining(nsp, from, to)
      const socket = await client(from.url + nsp)
      const heard = hear(socket)
      const { id } = socket
      from.io.of(nsp).emit("x", 1)
      await until(() => heard.length === 1, "an event")
      let expected: ReadonlyArray<unknown> = [1]
      for (const [leaving, reached] of [
        [from, to],
        [to, from]
      ] as const) {
        await cut(socket)
        const base = expected.length * 100
        leaving.io.of(nsp).emit("x", base)
        await until(async () => (await leaving.io.of(nsp).fetchSockets()).length === 0, "its end")
        reached.io
          .of(nsp)
          .to("room")
          .emit("x", base + 1, Buffer.from([1, 2, 3]))
        reached.io
          .of(nsp)
          .to("elsewhere")
          .emit("x", base + 2)
        leaving.io
          .of(nsp)
          .except("room")
          .emit("x", base + 3)
        leaving.io
          .of(nsp)
          .to(id!)
          .emit("x", base + 4)
        // Both are written before it comes back.
        await Promise.all([leaving, reached].map(({ io }) => io.of(nsp).fetchSockets()))
        await comeBack(socket, reached)
        assert.isTrue(socket.recovered)
        assert.strictEqual(socket.id, id)
        reached.io
          .of(nsp)
          .to("room")
          .emit("x", base + 5)
        leaving.io
          .of(nsp)
          .to("room")
          .emit("x", base + 6)
        await until(() => values(heard).includes(base + 5) && values(heard).includes(base + 6), "the events after it")
        assert.sameMembers(values(heard.slice(expected.length)) as Array<unknown>, [
          base,
          base + 1,
          base + 4,
          base + 5,
          base + 6
        ])
        expected = values(heard)
        const [remote] = await leaving.io.of(nsp).fetchSockets()
        assert.deepStrictEqual(remote!.data, { name: "Ada" })
        assert.sameMembers([...remote!.rooms], [id!, "room"])
      }
    }
  )

  it("a server restarts: its clients are recovered by the next one", async () => {
    const nsp = fresh()
    const first = await startOurs(recovering)
    const other = await startOurs(recovering)
    await acquainted(nsp, first, other)
    joining(nsp, first, other)
    const socket = await client(first.url + nsp)
    const heard = hear(socket)
    first.io.of(nsp).emit("x", 1)
    await until(() => heard.length === 1, "an event")
    const redis = await nodeRedis()
    const { _pid: pid } = socket as unknown as { readonly _pid: string }
    await first.io.close()
    await until(async () => (await redis.exists(`sio:session:${pid}`)) === 1, "the session")
    other.io.of(nsp).to("room").emit("x", 2)
    const next = await startOurs(recovering)
    await acquainted(nsp, other, next)
    await comeBack(socket, next)
    assert.isTrue(socket.recovered)
    await until(() => values(heard).includes(2), "what it missed")
    assert.deepStrictEqual(values(heard), [1, 2])
  })

  it("T2: a client that has heard nothing yet is recovered, too", async () => {
    const nsp = fresh()
    const from = await startOurs(recovering)
    const to = await startOurs(recovering)
    await acquainted(nsp, from, to)
    const socket = await client(from.url + nsp)
    const heard = hear(socket)
    await cut(socket)
    from.io.of(nsp).emit("x", 1)
    from.io.of(nsp).emit("x", 2)
    await from.io.of(nsp).fetchSockets()
    await comeBack(socket, to)
    assert.isTrue(socket.recovered)
    await until(() => heard.length === 2, "what it missed")
    assert.deepStrictEqual(values(heard), [1, 2])
  })

  it("T9: a session is nobody's twice: of two who name it, one has it", async () => {
    const nsp = fresh()
    const one = await startOurs(recovering)
    joining(nsp, one)
    const socket = await client(one.url + nsp)
    const heard = hear(socket)
    one.io.of(nsp).emit("x", 1)
    await until(() => heard.length === 1, "an event")
    const { _pid: pid, _lastOffset: offset } = socket as unknown as { _pid: string; _lastOffset: string }
    const { id } = socket
    await cut(socket)
    const thief = await client(one.url + nsp, { auth: { pid, offset } })
    assert.strictEqual(thief.id, id)
    await comeBack(socket, one)
    // Either is right: a new socket, or the same one while the other has to go.
    await until(() => socket.id !== id || !thief.connected, "one owner")
    const sockets = await one.io.of(nsp).fetchSockets()
    assert.lengthOf(
      sockets.filter((remote) => remote.id === id),
      1
    )
  })
})
