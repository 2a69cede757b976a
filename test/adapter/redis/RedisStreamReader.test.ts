/** Reading of replies, in both protocols, and what a stream's account of itself says about what was trimmed. */
import { assert, describe, it } from "@effect/vitest"
import * as Commands from "../../../src/adapter/redis/RedisStreamCommands.ts"
import { trimmedAfter } from "../../../src/adapter/redis/RedisStreamReader.ts"

const entry = ["5-0", ["nsp", "/"]]
const read = { id: "5-0", fields: ["nsp", "/"] }

describe("replies", () => {
  it("of XREAD: RESP2, RESP3 as object and Map, time up, and what is none", () => {
    assert.deepStrictEqual(Commands.entriesRead([["s", [entry, entry]]]), [read, read])
    assert.deepStrictEqual(Commands.entriesRead({ s: [entry] }), [read])
    assert.deepStrictEqual(Commands.entriesRead(new Map([["s", [entry]]])), [read])
    assert.deepStrictEqual(Commands.entriesRead(["s", [entry]]), [read])
    for (const reply of [null, undefined, [], {}, "OK", 7, [[]], [["s"]], { s: null }]) {
      assert.deepStrictEqual(Commands.entriesRead(reply), [])
    }
    const broken = [null, "5-0", [], ["x-1", []], [7, []], ["5-0", "no list"], entry]
    assert.deepStrictEqual(Commands.entriesOf(broken), [{ id: "5-0", fields: [] }, read])
  })

  it("of XINFO STREAM: both protocols, servers before 7", () => {
    const resp2 = [
      "length",
      1,
      "last-generated-id",
      "9-0",
      "max-deleted-entry-id",
      "0-0",
      "entries-added",
      3,
      "first-entry",
      entry
    ]
    const info: Commands.StreamInfo = { last: "9-0", first: "5-0", maxDeleted: "0-0", added: 3, length: 1 }
    assert.deepStrictEqual(Commands.infoOf(resp2), info)
    const resp3 = {
      length: 1,
      "last-generated-id": "9-0",
      "max-deleted-entry-id": "0-0",
      "entries-added": 3,
      "first-entry": entry
    }
    assert.deepStrictEqual(Commands.infoOf(resp3), info)
    assert.deepStrictEqual(Commands.infoOf(["length", 0, "last-generated-id", "9-0", "first-entry", null]), {
      last: "9-0",
      first: undefined,
      maxDeleted: undefined,
      added: undefined,
      length: 0
    })
    for (const reply of [null, [], "OK", ["length", 1]]) assert.isUndefined(Commands.infoOf(reply))
  })
})

describe("whether something after a place was trimmed", () => {
  const info: Commands.StreamInfo = { last: "9-0", first: "5-0", maxDeleted: "0-0", added: 8, length: 5 }

  it("a place whose entry is there, the last one, and one behind the first entry: no", () => {
    assert.isFalse(trimmedAfter("5-0", info, true))
    assert.isFalse(trimmedAfter("9-0", info, false))
    assert.isFalse(trimmedAfter("6-5", info, false))
  })

  it("a place before the first entry: not to be known from this alone", () => {
    assert.isUndefined(trimmedAfter("4-0", info, false))
    assert.isUndefined(trimmedAfter("8-0", { ...info, first: undefined, length: 0 }, false))
  })

  it("a place that the stream has not reached, or before an entry that was deleted by name: yes", () => {
    assert.isTrue(trimmedAfter("9-1", info, false))
    assert.isTrue(trimmedAfter("5-0", { ...info, maxDeleted: "6-0" }, true))
    assert.isFalse(trimmedAfter("6-0", { ...info, maxDeleted: "6-0" }, false))
  })

  it("the beginning: only if everything is there that was ever added, which servers before 7 do not tell", () => {
    assert.isTrue(trimmedAfter("0-0", info, false))
    assert.isFalse(trimmedAfter("0-0", { ...info, added: 5 }, false))
    assert.isFalse(trimmedAfter("0-0", Commands.emptyInfo, false))
    assert.isUndefined(trimmedAfter("0-0", { ...info, added: undefined, maxDeleted: undefined }, false))
  })
})
