/**
 * The order of what nodes say over two ways, with both ways in the hand of the test.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import type { AdapterCounters } from "../../../src/adapter/Adapter.ts"
import type { Published } from "../../../src/adapter/ClusterBus.ts"
import { type Body, type ClusterMessage, MessageType } from "../../../src/adapter/ClusterMessage.ts"
import * as StreamEntry from "../../../src/adapter/redis/RedisStreamEntry.ts"
import type { StreamLink } from "../../../src/adapter/redis/RedisStreamLink.ts"
import { StreamsNamespace } from "../../../src/adapter/redis/RedisStreamsNamespace.ts"
import * as Options from "../../../src/adapter/redis/RedisStreamsOptions.ts"
import * as Deadlines from "../../../src/runtime/Deadlines.ts"

const nsp = "/chat"
const settings = Options.settings({ maxInFlight: 20 })
const flags = { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false }
const everybody = { rooms: new Set<string>(), except: new Set<string>() }

const event = (name: string, requestId?: string): Body => ({
  type: MessageType.BROADCAST,
  target: everybody,
  flags,
  event: { data: [name] },
  requestId
})

/** A command that waits for its reply. */
interface Waiting {
  readonly words: ReadonlyArray<string>
  readonly bytes: Uint8Array | undefined
  readonly reply: (value: unknown) => void
  readonly fail: (error: unknown) => void
}

/** A node whose connections are the test's hands. */
const makeNode = (uid: string, recovering = false) =>
  Effect.gen(function* () {
    const deadlines = yield* Deadlines.make
    const counters: AdapterCounters = { published: 0, received: 0, publishFailures: 0, ignored: 0, gaps: 0 }
    const commands: Array<Waiting> = []
    const state = { ready: true, position: "0-0", held: [] as Array<readonly [StreamEntry.RawEntry, string]> }
    const wait = (words: ReadonlyArray<string>, bytes?: Uint8Array): Promise<unknown> =>
      new Promise((reply, fail) => commands.push({ words, bytes, reply, fail }))
    const link: StreamLink = {
      get ready() {
        return state.ready
      },
      command: (_key, words) => wait(words),
      publish: (channel, bytes) => wait(["PUBLISH", channel], bytes),
      subscribe: () => Effect.succeed({ active: Effect.void, lost: Effect.never }),
      subscribers: () => Promise.resolve(2),
      reader: Effect.never
    }
    const heard: Array<string> = []
    const offsets: Array<string | undefined> = []
    const told: Array<Published> = []
    const pump = (): void => {
      while (state.held.length > 0) {
        const [raw, id] = state.held[0]!
        if (!namespace.entry(raw, id)) return
        state.held.shift()
        state.position = id
        namespace.advanced()
      }
    }
    const underWay = { count: 0 }
    const namespace = new StreamsNamespace(
      {
        namespace: nsp,
        uid,
        recovery: recovering ? { maxDisconnectionDuration: 1000 } : undefined,
        sink: {
          onMessage: ({ body }, offset) => {
            heard.push(body.type === MessageType.BROADCAST ? body.event.data[0] : String(body.type))
            offsets.push(offset)
          }
        }
      },
      {
        settings,
        link,
        deadlines,
        counters,
        underWay,
        stream: "s",
        position: () => state.position,
        pump,
        store: undefined
      }
    )
    const publish = (body: Body): void => namespace.publish({ uid, nsp, body }, (published) => told.push(published))
    namespace.listening(0)
    /** An entry with this id is read. */
    const read = (id: string, { words }: Waiting): void => {
      const raw = StreamEntry.read(words.slice(words.indexOf("*") + 1), settings.maxMessageSize)!
      state.held.push([raw, id])
      pump()
    }
    return { namespace, commands, state, heard, offsets, told, publish, read, counters, underWay, deadlines }
  })

/** Lets replies be heard. */
const settled = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

const names = (commands: ReadonlyArray<Waiting>): ReadonlyArray<string> => commands.map(({ words }) => words[0]!)

