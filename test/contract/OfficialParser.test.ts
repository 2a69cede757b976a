/**
 * Encoded arguments through the official parsers: what an official peer gets, and what comes back from it.
 */
import { Binary, Event } from "effect-socketio/contract"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { createRequire } from "node:module"
import * as DefaultParser from "socket.io-parser"
import { assert, describe, it } from "vitest"
import { type BytesOnWire, toUint8Array } from "../../src/contract/Bytes.ts"

interface Packet {
  readonly type: number
  readonly nsp: string
  readonly data: ReadonlyArray<unknown>
}
interface Parser {
  readonly Encoder: new () => { encode(packet: Packet): Array<string | Uint8Array> }
  readonly Decoder: new () => {
    on(event: "decoded", listener: (packet: Packet) => void): unknown
    add(frame: unknown): void
  }
}

const parsers: Readonly<Record<string, Parser>> = {
  "socket.io-parser": DefaultParser as unknown as Parser,
  "socket.io-msgpack-parser": createRequire(import.meta.url)("socket.io-msgpack-parser") as Parser
}

const through = (parser: Parser, data: ReadonlyArray<unknown>): readonly [Packet, number] => {
  const frames = new parser.Encoder().encode({ type: 2, nsp: "/", data })
  const decoder = new parser.Decoder()
  let packet: Packet | undefined
  decoder.on("decoded", (decoded) => {
    packet = decoded
  })
  for (const frame of frames) decoder.add(frame)
  if (packet === undefined) throw new Error("nothing decoded")
  return [packet, frames.length]
}

class Upload extends Schema.Class<Upload>("Upload")({ name: Schema.String, bytes: Schema.Uint8Array }) {}

describe("encoded arguments with attachments", () => {
  const bytes = new Uint8Array([1, 2, 3])
  const plain = Event.make({
    args: [
      Schema.Date,
      Upload,
      Schema.Struct({ buffer: Binary.ArrayBuffer, rest: Schema.Array(Schema.UndefinedOr(Schema.BigInt)) }),
      Schema.ReadonlyMap(Schema.String, Schema.Uint8Array),
      Schema.Unknown
    ]
  })
  for (const [name, parser] of Object.entries(parsers)) {
    it(`are the same after ${name}`, () => {
      const encoded = plain.codec.encodeArgs([
        new Date(5),
        new Upload({ name: "a", bytes }),
        { buffer: new Uint8Array([4]).buffer, rest: [1n, undefined] },
        new Map([["b", new Uint8Array([5, 6])]]),
        { raw: new Uint8Array([7]) }
      ])
      if (Exit.isFailure(encoded)) throw new Error("expected a success", { cause: encoded.cause })
      const [packet, frames] = through(parser, ["upload", ...encoded.value])
      assert.strictEqual(frames, name === "socket.io-parser" ? 5 : 1)
      assert.strictEqual(packet.data[0], "upload")
      const decoded = plain.codec.decodeArgs(packet.data.slice(1))
      if (Exit.isFailure(decoded)) throw new Error("expected a success", { cause: decoded.cause })
      const [at, upload, struct, map, raw] = decoded.value
      assert.deepStrictEqual(at, new Date(5))
      assert.instanceOf(upload, Upload)
      assert.deepStrictEqual([...upload.bytes], [1, 2, 3])
      assert.deepStrictEqual([...new Uint8Array(struct.buffer)], [4])
      assert.deepStrictEqual(struct.rest, [1n, undefined])
      assert.deepStrictEqual([...(map.get("b") ?? [])], [5, 6])
      // What no schema describes comes as the parser hands it out: notepack.io 2 makes an ArrayBuffer of a Uint8Array.
      const { raw: untouched } = raw as { readonly raw: BytesOnWire }
      assert.deepStrictEqual([...toUint8Array(untouched)], [7])
    })
  }
})
