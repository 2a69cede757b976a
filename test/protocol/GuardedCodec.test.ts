import { assert, describe, it } from "@effect/vitest"
import * as GuardedCodec from "../../src/protocol/GuardedCodec.ts"
import { msgpack } from "../../src/protocol/MsgpackCodec.ts"
import {
  decodeFailure,
  isDecodeFailure,
  isEncodeFailure,
  json,
  type SocketCodec
} from "../../src/protocol/SocketCodec.ts"
import * as SocketPacket from "../../src/protocol/SocketPacket.ts"

const event: SocketPacket.SocketPacket = { type: SocketPacket.EVENT, nsp: "/", id: undefined, data: ["hi"] }

const throwing = (destroyed: Array<string>): SocketCodec => ({
  name: "throwing",
  encode() {
    throw new Error("no form")
  },
  makeDecoder: () => ({
    add() {
      throw new Error("secret of the program")
    },
    destroy() {
      destroyed.push("destroyed")
      throw new Error("again")
    }
  })
})

describe("a guarded codec", () => {
  it("is the codec itself where that never throws", () => {
    assert.strictEqual(GuardedCodec.make(json), json)
  })

  it("passes on what goes well, failures as values among it", () => {
    const codec = GuardedCodec.make(msgpack)
    assert.strictEqual(codec.name, "msgpack")
    const group = codec.encode(event)
    if (isEncodeFailure(group)) return assert.fail(group.message)
    const decoder = codec.makeDecoder()
    assert.deepStrictEqual(decoder.add(group.head), event)
    assert.deepStrictEqual(decoder.add("text"), decodeFailure("got plaintext data instead of msgpack"))
    decoder.destroy()
  })

  it("turns what is thrown into failures, without the program's words towards the peer", () => {
    const destroyed: Array<string> = []
    const codec = GuardedCodec.make(throwing(destroyed))
    const failure = codec.encode(event)
    assert.isTrue(isEncodeFailure(failure) && failure.message === "no form")
    const decoder = codec.makeDecoder()
    const packet = decoder.add("2[]")
    assert.isTrue(isDecodeFailure(packet) && packet.message === "invalid payload")
    assert.deepStrictEqual(destroyed, ["destroyed"])
  })
})
