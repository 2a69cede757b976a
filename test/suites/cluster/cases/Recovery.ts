/** The log and the sessions of a broker that stores. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  type NamespaceAdapter,
  RecoveryFailed,
  type RecoveryStore,
  type SocketSession,
  type Target
} from "../../../../src/adapter/Adapter.ts"
import type { Cluster, ClusterHarness } from "../Harness.ts"
import { all, event, inRooms, plain, Recorder } from "../Recorder.ts"
import { until } from "../Waiting.ts"
import { liveIf } from "../LiveIf.ts"

const nsp = "/stored"
const recovery = { maxDisconnectionDuration: 60_000 }

interface StoringNode {
  readonly sockets: Recorder
  readonly adapter: NamespaceAdapter
  readonly store: RecoveryStore
}

const node = (cluster: Cluster, options = recovery): Effect.Effect<StoringNode, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Recorder(nsp, options)
    const adapter = yield* (yield* cluster.node).make(sockets)
    const store = adapter.recovery
    if (store === undefined) return yield* Effect.die(new Error("no store although recovery was asked for"))
    return { sockets, adapter, store }
  })

const append = (store: RecoveryStore, target: Target, text: unknown, volatile = false): Effect.Effect<string> =>
  Effect.flatMap(
    Effect.callback<string | undefined>((resume) => {
      store.append(target, event("said", text), { ...plain, volatile }, (offset) => resume(Effect.succeed(offset)))
    }),
    (offset) => (offset === undefined ? Effect.die(new Error("not stored")) : Effect.succeed(offset))
  )

const session = (pid: string, rooms: ReadonlyArray<string>, since: string | undefined): SocketSession => ({
  sid: `sid-of-${pid}`,
  pid,
  rooms: [`sid-of-${pid}`, ...rooms],
  data: { name: "someone", tags: ["x"] },
  since
})

const failed = <A>(effect: Effect.Effect<A, unknown>): Effect.Effect<string> =>
  Effect.map(Effect.flip(Effect.asVoid(effect)) as Effect.Effect<unknown, void>, (error) => {
    assert.instanceOf(error, RecoveryFailed)
    return (error as RecoveryFailed).reason
  }).pipe(Effect.catch(() => Effect.die(new Error("it did not fail"))))

const texts = (missed: ReadonlyArray<{ readonly event: { readonly data: ReadonlyArray<unknown> } }>) =>
  missed.map(({ event }) => event.data[1])

/** Append, persist, restore. */
export const recoveries = ({ supports, cluster }: ClusterHarness): void => {
  if (!supports.recovery) return

  it.live("appended events have a place, the same on every node, and places are in order", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const [a, b] = [yield* node(place), yield* node(place)]
      const offsets: Array<string> = []
      for (let i = 0; i < 5; i++) offsets.push(yield* append(a.store, all, i))
      yield* until("all events on the other node", () => b.sockets.delivered.length === 5)
      assert.deepStrictEqual(b.sockets.texts, [0, 1, 2, 3, 4])
      assert.deepStrictEqual(
        b.sockets.delivered.map(({ offset }) => offset),
        offsets
      )
      assert.strictEqual(new Set(offsets).size, 5)
      assert.strictEqual(a.store.position, offsets[4])
      assert.strictEqual(b.store.position, offsets[4])
      // The namespace delivers what it appends itself.
      assert.deepStrictEqual(a.sockets.delivered, [])
    })
  )

  it.live("a session that moves to another node: rooms, data, and what was missed, in order, of both nodes", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const [a, b] = [yield* node(place), yield* node(place)]
      const seen = yield* append(a.store, all, "seen")
      const kept = session("p1", ["r"], seen)
      yield* a.store.persist(kept)
      yield* append(a.store, all, "1")
      yield* append(b.store, inRooms("r"), "2")
      yield* append(b.store, inRooms("elsewhere"), "not mine")
      yield* append(a.store, { rooms: new Set(), except: new Set(["r"]) }, "not me")
      yield* append(a.store, inRooms(kept.sid), "3")
      yield* append(b.store, inRooms("r", "elsewhere"), "4")
      yield* until("the events on the other node", () => b.sockets.delivered.length === 4)
      const { session: restored, missed } = yield* b.store.restore("p1", seen)
      assert.deepStrictEqual([restored.sid, restored.pid, restored.data], [kept.sid, "p1", kept.data])
      assert.sameMembers(Array.from(restored.rooms), Array.from(kept.rooms))
      assert.deepStrictEqual(texts(missed), ["1", "2", "3", "4"])
      assert.strictEqual(new Set(missed.map(({ offset }) => offset)).size, 4)
    })
  )

  it.live("T9: a session is single-use, also when two nodes ask at once; unknown ones are refused", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const [a, b] = [yield* node(place), yield* node(place)]
      const seen = yield* append(a.store, all, "seen")
      yield* a.store.persist(session("p1", [], seen))
      const both = yield* Effect.all(
        [Effect.exit(a.store.restore("p1", seen)), Effect.exit(b.store.restore("p1", seen))],
        { concurrency: "unbounded" }
      )
      assert.sameMembers(
        both.map(({ _tag }) => _tag),
        ["Success", "Failure"]
      )
      assert.strictEqual(yield* failed(a.store.restore("p1", seen)), "SessionUnknown")
      assert.strictEqual(yield* failed(b.store.restore("never kept", seen)), "SessionUnknown")
    })
  )

  it.live("T2: without an offset everything since the socket came was missed", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const a = yield* node(place)
      yield* append(a.store, all, "before it came")
      yield* a.store.persist(session("p1", [], a.store.position))
      yield* append(a.store, all, "1")
      yield* append(a.store, all, "2")
      assert.deepStrictEqual(texts((yield* a.store.restore("p1", undefined)).missed), ["1", "2"])
      yield* a.store.persist(session("p2", [], a.store.position))
      assert.deepStrictEqual((yield* a.store.restore("p2", undefined)).missed, [])
    })
  )

  it.live("persisting again replaces; offsets that are no place in the log are refused", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const a = yield* node(place)
      const seen = yield* append(a.store, all, "seen")
      yield* a.store.persist(session("p1", ["old"], seen))
      yield* a.store.persist(session("p1", ["new"], seen))
      const restored = yield* a.store.restore("p1", seen)
      assert.include(restored.session.rooms, "new")
      assert.notInclude(restored.session.rooms, "old")
      for (const offset of ["", "some text of a program", "-1", "99999999999999", "0-0-0", "'; --"]) {
        yield* a.store.persist(session("p2", [], seen))
        assert.strictEqual(yield* failed(a.store.restore("p2", offset)), "OffsetUnknown", offset)
      }
    })
  )

  it.live("more events than a page, and large ones: all of them, in order", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const a = yield* node(place)
      const seen = yield* append(a.store, all, "seen")
      yield* a.store.persist(session("p1", [], seen))
      const count = 350
      const large = "x".repeat(20_000)
      yield* Effect.forEach(
        Array.from({ length: count }, (_, i) => i),
        (i) => append(a.store, all, i % 50 === 3 ? `${i} ${large}` : `${i}`),
        { concurrency: "unbounded", discard: true }
      )
      const { missed } = yield* a.store.restore("p1", seen)
      assert.deepStrictEqual(
        texts(missed).map((text) => Number(String(text).split(" ")[0])),
        Array.from({ length: count }, (_, i) => i)
      )
    })
  )

  liveIf(supports.binary)("binary is kept as bytes", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const a = yield* node(place)
      const seen = yield* append(a.store, all, "seen")
      yield* a.store.persist(session("p1", [], seen))
      yield* append(a.store, all, { bytes: Uint8Array.of(0, 255, 123) })
      const [{ bytes }] = texts((yield* a.store.restore("p1", seen)).missed) as [{ bytes: Uint8Array }]
      assert.deepStrictEqual(Array.from(bytes), [0, 255, 123])
    })
  )

  it.live("nodes may end and others take over: sessions and log are the broker's", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const seen = yield* Effect.scoped(
        Effect.gen(function* () {
          const a = yield* node(place)
          const seen = yield* append(a.store, all, "seen")
          yield* append(a.store, all, "missed")
          yield* a.store.persist(session("p1", [], seen))
          return seen
        })
      )
      const b = yield* node(place)
      assert.deepStrictEqual(texts((yield* b.store.restore("p1", seen)).missed), ["missed"])
    })
  )

  it.live("sessions are kept for maxDisconnectionDuration", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const a = yield* node(place, { maxDisconnectionDuration: 50 })
      const seen = yield* append(a.store, all, "seen")
      yield* a.store.persist(session("p1", [], seen))
      yield* Effect.sleep("1200 millis")
      assert.strictEqual(yield* failed(a.store.restore("p1", seen)), "SessionUnknown")
    })
  )

  it.live("a part of what was missed is never passed for all: LogTruncated", (context) =>
    Effect.gen(function* () {
      const place = yield* cluster
      const { truncate } = place
      if (truncate === undefined) return context.skip("this harness cannot truncate the log")
      const a = yield* node(place)
      const seen = yield* append(a.store, all, "seen")
      yield* a.store.persist(session("p1", [], seen))
      yield* append(a.store, all, "forgotten")
      yield* truncate(nsp)
      assert.strictEqual(yield* failed(a.store.restore("p1", seen)), "LogTruncated")
    })
  )
}
