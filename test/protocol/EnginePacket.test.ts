import * as engineParser from "engine.io-parser"
import { describe, expect, it } from "vitest"
import * as Base64 from "../../src/protocol/Base64.ts"
import * as EnginePacket from "../../src/protocol/EnginePacket.ts"
import * as Utf8 from "../../src/protocol/Utf8.ts"
import * as Gen from "./generate.ts"

const wire = ["0", "1", "2", "3", "4", "5", "6"]

describe("EnginePacket", () => {
  it("writes each type as its digit", () => {
    expect(EnginePacket.types.map((type) => EnginePacket.encode(EnginePacket.make(type)))).toEqual(wire)
    expect(EnginePacket.encode(EnginePacket.make("ping", "probe"))).toBe("2probe")
    expect(EnginePacket.encode(EnginePacket.make("message", ""))).toBe("4")
  })

  it("reads each type, with and without data", () => {
    expect(wire.map(EnginePacket.decode)).toEqual(
      EnginePacket.types.map((type) => ({ type, data: type === "message" ? "" : undefined }))
    )
    expect(EnginePacket.decode("3probe")).toEqual({ type: "pong", data: "probe" })
    expect(EnginePacket.decode("4b")).toEqual({ type: "message", data: "b" })
  })

  it("passes binary messages through without a copy", () => {
    const bytes = Uint8Array.of(0x34, 1, 2)
    expect(EnginePacket.encode(EnginePacket.make("message", bytes))).toBe(bytes)
    expect(EnginePacket.decode(bytes)).toEqual({ type: "message", data: bytes })
    expect(EnginePacket.decode(new Uint8Array(0))).toEqual({ type: "message", data: new Uint8Array(0) })
  })

  it("reads binary written as base64, and refuses what is none", () => {
    expect(EnginePacket.toText(Uint8Array.of(1, 2, 3, 4))).toBe("bAQIDBA==")
    expect(EnginePacket.toText("4x")).toBe("4x")
    expect(EnginePacket.decode("bAQIDBA==")).toEqual({ type: "message", data: Buffer.of(1, 2, 3, 4) })
    expect(EnginePacket.decode("b")).toEqual({ type: "message", data: Buffer.alloc(0) })
    expect(EnginePacket.decode("bAQ!D")).toEqual(EnginePacket.failure("invalid base64"))
  })

  it("refuses frames that begin with no packet type", () => {
    for (const frame of ["", "7", "9xyz", "abc", " 4", "/", ":", "B", "\u0664", "-1"]) {
      expect(EnginePacket.isFailure(EnginePacket.decode(frame)), JSON.stringify(frame)).toBe(true)
    }
    expect(EnginePacket.isFailure(EnginePacket.decode("4"))).toBe(false)
    expect(EnginePacket.isFailure(null)).toBe(false)
    expect(EnginePacket.isFailure("EngineDecodeFailure")).toBe(false)
  })

  it("gives back every packet it wrote, and the bytes of the official parser", () => {
    Gen.forAll(500, (random) => {
      const type = random.pick(EnginePacket.types)
      const data = random.below(3) === 0 ? undefined : Gen.text(random)
      const packet =
        type === "message" && random.below(3) === 0
          ? EnginePacket.make(type, Gen.bytes(random))
          : EnginePacket.make(type, type === "message" ? (data ?? "") : data === "" ? undefined : data)
      const frame = EnginePacket.encode(packet)
      expect(EnginePacket.decode(frame)).toEqual(packet)
      engineParser.encodePacket({ type: packet.type, data: packet.data }, true, (official) =>
        expect(frame).toEqual(official)
      )
      engineParser.encodePacket({ type: packet.type, data: packet.data }, false, (official) =>
        expect(EnginePacket.toText(frame)).toEqual(official)
      )
    })
  })

  it("never throws, and agrees with the official parser about what a packet is", () => {
    Gen.forAll(1000, (random) => {
      const frame = random.pick(["", ...wire, "7", "a", " "]) + Gen.text(random, 5)
      const ours = EnginePacket.decode(frame)
      // The official parser takes any text as base64.
      if (frame.startsWith("b")) return
      const official = engineParser.decodePacket(frame, "nodebuffer")
      expect(EnginePacket.isFailure(ours)).toBe(official.type === "error")
    })
  })
})

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
