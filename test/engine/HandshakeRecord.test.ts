import { assert, describe, it } from "@effect/vitest"
import * as HandshakeRecord from "../../src/engine/HandshakeRecord.ts"

/** Every text over the alphabet up to that length. */
const texts = (alphabet: ReadonlyArray<string>, length: number): ReadonlyArray<string> =>
  length === 0 ? [""] : texts(alphabet, length - 1).flatMap((text) => [text, ...alphabet.map((one) => text + one)])

const expected = (query: string, name: string): string | null => new URLSearchParams(query).getAll(name).at(-1) ?? null

const agree = (query: string, names: ReadonlyArray<string>): void => {
  const source = HandshakeRecord.querySource(`/socket.io/?${query}`)
  for (const name of names) assert.strictEqual(source.get(name), expected(query, name), `"${name}" in "${query}"`)
}

describe("querySource", () => {
  it("reads what URLSearchParams reads, whatever stands between the signs", () => {
    for (const query of new Set(texts(["a", "b", "=", "&"], 6))) agree(query, ["a", "b", "ab", "aa", ""])
  })

  it("reads escapes, plus signs and other characters as URLSearchParams does", () => {
    for (const query of [
      "%73id=1",
      "sid=%41",
      "sid=a+b",
      "sid=%",
      "sid=%zz",
      "sid=é",
      "é=1",
      "sid=1&s%69d=2",
      "sid=\ud800"
    ]) {
      agree(query, ["sid", "é", "sid="])
    }
  })

  it("takes the last of two and nothing behind a hash", () => {
    const source = HandshakeRecord.querySource("/socket.io/?EIO=3&transport=polling&EIO=4#&EIO=5")
    assert.strictEqual(source.get("EIO"), "4")
    assert.strictEqual(source.get("transport"), "polling")
    assert.isNull(source.get("sid"))
    assert.isNull(HandshakeRecord.querySource("/socket.io/").get("EIO"))
  })
})
