/** The broker in memory itself: its faults, and what a store does for a node that was away. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { Published } from "../../src/adapter/ClusterBus.ts"
import { type ClusterMessage, MessageType } from "../../src/adapter/ClusterMessage.ts"
import * as MemoryBroker from "../../src/testing/MemoryBroker.ts"
import { all, event, inRooms, plain } from "../suites/cluster/Recorder.ts"

const nsp = "/n"
const recovery = { maxDisconnectionDuration: 60_000 }

const said = (uid: string, text: unknown, volatile = false): ClusterMessage => ({
  uid,
  nsp,
  body: {
    type: MessageType.BROADCAST,
    target: all,
    flags: { ...plain, volatile },
    event: event("said", text),
    requestId: undefined
  }
})

/** An open bus of a node, and the texts that arrived with their places. */
const open = (broker: MemoryBroker.MemoryBroker, name: string) =>
  Effect.gen(function* () {
    const node = yield* broker.connect(name)
    const heard: Array<unknown> = []
    const places: Array<string | undefined> = []
    const told: Array<Published["_tag"]> = []
    const bus = yield* node.open({
      namespace: nsp,
      uid: name,
      recovery,
      sink: {
        onMessage: ({ body }, offset) => {
          heard.push(body.type === MessageType.BROADCAST ? body.event.data[1] : body.type)
          places.push(offset)
        }
      }
    })
    const say = (...texts: ReadonlyArray<unknown>): void => {
      for (const text of texts) bus.publish(said(name, text), ({ _tag }) => void told.push(_tag))
    }
    return { node, bus, heard, places, told, say }
  })

const pair = (options: MemoryBroker.BrokerOptions = {}) =>
  Effect.gen(function* () {
    const broker = yield* MemoryBroker.make(options)
    return { broker, a: yield* open(broker, "a"), b: yield* open(broker, "b") }
  })

const settle = TestClock.adjust(0)
const hundred = Array.from({ length: 100 }, (_, i) => i)

