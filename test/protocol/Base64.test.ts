import { describe, expect, it } from "vitest"
import * as Base64 from "../../src/protocol/Base64.ts"
import * as Gen from "./generate.ts"

describe("Base64", () => {
  const withBuffer = Base64.fromGlobals({ Buffer })

  it("takes what the platform has", () => {
    expect(Base64.fromGlobals({})).toBe(Base64.portable)
    expect(withBuffer).not.toBe(Base64.portable)
  })

  it("is the same with and without Buffer", () => {
    Gen.forAll(300, (random) => {
      const whole = Gen.bytes(random, 100)
      const bytes = whole.subarray(random.below(whole.length + 1))
      const text = Buffer.from(bytes).toString("base64")
      expect(text.length).toBe(Base64.encodedLength(bytes.length))
      for (const base64 of [withBuffer, Base64.portable]) {
        expect(base64.encode(bytes)).toBe(text)
        expect([...base64.decode(text)!]).toEqual([...bytes])
        expect([...base64.decode(text.replaceAll("=", ""))!]).toEqual([...bytes])
      }
    })
  })

  it("encodes more bytes than a call has arguments", () => {
    const bytes = new Uint8Array(1_000_003).fill(7)
    expect(Base64.portable.encode(bytes)).toBe(withBuffer.encode(bytes))
  })

  it("refuses other characters, wrong padding and impossible lengths", () => {
    for (const text of [
      "A",
      "AAAAA",
      "AA=",
      "AAA==",
      "AAAA=",
      "AAAA==",
      "A===",
      "=",
      "==",
      "A=AA",
      "AA-_",
      "AA AA",
      "AAA\n"
    ]) {
      expect(withBuffer.decode(text), text).toBeUndefined()
      expect(Base64.portable.decode(text), text).toBeUndefined()
    }
  })
})
