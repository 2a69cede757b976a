import { assert, describe, it } from "vitest"
import { type BinaryType, convertBinary, toBinary } from "../../../src/facade/client/Binary.ts"
import { forAll } from "../../protocol/generate.ts"
import { next, official, socketOf } from "./servers.ts"

describe("the form of binary", () => {
  it("is Buffer in Node, over every transport, deep inside of events and answers", async () => {
    const { url } = await official()
    for (const transports of [["polling"], ["websocket"]]) {
      const socket = socketOf(url, { transports })
      await next(socket, "connect")
      const data = { list: [new Uint8Array([1, 2]).subarray(1), { buffer: new Uint8Array([3]).buffer }], text: "a" }
      const expected = { list: [Buffer.from([2]), { buffer: Buffer.from([3]) }], text: "a" }
      const said = next(socket, "said")
      socket.emit("say", data)
      assert.deepStrictEqual(await said, [expected])
      assert.deepStrictEqual(await socket.emitWithAck("echo", data), expected)
      assert.deepStrictEqual(await socket.emitWithAck("echo", Buffer.alloc(0)), Buffer.alloc(0))
    }
  })

  it("is what engine.binaryType says", async () => {
    const { url } = await official()
    const socket = socketOf(url)
    await next(socket, "connect")
    const ask = () => socket.emitWithAck("echo", new Uint8Array([1, 2]))
    assert.strictEqual(socket.io.engine.binaryType, "nodebuffer")
    socket.io.engine.binaryType = "arraybuffer"
    assert.deepStrictEqual(await ask(), new Uint8Array([1, 2]).buffer)
    socket.io.engine.binaryType = "blob"
    const blob: Blob = await ask()
    assert.deepStrictEqual(new Uint8Array(await blob.arrayBuffer()), new Uint8Array([1, 2]))
  })

  it("keeps exactly the bytes, wherever they are in their buffer", () => {
    forAll(300, (random) => {
      const bytes = Uint8Array.from({ length: random.below(20) }, () => random.below(256))
      const before = random.below(4)
      const whole = new Uint8Array(before + bytes.length + random.below(4))
      whole.set(bytes, before)
      const view = whole.subarray(before, before + bytes.length)
      assert.deepStrictEqual(new Uint8Array(toBinary(view, "arraybuffer") as ArrayBuffer), bytes)
      const buffer = toBinary(view, "nodebuffer") as Buffer
      assert.isTrue(Buffer.isBuffer(buffer) && buffer.equals(bytes))
    })
  })

  it("changes nothing but binary", () => {
    const json = ["a", 1, null, true, { list: [{}, [], { deep: [false] }] }]
    for (const type of ["nodebuffer", "arraybuffer", "blob"] satisfies Array<BinaryType>) {
      assert.deepStrictEqual(convertBinary(structuredClone(json), type), json)
    }
  })

  it("does not reach a prototype by an own property __proto__", () => {
    const data = JSON.parse('{"__proto__":{"bytes":1}}') as { readonly ["__proto__"]: { bytes: unknown } }
    data["__proto__"].bytes = new Uint8Array([1])
    const converted = convertBinary(data, "nodebuffer") as object
    assert.strictEqual(Object.getPrototypeOf(converted), Object.prototype)
    assert.strictEqual(Object.hasOwn(converted, "__proto__"), true)
  })
})
