import { createRequire } from "node:module"
import { describe, expect, it } from "vitest"
import * as official from "socket.io-msgpack-parser"
import * as MsgpackDecode from "../../src/protocol/MsgpackDecode.ts"
import * as MsgpackEncode from "../../src/protocol/MsgpackEncode.ts"
import { msgpack } from "../../src/protocol/MsgpackCodec.ts"
import * as SocketBinary from "../../src/protocol/SocketBinary.ts"
import * as SocketCodec from "../../src/protocol/SocketCodec.ts"
import type { SocketPacket } from "../../src/protocol/SocketPacket.ts"
import { ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT } from "../../src/protocol/SocketPacket.ts"
import * as Gen from "./generate.ts"

interface Notepack {
  encode(value: unknown): Buffer
  decode(bytes: Buffer): unknown
}

const require = createRequire(import.meta.url)
/** Version 3, as the Redis adapter has it. */
const notepack = require("notepack.io") as Notepack
/** Version 2, which comes with the official parser. */
const notepack2 = createRequire(require.resolve("socket.io-msgpack-parser"))("notepack.io") as Notepack

const libraries = { notepack2, notepack3: notepack }
const dialects = ["notepack2", "notepack3"] as const

/** Buffers only: version 2 writes other binary in a form that not every peer reads. */
const buffersOnly = (value: unknown): unknown => {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof ArrayBuffer) return Buffer.from(value)
  if (Array.isArray(value)) return value.map(buffersOnly)
  if (typeof value !== "object" || value === null || value instanceof Date || "toJSON" in value) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, buffersOnly(item)]))
}

const encoded = (packet: SocketPacket): Uint8Array => {
  const group = msgpack.encode(packet)
  if (SocketCodec.isEncodeFailure(group)) throw new Error(group.message)
  if (typeof group.head === "string" || group.attachments !== undefined) throw new Error("not one binary frame")
  return group.head
}

const decoded = (bytes: Uint8Array | string): SocketPacket | string | undefined => {
  const result = msgpack.makeDecoder().add(bytes)
  return SocketCodec.isDecodeFailure(result) ? result.message : result
}

const valueOf = (bytes: Uint8Array): unknown => {
  const result = MsgpackDecode.decode(bytes)
  return result._tag === "MsgpackValue" ? result.value : result.message
}

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex")

const withToJson = (value: unknown) => ({ a: 1, toJSON: () => value })

const extras: Gen.ValueOptions = {
  binary: 0.2,
  extra: [
    () => undefined,
    () => Number.NaN,
    () => Number.NEGATIVE_INFINITY,
    (random) => new Date(Gen.number(random) % 8.64e15),
    (random) => new Date(random.below(4e9) * 1000),
    (random) => Buffer.from(Gen.bytes(random, 300)),
    (random) => Gen.bytes(random).buffer,
    (random) => Gen.text(random, 300),
    (random) => "x".repeat(random.pick([31, 32, 255, 256, 65535, 65536])),
    (random) => withToJson(withToJson(Gen.text(random))),
    (random) => Array.from({ length: random.pick([15, 16, 17]) }, () => 1),
    (random) => Object.fromEntries(Array.from({ length: random.pick([15, 16, 17]) }, (_, i) => [`k${i}`, i])),
    () => ({ a: () => 1, b: undefined, c: 1 })
  ]
}

/** Ordinary keys: notepack drops `__proto__`. */
const plainKeys = { keys: (random: Gen.Random) => random.pick(["a", "é", "a rather long key of more than 32 bytes"]) }

