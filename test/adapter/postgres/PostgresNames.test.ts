/** Names of channels and tables. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { escapeIdentifier } from "pg"
import * as Names from "../../../src/adapter/postgres/PostgresNames.ts"

describe("PostgresNames", () => {
  it.effect("channels are those of official nodes up to 63 bytes, and hashes beyond", () =>
    Effect.gen(function* () {
      const of = (namespace: string) => Names.channelOf("socket.io", namespace)
      assert.strictEqual(yield* of("/"), "socket.io#/")
      const longest = `/${"a".repeat(52)}`
      assert.strictEqual(yield* of(longest), `socket.io#${longest}`)
      const hashes = new Set<string>()
      const long = [`${longest}a`, `${longest}b`, `/${"ä".repeat(27)}`, "/a\0", "/\ud800", "/\udfff"]
      for (const namespace of long) {
        const channel = yield* of(namespace)
        assert.match(channel, /^socket\.io~[0-9a-f]{48}$/)
        assert.isAtMost(channel.length, 63)
        assert.strictEqual(yield* of(namespace), channel)
        hashes.add(channel)
      }
      assert.strictEqual(hashes.size, long.length)
      assert.notInclude([...hashes], yield* Names.channelOf("other", long[0]!))
    })
  )

  it("quotes are those of the client", () => {
    for (const name of ["a", 'a"b', '""', "a'b\\", "ä 漢"]) {
      assert.strictEqual(Names.quoted(name), escapeIdentifier(name).replaceAll("''", "'"))
    }
  })

  it("tables in the spelling of SQL stay as they are, as official nodes take them; anything else is one quoted name", () => {
    for (const name of ["t", "Socket_IO", "schema.t", '"My Table"', 's."T""x"', "a$1"]) {
      assert.strictEqual(Names.table(name), name)
    }
    assert.strictEqual(Names.table("my table"), '"my table"')
    assert.strictEqual(Names.table("t; DROP TABLE x"), '"t; DROP TABLE x"')
    assert.strictEqual(Names.table('t" x'), '"t"" x"')
    assert.strictEqual(Names.table("1t"), '"1t"')
  })
})
