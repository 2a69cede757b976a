/** The pieces of the NATS adapters that need no server: subjects, offsets, parts, what is known of the log, and what a consumer delivers. */
import { assert, describe, it } from "@effect/vitest"
import { headers, type Msg } from "@nats-io/transport-node"
import * as EventHistory from "../../../src/adapter/nats/NatsEventHistory.ts"
import * as LogEntry from "../../../src/adapter/nats/NatsLogEntry.ts"
import * as Offset from "../../../src/adapter/nats/NatsOffset.ts"
import * as Parts from "../../../src/adapter/nats/NatsParts.ts"
import * as Sessions from "../../../src/adapter/nats/NatsSessions.ts"
import * as Subjects from "../../../src/adapter/nats/NatsSubjects.ts"

describe("NatsSubjects", () => {
  const names = [
    "",
    "/",
    "/chat",
    "/a.b",
    "/a b",
    "/a*",
    "/a>",
    "=",
    "==",
    "=002e",
    "/a=002eb",
    "/ä",
    "/\ud800",
    "/\udbff",
    "/\u{1f600}",
    "\t\r\n"
  ]

  it("every name is one token, and no two names are the same", () => {
    const tokens = names.map((name) => Subjects.token(name) ?? "")
    for (const token of tokens) assert.match(token, /^[A-Za-z0-9_/=-]+$/)
    assert.strictEqual(new Set(tokens).size, names.length)
  })

  it("at most 1024 characters", () => {
    assert.strictEqual(Subjects.token("x".repeat(1024))?.length, 1024)
    assert.isUndefined(Subjects.token("x".repeat(1025)))
    assert.isDefined(Subjects.token("ä".repeat(204)))
    assert.isUndefined(Subjects.token("ä".repeat(205)))
  })

  it("prefixes", () => {
    for (const good of ["socket.io", "a", "a.b.c", "socket.io-js"]) assert.isTrue(Subjects.isPrefix(good), good)
    for (const bad of ["", ".", "a.", ".a", "a..b", "a b", "a.*", ">", "a\r\nPUB x"])
      assert.isFalse(Subjects.isPrefix(bad), bad)
  })
})

describe("NatsOffset", () => {
  it("what is written is read, and nothing else", () => {
    const offset = { epoch: Offset.epochOf("2026-11-25T06:53:28.535063317Z") ?? "", sequence: 17 }
    assert.deepStrictEqual(Offset.parse(Offset.format(offset)), offset)
    for (const text of [
      "",
      "a",
      "17",
      "a-",
      "-1",
      "a-01",
      "a-1-2",
      "A-1",
      "a-1 ",
      "a--1",
      "a-1e3",
      "a-99999999999999999",
      "x".repeat(1e5)
    ]) {
      assert.isUndefined(Offset.parse(text), text)
    }
    for (const time of ["", "yesterday", "0001-01-01T00:00:00Z"]) assert.isUndefined(Offset.epochOf(time))
  })
})