describe("MsgpackEncode", () => {
  it("writes the bytes of notepack.io, in both of its dialects", () => {
    Gen.forAll(2000, (random) => {
      const value = Gen.value(random, { ...extras, ...plainKeys }, 4)
      for (const dialect of dialects) {
        const theirs = libraries[dialect].encode(dialect === "notepack2" ? buffersOnly(value) : value)
        expect(Buffer.from(MsgpackEncode.encodeOrThrow(value, dialect)).equals(theirs)).toBe(true)
      }
    })
  })

  it("writes every size of number, text, binary, array and map as notepack.io", () => {
    const around = [0x20, 0x80, 0x100, 0x8000, 0x10000, 2 ** 31, 2 ** 32, 2 ** 53].flatMap((n) => [n - 1, n, n + 1])
    const sizes = [0, 1, 15, 16, 31, 32, 33, 255, 256, 257, 65535, 65536, 70000]
    const values: ReadonlyArray<unknown> = [
      ...around.flatMap((n) => [n, -n, n + 0.5]),
      -0,
      2 ** 63,
      -(2 ** 63),
      ...sizes.flatMap((n) => ["a".repeat(n), "€".repeat(n), Buffer.alloc(n, 7), Array.from({ length: n }, () => 1)]),
      ...sizes.map((n) => Object.fromEntries(Array.from({ length: n }, (_, i) => ["k" + i, i]))),
      ...[0, 1, 999, 1000, 1500, 2 ** 32 * 1000, 2 ** 34 * 1000 - 1, 2 ** 34 * 1000, -1, -1500, 8.64e15].map(
        (t) => new Date(t)
      ),
      new ArrayBuffer(3),
      [undefined, { a: undefined, b: 1 }]
    ]
    for (const value of values) {
      for (const dialect of dialects) {
        const theirs = libraries[dialect].encode(buffersOnly(value))
        expect(Buffer.from(MsgpackEncode.encodeOrThrow(value, dialect)).equals(theirs)).toBe(true)
      }
    }
  })

  it("writes typed arrays as their bytes, huge integers as floats, invalid dates as nil, lone surrogates as U+FFFD", () => {
    const back = (value: unknown) => valueOf(MsgpackEncode.encodeOrThrow(value, "notepack2"))
    const floats = new Float32Array([1.5, 2.5, 3.5]).subarray(1)
    expect(Buffer.from(back(floats) as Uint8Array)).toEqual(
      Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength)
    )
    expect([1e300, -1e300, 2 ** 64, -(2 ** 63) - 2048].map(back)).toEqual([1e300, -1e300, 2 ** 64, -(2 ** 63) - 2048])
    expect(back(new Date(Number.NaN))).toBe(null)
    expect(back("\ud800x")).toBe("\ufffdx")
    expect(back("\ud800".repeat(40))).toBe("\ufffd".repeat(40))
  })

  it("a toJSON that encodes does not disturb what is being encoded", () => {
    const inner = { toJSON: () => Buffer.from(MsgpackEncode.encodeOrThrow(["inner"], "notepack2")).toString("hex") }
    const value = ["before", inner, inner, "after"]
    expect(valueOf(MsgpackEncode.encodeOrThrow(value, "notepack2"))).toEqual([
      "before",
      inner.toJSON(),
      inner.toJSON(),
      "after"
    ])
  })
})

