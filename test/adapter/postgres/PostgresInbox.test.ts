/**
 * What arrives for a namespace, over a double that answers when the test says so: order, lost connections, more than fits.
 */
import { assert, describe, it } from "@effect/vitest"
import type { AdapterCounters } from "../../../src/adapter/Adapter.ts"
import type { Result } from "../../../src/adapter/postgres/PostgresConnection.ts"
import { Inbox } from "../../../src/adapter/postgres/PostgresInbox.ts"
import * as Options from "../../../src/adapter/postgres/PostgresOptions.ts"
import * as MsgpackEncode from "../../../src/protocol/MsgpackEncode.ts"

const wire = (text: unknown, more: object = {}): object => ({
  type: 3,
  data: { packet: { type: 2, data: ["said", text] }, opts: { rooms: [], except: [], flags: {} } },
  uid: "them",
  nsp: "/n",
  ...more
})

const note = (text: unknown, more: object = {}): string => JSON.stringify(wire(text, more))
const rowNote = (id: number, more: object = {}): string =>
  JSON.stringify({ uid: "them", type: 3, attachmentId: String(id), ...more })

const row = (text: unknown, more: object = {}): Result => ({
  rows: [{ payload: MsgpackEncode.encodeOrThrow(wire(text, more), "notepack3") }]
})

const logged = (place: number, text: unknown, more: object = {}) => ({
  place: String(place),
  payload: new TextEncoder().encode(note(text, more))
})

const make = (log = false, options: Options.PostgresOptions = {}) => {
  const counters: AdapterCounters = { published: 0, received: 0, publishFailures: 0, ignored: 0, gaps: 0 }
  const taken: Array<string> = []
  const asked: Array<{
    readonly values: ReadonlyArray<unknown>
    readonly answer: (result: Result) => Promise<void>
    readonly fail: () => Promise<void>
  }> = []
  let gaps = 0
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const inbox = new Inbox({
    namespace: "/n",
    channel: "socket.io#/n",
    uid: "us",
    settings: Options.settings(options),
    counters,
    log,
    query: (_text, values) =>
      new Promise((resolve, reject) => {
        asked.push({
          values,
          answer: (result) => {
            resolve(result)
            return settle()
          },
          fail: () => {
            reject(new Error("no"))
            return settle()
          }
        })
      }),
    sink: {
      onMessage: ({ body }, offset) => {
        const text = body.type === 3 ? String(body.event.data[1]) : `type ${body.type}`
        taken.push(offset === undefined ? text : `${text}@${offset}`)
      },
      onOwn: (ref, offset) => void taken.push(`own ${ref}@${offset}`),
      onMoved: () => {},
      onGap: () => void gaps++
    }
  })
  return { inbox, taken, asked, counters, gaps: () => gaps }
}

describe("PostgresInbox", () => {
  it("a row that is fetched holds what is behind it, and nothing is asked twice at a time", async () => {
    const { inbox, taken, asked } = make()
    inbox.add(note(1))
    inbox.add(rowNote(10))
    inbox.add(note(3))
    inbox.add(rowNote(11))
    inbox.add(note(5))
    assert.deepStrictEqual([taken, asked.map(({ values }) => values)], [["1"], [["10"]]])
    await asked[0]!.answer(row(2))
    assert.deepStrictEqual(
      [taken, asked.map(({ values }) => values)],
      [
        ["1", "2", "3"],
        [["10"], ["11"]]
      ]
    )
    await asked[1]!.answer(row(4))
    assert.deepStrictEqual(taken, ["1", "2", "3", "4", "5"])
  })

  it("a row that is gone, is no message or cannot be asked for costs one message", async () => {
    const { inbox, taken, asked, counters } = make()
    for (const id of [1, 2, 3]) inbox.add(rowNote(id))
    inbox.add(note("end"))
    await asked[0]!.answer({ rows: [] })
    await asked[1]!.answer({ rows: [{ payload: Uint8Array.of(0xc1) }] })
    await asked[2]!.fail()
    assert.deepStrictEqual([taken, counters.ignored], [["end"], 3])
  })

  it("rows of our own are not fetched; stored ones come to their turn behind what is fetched", async () => {
    const { inbox, taken, asked } = make(true)
    inbox.add(rowNote(1, { offset: "5" }))
    inbox.add(rowNote(2, { uid: "us", ref: 7, offset: "6" }))
    inbox.add(rowNote(3, { uid: "us" }))
    assert.deepStrictEqual(taken, [])
    await asked[0]!.answer(row("theirs"))
    assert.deepStrictEqual([taken, asked.length, inbox.position], [["theirs@5", "own 7@6"], 1, "6"])
  })

  it("what waits when the connection is lost is forgotten, and a late answer concerns nobody", async () => {
    const { inbox, taken, asked } = make()
    inbox.add(rowNote(1))
    inbox.add(note("waits"))
    inbox.lost()
    inbox.add(note("new"))
    await asked[0]!.answer(row("late"))
    assert.deepStrictEqual(taken, ["new"])
  })

  it("after a lost connection the log is read before newer messages, which are taken once", async () => {
    const { inbox, taken, asked } = make(true)
    inbox.add(note("a", { offset: "1" }))
    inbox.add(rowNote(9, { offset: "2" }))
    inbox.lost()
    inbox.resume()
    inbox.add(note("c", { offset: "3" }))
    inbox.add(note("d", { offset: "4" }))
    assert.deepStrictEqual(asked[1]!.values, ["socket.io#/n", "1"])
    await asked[1]!.answer({
      rows: [logged(2, "b"), logged(3, "c"), { place: "3", payload: null }, logged(3, "mine", { uid: "us", ref: 1 })]
    })
    assert.deepStrictEqual(taken, ["a@1", "b@2", "c@3", "own 1@3", "d@4"])
    assert.strictEqual(inbox.position, "4")
  })

  it("more than fits while a row is fetched: a gap without a log, the log with one", async () => {
    const plain = make(false, { maxPending: 3 })
    plain.inbox.add(rowNote(1))
    for (let i = 0; i < 4; i++) plain.inbox.add(note(i))
    assert.deepStrictEqual([plain.gaps(), plain.counters.ignored], [1, 4])
    plain.inbox.add(note("after"))
    assert.deepStrictEqual(plain.taken, ["after"])

    const stored = make(true, { maxPending: 3 })
    stored.inbox.add(note(0, { offset: "1" }))
    stored.inbox.add(rowNote(1, { offset: "2" }))
    for (let i = 2; i < 6; i++) stored.inbox.add(note(i, { offset: String(i + 1) }))
    assert.deepStrictEqual([stored.gaps(), stored.asked.length], [1, 2])
    await stored.asked[1]!.answer({ rows: [1, 2, 3, 4, 5].map((i) => logged(i + 1, i)) })
    assert.deepStrictEqual(
      stored.taken,
      [0, 1, 2, 3, 4, 5].map((i) => `${i}@${i + 1}`)
    )
  })

  it("a log that cannot be read is a gap", async () => {
    const { inbox, asked, gaps, taken } = make(true)
    inbox.add(note("a", { offset: "1" }))
    inbox.lost()
    inbox.resume()
    inbox.add(note("b", { offset: "2" }))
    await asked[0]!.fail()
    assert.deepStrictEqual([gaps(), taken], [1, ["a@1", "b@2"]])
  })
})
