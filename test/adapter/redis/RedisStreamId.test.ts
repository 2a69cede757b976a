import { assert, describe, it } from "@effect/vitest"
import * as StreamId from "../../../src/adapter/redis/RedisStreamId.ts"

describe("ids of stream entries", () => {
  it("are read, and nothing else is", () => {
    assert.deepStrictEqual(StreamId.parse("1526919030474-55"), { millis: 1526919030474, sequence: 55 })
    assert.deepStrictEqual(StreamId.parse(StreamId.beginning), { millis: 0, sequence: 0 })
    const foreign = [
      "",
      "-",
      "+",
      "$",
      "1",
      "1-",
      "-1",
      "1-1-1",
      "a-1",
      "1-1 ",
      "9007199254740993-0",
      "1-99999999999999999",
      "(1-1"
    ]
    for (const text of foreign) assert.isUndefined(StreamId.parse(text), text)
  })

  it("are in order by time, then by number, not as text", () => {
    assert.isTrue(StreamId.isAfter("10-0", "9-5"))
    assert.isTrue(StreamId.isAfter("9-10", "9-9"))
    assert.isFalse(StreamId.isAfter("9-9", "9-9"))
    assert.isFalse(StreamId.isAfter("9-9", "10-0"))
    assert.isTrue(StreamId.isAfter("1-0", "nonsense"))
    assert.isFalse(StreamId.isAfter("nonsense", "1-0"))
    assert.strictEqual(StreamId.next({ millis: 5, sequence: 7 }), "5-8")
  })
})

describe("the history of a stream", () => {
  const id = (millis: number, sequence = 0): StreamId.EntryId => ({ millis, sequence })

  it("knows what came right after an id", () => {
    const history = new StreamId.History(10)
    for (const item of [id(1), id(1, 1), id(5), id(9)]) history.push(item)
    assert.deepStrictEqual(history.following(id(1)), id(1, 1))
    assert.deepStrictEqual(history.following(id(1, 1)), id(5))
    assert.deepStrictEqual(history.following(id(5)), id(9))
    assert.isUndefined(history.following(id(9)))
    assert.isUndefined(history.following(id(4)))
    assert.isUndefined(history.following(id(0)))
  })

  it("forgets the oldest first", () => {
    const history = new StreamId.History(3)
    for (let i = 1; i <= 8; i++) history.push(id(i))
    assert.strictEqual(history.size, 3)
    assert.isUndefined(history.following(id(5)))
    assert.deepStrictEqual(history.following(id(6)), id(7))
    assert.deepStrictEqual(history.following(id(7)), id(8))
    history.clear()
    assert.strictEqual(history.size, 0)
    assert.isUndefined(history.following(id(6)))
  })
})