describe("MsgpackDecode", () => {
  it("reads what notepack.io reads", () => {
    Gen.forAll(1000, (random) => {
      for (const library of [notepack, notepack2]) {
        const bytes = library.encode(Gen.value(random, { ...extras, ...plainKeys }, 4))
        expect(valueOf(bytes)).toEqual(notepack.decode(bytes))
      }
    })
    const forms = [
      "ca 3fc00000", // float 32
      "cf 0000000100000000",
      "d3 ffffffff00000000",
      "d0 80",
      "d1 8000",
      "d2 80000000",
      "d4 05 01",
      "d4 00 01", // undefined of the library's early days
      "d5 05 0102",
      "d5 00 0102",
      "d6 05 01020304",
      "d6 ff 00000001",
      "d7 ff 0000000100000001",
      "d7 00 0000000100000002", // date of its early days
      "d7 05 0000000100000002",
      `d8 05 ${"00".repeat(16)}`,
      "c7 03 05 010203",
      "c7 03 00 010203", // ArrayBuffer of its early days
      "c8 0003 05 010203",
      "c8 0003 00 010203",
      "c9 00000003 05 010203",
      "c9 00000003 00 010203",
      "c7 0c ff 00000001 ffffffff 00000000",
      "c4 02 0102",
      "c5 0002 0102",
      "c6 00000002 0102",
      "da 0001 61",
      "db 00000001 61",
      "dc 0001 01",
      "dd 00000001 01",
      "de 0001 a161 01",
      "df 00000001 a161 01",
      "81 01 02", // a number as key
      "a3 efbbbf", // a byte order mark
      "a2 c3a9",
      "a1 ff", // not UTF-8
      "e0",
      "ff"
    ]
    for (const form of forms) expect(valueOf(hex(form)), form).toEqual(notepack.decode(hex(form)))
  })

  it("reads at any offset of a larger buffer", () => {
    const whole = Buffer.concat([Buffer.alloc(5, 0xc1), notepack.encode([1, "é", Buffer.of(9), 1.5]), Buffer.alloc(5)])
    expect(valueOf(whole.subarray(5, whole.length - 5))).toEqual([1, "é", Buffer.of(9), 1.5])
  })

  it("fails at every place where the bytes end too early", () => {
    const value = {
      a: [1, 300, 70000, -1, -300, 2 ** 40, -(2 ** 40), 1.5],
      b: "x".repeat(300),
      c: Buffer.alloc(300),
      d: new Date(1),
      e: [new Date(-1)],
      f: { g: "é".repeat(9) }
    }
    const bytes = Buffer.from(MsgpackEncode.encodeOrThrow(value, "notepack2"))
    expect(valueOf(bytes)).toEqual(value)
    for (let length = 0; length < bytes.length; length++) {
      expect(valueOf(bytes.subarray(0, length))).toBe("unexpected end of msgpack data")
    }
    for (const form of [
      "ca 00",
      "cb 00",
      "d6 ff 00",
      "c7 0c",
      "c7",
      "cc",
      "cd 00",
      "ce 00",
      "d0",
      "d1 00",
      "d2 00",
      "d3",
      "dd 00",
      "81 a1"
    ]) {
      expect(valueOf(hex(form)), form).toBe("unexpected end of msgpack data")
    }
  })

  it("fails for trailing bytes, unused types, keys that are no text and odd timestamps", () => {
    expect(valueOf(hex("01 02 03"))).toBe("2 trailing bytes")
    expect(valueOf(hex("c1"))).toBe("unknown msgpack type")
    expect(valueOf(hex("92 c1 01"))).toBe("unknown msgpack type")
    expect(valueOf(hex("81 c0 01"))).toBe("a msgpack map has a key that is no text")
    expect(valueOf(hex("81 90 01"))).toBe("a msgpack map has a key that is no text")
    expect(valueOf(hex("d4 ff 01"))).toBe("a msgpack timestamp has no valid length")
    expect(valueOf(hex("c7 05 ff 0102030405"))).toBe("a msgpack timestamp has no valid length")
  })

  it("fails for huge announced sizes without allocating for them", () => {
    const before = process.memoryUsage().heapUsed
    const hostile = [
      "dd ffffffff",
      "df ffffffff",
      "db ffffffff",
      "c6 ffffffff",
      "c9 ffffffff 05",
      // Arrays of 30 million announced items, nested 500 times.
      "dd 01c9c380 ".repeat(500)
    ]
    for (const form of hostile) expect(valueOf(hex(form)), form.slice(0, 20)).toBe("unexpected end of msgpack data")
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50e6)
  })

  it("nests up to the limit, not one deeper, and never overflows the stack", () => {
    const arrays = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(1)])
    const maps = (depth: number) =>
      Buffer.concat([...Array.from({ length: depth }, () => hex("81 a161")), Buffer.of(1)])
    for (const make of [arrays, maps]) {
      expect(typeof valueOf(make(SocketBinary.maxDepth))).toBe("object")
      expect(valueOf(make(SocketBinary.maxDepth + 1))).toBe("msgpack data is nested too deep")
      expect(valueOf(make(100_000))).toBe("msgpack data is nested too deep")
    }
  })

  it("does not let a map change a prototype", () => {
    const value = valueOf(
      Buffer.from(MsgpackEncode.encodeOrThrow(JSON.parse('{"__proto__":{"admin":true}}'), "notepack3"))
    ) as {
      admin?: boolean
    }
    expect(value.admin).toBeUndefined()
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(JSON.stringify(value)).toBe('{"__proto__":{"admin":true}}')
  })

  it("never throws on garbage", () => {
    Gen.forAll(3000, (random) => {
      const bytes = Gen.bytes(random, 60)
      expect(["MsgpackValue", "MsgpackFailure"]).toContain(MsgpackDecode.decode(bytes)._tag)
      // Broken in one place only.
      const valid = Buffer.from(
        MsgpackEncode.encodeOrThrow(Gen.value(random, { ...extras, ...plainKeys }), random.pick(dialects))
      )
      valid[random.below(valid.length)] = random.below(256)
      expect(["MsgpackValue", "MsgpackFailure"]).toContain(MsgpackDecode.decode(valid)._tag)
    })
  })
})

const packets: ReadonlyArray<SocketPacket> = [
  { type: CONNECT, nsp: "/", id: undefined, data: undefined },
  { type: CONNECT, nsp: "/admin", id: undefined, data: { token: "123" } },
  { type: DISCONNECT, nsp: "/a", id: undefined, data: undefined },
  {
    type: EVENT,
    nsp: "/",
    id: undefined,
    data: ["x", Buffer.of(1, 2), { a: [null, 1.5, undefined], b: undefined, at: new Date(1.7e12) }]
  },
  { type: EVENT, nsp: "/,", id: 0, data: [1] },
  { type: ACK, nsp: "/", id: 12, data: [] },
  { type: CONNECT_ERROR, nsp: "/", id: undefined, data: { message: "no" } },
  { type: CONNECT_ERROR, nsp: "/", id: undefined, data: "no" }
]

