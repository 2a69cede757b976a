/** Messages as notifications and rows, and the reading of notifications. */
import { assert, describe, it } from "@effect/vitest"
import { decode } from "@msgpack/msgpack"
import { AdapterError } from "../../../src/adapter/Adapter.ts"
import { plainFlags } from "../../../src/adapter/ClusterFields.ts"
import { type ClusterMessage, MessageType } from "../../../src/adapter/ClusterMessage.ts"
import * as Encoding from "../../../src/adapter/postgres/PostgresEncoding.ts"
import * as Options from "../../../src/adapter/postgres/PostgresOptions.ts"

const settings = Options.settings()

const said = (...args: ReadonlyArray<unknown>): ClusterMessage => ({
  uid: "0123456789abcdef",
  nsp: "/n",
  body: {
    type: MessageType.BROADCAST,
    target: { rooms: new Set(), except: new Set() },
    flags: plainFlags,
    event: { data: ["said", ...args] },
    requestId: undefined
  }
})

const form = (message: ClusterMessage, options: Partial<Encoding.WriteOptions> = {}): Encoding.Form => {
  const written = Encoding.write(message, { settings, ...options })
  if (written instanceof AdapterError) throw written
  return written
}

/** The notification of a row, as the statement builds it. */
const noteOf = (attachment: Encoding.Form, id: string): string =>
  attachment._tag === "Attachment" ? `${attachment.head}${id}${attachment.tail}}` : "no row"

describe("PostgresEncoding", () => {
  it("small messages are notifications, up to 7999 bytes; larger and binary ones are rows", () => {
    const overhead = form(said("")).size
    const limit = form(said("x".repeat(7999 - overhead)))
    assert.deepStrictEqual([limit._tag, limit.size], ["Note", 7999])
    assert.strictEqual(form(said("x".repeat(8000 - overhead)))._tag, "Attachment")
    const binary = form(said(Uint8Array.of(1, 2)))
    assert.strictEqual(noteOf(binary, "7"), '{"uid":"0123456789abcdef","type":3,"attachmentId":"7","nsp":"/n"}')
    const value = binary._tag === "Attachment" ? decode(binary.bytes) : undefined
    assert.deepStrictEqual((value as { data: { packet: unknown } }).data.packet, {
      type: 2,
      data: ["said", Uint8Array.of(1, 2)]
    })
  })

  it("a threshold of the program's own counts, above what PostgreSQL takes too", () => {
    assert.strictEqual(form(said(), { settings: Options.settings({ payloadThreshold: 10 }) })._tag, "Attachment")
    const high = Options.settings({ payloadThreshold: 100_000 })
    assert.strictEqual(form(said("x".repeat(8000)), { settings: high })._tag, "Attachment")
  })

  it("stored messages carry the number by which their sender knows them", () => {
    const note = form(said(1), { ref: 5 })
    assert.strictEqual(note._tag === "Note" ? (JSON.parse(note.text) as { ref: number }).ref : 0, 5)
    const row = noteOf(form(said(Uint8Array.of(1)), { ref: 5 }), "7")
    assert.deepStrictEqual(JSON.parse(row), {
      uid: "0123456789abcdef",
      type: 3,
      attachmentId: "7",
      nsp: "/n",
      ref: 5
    })
  })

  it("what cannot be written, or is too large, is a failure", () => {
    const cycle: Record<string, unknown> = {}
    cycle["self"] = cycle
    for (const value of [10n, cycle]) {
      const written = Encoding.write(said(value), { settings })
      assert.strictEqual(written instanceof AdapterError ? written.reason : "written", "Rejected")
    }
    const small = Options.settings({ maxMessageSize: 9000 })
    assert.strictEqual(form(said("x".repeat(8500)), { settings: small })._tag, "Attachment")
    assert.instanceOf(Encoding.write(said("x".repeat(9000)), { settings: small }), AdapterError)
  })

  it("a namespace whose name fills a notification is told by the row alone", () => {
    const nsp = `/${"n".repeat(9000)}`
    const written = form({ ...said(1), nsp })
    assert.strictEqual(noteOf(written, "7"), '{"uid":"0123456789abcdef","type":3,"attachmentId":"7"}')
    assert.instanceOf(Encoding.write({ ...said(1), nsp }, { settings, ref: 1 }), AdapterError)
  })

  it("events are stored; what is volatile, asks or is no event is not", () => {
    assert.isTrue(Encoding.isStored(said()))
    const message = said()
    if (message.body.type !== MessageType.BROADCAST) assert.fail("no broadcast")
    const { body } = message
    assert.isFalse(Encoding.isStored({ ...message, body: { ...body, flags: { ...plainFlags, volatile: true } } }))
    assert.isFalse(Encoding.isStored({ ...message, body: { ...body, requestId: "r" } }))
    assert.isFalse(Encoding.isStored({ ...message, body: { type: MessageType.HEARTBEAT } }))
  })

  it("reading is total: numbers of rows within bigint, whatever else is there", () => {
    const read = (text: string | undefined) => {
      const { value: _, ...markers } = Encoding.read(text) ?? { value: {}, uid: "nothing" }
      return markers
    }
    const nothing = { uid: "nothing" }
    for (const text of [undefined, "", "x", "{", "[]", "1", "null", '"{}"', '{"attachmentId":-1}']) {
      assert.deepStrictEqual(read(text), nothing, text)
    }
    for (const id of ['"1e3"', "1.5", "true", "{}", '"9223372036854775808"', '"01"', '" 1"']) {
      assert.deepStrictEqual(read(`{"uid":"u","attachmentId":${id}}`), nothing, id)
    }
    assert.deepStrictEqual(read('{"uid":"u","attachmentId":"9223372036854775807","offset":"0","ref":3}'), {
      uid: "u",
      attachmentId: "9223372036854775807",
      offset: "0",
      ref: 3
    })
    assert.deepStrictEqual(read('{"uid":1,"offset":"x","ref":-1}'), {
      uid: undefined,
      attachmentId: undefined,
      offset: undefined,
      ref: undefined
    })
  })
})
