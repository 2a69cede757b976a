import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { BufferFull, PayloadTooLarge } from "../../src/engine/EngineError.ts"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"
import { make, message, plain, turn, volatile } from "./Doubles.ts"

const calm = { pingInterval: "1 hour" } as const

describe("WebSocket", () => {
  it.effect("what is written in one turn leaves in one send, groups whole and in order", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { session, socket } = yield* bench.websocket
      const before = socket.sends
      session.write(FrameGroup.make("4a", [new Uint8Array([1]), new Uint8Array([2])]), plain)
      session.write(message("b"), plain)
      assert.deepStrictEqual(socket.sent, [])
      yield* turn
      assert.deepStrictEqual(socket.take(), ["4a", new Uint8Array([1]), new Uint8Array([2]), "4b"])
      assert.strictEqual(socket.sends, before + 1)
      assert.strictEqual(bench.engine.counters.framesOut, 5)
    })
  )

  it.effect("an answer written while a message is delivered leaves at the end of that turn", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm, (session, data) => void session.write(message(data), plain))
      const { socket } = yield* bench.websocket
      socket.receive("4a", new Uint8Array([7]), "bAQID")
      yield* turn
      assert.deepStrictEqual(socket.take(), ["4a", new Uint8Array([7]), Buffer.from([1, 2, 3])])
      assert.strictEqual(bench.engine.counters.framesIn, 3)
    })
  )

  it.effect("backpressure: buffered while bytes wait, volatile dropped, drained when they have left", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, maxBufferedAmount: 100 })
      const { session, socket } = yield* bench.websocket
      assert.strictEqual(session.write(message("a"), plain), "sent")
      yield* turn
      socket.bufferedAmount = 50
      assert.strictEqual(session.write(message("b"), plain), "buffered")
      assert.strictEqual(session.write(message("c"), volatile), "dropped")
      assert.strictEqual(session.bufferedAmount, 52)
      yield* turn
      assert.deepStrictEqual(socket.take(), ["4a", "4b"])
      socket.bufferedAmount = 100
      socket.bufferedAmount = 1
      socket.handlers?.onDrain()
      assert.strictEqual(bench.drained, 0)
      socket.bufferedAmount = 0
      socket.handlers?.onDrain()
      assert.strictEqual(bench.drained, 1)
      socket.handlers?.onDrain()
      assert.strictEqual(bench.drained, 1)
      assert.strictEqual(session.write(message("e"), plain), "sent")
    })
  )

  it.effect("a peer that does not read: at the limit the session closes instead of going on with a gap", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, maxBufferedAmount: 100 })
      const { session, socket } = yield* bench.websocket
      socket.bufferedAmount = 99
      assert.strictEqual(session.write(message("taken"), plain), "buffered")
      yield* turn
      socket.take()
      socket.bufferedAmount = 100
      assert.strictEqual(session.write(message("volatile"), volatile), "dropped")
      assert.strictEqual(session.write(message("too much"), plain), "full")
      // Not at once: whoever writes may be in the middle of a broadcast. But nothing is taken behind the gap any more.
      assert.deepStrictEqual(bench.closed, [])
      socket.bufferedAmount = 0
      assert.strictEqual(session.write(message("behind the gap"), plain), "full")
      socket.bufferedAmount = 100
      yield* turn
      assert.deepStrictEqual(bench.closed, [{ reason: "transport error", description: new BufferFull({ limit: 100 }) }])
      assert.match(String(bench.closed[0]?.description), /100 bytes \(maxBufferedAmount\)/)
      assert.deepStrictEqual(socket.take(), [])
      assert.strictEqual(socket.ended, "terminated")
      assert.deepStrictEqual([bench.engine.clientsCount, bench.engine.counters.full], [0, 2])
    })
  )

  it.effect("one turn cannot buffer without limit either: up to it, one group over it, not one more", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, maxBufferedAmount: 10 })
      const { session, socket } = yield* bench.websocket
      assert.strictEqual(session.write(message("x".repeat(8)), plain), "sent")
      assert.strictEqual(session.write(message("over it"), plain), "sent")
      assert.strictEqual(session.write(message("volatile"), volatile), "dropped")
      assert.strictEqual(session.write(message("y"), plain), "full")
      yield* turn
      assert.deepStrictEqual(socket.take(), [`4${"x".repeat(8)}`, "4over it"])
      assert.strictEqual(bench.closed[0]?.reason, "transport error")
    })
  )

  it.effect("a client that takes text only (b64) gets binary as base64", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { socket } = bench.upgrade("EIO=4&transport=websocket&b64=1")
      yield* turn
      socket.take()
      bench.sessions[0]?.write(FrameGroup.make("4a", [new Uint8Array([1, 2, 3, 4])]), plain)
      bench.sessions[0]?.write(message(new Uint8Array([1])), plain)
      yield* turn
      assert.deepStrictEqual(socket.take(), ["4a", "bAQIDBA==", "bAQ=="])
    })
  )

  for (const [frame, reason] of [
    ["1", "transport close"],
    ["9xyz", "parse error"],
    ["", "parse error"],
    ["b!", "parse error"]
  ] as const) {
    it.effect(`${JSON.stringify(frame)} closes it: ${reason}`, () =>
      Effect.gen(function* () {
        const bench = yield* make(calm)
        const { socket } = yield* bench.websocket
        socket.receive(frame, "4after")
        assert.strictEqual(bench.closed[0]?.reason, reason)
        assert.deepStrictEqual(socket.ended, { code: 1005 })
        assert.deepStrictEqual(bench.heard, [])
        assert.strictEqual(bench.engine.sessions.values().length, 0)
      })
    )
  }

  it.effect("packets that mean nothing here are ignored", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { socket } = yield* bench.websocket
      socket.receive("0", "5", "6", "3")
      assert.deepStrictEqual([bench.closed, bench.heard], [[], []])
    })
  )

  it.effect("closed by the peer: transport close; by an error: transport error; over the limit: told so", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, maxHttpBufferSize: 10 })
      const ends = [
        [1000, "done", undefined],
        [1006, "", new Error("ECONNRESET")],
        [1009, "", new RangeError("Max payload size exceeded")],
        [1006, "", "odd"]
      ] as const
      for (const [code, reason, cause] of ends) {
        const { socket } = yield* bench.websocket
        socket.handlers?.onClose(code, reason, cause)
        socket.handlers?.onClose(code, reason, cause)
        assert.isUndefined(socket.ended)
      }
      assert.deepStrictEqual(
        bench.closed.map(({ reason }) => reason),
        ["transport close", "transport error", "transport error", "transport error"]
      )
      const [byPeer, byError, overLimit, odd] = bench.closed.map(({ description }) => description)
      assert.deepStrictEqual(byPeer, { code: 1000, reason: "done" })
      assert.strictEqual((byError as Error).message, "ECONNRESET")
      assert.isTrue(overLimit instanceof PayloadTooLarge && overLimit.limit === 10 && overLimit.size === undefined)
      assert.strictEqual((odd as Error).message, "websocket error")
    })
  )

  it.effect("closed by us: what was written in this turn leaves before the close frame", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { session, socket } = yield* bench.websocket
      session.write(message("bye"), plain)
      session.close("forced close")
      assert.deepStrictEqual(socket.take(), ["4bye"])
      assert.deepStrictEqual(socket.ended, { code: 1005 })
      assert.deepStrictEqual(bench.closed, [{ reason: "forced close", description: undefined }])
      assert.strictEqual(bench.engine.sessions.values().length, 0)
      socket.receive("4late")
      socket.handlers?.onClose(1005, "", undefined)
      assert.deepStrictEqual(bench.heard, [])
      assert.strictEqual(bench.closed.length, 1)
    })
  )

  it.effect("a peer that has left with bytes unread is cut off, since it would not read the close frame", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { socket } = yield* bench.websocket
      socket.bufferedAmount = 1000
      socket.receive("1")
      assert.strictEqual(socket.ended, "terminated")
    })
  )

  it.effect("observers see packets both ways, drain and the end, until they go", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { session, socket } = yield* bench.websocket
      const log: Array<string> = []
      const stop = session.observe({
        packet: (frame) => log.push(`in ${String(frame)}`),
        packetCreate: (group) => log.push(`out ${String(group.head)}`),
        drain: () => log.push("drain"),
        close: ({ reason }) => log.push(reason)
      })
      const silent = session.observe({})
      socket.receive("4a", "3")
      session.write(message("b"), plain)
      yield* turn
      assert.deepStrictEqual(log.splice(0), ["in 4a", "in 3", "out 4b", "drain"])
      stop()
      stop()
      socket.receive("4c")
      assert.deepStrictEqual(log, [])
      silent()
      session.observe({ close: ({ reason }) => log.push(reason) })
      session.close("forced close")
      assert.deepStrictEqual(log, ["forced close"])
    })
  )

  it.effect("pausing twice and after the end does no harm", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { session, socket } = yield* bench.websocket
      session.resume()
      session.close("forced close")
      session.pause()
      assert.isFalse(socket.paused)
      session.resume()
    })
  )
})
