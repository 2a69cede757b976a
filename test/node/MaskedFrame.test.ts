import { assert, describe, it } from "@effect/vitest"
import * as MaskedFrame from "../../src/node/MaskedFrame.ts"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"

interface Parsed {
  readonly opcode: number
  readonly mask: string
  readonly payload: Buffer
}

/** Reads masked frames back, byte by byte, as RFC 6455 section 5.3 describes it. */
const parse = (bytes: Buffer): Array<Parsed> => {
  const frames: Array<Parsed> = []
  let at = 0
  while (at < bytes.length) {
    const opcode = bytes[at]!
    assert.strictEqual(bytes[at + 1]! & 0x80, 0x80, "a client's frame is masked")
    let length = bytes[at + 1]! & 0x7f
    at += 2
    if (length === 126) {
      length = bytes.readUInt16BE(at)
      at += 2
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at))
      at += 8
    }
    const mask = bytes.subarray(at, at + 4)
    at += 4
    const payload = Buffer.from(bytes.subarray(at, at + length).map((byte, i) => byte ^ mask[i % 4]!))
    frames.push({ opcode, mask: mask.toString("hex"), payload })
    at += length
  }
  return frames
}

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff)

describe("MaskedFrame", () => {
  it("binary of every length around what masks words, and around the forms of the length", () => {
    const lengths = [...Array(300).keys(), 65_535, 65_536, 65_537, 100_003]
    for (const length of lengths) {
      const payload = bytesOf(length)
      const [frame, more] = parse(MaskedFrame.encode([FrameGroup.make(payload)]))
      assert.isUndefined(more)
      assert.strictEqual(frame!.opcode, 0x82)
      assert.isTrue(frame!.payload.equals(payload), `${length} bytes`)
    }
  })

  it("at every alignment, since frames follow each other in one buffer", () => {
    for (let shift = 0; shift < 8; shift++) {
      const groups = [FrameGroup.make("x".repeat(shift)), FrameGroup.make("é".repeat(100), [bytesOf(130), bytesOf(0)])]
      const frames = parse(MaskedFrame.encode(groups))
      assert.deepStrictEqual(
        frames.map(({ opcode }) => opcode),
        [0x81, 0x81, 0x82, 0x82]
      )
      assert.strictEqual(frames[0]!.payload.toString(), "x".repeat(shift))
      assert.strictEqual(frames[1]!.payload.toString(), "é".repeat(100))
      assert.isTrue(frames[2]!.payload.equals(bytesOf(130)))
      assert.strictEqual(frames[3]!.payload.length, 0)
    }
  })

  it("a mask of its own for each frame, also when the drawn ones run out", () => {
    const frames = parse(MaskedFrame.encode(Array.from({ length: 5000 }, () => FrameGroup.make("a"))))
    assert.isAbove(new Set(frames.map(({ mask }) => mask)).size, 4990)
    assert.isTrue(frames.every(({ payload }) => payload.toString() === "a"))
  })

  it("leaves what is sent as it was", () => {
    const payload = bytesOf(200)
    MaskedFrame.encode([FrameGroup.make(payload)])
    assert.deepStrictEqual(payload, bytesOf(200))
  })
})
