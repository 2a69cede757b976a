import { assert, describe, it } from "@effect/vitest"
import { collect, next, pair, serve, settle, ways } from "./serve.ts"

for (const [way, options] of Object.entries(ways)) {
  describe(`events over ${way}`, () => {
    it("with arguments of all kinds, in both directions", async () => {
      const running = await serve()
      const [socket, peer] = await pair(running, options)
      const args = [1, "2", { 3: "4", 5: Buffer.from([6]) }, null, [true]]
      const heard = next(socket, "hello")
      peer.emit("hello", ...args)
      assert.deepStrictEqual(await heard, args)
      const back = next(peer, "hello")
      assert.isTrue(socket.emit("hello", ...args))
      assert.deepStrictEqual(await back, args)
    })

    it("with acknowledgements, in both directions", async () => {
      const running = await serve()
      const [socket, peer] = await pair(running, options)
      socket.on("load", (id: number, reply: (...args: Array<unknown>) => void) => {
        reply(id, Buffer.from("x"))
        reply("only the first counts")
      })
      assert.deepStrictEqual(
        await new Promise((resolve) => peer.emit("load", 7, (...args: Array<unknown>) => resolve(args))),
        [7, Buffer.from("x")]
      )
      peer.on("ask", (n: number, reply: (n: number) => void) => reply(n + 1))
      assert.strictEqual(await socket.emitWithAck("ask", 1), 2)
      assert.strictEqual(await socket.timeout(5000).emitWithAck("ask", 2), 3)
      assert.deepStrictEqual(
        await new Promise((resolve) => socket.timeout(5000).emit("ask", 3, (...args: Array<unknown>) => resolve(args))),
        [null, 4]
      )
    })

    it("a thousand in order, while the transport changes", async () => {
      const running = await serve()
      const [socket, peer] = await pair(running, options)
      const up = collect(socket, "n")
      const down = collect(peer, "n")
      for (let i = 0; i < 1000; i++) {
        socket.emit("n", i)
        peer.emit("n", i)
      }
      await settle(socket, peer)
      socket.on("done", (reply: () => void) => reply())
      await peer.timeout(5000).emitWithAck("done")
      const expected = Array.from({ length: 1000 }, (_, i) => [i])
      assert.deepStrictEqual(down, expected)
      assert.deepStrictEqual(up, expected)
    })
  })
}