describe("a broker in memory", () => {
  it.effect("nothing arrives inside the call that sends it, and everything in its turn", () =>
    Effect.gen(function* () {
      const { a, b } = yield* pair()
      a.say(1, 2)
      assert.deepStrictEqual([b.heard, a.told], [[], []])
      yield* settle
      assert.deepStrictEqual([b.heard, a.told, a.heard], [[1, 2], ["Published", "Published"], []])
    })
  )

  it.effect("latency is the time of each way; a shorter one lets nothing overtake", () =>
    Effect.gen(function* () {
      const { broker, a, b } = yield* pair()
      yield* broker.latency("30 millis")
      yield* broker.latency("70 millis", "b")
      a.say(1)
      yield* broker.latency("1 millis", "a")
      a.say(2)
      yield* TestClock.adjust("99 millis")
      assert.deepStrictEqual([b.heard, a.told.length], [[], 2])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(b.heard, [1, 2])
    })
  )

  it.effect("messages are dropped and doubled by chance, the same for the same seed", () =>
    Effect.gen(function* () {
      const run = Effect.gen(function* () {
        const { broker, a, b } = yield* pair()
        yield* broker.drop(0.3, "b")
        yield* broker.duplicate(0.2, "b")
        a.say(...hundred)
        yield* settle
        return b.heard
      }).pipe(Effect.scoped, Random.withSeed("seed"))
      const heard = yield* run
      assert.deepStrictEqual(heard, yield* run)
      assert.isBelow(new Set(heard).size, 90)
      assert.isAbove(heard.length, new Set(heard).size)
    })
  )

  it.effect("jitter lets messages overtake each other, and loses none", () =>
    Effect.gen(function* () {
      const { broker, a, b } = yield* pair()
      yield* broker.jitter("50 millis", "b")
      a.say(...hundred)
      yield* settle
      yield* TestClock.adjust("50 millis")
      assert.sameMembers(b.heard, hundred)
      assert.notDeepEqual(b.heard, hundred)
    }).pipe(Random.withSeed("jitter"))
  )

  it.effect("nodes share nothing: what is changed after it was published is not changed elsewhere", () =>
    Effect.gen(function* () {
      const { a, b } = yield* pair()
      const value = { list: [1], bytes: Uint8Array.of(1) }
      a.say(value)
      value.list.push(2)
      value.bytes[0] = 9
      yield* settle
      assert.deepStrictEqual(b.heard, [{ list: [1], bytes: Uint8Array.of(1) }])
    })
  )

  it.effect(
    "a node that is cut off fails at once, and what was under way to it is lost; without a store that is a gap",
    () =>
      Effect.gen(function* () {
        const { broker, a, b } = yield* pair()
        yield* broker.latency("10 millis")
        a.say(1)
        yield* TestClock.adjust("15 millis")
        yield* broker.cut("b")
        a.say(2)
        b.say("lost")
        assert.deepStrictEqual(b.told, ["Failed"])
        yield* TestClock.adjust("1 second")
        yield* broker.heal("b")
        a.say(3)
        yield* TestClock.adjust("20 millis")
        assert.deepStrictEqual([b.heard, a.heard], [[3], []])
        assert.strictEqual(b.node.counters.gaps, 1)
        assert.strictEqual(Option.getOrUndefined(yield* Stream.runHead(b.node.health))?._tag, "Gap")
      })
  )

  it.effect("with a store the node gets what it missed, in order and once; not what the log has forgotten", () =>
    Effect.gen(function* () {
      const { broker, a, b } = yield* pair({ store: true })
      a.say(1)
      yield* settle
      yield* broker.cut("b")
      a.say(2, 3)
      a.bus.publish(said("a", "volatile", true), () => {})
      yield* settle
      yield* broker.heal("b")
      a.say(4)
      yield* settle
      assert.deepStrictEqual(
        [b.heard, b.places],
        [
          [1, 2, 3, 4],
          ["1", "2", "3", "4"]
        ]
      )
      assert.strictEqual(b.node.counters.gaps, 0)
      yield* broker.cut("b")
      a.say(5, 6)
      yield* settle
      yield* broker.trim(1)
      yield* broker.heal("b")
      yield* settle
      assert.deepStrictEqual(b.heard, [1, 2, 3, 4, 6])
      assert.strictEqual(b.node.counters.gaps, 1)
    })
  )

  it.effect("a node that is killed is gone; one of its name takes over, and finds the log and the sessions", () =>
    Effect.gen(function* () {
      const { broker, a, b } = yield* pair({ store: true })
      yield* a.bus.store!.persist({ sid: "s", pid: "p", rooms: ["s", "r"], data: {}, since: undefined })
      a.say("all")
      a.bus.publish({ ...said("a", "r"), body: { ...said("a", "r").body, target: inRooms("r") } as never }, () => {})
      yield* settle
      yield* broker.kill("a")
      a.say("from a dead node")
      b.say("to a dead node")
      yield* settle
      assert.deepStrictEqual([a.told.at(-1), a.heard, b.heard], ["Failed", [], ["all", "r"]])
      const again = yield* open(broker, "a")
      assert.strictEqual(again.bus.store!.position, "3")
      const { missed } = yield* again.bus.store!.restore("p", "1")
      assert.deepStrictEqual(
        missed.map(({ event, offset }) => [event.data[1], offset]),
        [
          ["r", "2"],
          ["to a dead node", "3"]
        ]
      )
    })
  )

  it.effect("sessions end after their time, and the log keeps so many events", () =>
    Effect.gen(function* () {
      const { a } = yield* pair({ store: true, maxLength: 2 })
      const store = a.bus.store!
      const keep = store.persist({ sid: "s", pid: "p", rooms: [], data: {}, since: undefined })
      yield* keep
      yield* TestClock.adjust("59999 millis")
      assert.deepStrictEqual((yield* store.restore("p", undefined)).missed, [])
      yield* keep
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* Effect.flip(store.restore("p", undefined))).message, "not recovered: SessionUnknown")
      yield* keep
      a.say(1, 2, 3)
      yield* settle
      assert.strictEqual((yield* Effect.flip(store.restore("p", undefined))).message, "not recovered: LogTruncated")
      yield* keep
      assert.lengthOf((yield* store.restore("p", "1")).missed, 2)
    })
  )
})