describe("NatsParts", () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251)
  const values = (parts: ReadonlyArray<Parts.Part>) => parts.map(({ headers }) => headers?.get(Parts.header))

  it("what fits is not split; what is split fits, and is put together again among the parts of others", () => {
    assert.lengthOf(Parts.split(bytes, 10_000, "a", 1), 1)
    const mine = Parts.split(bytes, 9999, "a", 1)
    const others = Parts.split(bytes.toReversed(), 1000, "b", 1)
    assert.isTrue(mine.length === 2 && mine.every(({ bytes }) => bytes.length <= 9999 - Parts.headerRoom))
    let dropped = 0
    const reassembly = new Parts.Reassembly(10_000, () => dropped++)
    const whole: Array<Uint8Array> = []
    for (let index = 0; index < others.length; index++) {
      for (const part of [others[index], mine[index]]) {
        const complete = part && reassembly.add(part.bytes, part.headers?.get(Parts.header))
        if (complete !== undefined) whole.push(complete)
      }
    }
    assert.deepStrictEqual(whole, [bytes, bytes.toReversed()])
    assert.deepStrictEqual([dropped, reassembly.size], [0, 0])
  })

  it("a part that is missing, repeated or of another message drops the whole; nothing is left", () => {
    const parts = Parts.split(bytes, 4000, "a", 7)
    const [first, second, third] = values(parts)
    const feed = (order: ReadonlyArray<string | undefined>): { readonly whole: number; readonly dropped: number } => {
      let dropped = 0
      const reassembly = new Parts.Reassembly(20_000, () => dropped++)
      const whole = order.filter((value) => reassembly.add(new Uint8Array(10), value) !== undefined).length
      reassembly.clear()
      assert.strictEqual(reassembly.size, 0)
      return { whole, dropped }
    }
    assert.deepStrictEqual(feed([first, second, third]), { whole: 1, dropped: 0 })
    assert.deepStrictEqual(feed([first, third]), { whole: 0, dropped: 1 })
    assert.deepStrictEqual(feed([second, third]), { whole: 0, dropped: 2 })
    assert.deepStrictEqual(feed([first, first, second, third]), { whole: 1, dropped: 1 })
    assert.deepStrictEqual(feed([first, second, "a;8;2;3"]), { whole: 0, dropped: 1 })
    assert.deepStrictEqual(feed([first, second]), { whole: 0, dropped: 1 })
  })

  it("the limit is that of the whole: at it and one byte above", () => {
    const one = new Parts.Reassembly(20, () => {})
    one.add(new Uint8Array(10), "a;1;0;2")
    assert.lengthOf(one.add(new Uint8Array(10), "a;1;1;2") ?? [], 20)
    one.add(new Uint8Array(10), "a;2;0;2")
    assert.isUndefined(one.add(new Uint8Array(11), "a;2;1;2"))
  })

  it("what is held is bounded, whoever sends", () => {
    let dropped = 0
    const reassembly = new Parts.Reassembly(1000, () => dropped++)
    for (let sender = 0; sender < 10_000; sender++) reassembly.add(new Uint8Array(500), `${sender};1;0;2`)
    assert.strictEqual(reassembly.size, 8)
    assert.strictEqual(dropped, 9992)
    const empty = new Parts.Reassembly(1000, () => {})
    for (let sender = 0; sender < 10_000; sender++) empty.add(new Uint8Array(0), `${sender};1;0;2`)
    assert.strictEqual(empty.size, 256)
  })
})

describe("NatsEventHistory", () => {
  it("the next event after a place, where that is known", () => {
    const history = new EventHistory.EventHistory(10)
    for (const place of [12, 15, 30]) history.add(place)
    const all = history.all(40)
    const after = (place: number) => EventHistory.following(all, place)
    assert.deepStrictEqual(after(9), { _tag: "Unknown" })
    assert.deepStrictEqual(after(10), { _tag: "At", place: 12 })
    assert.deepStrictEqual(after(12), { _tag: "At", place: 15 })
    assert.deepStrictEqual(after(29), { _tag: "At", place: 30 })
    assert.deepStrictEqual(after(30), { _tag: "After", position: 40 })
    assert.deepStrictEqual(after(50), { _tag: "After", position: 50 })
    const tail = history.tail(2, 40)
    assert.deepStrictEqual(tail, { floor: 12, places: [15, 30], position: 40 })
    assert.deepStrictEqual(EventHistory.following(tail, 11), { _tag: "Unknown" })
    assert.deepStrictEqual(EventHistory.following(tail, 12), { _tag: "At", place: 15 })
  })

  it("a long history forgets its beginning and never says what it does not know", () => {
    const history = new EventHistory.EventHistory(0)
    for (let place = 2; place <= 100_000; place += 2) history.add(place)
    const all = history.all(100_000)
    assert.isTrue(all.places.length < 20_000)
    assert.deepStrictEqual(EventHistory.following(all, all.floor - 1), { _tag: "Unknown" })
    for (const place of [all.floor, 99_000, 99_001]) {
      assert.deepStrictEqual(EventHistory.following(all, place), { _tag: "At", place: place + 2 - (place % 2) })
    }
    assert.strictEqual(history.lastEvent, 100_000)
  })
})