describe("listeners of a socket", () => {
  it("once, off and removeAllListeners", async () => {
    const [socket, peer] = await pair(await serve())
    const seen: Array<string> = []
    const off = (): void => void seen.push("off")
    socket.once("x", () => seen.push("once"))
    socket.on("x", off)
    socket.prependListener("x", () => seen.push("first"))
    peer.emit("x")
    await settle(socket, peer)
    socket.off("x", off)
    peer.emit("x")
    await settle(socket, peer)
    socket.removeAllListeners("x")
    peer.emit("x")
    await settle(socket, peer)
    assert.deepStrictEqual(seen, ["first", "once", "off", "first"])
  })

  it("for all events, in and out", async () => {
    const running = await serve()
    const [socket, peer] = await pair(running)
    const seen: Array<unknown> = []
    const second = (...args: Array<unknown>): void => void seen.push(["second", ...args])
    socket.onAny(second)
    socket.prependAny((event) => seen.push(["first", event]))
    socket.onAnyOutgoing((...args) => seen.push(["out", ...args]))
    assert.lengthOf(socket.listenersAny(), 2)
    assert.lengthOf(socket.listenersAnyOutgoing(), 1)
    peer.emit("in", 1)
    await next(socket, "in")
    socket.emit("direct", 2, () => {})
    running.io.emit("broadcast", 3)
    assert.deepStrictEqual(seen, [
      ["first", "in"],
      ["second", "in", 1],
      ["out", "direct", 2],
      ["out", "broadcast", 3]
    ])
    socket.offAny(second)
    assert.lengthOf(socket.listenersAny(), 1)
    socket.offAny()
    socket.offAnyOutgoing()
    assert.deepStrictEqual([socket.listenersAny(), socket.listenersAnyOutgoing()], [[], []])
    peer.emit("in", 2)
    await next(socket, "in")
    socket.emit("direct")
    assert.lengthOf(seen, 4)
  })

  it("middleware of packets changes, delays and refuses them; refusals reach the error listeners", async () => {
    const [socket, peer] = await pair(await serve())
    socket.use((event, next) => {
      event[1] = `${String(event[1])}!`
      queueMicrotask(next)
    })
    socket.use(([event], next) => next(event === "bad" ? new Error("unauthorized event") : undefined))
    const heard = next(socket, "good")
    const refused = next(socket, "error")
    peer.emit("bad", 1)
    peer.emit("good", "x")
    assert.deepStrictEqual(await heard, ["x!"])
    assert.strictEqual(((await refused)[0] as Error).message, "unauthorized event")
  })

  it("a client cannot bring the process down with an event named error", async () => {
    const [socket, peer] = await pair(await serve())
    peer.emit("error", { not: "an error" })
    await settle(socket, peer)
    const heard = next(socket, "error")
    peer.emit("error", 1)
    assert.deepStrictEqual(await heard, [1])
  })

  it("events of the client after the disconnect are ignored", async () => {
    const [socket, peer] = await pair(await serve())
    const seen = collect(socket, "x")
    socket.on("x", () => socket.disconnect())
    peer.emit("x")
    peer.emit("x")
    await next(peer, "disconnect")
    assert.lengthOf(seen, 1)
  })
})

describe("emit of a socket", () => {
  it("reserved names are refused in Socket.IO's words", async () => {
    const running = await serve()
    const [socket] = await pair(running)
    for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
      assert.throws(() => socket.emit(name), `"${name}" is a reserved event name`)
      assert.throws(() => running.io.emit(name), `"${name}" is a reserved event name`)
      assert.throws(() => socket.to("x").emit(name), `"${name}" is a reserved event name`)
    }
    for (const name of ["connect", "connection", "new_namespace"]) {
      assert.throws(() => running.io.serverSideEmit(name), `"${name}" is a reserved event name`)
    }
  })

  it("what cannot be encoded is thrown to whoever emits it", async () => {
    const running = await serve()
    const [socket, peer] = await pair(running)
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    assert.throws(() => socket.emit("x", cycle))
    assert.throws(() => socket.emit("x", 1n), /BigInt/)
    assert.throws(() => running.io.emit("x", 1n), /BigInt/)
    const heard = next(peer, "y")
    socket.emit("y", 1)
    assert.deepStrictEqual(await heard, [1])
  })

  it("send and write are the event message", async () => {
    const running = await serve()
    const [socket, peer] = await pair(running)
    const seen = collect(peer, "message")
    assert.strictEqual(socket.send("a"), socket)
    assert.strictEqual(socket.write("b"), socket)
    assert.strictEqual(running.io.send("c"), running.io)
    running.io.of("/").write("d")
    await settle(socket, peer)
    assert.deepStrictEqual(seen, [["a"], ["b"], ["c"], ["d"]])
  })

  it("flags are for one emit only", async () => {
    const [socket, peer] = await pair(await serve())
    peer.on("never", () => {})
    assert.deepStrictEqual(
      await new Promise((resolve) => socket.timeout(20).emit("never", (error: Error) => resolve(error.message))),
      "operation has timed out"
    )
    let called = false
    socket.emit("never", () => {
      called = true
    })
    await settle(socket, peer)
    assert.isFalse(called)
  })

  it("dates and toJSON travel as JSON has them", async () => {
    const [socket, peer] = await pair(await serve())
    const heard = next(peer, "x")
    socket.emit("x", new Date(0), { toJSON: () => "hero" })
    assert.deepStrictEqual(await heard, ["1970-01-01T00:00:00.000Z", "hero"])
  })
})
