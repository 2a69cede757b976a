import * as engineParser from "engine.io-parser"
import { describe, expect, it } from "vitest"
import * as EnginePacket from "../../src/protocol/EnginePacket.ts"
import * as EnginePayload from "../../src/protocol/EnginePayload.ts"
import type { Frame, FrameGroup } from "../../src/protocol/FrameGroup.ts"
import * as Group from "../../src/protocol/FrameGroup.ts"
import * as Gen from "./generate.ts"

const limits = { maxPackets: 1000 }

const plainText = (random: Gen.Random) => "4" + Gen.text(random, 20).replaceAll(EnginePayload.separator, "")

const group = (random: Gen.Random): FrameGroup => {
  const head = random.below(4) === 0 ? Gen.bytes(random, 20) : plainText(random)
  return Group.make(
    head,
    Array.from({ length: random.below(4) }, () => Gen.bytes(random, 20))
  )
}

const groupsOf = (random: Gen.Random) => Array.from({ length: 1 + random.below(10) }, () => group(random))

const decoded = (body: string, maxPackets = 1000): ReadonlyArray<Frame> => {
  const frames = EnginePayload.decodePayload(body, { maxPackets })
  if (EnginePacket.isFailure(frames)) throw new Error(frames.message)
  return frames
}

/** Comparable whether bytes are a Buffer or not. */
const plain = (frames: ReadonlyArray<Frame>) => frames.map((frame) => (typeof frame === "string" ? frame : [...frame]))

const sizeOf = (body: string) => new TextEncoder().encode(body).length

describe("EnginePayload", () => {
  it("writes frames with record separators, binary as base64", () => {
    expect(EnginePayload.encodePayload([Group.make("4hello", [Uint8Array.of(1, 2, 3, 4)]), Group.make("2")])).toBe(
      "4hello\x1ebAQIDBA==\x1e2"
    )
    expect(EnginePayload.encodePayload([])).toBe("")
  })

  it("gives back the frames, however many packets", () => {
    Gen.forAll(300, (random) => {
      const groups = groupsOf(random)
      expect(plain(decoded(EnginePayload.encodePayload(groups)))).toEqual(plain(EnginePayload.framesOf(groups)))
    })
  })

  it("writes what the official parser writes", () => {
    Gen.forAll(100, (random) => {
      const groups = groupsOf(random)
      const packets = EnginePayload.framesOf(groups).map((frame) => ({
        type: "message" as const,
        data: typeof frame === "string" ? frame.slice(1) : frame
      }))
      engineParser.encodePayload(packets, (official) => expect(EnginePayload.encodePayload(groups)).toBe(official))
    })
  })

  it("an empty body, and an empty place between separators, is an empty frame", () => {
    expect(decoded("")).toEqual([""])
    expect(decoded("4a\x1e\x1e4b")).toEqual(["4a", "", "4b"])
    expect(decoded("4a\x1e")).toEqual(["4a", ""])
    expect(EnginePacket.isFailure(EnginePacket.decode(""))).toBe(true)
  })

  it("refuses base64 that is none, anywhere in the body", () => {
    for (const body of ["b!", "4a\x1ebAQ=\x1e4b", "4a\x1ebA"]) {
      expect(EnginePayload.decodePayload(body, limits)).toEqual(EnginePacket.failure("invalid base64"))
    }
    expect(plain(decoded("b\x1e4b"))).toEqual([[], "4b"])
  })

  it("takes maxPackets packets, not one more", () => {
    const body = (packets: number) => Array.from({ length: packets }, () => "4").join(EnginePayload.separator)
    expect(decoded(body(3), 3)).toHaveLength(3)
    expect(EnginePayload.decodePayload(body(4), { maxPackets: 3 })).toEqual(EnginePacket.failure("too many packets"))
    expect(EnginePayload.decodePayload("\x1e".repeat(1_000_000), limits)).toEqual(
      EnginePacket.failure("too many packets")
    )
    expect(EnginePayload.decodePayload("4", { maxPackets: 0 })).toEqual(EnginePacket.failure("too many packets"))
  })

  it("never throws on garbage", () => {
    Gen.forAll(500, (random) => {
      const frames = EnginePayload.decodePayload(Gen.text(random, 60), limits)
      if (!EnginePacket.isFailure(frames)) frames.forEach((frame) => EnginePacket.decode(frame))
    })
  })

  it("knows the exact size of a body", () => {
    Gen.forAll(300, (random) => {
      const one = group(random)
      expect(EnginePayload.payloadSize(one)).toBe(sizeOf(EnginePayload.encodePayload([one])))
      for (const frame of EnginePayload.framesOf([one])) {
        expect(EnginePayload.frameSize(frame)).toBe(sizeOf(EnginePayload.encodeFrames([frame])))
      }
    })
  })

  it("cutting batches loses, doubles and reorders nothing, and each batch is as large as it may be", () => {
    Gen.forAll(500, (random) => {
      const groups = groupsOf(random)
      const maxPayload = 1 + random.below(200)
      const received: Array<Frame> = []
      for (let start = 0; start < groups.length;) {
        const count = EnginePayload.selectBatch(groups, maxPayload, start)
        const body = EnginePayload.encodePayload(groups.slice(start, start + count))
        if (count > 1) expect(sizeOf(body)).toBeLessThanOrEqual(maxPayload)
        if (start + count < groups.length) {
          const more = EnginePayload.encodePayload(groups.slice(start, start + count + 1))
          expect(sizeOf(more)).toBeGreaterThan(maxPayload)
        }
        received.push(...decoded(body))
        start += count
      }
      expect(plain(received)).toEqual(plain(EnginePayload.framesOf(groups)))
    })
  })

  it("cutting inside of packets keeps every body with more than one frame within the limit", () => {
    Gen.forAll(500, (random) => {
      const frames = EnginePayload.framesOf(groupsOf(random))
      const maxPayload = 1 + random.below(100)
      const received: Array<Frame> = []
      for (let start = 0; start < frames.length;) {
        const count = EnginePayload.selectFrames(frames, maxPayload, start)
        const body = EnginePayload.encodeFrames(frames.slice(start, start + count))
        if (count > 1) expect(sizeOf(body)).toBeLessThanOrEqual(maxPayload)
        received.push(...decoded(body))
        start += count
      }
      expect(plain(received)).toEqual(plain(frames))
    })
  })

  it("cuts at maxPayload, not one byte later, and sends what is too large by itself", () => {
    const groups = [Group.make("4aa"), Group.make("4b"), Group.make("4€")]
    expect(EnginePayload.selectBatch(groups, 6)).toBe(2)
    expect(EnginePayload.selectBatch(groups, 5)).toBe(1)
    expect(EnginePayload.selectBatch(groups, 11)).toBe(3)
    expect(EnginePayload.selectBatch(groups, 10)).toBe(2)
    expect(EnginePayload.selectBatch(groups, 1)).toBe(1)
    expect(EnginePayload.selectBatch([], 1)).toBe(0)
    expect(EnginePayload.selectFrames([], 1)).toBe(0)
  })
})
