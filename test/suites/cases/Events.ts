/** Events both ways: any number of arguments, text and binary, in order. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Await from "../Await.ts"
import type { Case } from "../Harness.ts"
import { start } from "../Start.ts"

const bytes = (...values: ReadonlyArray<number>): Uint8Array<ArrayBuffer> => new Uint8Array(values)

/** The same bytes, whichever class holds them. */
const plain = (value: Uint8Array): ReadonlyArray<number> => [...value]

export const cases: ReadonlyArray<Case> = [
  {
    name: "events of no, one and many arguments reach the handler, and the answer comes back",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* ada.socket.emit("nothing")
      yield* ada.socket.emit("note", "hällo 😀")
      assert.strictEqual(
        yield* harness.pass(ada.socket.emitWithAck("many", "four", 10, true, null, [1, 2, 3])),
        4 + 10 + 1 + 1 + 3
      )
      assert.deepStrictEqual(yield* harness.pass(ada.socket.emitWithAck("rest")), [])
      assert.deepStrictEqual(yield* harness.pass(ada.socket.emitWithAck("rest", "a", "b", "c")), ["a", "b", "c"])
      assert.deepStrictEqual(log.nothings, ["0"])
      assert.deepStrictEqual(log.notes, ["hällo 😀"])
    })
  },
  {
    name: "binary travels both ways, at the top and deep inside",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const answer = yield* harness.pass(ada.socket.emitWithAck("bytes", bytes(0, 1, 255)))
      assert.deepStrictEqual(plain(answer), [255, 254, 0])
      const deep = { name: "n", parts: [bytes(1), bytes(), bytes(2, 3)] }
      const back = yield* harness.pass(ada.socket.emitWithAck("deep", deep))
      assert.deepStrictEqual(back.parts.map(plain), [[2, 3], [], [1]])
      yield* log.sockets[0]!.emit("pieces", "p", bytes(9, 8), deep)
      yield* Await.length(harness, ada.pieces, 1)
      const [text, top, inside] = ada.pieces[0]!
      assert.strictEqual(text, "p")
      assert.deepStrictEqual(plain(top), [9, 8])
      assert.deepStrictEqual(inside.parts.map(plain), [[1], [], [2, 3]])
    })
  },
  {
    name: "a large text and large binary pass, split over as many requests as they need",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const text = "é".repeat(200_000)
      for (let i = 0; i < 4; i++) yield* ada.socket.emit("note", text)
      const large = new Uint8Array(300_000).fill(7)
      const answer = yield* harness.pass(ada.socket.emitWithAck("bytes", large))
      assert.lengthOf(answer, 300_000)
      assert.isTrue(answer.every((byte) => byte === 248))
      assert.deepStrictEqual(
        log.notes.map((note) => note.length),
        [200_000, 200_000, 200_000, 200_000]
      )
      assert.isTrue(log.notes.every((note) => note === text))
    })
  },
  {
    name: "many events in one turn arrive in order, both ways",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      for (let i = 0; i < 500; i++) {
        yield* ada.socket.emit("note", String(i))
        yield* log.sockets[0]!.emit("count", i)
      }
      yield* Await.length(harness, log.notes, 500)
      yield* Await.length(harness, ada.counts, 500)
      const expected = Array.from({ length: 500 }, (_, i) => i)
      assert.deepStrictEqual(ada.counts, expected)
      assert.deepStrictEqual(log.notes, expected.map(String))
    })
  },
  {
    name: "what the server emits in its connection handler arrives after the client is connected",
    run: Effect.fnUntraced(function* (harness) {
      const { ada } = yield* start(harness)
      yield* Await.length(harness, ada.welcomes, 1)
      assert.deepStrictEqual(ada.welcomes, ["ada"])
    })
  },
  {
    name: "what is emitted while offline is kept and sent in order; volatile events are not",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* harness.cut
      yield* Await.until(harness, () => !ada.socket.connected)
      yield* ada.socket.emit("note", "1")
      yield* ada.socket.volatile.emit("note", "dropped")
      yield* ada.socket.emit("note", "2")
      const answer = yield* Effect.forkChild(ada.socket.timeout("1 minute").emitWithAck("text", "3"), {
        startImmediately: true
      })
      yield* harness.heal
      yield* Await.length(harness, log.notes, 2)
      assert.deepStrictEqual(log.notes, ["1", "2"])
      assert.strictEqual(yield* harness.pass(Fiber.join(answer)), "3!")
    })
  },
  {
    name: "volatile events pass while the way is free",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* ada.socket.volatile.emit("note", "free")
      yield* Await.length(harness, log.notes, 1)
      // A poll may be under way at the moment: some are dropped, none is kept for later.
      for (let i = 0; i < 20; i++) {
        yield* log.sockets[0]!.volatile.emit("tick", i)
        yield* harness.elapse(10)
      }
      yield* Await.until(harness, () => ada.ticks.length > 0)
      assert.deepStrictEqual(
        ada.ticks,
        ada.ticks.toSorted((a, b) => a - b)
      )
    })
  }
]
