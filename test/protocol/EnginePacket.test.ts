import * as engineParser from "engine.io-parser"
import { describe, expect, it } from "vitest"
import * as EnginePacket from "../../src/protocol/EnginePacket.ts"
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
