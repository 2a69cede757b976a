import { describe, expect, it } from "vitest"
import * as Utf8 from "../../src/protocol/Utf8.ts"
import * as Gen from "./generate.ts"

describe("Utf8", () => {
  it("counts the bytes that TextEncoder writes", () => {
    for (const text of [
      "",
      "\ud800",
      "\udc00",
      "\udc00\ud800",
      "\ud800\ud800\udc00",
      "x\udbff",
      "\udbff\udfffx",
      "\ud800\ue000"
    ]) {
      expect(Utf8.byteLength(text), JSON.stringify(text)).toBe(new TextEncoder().encode(text).length)
    }
    Gen.forAll(500, (random) => {
      const text = Gen.text(random)
      const cut = text.slice(random.below(3), text.length - random.below(3))
      expect(Utf8.byteLength(cut)).toBe(new TextEncoder().encode(cut).length)
    })
  })
})
