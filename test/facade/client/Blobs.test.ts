import { assert, describe, it } from "vitest"
import { hasBlob, readBlobs } from "../../../src/facade/client/Blobs.ts"
import { msgpack } from "../../../src/protocol/MsgpackCodec.ts"
import * as msgpackParser from "socket.io-msgpack-parser"
import * as officialParser from "socket.io-parser"
import { withBuffers } from "../../interop/Client.ts"
import { next, official, socketOf, uncaught } from "./servers.ts"

const blob = (text: string): Blob => new Blob([text])

describe("a Blob", () => {
  it("is read before it is sent, and what is emitted after it comes after it", async () => {
    const { url } = await official()
    for (const transports of [["polling"], ["websocket"]]) {
      const socket = socketOf(url, { transports })
      const said: Array<unknown> = []
      socket.on("said", (value: unknown) => void said.push(value))
      await next(socket, "connect")
      socket.emit("say", 1).emit("say", { file: new File(["two"], "two.txt") })
      socket.emit("say", 3).emit("say", blob("four")).emit("say", 5)
      await socket.emitWithAck("echo")
      assert.deepStrictEqual(said, [1, { file: Buffer.from("two") }, 3, Buffer.from("four"), 5])
    }
  })

  it("emitted before the connection waits like everything else", async () => {
    const { url } = await official()
    const socket = socketOf(url)
    socket.emit("say", blob("first"))
    assert.deepStrictEqual(await next(socket, "said"), [Buffer.from("first")])
  })

  it("in an answer, with emitWithAck and with retries", async () => {
    const { url, io } = await official()
    const socket = socketOf(url, { retries: 1, ackTimeout: 1000 })
    await next(socket, "connect")
    socket.on("ask", (ack: (value: unknown) => void) => ack([blob("answer")]))
    const [answer] = await io.timeout(1000).emitWithAck("ask")
    assert.deepStrictEqual(answer, [Buffer.from("answer")])
    assert.deepStrictEqual(await socket.emitWithAck("echo", blob("asked")), Buffer.from("asked"))
  })

  for (const [name, parser, serverParser] of [
    ["our msgpack codec", msgpack, msgpackParser],
    ["the official msgpack parser", msgpackParser, msgpackParser],
    ["the official parser", officialParser, officialParser]
  ] as const) {
    it(`by ${name}`, async () => {
      const { url } = await official(() => undefined, { parser: serverParser })
      const socket = socketOf(url, { parser })
      await next(socket, "connect")
      const answer = await socket.emitWithAck("echo", [blob("a"), "b"])
      // This msgpack tells ArrayBuffers from Buffers.
      assert.deepStrictEqual(withBuffers(answer), [Buffer.from("a"), "b"])
    })
  }

  it("that cannot be read tells the acknowledgement, or is thrown later, and the rest goes on", async () => {
    const { url } = await official()
    const socket = socketOf(url)
    await next(socket, "connect")
    const error = new Error("gone")
    const gone = Object.defineProperties(blob("x"), {})
    Object.setPrototypeOf(gone, { arrayBuffer: () => Promise.reject(error), size: 1 })
    const found = await uncaught(async () => {
      const rejected = socket.emitWithAck("echo", gone).catch((error: unknown) => error)
      socket.emit("say", gone)
      socket.emit("say", "after")
      assert.deepStrictEqual(await next(socket, "said"), ["after"])
      assert.strictEqual(await rejected, error)
    })
    assert.deepStrictEqual(found, [error])
  })
})

describe("reading Blobs", () => {
  it("copies the data, toJSON and dates as the codec would", async () => {
    const bytes = new Uint8Array([1])
    const date = new Date(0)
    const data = [1, null, { deep: [{ toJSON: () => ({ blob: blob("a") }) }], bytes, date }]
    const read = await readBlobs(data)
    assert.deepStrictEqual(read, [
      1,
      null,
      { deep: [{ blob: new TextEncoder().encode("a").buffer as never }], bytes, date }
    ])
  })

  it("leaves cycles to the codec, without getting lost in them", async () => {
    const cyclic: Array<unknown> = []
    cyclic.push(cyclic, cyclic, cyclic)
    assert.isArray(await readBlobs(cyclic))
    assert.isFalse(hasBlob(cyclic))
  })

  it("finds them at any depth", () => {
    assert.isTrue(hasBlob([1, { a: [blob("a")] }]))
    assert.isFalse(hasBlob([1, { a: [new Uint8Array(1), new Date(0), null, "Blob"] }, {}]))
  })

  it("keeps an own property __proto__ where it is", async () => {
    const [read] = await readBlobs([JSON.parse('{"__proto__":{"a":1}}')])
    assert.isTrue(Object.hasOwn(read as object, "__proto__"))
  })
})
