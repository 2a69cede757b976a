import { assert, describe, it } from "@effect/vitest"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"
import * as WebSocketFrame from "../../src/node/WebSocketFrame.ts"
import * as Ws from "ws"

// Its types leave it out.
const { Sender } = Ws as unknown as {
  readonly Sender: { frame(data: Buffer, options: object): ReadonlyArray<Buffer> }
}

/** What `ws` itself would write. */
const official = (frame: FrameGroup.Frame): Buffer => {
  const isText = typeof frame === "string"
  const data = isText ? Buffer.from(frame) : Buffer.from(frame)
  const options = { fin: true, opcode: isText ? 1 : 2, mask: false, readOnly: true, rsv1: false }
  return Buffer.concat(Sender.frame(data, options))
}

describe("WebSocketFrame", () => {
  it("writes what ws writes, at every size of the length field", () => {
    for (const size of [0, 1, 2, 125, 126, 127, 65_535, 65_536, 70_000]) {
      for (const frame of ["x".repeat(size), new Uint8Array(size).fill(7)]) {
        assert.isTrue(
          WebSocketFrame.encode([FrameGroup.make(frame)]).equals(official(frame)),
          `${typeof frame} ${size}`
        )
      }
    }
  })

  it("counts bytes, not characters, also of characters that UTF-8 cannot write", () => {
    for (const text of [
      "ä".repeat(63),
      "€".repeat(41),
      "€".repeat(42),
      "😀".repeat(31),
      "\ud800",
      "4\udc00x",
      "é\ud83d"
    ]) {
      assert.isTrue(WebSocketFrame.encode([FrameGroup.make(text)]).equals(official(text)), text)
    }
  })

  it("puts frames of groups behind each other, and knows their size before", () => {
    const groups = [
      FrameGroup.make("4a", [new Uint8Array([1, 2]), new Uint8Array(300)]),
      FrameGroup.make(new Uint8Array([3])),
      FrameGroup.make("4ü")
    ]
    const frames = ["4a", new Uint8Array([1, 2]), new Uint8Array(300), new Uint8Array([3]), "4ü"]
    const bytes = WebSocketFrame.encode(groups)
    assert.isTrue(bytes.equals(Buffer.concat(frames.map(official))))
    assert.strictEqual(
      groups.reduce((size, group) => size + WebSocketFrame.sizeOf(group), 0),
      bytes.byteLength
    )
    assert.strictEqual(WebSocketFrame.encode([]).byteLength, 0)
  })

  it("writes views of larger buffers, not the buffers", () => {
    const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3)
    assert.deepStrictEqual([...WebSocketFrame.encode([FrameGroup.make(view)])], [0x82, 2, 1, 2])
  })
})
