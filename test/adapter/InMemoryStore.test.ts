import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import type { EventData, RecoveryOptions, SocketSession, Target } from "../../src/adapter/Adapter.ts"
import { detectionTime, InMemoryStore } from "../../src/adapter/InMemoryStore.ts"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"
import * as Deadlines from "../../src/runtime/Deadlines.ts"

const flags = { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false }
const target = (rooms: ReadonlyArray<string> = [], except: ReadonlyArray<string> = []): Target => ({
  rooms: new Set(rooms),
  except: new Set(except)
})
const session = (pid: string, more: Partial<SocketSession> = {}): SocketSession => ({
  sid: `sid of ${pid}`,
  pid,
  rooms: [`sid of ${pid}`],
  data: {},
  since: "0",
  ...more
})

const setup = (options: Partial<RecoveryOptions> = {}) =>
  Effect.gen(function* () {
    const deadlines = yield* Deadlines.make
    const store = new InMemoryStore(deadlines, { maxDisconnectionDuration: 10_000, ...options })
    /** Appends as a namespace does, which encodes what it is given an offset for. */
    const append = (name: string, to = target(), size = 1): string | undefined => {
      const event: EventData = { data: [name] }
      let told: string | undefined
      store.append(to, event, flags, (offset) => {
        told = offset
        event.frames = FrameGroup.make("x".repeat(size), [new Uint8Array(size)])
      })
      return told
    }
    const missed = (pid: string, offset?: string) =>
      Effect.map(store.restore(pid, offset), ({ missed }) => missed.map(({ event, offset }) => [event.data[0], offset]))
    const failure = (pid: string, offset?: string) =>
      Effect.map(Effect.flip(store.restore(pid, offset)), ({ message, reason }) => {
        assert.strictEqual(message, `not recovered: ${reason}`)
        return reason
      })
    return { store, deadlines, append, missed, failure }
  })

describe("the log in memory", () => {
  it.effect("gives each event its place, and what came after one to those whose rooms it was for", () =>
    Effect.gen(function* () {
      const { append, missed, store } = yield* setup()
      assert.strictEqual(store.position, "0")
      assert.deepStrictEqual(
        ["a", "b"].map((name) => append(name)),
        ["1", "2"]
      )
      append("room", target(["r"]))
      append("other", target(["q"]))
      append("except", target([], ["r"]))
      append("own", target(["sid of p"]))
      assert.strictEqual(store.position, "6")
      yield* store.persist(session("p", { rooms: ["sid of p", "r"] }))
      assert.deepStrictEqual(yield* missed("p", "1"), [
        ["b", "2"],
        ["room", "3"],
        ["own", "6"]
      ])
    })
  )

  it.effect("a session is taken once; a later one of the same private id replaces it", () =>
    Effect.gen(function* () {
      const { failure, missed, store } = yield* setup()
      yield* store.persist(session("p", { rooms: ["x"] }))
      yield* store.persist(session("p", { rooms: ["y"] }))
      assert.strictEqual(store.sessions, 1)
      const { session: kept } = yield* store.restore("p", "0")
      assert.deepStrictEqual(kept.rooms, ["y"])
      assert.strictEqual(yield* failure("p", "0"), "SessionUnknown")
      void missed
    })
  )

  it.effect("a place that is none does not cost the session", () =>
    Effect.gen(function* () {
      const { failure, missed, store } = yield* setup()
      yield* store.persist(session("p", { since: undefined }))
      for (const offset of ["1", "x", "", " 0", "0x0", "9".repeat(16)]) {
        assert.strictEqual(yield* failure("p", offset), "OffsetUnknown", offset)
      }
      assert.strictEqual(yield* failure("p"), "OffsetUnknown")
      assert.deepStrictEqual(yield* missed("p", "0"), [])
    })
  )

  it.effect("keeps so many events: at the limit all are there, with one more the first is gone", () =>
    Effect.gen(function* () {
      const { append, failure, missed, store } = yield* setup({ maxEvents: 2 })
      yield* store.persist(session("p"))
      yield* store.persist(session("q"))
      append("1")
      append("2")
      assert.strictEqual((yield* missed("p")).length, 2)
      append("3")
      assert.strictEqual(store.size, 2)
      assert.strictEqual(yield* failure("q"), "LogTruncated")
      yield* store.persist(session("q"))
      assert.strictEqual((yield* missed("q", "1")).length, 2)
    })
  )

  it.effect("keeps so many bytes: at the limit all are there, with one more the first is gone", () =>
    Effect.gen(function* () {
      const { append, store } = yield* setup({ maxBytes: 20 })
      append("1", target(), 5)
      append("2", target(), 5)
      assert.deepStrictEqual([store.size, store.bytes], [2, 20])
      append("3", target(), 1)
      assert.deepStrictEqual([store.size, store.bytes], [2, 12])
      append("huge", target(), 50)
      assert.deepStrictEqual([store.size, store.bytes], [0, 0])
      assert.strictEqual(store.position, "4")
    })
  )

  it.effect("of many events the old ones do not stay in memory", () =>
    Effect.gen(function* () {
      const { append, missed, store } = yield* setup({ maxEvents: 100 })
      for (let number = 1; number <= 5000; number++) append(String(number))
      assert.strictEqual(store.size, 100)
      yield* store.persist(session("p"))
      assert.deepStrictEqual(
        (yield* missed("p", "4998")).map(([name]) => name),
        ["4999", "5000"]
      )
    })
  )

  it.effect("forgets sessions and events with time, by one deadline that is there only while there is something", () =>
    Effect.gen(function* () {
      const { append, deadlines, failure, store } = yield* setup()
      assert.strictEqual(deadlines.size, 0)
      append("1")
      yield* store.persist(session("p"))
      assert.strictEqual(deadlines.size, 1)
      yield* TestClock.adjust(9_999)
      assert.strictEqual(store.sessions, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* failure("p"), "SessionUnknown")
      yield* TestClock.adjust(detectionTime - 1000)
      assert.strictEqual(store.size, 1)
      // The first look was at 2.5 seconds.
      yield* TestClock.adjust(1000 + 2 * 2500)
      assert.deepStrictEqual([store.size, store.sessions, store.bytes, deadlines.size], [0, 0, 0, 0])
    })
  )

  it.effect("whoever has all that was written has missed nothing before the loss, though the events are gone", () =>
    Effect.gen(function* () {
      const { append, failure, missed, store } = yield* setup({ maxEvents: 3 })
      append("for it")
      for (let i = 0; i < 10; i++) append("for others", target(["others"]))
      const end = store.position
      yield* store.persist(session("p", { written: { last: "1", end } }))
      yield* store.persist(session("q", { written: { last: "1", end } }))
      append("missed")
      assert.deepStrictEqual(yield* missed("p", "1"), [["missed", "12"]])
      // It has not got the last one that was written to it, and that is gone.
      assert.strictEqual(yield* failure("q", "0"), "LogTruncated")
    })
  )

  it.effect("who appends while it is told keeps the order and the sum of bytes", () =>
    Effect.gen(function* () {
      const { store } = yield* setup({ maxEvents: 1 })
      const told: Array<string | undefined> = []
      const outer: EventData = { data: ["outer"] }
      store.append(target(), outer, flags, (offset) => {
        told.push(offset)
        outer.frames = FrameGroup.make("12345")
        store.append(target(), { data: ["inner"] }, flags, (offset) => told.push(offset))
      })
      assert.deepStrictEqual(told, ["1", "2"])
      assert.deepStrictEqual([store.size, store.bytes], [1, 0])
    })
  )
})