describe("MsgpackCodec", () => {
  it("writes the bytes of socket.io-msgpack-parser, and each reads the other", () => {
    for (const packet of packets) {
      const bytes = encoded(packet)
      const { type, nsp, data, id } = packet
      const plain = { type, nsp, ...(data === undefined ? {} : { data }), ...(id === undefined ? {} : { id }) }
      const [theirs] = new official.Encoder().encode(plain as never) as unknown as [Buffer]
      expect(Buffer.from(bytes).equals(theirs)).toBe(true)
      expect(Gen.comparable(decoded(theirs))).toEqual(Gen.comparable(packet))
      let received: unknown
      const decoder = new official.Decoder() as unknown as {
        on(event: string, listener: (packet: unknown) => void): void
        add(bytes: Buffer): void
      }
      decoder.on("decoded", (value) => {
        received = value
      })
      decoder.add(Buffer.from(bytes))
      expect(Gen.comparable(received)).toEqual(Gen.comparable(packet))
    }
  })

  it("gives back every packet", () => {
    const decoder = msgpack.makeDecoder()
    Gen.forAll(500, (random) => {
      const data = ["x", Gen.value(random, { binary: 0.2, extra: [], keys: (r) => r.pick(["a", "__proto__", "b"]) })]
      const packet: SocketPacket = { type: EVENT, nsp: "/a", id: random.below(1000), data }
      expect(Gen.comparable(decoder.add(encoded(packet)))).toEqual(Gen.comparable(packet))
      decoder.destroy()
    })
  })

  it("refuses what the official decoder refuses, with the same message, and some more", () => {
    const refused: ReadonlyArray<readonly [unknown, string]> = [
      [null, "invalid packet type"],
      [[], "invalid packet type"],
      ["x", "invalid packet type"],
      [{}, "invalid packet type"],
      [{ type: "2", nsp: "/", data: ["x"] }, "invalid packet type"],
      [{ type: -1, nsp: "/" }, "invalid packet type"],
      [{ type: 5, nsp: "/", data: ["x"] }, "invalid packet type"],
      [{ type: 1.5, nsp: "/" }, "invalid packet type"],
      [{ type: 0 }, "invalid namespace"],
      [{ type: 0, nsp: 1 }, "invalid namespace"],
      [{ type: 0, nsp: "/", data: [] }, "invalid payload"],
      [{ type: 0, nsp: "/", data: null }, "invalid payload"],
      [{ type: 1, nsp: "/", data: {} }, "invalid payload"],
      [{ type: 2, nsp: "/" }, "invalid payload"],
      [{ type: 2, nsp: "/", data: {} }, "invalid payload"],
      [{ type: 3, nsp: "/", data: "x" }, "invalid payload"],
      [{ type: 4, nsp: "/" }, "invalid payload"],
      [{ type: 4, nsp: "/", data: [] }, "invalid payload"],
      [{ type: 2, nsp: "/", data: ["x"], id: "1" }, "invalid packet id"],
      [{ type: 2, nsp: "/", data: ["x"], id: null }, "invalid packet id"],
      [{ type: 2, nsp: "/", data: ["x"], id: 1.5 }, "invalid packet id"],
      // Ours alone:
      [{ type: 2, nsp: "/", data: ["x"], id: -1 }, "invalid packet id"],
      [{ type: 2, nsp: "/", data: ["x"], id: 2 ** 53 }, "invalid packet id"],
      [{ type: 2, nsp: "/", data: ["disconnect"] }, "invalid payload"],
      [{ type: 2, nsp: "/", data: [] }, "invalid payload"],
      [{ type: 2, nsp: "/", data: [{}] }, "invalid payload"]
    ]
    for (const [value, message] of refused) expect(decoded(notepack.encode(value)), JSON.stringify(value)).toBe(message)
    expect(decoded("2[]")).toBe("got plaintext data instead of msgpack")
    expect(decoded(Buffer.alloc(0))).toBe("unexpected end of msgpack data")
  })

  it("fails, and does not throw, for what has no msgpack form", () => {
    const cyclic: Array<unknown> = ["x"]
    cyclic.push({ cyclic })
    const failing = {
      toJSON() {
        throw new Error("mine")
      }
    }
    const failures: ReadonlyArray<readonly [ReadonlyArray<unknown>, RegExp]> = [
      [cyclic, /cyclic/],
      [[1n], /bigint/],
      [[Symbol.iterator], /symbol/],
      [[() => 1], /function/],
      [[failing], /mine/],
      [[new Blob(["x"])], /Blob/]
    ]
    for (const [data, message] of failures) {
      const result = msgpack.encode({ type: EVENT, nsp: "/", data: ["x", ...data] })
      expect(SocketCodec.isEncodeFailure(result) && result.message).toMatch(message)
    }
    // The writer is in order afterwards.
    expect(Gen.comparable(decoded(encoded(packets[3]!)))).toEqual(Gen.comparable(packets[3]))
  })
})
