import { assert, describe, it } from "@effect/vitest"
import { collect, next, pair, serve, settle } from "./serve.ts"

describe("rooms", () => {
  it("are joined, left, and read at once", async () => {
    const running = await serve()
    const [socket] = await pair(running)
    const { adapter } = running.io.of("/")
    assert.deepStrictEqual(socket.rooms, new Set([socket.id]))
    void socket.join("a")
    void socket.join(["b", "c"])
    assert.deepStrictEqual(socket.rooms, new Set([socket.id, "a", "b", "c"]))
    assert.deepStrictEqual(adapter.rooms.get("a"), new Set([socket.id]))
    assert.isTrue(adapter.rooms.has("b"))
    assert.isFalse(adapter.rooms.has("nobody"))
    assert.strictEqual(adapter.rooms.size, 4)
    assert.deepStrictEqual([...adapter.rooms.keys()].sort(), [socket.id, "a", "b", "c"].sort())
    assert.deepStrictEqual(adapter.sids.get(socket.id), socket.rooms)
    assert.deepStrictEqual(new Map(adapter.sids), new Map([[socket.id, socket.rooms]]))
    void socket.leave("a")
    assert.isFalse(adapter.rooms.has("a"))
    assert.throws(() => adapter.rooms.delete("b"), /view/)
    assert.throws(() => adapter.rooms.set("x", new Set()), /view/)
  })

  it("are unions, reached once, and the sender is left out", async () => {
    const running = await serve()
    const [one, first] = await pair(running)
    const [two, second] = await pair(running)
    const [three, third] = await pair(running)
    const seen = [first, second, third].map((peer) => collect(peer, "x"))
    void one.join(["a", "b"])
    void two.join("b")
    running.io.to("a").to("b").emit("x", 1)
    running.io.to(["a", "b"]).except("a").emit("x", 2)
    running.io.except(["a", "b"]).emit("x", 3)
    one.to("b").emit("x", 4)
    one.broadcast.emit("x", 5)
    one.in(three.id).emit("x", 6)
    running.io.in("b").local.compress(false).emit("x", 7)
    two.except("a").emit("x", 8)
    await Promise.all([settle(one, first), settle(two, second), settle(three, third)])
    assert.deepStrictEqual(
      seen.map((each) => each.map(([n]) => n)),
      [
        [1, 7],
        [1, 2, 4, 5, 7],
        [3, 5, 6, 8]
      ]
    )
  })

  it("leaving and disconnecting are told, with the rooms still there while disconnecting", async () => {
    const running = await serve()
    const events: Array<unknown> = []
    const { adapter } = running.io.of("/")
    for (const event of ["create-room", "join-room", "leave-room", "delete-room"]) {
      adapter.on(event, (room: string, id?: string) => events.push([event, room, ...(id === undefined ? [] : [id])]))
    }
    const [socket, peer] = await pair(running)
    void socket.join("a")
    const rooms: Array<unknown> = []
    socket.on("disconnecting", (reason) => rooms.push(reason, socket.rooms))
    socket.on("disconnect", (reason) => rooms.push(reason, socket.rooms))
    const gone = next(socket, "disconnect")
    const { id } = socket
    peer.disconnect()
    await gone
    assert.deepStrictEqual(rooms, [
      "client namespace disconnect",
      new Set([id, "a"]),
      "client namespace disconnect",
      new Set()
    ])
    assert.deepStrictEqual(events, [
      ["create-room", id],
      ["join-room", id, id],
      ["create-room", "a"],
      ["join-room", "a", id],
      ["leave-room", id, id],
      ["delete-room", id],
      ["leave-room", "a", id],
      ["delete-room", "a"]
    ])
    void socket.join("late")
    assert.strictEqual(adapter.rooms.size, 0)
  })

  it("many sockets at once, by socketsJoin and the like", async () => {
    const running = await serve()
    const [one, first] = await pair(running)
    const [two] = await pair(running)
    running.io.socketsJoin("all")
    running.io.in(one.id).socketsJoin(["a", "b"])
    assert.deepStrictEqual(one.rooms, new Set([one.id, "all", "a", "b"]))
    running.io.in("a").socketsLeave("all")
    assert.deepStrictEqual(one.rooms, new Set([one.id, "a", "b"]))
    assert.deepStrictEqual(two.rooms, new Set([two.id, "all"]))
    assert.deepStrictEqual(await running.io.allSockets(), new Set([one.id, two.id]))
    assert.deepStrictEqual(await running.io.in("all").allSockets(), new Set([two.id]))
    const sockets = await running.io.in("a").fetchSockets()
    assert.strictEqual(sockets[0], one as never)
    one.data.name = "one"
    assert.deepStrictEqual(sockets[0]!.data, { name: "one" })
    const gone = next(first, "disconnect")
    running.io.in("a").disconnectSockets()
    assert.deepStrictEqual(await gone.then(([reason]) => reason), "io server disconnect")
    assert.deepStrictEqual([...running.io.sockets.sockets.keys()], [two.id])
  })
})