describe("a namespace on Redis Streams", () => {
  it.effect("T4: an event with acks does not overtake the broadcast before it", () =>
    Effect.gen(function* () {
      const near = yield* makeNode("near")
      const far = yield* makeNode("far")
      near.publish(event("1"))
      near.publish(event("2", "q"))
      // Its place is not known before the stream has replied.
      assert.deepStrictEqual(names(near.commands), ["XADD"])
      near.commands[0]!.reply("5-0")
      yield* settled
      assert.deepStrictEqual(names(near.commands), ["XADD", "PUBLISH"])
      // Pub/Sub is faster here.
      far.namespace.signal(near.commands[1]!.bytes!)
      assert.deepStrictEqual(far.heard, [])
      far.read("5-0", near.commands[0]!)
      assert.deepStrictEqual(far.heard, ["1", "2"])
      assert.strictEqual(far.deadlines.size, 0)
    })
  )

  it.effect("T4: a broadcast does not overtake the event with acks before it", () =>
    Effect.gen(function* () {
      const near = yield* makeNode("near")
      const far = yield* makeNode("far")
      near.publish(event("1", "q"))
      near.publish(event("2"))
      assert.deepStrictEqual(names(near.commands), ["PUBLISH", "XADD"])
      // The stream is faster here.
      far.read("5-0", near.commands[1]!)
      assert.deepStrictEqual(far.heard, [])
      far.namespace.signal(near.commands[0]!.bytes!)
      assert.deepStrictEqual(far.heard, ["1", "2"])
      assert.strictEqual(far.deadlines.size, 0)
    })
  )

  it.effect("nothing waits for ever: what does not come is waited for until orderTimeout", () =>
    Effect.gen(function* () {
      const near = yield* makeNode("near")
      const far = yield* makeNode("far")
      near.publish(event("1"))
      near.commands[0]!.reply("5-0")
      yield* settled
      near.publish(event("2", "q"))
      near.publish(event("3"))
      far.namespace.signal(near.commands[1]!.bytes!)
      yield* TestClock.adjust(settings.orderTimeout - 1)
      assert.deepStrictEqual(far.heard, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(far.heard, ["2"])
      far.read("6-0", near.commands[2]!)
      assert.deepStrictEqual(far.heard, ["2", "3"])
    })
  )

  it.effect("whoever claims to have said what never comes holds the stream three times at most", () =>
    Effect.gen(function* () {
      const far = yield* makeNode("far")
      const claim = (sequence: number): Waiting => ({
        words: [
          "*",
          "uid",
          "liar",
          "nsp",
          nsp,
          "type",
          "4",
          "data",
          `{"opts":{},"rooms":["r"]}`,
          "seq",
          String(sequence),
          "after",
          String(sequence * 1000)
        ],
        bytes: undefined,
        reply() {},
        fail() {}
      })
      for (let i = 1; i <= 100; i++) far.read(`${i}-0`, claim(i))
      assert.lengthOf(far.heard, 0)
      yield* TestClock.adjust(settings.orderTimeout * 3)
      assert.lengthOf(far.heard, 100)
    })
  )

  it.effect("questions long ago are not waited for by those who were not there", () =>
    Effect.gen(function* () {
      const near = yield* makeNode("near")
      near.publish(event("1", "q"))
      yield* TestClock.adjust(settings.orderTimeout * 2 + 1)
      near.publish(event("2"))
      const far = yield* makeNode("far")
      far.read("5-0", near.commands[1]!)
      assert.deepStrictEqual(far.heard, ["2"])
    })
  )

  it.effect("nor are questions from before one listened, however short ago", () =>
    Effect.gen(function* () {
      const near = yield* makeNode("near")
      near.publish(event("1", "q"))
      yield* TestClock.adjust(100)
      near.publish(event("2"))
      const far = yield* makeNode("far")
      far.namespace.listening(1000)
      // Asked at 999.
      far.read("1099-0", near.commands[1]!)
      assert.deepStrictEqual(far.heard, ["2"])
      const late = yield* makeNode("late")
      late.namespace.listening(1000)
      // Asked at 1000: on its way.
      late.read("1100-0", near.commands[1]!)
      assert.deepStrictEqual(late.heard, [])
      late.namespace.signal(near.commands[0]!.bytes!)
      assert.deepStrictEqual(late.heard, ["1", "2"])
    })
  )

  it.effect("an entry that a client has written twice is heard once", () =>
    Effect.gen(function* () {
      const near = yield* makeNode("near")
      const far = yield* makeNode("far")
      near.publish(event("1"))
      far.read("5-0", near.commands[0]!)
      far.read("6-0", near.commands[0]!)
      assert.deepStrictEqual(far.heard, ["1"])
    })
  )

  it.effect("callers are told in the order of their calls", () =>
    Effect.gen(function* () {
      const { commands, publish, told } = yield* makeNode("near")
      publish(event("1"))
      publish(event("2"))
      publish(event("3", "q"))
      commands[1]!.reply("6-0")
      yield* settled
      assert.deepStrictEqual(told, [])
      commands[0]!.fail(new Error("gone"))
      yield* settled
      assert.deepStrictEqual(
        told.map((published) => (published._tag === "Published" ? published.offset : published.error.reason)),
        ["Unavailable", "6-0"]
      )
      commands[2]!.reply(1)
      yield* settled
      assert.lengthOf(told, 3)
    })
  )

  it.effect("with recovery, own broadcasts are told when they are read back, in the order of the log", () =>
    Effect.gen(function* () {
      const near = yield* makeNode("near", true)
      const far = yield* makeNode("far", true)
      const log: Array<string> = []
      near.namespace.publish({ uid: "near", nsp, body: event("own") }, () => log.push("own", ...near.heard))
      far.publish(event("other"))
      near.commands[0]!.reply("6-0")
      yield* settled
      assert.deepStrictEqual(log, [])
      near.read("5-0", far.commands[0]!)
      near.read("6-0", near.commands[0]!)
      assert.deepStrictEqual(log, ["own", "other"])
      assert.deepStrictEqual(near.offsets, ["5-0"])
      assert.strictEqual(near.deadlines.size, 0)
    })
  )

  it.effect("with recovery, an own broadcast that does not come back is told without an offset", () =>
    Effect.gen(function* () {
      const { commands, publish, told } = yield* makeNode("near", true)
      publish(event("1"))
      commands[0]!.reply("6-0")
      yield* settled
      yield* TestClock.adjust(settings.orderTimeout)
      assert.deepStrictEqual(told, [{ _tag: "Published", offset: undefined }])
    })
  )

  it.effect(
    "an own broadcast with a question before it waits for the question's reply, and keeps its place in the log",
    () =>
      Effect.gen(function* () {
        const near = yield* makeNode("near", true)
        const far = yield* makeNode("far", true)
        const log: Array<string> = []
        near.namespace.publish({ uid: "near", nsp, body: event("q", "q") }, () => log.push("question"))
        near.namespace.publish({ uid: "near", nsp, body: event("own") }, () => log.push("own", ...near.heard))
        far.publish(event("later"))
        near.commands[1]!.reply("5-0")
        yield* settled
        near.read("5-0", near.commands[1]!)
        near.read("6-0", far.commands[0]!)
        assert.deepStrictEqual(log, [])
        near.commands[0]!.reply(2)
        yield* settled
        assert.deepStrictEqual(log, ["question", "own"])
        assert.deepStrictEqual(near.heard, ["later"])
      })
  )

  it.effect("while Redis is away nothing is kept: publishing fails at once", () =>
    Effect.gen(function* () {
      const { commands, publish, told, state } = yield* makeNode("near")
      state.ready = false
      publish(event("1"))
      publish(event("2", "q"))
      assert.lengthOf(commands, 0)
      assert.deepStrictEqual(
        told.map((published) => published._tag === "Failed" && published.error.reason),
        ["Unavailable", "Unavailable"]
      )
    })
  )

  it.effect("what is under way is bounded, also what waits for its place", () =>
    Effect.gen(function* () {
      const { commands, publish, told, underWay, namespace } = yield* makeNode("near")
      publish(event("1"))
      for (let i = 0; i < 30; i++) publish(event("q", `q${i}`))
      assert.strictEqual(underWay.count, settings.maxInFlight)
      assert.lengthOf(commands, 1)
      commands[0]!.reply("1-0")
      yield* settled
      assert.lengthOf(commands, settings.maxInFlight)
      for (const { reply } of commands) reply(0)
      yield* settled
      assert.strictEqual(underWay.count, 0)
      assert.lengthOf(told, 31)
      assert.lengthOf(
        told.filter(({ _tag }) => _tag === "Failed"),
        31 - settings.maxInFlight
      )
      publish(event("2"))
      publish(event("3", "q"))
      namespace.close()
      assert.lengthOf(told, 33)
      commands.at(-1)!.fail(new Error("closed"))
      yield* settled
      assert.strictEqual(underWay.count, 0)
    })
  )

  it.effect("what has no form on the wire is refused, and waited for by nobody", () =>
    Effect.gen(function* () {
      const near = yield* makeNode("near")
      const far = yield* makeNode("far")
      const impossible = (requestId?: string): Body => ({
        type: MessageType.BROADCAST,
        target: everybody,
        flags,
        event: { data: ["x", 1n] },
        requestId
      })
      near.publish(impossible())
      near.publish(impossible("q"))
      assert.deepStrictEqual(
        near.told.map((published) => published._tag === "Failed" && published.error.reason),
        ["Rejected", "Rejected"]
      )
      near.publish(event("1", "q"))
      near.publish(event("2"))
      far.namespace.signal(near.commands[0]!.bytes!)
      far.read("5-0", near.commands[1]!)
      assert.deepStrictEqual(far.heard, ["1", "2"])
      // Nor does a question wait for it that comes behind it.
      near.publish(impossible())
      near.publish(event("3", "q"))
      near.commands[1]!.reply("5-0")
      yield* settled
      assert.deepStrictEqual(names(near.commands), ["PUBLISH", "XADD", "PUBLISH"])
    })
  )

  it.effect("hostile bytes and entries are counted, and heard by nobody", () =>
    Effect.gen(function* () {
      const { namespace, counters, heard, read } = yield* makeNode("near")
      const bytes = [[], [0xc1], [0x80], [0xdd, 0xff, 0xff, 0xff, 0xff], [0x93, 1, 2, 3]]
      for (const list of bytes) namespace.signal(Uint8Array.from(list))
      assert.strictEqual(counters.ignored, bytes.length)
      const data = ["", "{", "{}", "%%%", "gA==", `{"packet":{"type":2,"data":["x"]},"opts":{"rooms":7}}`]
      data.forEach((text, i) =>
        read(`${i + 1}-0`, {
          words: ["*", "uid", "x", "nsp", nsp, "type", "3", "data", text],
          bytes: undefined,
          reply() {},
          fail() {}
        })
      )
      assert.strictEqual(counters.ignored, bytes.length + data.length)
      assert.deepStrictEqual(heard, [])
    })
  )
})

describe("the fields of an entry", () => {
  const message: ClusterMessage = { uid: "0123456789abcdef", nsp, body: event("hello") }

  it("are those of official nodes, ours behind", () => {
    assert.deepStrictEqual(
      StreamEntry.fields(message, { sequence: 7, after: { count: 2, ago: 30 } }, { onlyPlaintext: false }),
      [
        "uid",
        "0123456789abcdef",
        "nsp",
        "/chat",
        "type",
        "3",
        "data",
        `{"packet":{"type":2,"data":["hello"]},"opts":{"rooms":[],"except":[],"flags":{}}}`,
        "seq",
        "7",
        "after",
        "2",
        "ago",
        "30"
      ]
    )
  })

  it("are read whatever is among them", () => {
    const read = (...list: ReadonlyArray<unknown>) => StreamEntry.read(list, 10)
    assert.isUndefined(read())
    assert.isUndefined(read("uid"))
    assert.isUndefined(read("uid", "x", "nsp", "/"))
    assert.isUndefined(read("nsp", "/", "type", "x"))
    assert.isUndefined(read("nsp", "/", "type", "-3"))
    assert.isUndefined(read("nsp", "/", "type", "3", "data", "01234567890"))
    assert.isUndefined(read("nsp", null, "type", "3"))
    assert.deepStrictEqual(read("type", "3", "nsp", "admin", "data", "0123456789", "seq", "x", "__proto__", "y"), {
      uid: "emitter",
      nsp: "/admin",
      type: 3,
      data: "0123456789",
      sequence: undefined,
      after: undefined,
      ago: undefined
    })
  })
})
