/** Events for many sockets, on whichever node they are. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { ClusterHarness } from "../Harness.ts"
import { nsp, three } from "../Nodes.ts"
import { until } from "../Waiting.ts"
import { liveIf } from "../LiveIf.ts"

/** Rooms, exceptions, flags, binary and order. */
export const broadcasts = ({ supports, cluster }: ClusterHarness): void => {
  it.live("broadcasts reach every node once; rooms, unions of rooms and exceptions", () =>
    Effect.gen(function* () {
      const [a, b, c] = yield* three(yield* cluster)
      const [one, two, three_] = [a.client(), b.client(), c.client()]
      yield* two.join("red")
      yield* three_.join("red")
      yield* three_.join("blue")
      yield* a.chat.emit("said", "all")
      yield* a.chat.to("red").emit("said", "red")
      yield* a.chat.to("blue").emit("said", "blue")
      yield* a.chat.to(["red", "blue"]).emit("said", "both")
      yield* a.chat.except("blue").emit("said", "not blue")
      yield* a.chat.to("red").except("blue").emit("said", "red, not blue")
      yield* a.chat.to("nobody").emit("said", "nobody")
      yield* a.chat.to(two.id).emit("said", "two")
      yield* a.chat.emit("said", "end")
      for (const client of [one, two, three_]) {
        // Rooms may travel by channels of their own: only where they share one the last event is the last to arrive.
        yield* until("the last event", () => client.heard().includes("end"))
      }
      yield* until("all events of a room", () => three_.heard().length >= 5 && two.heard().length >= 7)
      const sorted = (texts: ReadonlyArray<unknown>) => texts.map(String).sort()
      assert.deepStrictEqual(one.heard(), ["all", "not blue", "end"])
      assert.deepStrictEqual(
        sorted(two.heard()),
        sorted(["all", "red", "both", "not blue", "red, not blue", "two", "end"])
      )
      assert.deepStrictEqual(sorted(three_.heard()), sorted(["all", "red", "blue", "both", "end"]))
    })
  )

  it.live("a socket that has left a room, or is gone, hears no more of it", () =>
    Effect.gen(function* () {
      const [a, b] = yield* three(yield* cluster)
      const [leaver, stayer] = [b.client(), b.client()]
      yield* leaver.join("r")
      yield* stayer.join("r")
      yield* a.chat.to("r").emit("said", "1")
      yield* until("the first event", () => leaver.heard().length === 1 && stayer.heard().length === 1)
      leaver.fake.emit(nsp, "leave", "r")
      yield* a.chat.to("r").emit("said", "2")
      yield* until("the second event", () => stayer.heard().length === 2)
      assert.deepStrictEqual(leaver.heard(), ["1"])
      stayer.fake.disconnect(nsp)
      yield* leaver.join("r")
      yield* a.chat.to("r").emit("said", "3")
      yield* until("the third event", () => leaver.heard().length === 2)
      assert.deepStrictEqual(stayer.heard(), ["1", "2"])
    })
  )

  it.live("local ones stay on their node; volatile ones and compression travel as flags", () =>
    Effect.gen(function* () {
      const [a, b] = yield* three(yield* cluster)
      const [near, far, busy] = [a.client(), b.client(), b.client()]
      busy.fake.session.writable = false
      yield* a.chat.local.emit("said", "local")
      yield* a.chat.volatile.emit("said", "volatile")
      yield* a.chat.compress(false).emit("said", "plain")
      yield* until("the last event", () => far.heard().includes("plain") && busy.heard().includes("plain"))
      assert.deepStrictEqual(near.heard(), ["local", "volatile", "plain"])
      assert.sameMembers(far.heard() as Array<string>, ["volatile", "plain"])
      assert.deepStrictEqual(busy.heard(), ["plain"])
      const compressed = far.fake.session.options.slice(-2).map(({ compress }) => compress)
      assert.sameMembers(compressed, [true, false])
    })
  )

  it.live("JSON arrives as it was sent", () =>
    Effect.gen(function* () {
      const [a, b] = yield* three(yield* cluster)
      const far = b.client()
      const value = { text: "äöü 漢字 😀 \u2028", n: -1.5, none: null, list: [1, [2, { "": false }]], __proto__x: "x" }
      yield* a.chat.emit("said", value)
      yield* until("the event", () => far.heard().length === 1)
      assert.deepStrictEqual(far.heard()[0], value)
    })
  )

  liveIf(supports.binary)("binary arrives as bytes, wherever it stands", () =>
    Effect.gen(function* () {
      const [a, b] = yield* three(yield* cluster)
      const far = b.client()
      const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251)
      yield* a.chat.emit("said", { bytes, text: "x", more: [Uint8Array.of(1, 2)] })
      yield* until("the event", () => far.heard().length === 1)
      const got = far.heard()[0] as { bytes: Uint8Array; text: string; more: Array<Uint8Array> }
      assert.deepStrictEqual(Array.from(got.bytes), Array.from(bytes))
      assert.deepStrictEqual(Array.from(got.more[0]!), [1, 2])
      assert.strictEqual(got.text, "x")
    })
  )

  liveIf(supports.order)(
    "T4: the events of one node arrive at a socket of another in the order in which they were made",
    () =>
      Effect.gen(function* () {
        const [a, b] = yield* three(yield* cluster)
        const far = b.client()
        yield* far.join("r")
        const count = 300
        const large = Uint8Array.from({ length: 20_000 }, (_, i) => i & 255)
        for (let i = 0; i < count; i++) {
          // All to one room, or all to everybody: whether two channels keep an order among each other is not promised.
          if (supports.binary && i % 50 === 7) yield* a.chat.emit("said", { i, large })
          else yield* i % 3 === 0 ? a.chat.except("nobody").emit("said", { i }) : a.chat.emit("said", { i })
        }
        yield* until("all events", () => far.heard().length >= count)
        assert.deepStrictEqual(
          far.heard().map((value) => (value as { i: number }).i),
          Array.from({ length: count }, (_, i) => i)
        )
      })
  )

  liveIf(supports.order)("T4: whatever their kind: events, moves between rooms, server-side events", () =>
    Effect.gen(function* () {
      const [a, b] = yield* three(yield* cluster)
      const far = b.client()
      const seen: Array<unknown> = []
      yield* b.chat.onServerSide("reload", (n) => Effect.sync(() => void seen.push([n, far.heard().length])))
      for (let i = 0; i < 20; i++) {
        yield* a.chat.socketsJoin("moving")
        yield* a.chat.to("moving").except("nobody").emit("said", i)
        yield* a.chat.socketsLeave("moving")
        yield* a.chat.to("moving").except("nobody").emit("said", "not there any more")
        yield* a.chat.serverSideEmit("reload", i)
      }
      yield* until("all server-side events", () => seen.length === 20)
      assert.deepStrictEqual(
        far.heard(),
        Array.from({ length: 20 }, (_, i) => i)
      )
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 20 }, (_, i) => [i, i + 1])
      )
    })
  )
}
