import { EventEmitter } from "node:events"
import { assert, describe, it } from "vitest"
import * as msgpackParser from "socket.io-msgpack-parser"
import * as officialParser from "socket.io-parser"
import type { Parser } from "../../../src/facade/client.ts"
import { msgpack } from "../../../src/protocol/MsgpackCodec.ts"
import { next, official, socketOf, uncaught } from "./servers.ts"

/** A parser as programs write them: JSON of the whole packet, decoded a turn later. */
class Encoder {
  encode(packet: object): Array<unknown> {
    return [JSON.stringify(packet)]
  }
}
class Decoder extends EventEmitter {
  destroyed = 0
  add(chunk: string): void {
    const packet = JSON.parse(chunk) as unknown
    setImmediate(() => this.emit("decoded", packet))
  }
  destroy(): void {
    this.destroyed++
  }
}
const plain = { Encoder, Decoder }

describe("the parser option", () => {
  for (const [name, client, server] of [
    ["our msgpack codec", msgpack, msgpackParser],
    ["socket.io-msgpack-parser", msgpackParser, msgpackParser],
    ["socket.io-parser", officialParser, officialParser],
    ["one that decodes later", plain, plain]
  ] as const) {
    it(name, async () => {
      const { url } = await official((io) => void io.of("/custom"), { parser: server })
      for (const transports of [["polling"], ["websocket"]]) {
        const socket = socketOf(url, { parser: client as Parser, transports, auth: { a: 1 } })
        await next(socket, "connect")
        assert.deepStrictEqual(await socket.emitWithAck("echo", { text: "ñ" }), { text: "ñ" })
        if (client !== plain) {
          assert.deepStrictEqual(await socket.emitWithAck("echo", [Buffer.from([1])]), [Buffer.from([1])])
        }
        const custom = socket.io.socket("/custom")
        await next(custom, "connect")
        const [refused] = await next(socket.io.socket("/unknown"), "connect_error")
        assert.strictEqual((refused as Error).message, "Invalid namespace")
      }
    })
  }

  it("a decoder that throws, or gives what is no packet, is a parse error", async () => {
    const { url } = await official()
    const give = (packet: unknown): Parser => ({
      Encoder: officialParser.Encoder,
      Decoder: class extends EventEmitter {
        add(): void {
          if (packet instanceof Error) throw packet
          this.emit("decoded", packet)
        }
      }
    })
    const bad = [
      new Error("unreadable"),
      null,
      { type: 9, nsp: "/" },
      { type: -1, nsp: "/" },
      { type: "2", nsp: "/" },
      { type: 2, nsp: "/", data: "text" },
      { type: 3, nsp: 1, data: [] }
    ]
    for (const packet of bad) {
      const socket = socketOf(url, { parser: give(packet), reconnection: false })
      const [reason] = await next(socket.io, "close")
      assert.strictEqual(reason, "parse error", JSON.stringify(packet))
      assert.isFalse(socket.connected)
    }
  })

  it("an encoder that throws, or gives what cannot be sent, throws from emit", async () => {
    const { url } = await official()
    let broken = false
    class Breaking extends officialParser.Encoder {
      override encode(packet: never): ReturnType<officialParser.Encoder["encode"]> {
        if (!broken) return super.encode(packet)
        throw new Error("cannot encode")
      }
    }
    const socket = socketOf(url, { parser: { Encoder: Breaking, Decoder: officialParser.Decoder } })
    await next(socket, "connect")
    broken = true
    assert.throws(() => socket.emit("say", 1), "cannot encode")
    broken = false
    assert.strictEqual(await socket.emitWithAck("echo", 1), 1)
    for (const messages of [[], [5], [null], [{}], undefined]) {
      const empty = class {
        encode = () => messages
      }
      const other = socketOf(url, { parser: { Encoder: empty, Decoder: officialParser.Decoder }, autoConnect: false })
      assert.throws(() => other.emit("say", 1), "neither text nor binary")
    }
  })

  it("a listener that throws is no parse error", async () => {
    const { url } = await official()
    const error = new Error("listener")
    const found = await uncaught(async () => {
      const socket = socketOf(url, { parser: officialParser })
      await next(socket, "connect")
      socket.on("said", () => {
        throw error
      })
      socket.emit("say", 1)
      await next(socket, "said")
      assert.strictEqual(await socket.emitWithAck("echo", 1), 1)
    })
    assert.deepStrictEqual(found, [error])
  })

  it("a decoder is destroyed with its connection", async () => {
    const { url } = await official(() => undefined, { parser: plain })
    const decoders: Array<Decoder> = []
    class Watched extends Decoder {
      constructor() {
        super()
        decoders.push(this)
      }
    }
    const socket = socketOf(url, { parser: { Encoder, Decoder: Watched } })
    await next(socket, "connect")
    socket.disconnect()
    assert.deepStrictEqual(
      decoders.map(({ destroyed }) => destroyed),
      [1]
    )
  })
})