describe("a broadcast with acknowledgements", () => {
  it("gives the answers of all, by callback and promise", async () => {
    const running = await serve()
    for (let i = 0; i < 3; i++) {
      const [, peer] = await pair(running)
      peer.on("ask", (n: number, reply: (n: number) => void) => reply(n + i))
    }
    const answers = (await running.io.timeout(5000).emitWithAck("ask", 10)) as Array<number>
    assert.sameMembers(answers, [10, 11, 12])
    const [error, same] = await new Promise<Array<unknown>>((resolve) =>
      running.io.timeout(5000).emit("ask", 20, (...args: Array<unknown>) => resolve(args))
    )
    assert.isNull(error)
    assert.sameMembers(same as Array<number>, [20, 21, 22])
  })

  it("has the answers that did come on its error", async () => {
    const running = await serve()
    const [, first] = await pair(running)
    await pair(running)
    first.on("ask", (reply: (text: string) => void) => reply("here"))
    const error: Error & { responses?: unknown } = await running.io
      .timeout(50)
      .emitWithAck("ask")
      .then(
        () => assert.fail("answered"),
        (error) => error
      )
    assert.strictEqual(error.message, "operation has timed out")
    assert.deepStrictEqual(error.responses, ["here"])
  })

  it("T18: without a timeout it does not fail at once, but waits for the answers", async () => {
    const running = await serve()
    const [, peer] = await pair(running)
    peer.on("ask", (reply: (text: string) => void) => setTimeout(() => reply("later"), 30))
    assert.deepStrictEqual(await running.io.to([...running.io.sockets.sockets.keys()]).emitWithAck("ask"), ["later"])
  })

  it("T18: without a timeout the server's ackTimeout counts", async () => {
    const running = await serve({ ackTimeout: 20 })
    await pair(running)
    const error: Error = await running.io
      .except("x")
      .emitWithAck("never")
      .then(
        () => assert.fail("answered"),
        (error) => error
      )
    assert.strictEqual(error.message, "operation has timed out")
  })

  it("T5: settles at once when the last client that could answer has gone", async () => {
    const running = await serve()
    const [, first] = await pair(running)
    const [, second] = await pair(running)
    first.on("ask", (reply: (text: string) => void) => reply("here"))
    second.on("ask", () => second.disconnect())
    const error: Error & { responses?: unknown } = await running.io
      .timeout(60_000)
      .emitWithAck("ask")
      .then(
        () => assert.fail("answered"),
        (error) => error
      )
    assert.strictEqual(error.message, "socket has been disconnected")
    assert.deepStrictEqual(error.responses, ["here"])
  })

  it("calls back after emit has returned, also when nobody is there", async () => {
    const { io } = await serve()
    let returned = false
    const answered = new Promise<Array<unknown>>((resolve) => {
      io.timeout(100).emit("ask", (...args: Array<unknown>) => {
        assert.isTrue(returned)
        resolve(args)
      })
    })
    returned = true
    assert.deepStrictEqual(await answered, [null, []])
  })
})

describe("an acknowledgement of one socket", () => {
  it("T5: without a timeout it is rejected when the socket goes, not never", async () => {
    const [socket, peer] = await pair(await serve())
    const answer = socket.emitWithAck("ask").then(
      () => assert.fail("answered"),
      (error: Error) => error.message
    )
    peer.disconnect()
    assert.strictEqual(await answer, "socket has been disconnected")
    assert.strictEqual(socket._core.pendingAcks, 0)
  })

  it("T5: with a timeout it does not wait for that when the socket goes", async () => {
    const [socket, peer] = await pair(await serve())
    const callback = new Promise<Error>((resolve) => socket.timeout(60_000).emit("ask", resolve))
    const promise = socket
      .timeout(60_000)
      .emitWithAck("ask")
      .catch((error: Error) => error)
    peer.disconnect()
    assert.strictEqual((await callback).message, "socket has been disconnected")
    assert.strictEqual((await promise).message, "socket has been disconnected")
    assert.strictEqual(
      (await socket.emitWithAck("ask").catch((error: Error) => error)).message,
      "socket has been disconnected"
    )
  })
})