describe("NatsLogEntry", () => {
  const message = (fields: Partial<Msg>): Msg => ({ subject: "s", sid: 1, data: new Uint8Array(), ...fields }) as Msg

  it("entries of servers old and new; nothing else is one", () => {
    const numbers = (reply: string): unknown => {
      const read = LogEntry.read(message({ reply }))
      return read?._tag === "Entry" ? [read.sequence, read.delivery, read.pending] : read
    }
    assert.deepStrictEqual(numbers("$JS.ACK.stream.consumer.1.5.3.1795589608542735122.9"), [5, 3, 9])
    assert.deepStrictEqual(numbers("$JS.ACK.domain.hash.stream.consumer.1.5.3.1795589608542735122.9"), [5, 3, 9])
    assert.deepStrictEqual(numbers("$JS.ACK._.hash.stream.consumer.1.5.3.1795589608542735122.9.token"), [5, 3, 9])
    for (const reply of [
      "",
      "_INBOX.x",
      "$JS.ACK",
      "$JS.ACK.a.b.c.d.e.f.g",
      "$JS.ACK.s.c.1.5.-3.1.9",
      "$JS.NAK.s.c.1.5.3.1.9"
    ]) {
      assert.isUndefined(numbers(reply), reply)
    }
    assert.isUndefined(LogEntry.read(message({})))
  })

  it("heartbeats, flow control and ends", () => {
    const status = (code: number, description: string, values: Record<string, string> = {}, reply?: string) => {
      const made = headers(code, description)
      for (const [key, value] of Object.entries(values)) made.set(key, value)
      return LogEntry.read(message({ headers: made, ...(reply === undefined ? {} : { reply }) }))
    }
    assert.deepStrictEqual(status(100, "Idle Heartbeat", { "Nats-Last-Consumer": "3" }), {
      _tag: "Heartbeat",
      delivery: 3,
      answerTo: undefined
    })
    assert.deepStrictEqual(status(100, "Idle Heartbeat", { "Nats-Consumer-Stalled": "x" }), {
      _tag: "Heartbeat",
      delivery: undefined,
      answerTo: "x"
    })
    assert.deepStrictEqual(status(100, "FlowControl Request", {}, "f"), { _tag: "FlowControl", answerTo: "f" })
    assert.isUndefined(status(100, "FlowControl Request"))
    assert.strictEqual(status(409, "Consumer Deleted")?._tag, "Ended")
  })
})

describe("NatsSessions", () => {
  const session = { sid: "s", pid: "p", rooms: ["s", "r"], data: { bytes: Uint8Array.of(1, 2) }, since: undefined }
  const kept = { session, epoch: "abc", tail: { floor: 1, places: [2, 3], position: 4 } }

  it("what is written is read, under its own private id only", () => {
    const bytes = Sessions.encodeOrThrow(kept)
    const read = Sessions.decode(bytes, "p")
    assert.deepStrictEqual(read?.tail, kept.tail)
    assert.deepStrictEqual(read?.session.rooms, ["s", "r"])
    assert.isUndefined(read?.session.since)
    assert.isUndefined(Sessions.decode(bytes, "q"))
  })

  it("every beginning and every changed byte of one is read or refused, never thrown", () => {
    const bytes = Sessions.encodeOrThrow(kept)
    for (let at = 0; at < bytes.length; at++) {
      assert.isUndefined(Sessions.decode(bytes.subarray(0, at), "p"))
      for (const change of [0x00, 0x80, 0xc0, 0xdd, 0xff]) {
        const changed = bytes.slice()
        changed[at] = change
        const read = Sessions.decode(changed, "p")
        if (read !== undefined) assert.isTrue(read.tail.places.every((place) => Number.isSafeInteger(place)))
      }
    }
  })
})
