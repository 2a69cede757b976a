import * as official from "socket.io-parser"
import { describe, expect, it } from "vitest"
import type { FrameGroup } from "../../src/protocol/FrameGroup.ts"
import * as SocketCodec from "../../src/protocol/SocketCodec.ts"
import type { SocketPacket } from "../../src/protocol/SocketPacket.ts"
import { ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT } from "../../src/protocol/SocketPacket.ts"
import * as Gen from "./generate.ts"

const codec = SocketCodec.json

const encoded = (packet: SocketPacket, from = codec): FrameGroup => {
  const group = from.encode(packet)
  if (SocketCodec.isEncodeFailure(group)) throw new Error(group.message)
  return group
}

/** The text without the engine's "4", and the attachments as arrays. */
const wireOf = (packet: SocketPacket, from = codec) => {
  const group = encoded(packet, from)
  const head = String(group.head)
  expect(head.startsWith("4")).toBe(true)
  return [head.slice(1), ...(group.attachments ?? []).map((bytes) => [...bytes])]
}

/** What the official encoder writes, in the same form. */
const officialWireOf = (packet: SocketPacket) => {
  const { type, nsp, id, data } = packet
  const parts = new official.Encoder().encode({ type: type as number, nsp, data, ...(id === undefined ? {} : { id }) })
  return (parts as ReadonlyArray<string | Uint8Array>).map((part) =>
    typeof part === "string" ? part : [...new Uint8Array(part)]
  )
}

/** All that a fresh decoder makes of these messages: a packet, a message of failure, or undefined while it waits. */
const decoded = (messages: ReadonlyArray<string | Uint8Array>, from = codec): SocketPacket | string | undefined => {
  const decoder = from.makeDecoder()
  for (const message of messages) {
    const result = decoder.add(message)
    if (result !== undefined) return SocketCodec.isDecodeFailure(result) ? result.message : result
  }
  return undefined
}

/** What the official decoder makes of them. */
const officialDecoded = (messages: ReadonlyArray<string | Uint8Array>): unknown => {
  const decoder = new official.Decoder()
  let packet: unknown
  decoder.on("decoded", (value: unknown) => {
    packet = value
  })
  try {
    for (const message of messages) decoder.add(message)
  } catch (error) {
    return (error as Error).message
  }
  return packet
}

const event = (data: ReadonlyArray<unknown>, more: { nsp?: string; id?: number } = {}): SocketPacket => ({
  type: EVENT,
  nsp: more.nsp ?? "/",
  id: more.id,
  data
})

const nsps = ["/", "/a", "/admin", "/nsp?token=1&b=2", "/é", "/-", "/0"]

/** Packets of every type; names are never reserved. */
const packet = (random: Gen.Random, options: Gen.ValueOptions): SocketPacket => {
  const nsp = random.pick(nsps)
  const id = random.below(2) === 0 ? undefined : random.pick([0, 1, 12, 456, 2 ** 53 - 1])
  const list = () => Array.from({ length: random.below(4) }, () => Gen.value(random, options))
  const record = () => ({ sid: Gen.text(random), x: Gen.value(random, { binary: 0, extra: [] }) })
  switch (random.below(5)) {
    case 0:
      return { type: CONNECT, nsp, id: undefined, data: random.below(2) === 0 ? undefined : record() }
    case 1:
      return { type: DISCONNECT, nsp, id: undefined, data: undefined }
    case 2:
      return { type: ACK, nsp, id, data: list() }
    case 3:
      return { type: CONNECT_ERROR, nsp, id: undefined, data: random.below(2) === 0 ? Gen.text(random) : record() }
    default:
      return event([random.pick<unknown>(["message", 5, "", "hasOwnProperty"]), ...list()], {
        nsp,
        ...(id === undefined ? {} : { id })
      })
  }
}

const withToJson = (value: unknown) => ({ a: 1, toJSON: () => value })

const everything: Gen.ValueOptions = {
  binary: 0.2,
  extra: [
    () => undefined,
    () => new Date(12345),
    () => Number.NaN,
    (random) => Buffer.from(Gen.bytes(random)),
    (random) => Gen.bytes(random).buffer,
    (random) => withToJson({ a: Gen.bytes(random) }),
    (random) => withToJson(Gen.text(random)),
    () => () => 1,
    () => new Map([[1, 2]])
  ]
}

describe("SocketCodec, encoding", () => {
  it("writes the documented texts", () => {
    const golden: ReadonlyArray<readonly [SocketPacket, string]> = [
      [{ type: CONNECT, nsp: "/" }, "0"],
      [{ type: CONNECT, nsp: "/admin" }, "0/admin,"],
      [{ type: CONNECT, nsp: "/", data: { sid: "x" } }, '0{"sid":"x"}'],
      [{ type: CONNECT, nsp: "/admin", data: { token: "123" } }, '0/admin,{"token":"123"}'],
      [{ type: DISCONNECT, nsp: "/" }, "1"],
      [{ type: DISCONNECT, nsp: "/admin" }, "1/admin,"],
      [event(["foo"]), '2["foo"]'],
      [event([1, 2]), "2[1,2]"],
      [event(["foo"], { nsp: "/admin" }), '2/admin,["foo"]'],
      [event(["foo"], { nsp: "/admin", id: 12 }), '2/admin,12["foo"]'],
      [event(["foo"], { id: 0 }), '20["foo"]'],
      [{ type: ACK, nsp: "/", id: 5, data: [] }, "35[]"],
      [{ type: ACK, nsp: "/admin", id: 13, data: ["bar"] }, '3/admin,13["bar"]'],
      [{ type: CONNECT_ERROR, nsp: "/", data: { message: "Not authorized" } }, '4{"message":"Not authorized"}'],
      [{ type: CONNECT_ERROR, nsp: "/x", data: "no" }, '4/x,"no"']
    ]
    for (const [packet, text] of golden) {
      expect(wireOf(packet)).toEqual([text])
      expect(officialWireOf(packet)).toEqual([text])
    }
  })

  it("writes attachments behind placeholders, undefined as null, dates as text", () => {
    const data = ["x", undefined, new Date(0), Buffer.of(1, 2)]
    const wire = ['51-/a,0["x",null,"1970-01-01T00:00:00.000Z",{"_placeholder":true,"num":0}]', [1, 2]]
    expect(wireOf(event(data, { nsp: "/a", id: 0 }))).toEqual(wire)
    expect(wireOf({ type: ACK, nsp: "/", id: 9, data: [Uint8Array.of(7)] })).toEqual([
      '61-9[{"_placeholder":true,"num":0}]',
      [7]
    ])
  })

  it("writes what the official encoder writes", () => {
    Gen.forAll(1000, (random) => {
      const one = packet(random, everything)
      expect(wireOf(one)).toEqual(officialWireOf(one))
    })
  })

  it("believes what it is told about binary", () => {
    const plain = codec.encode(event(["x"]), { hasBinary: true })
    expect(plain).toMatchObject({ head: '42["x"]', attachments: undefined })
    expect(codec.encode(event(["x", Buffer.of(1)]), { hasBinary: true })).toEqual(
      codec.encode(event(["x", Buffer.of(1)]))
    )
    expect(codec.encode(event(["x", [1]]), { hasBinary: false })).toMatchObject({ head: '42["x",[1]]' })
    expect(codec.encode(event(["x"]), {})).toMatchObject({ head: '42["x"]' })
  })

  it("takes an empty namespace for the main one", () => {
    expect(wireOf({ type: CONNECT, nsp: "" })).toEqual(["0"])
  })

  it("fails, and does not throw, for what has no JSON form", () => {
    const cyclic: Array<unknown> = ["x"]
    cyclic.push(cyclic)
    const failWith = (thrown: unknown) => () => {
      throw thrown
    }
    const failing = (thrown: unknown) => ({ toJSON: failWith(thrown) })
    const failures: ReadonlyArray<readonly [ReadonlyArray<unknown>, RegExp]> = [
      [cyclic, /cyclic/],
      [["x", 1n], /BigInt/],
      [["x", Buffer.of(1), 1n], /BigInt/],
      [["x", failing(new Error("mine"))], /mine/],
      [
        [
          "x",
          {
            get a() {
              return failWith("text")()
            }
          }
        ],
        /data cannot be/
      ],
      [["x", withToJson(1n)], /BigInt/]
    ]
    for (const [data, message] of failures) {
      const result = codec.encode(event(data))
      expect(SocketCodec.isEncodeFailure(result) && result.message).toMatch(message)
    }
    expect(codec.encode(event(["x", 1n]))).toMatchObject({ cause: expect.any(TypeError) as unknown })
    // Told that there is nothing to look for: JSON itself finds the cycle, and the text that was thrown.
    expect(codec.encode(event(cyclic), { hasBinary: false })).toMatchObject({ _tag: "SocketEncodeFailure" })
    expect(codec.encode(event(["x", failing("text")]), { hasBinary: false })).toMatchObject({
      message: "data cannot be encoded",
      cause: "text"
    })
  })

  it("applies the replacer; one that leaves nothing is a failure", () => {
    const upper = SocketCodec.make({
      replacer: (_, value) => (typeof value === "string" ? value.toUpperCase() : value)
    })
    expect(wireOf(event(["x", "y"]), upper)).toEqual(['2["X","Y"]'])
    const nothing = SocketCodec.make({ replacer: () => undefined })
    for (const data of [["x"], ["x", Buffer.of(1)]]) {
      expect(nothing.encode(event(data))).toMatchObject({ message: "data has no JSON form" })
    }
  })
})

describe("SocketCodec, decoding", () => {
  it("accepts what the official decoder accepts", () => {
    const accepted: ReadonlyArray<readonly [string, SocketPacket]> = [
      ["0", { type: CONNECT, nsp: "/", id: undefined, data: undefined }],
      ["0/", { type: CONNECT, nsp: "/", id: undefined, data: undefined }],
      ["0/admin", { type: CONNECT, nsp: "/admin", id: undefined, data: undefined }],
      ["0/nsp?tok=1,", { type: CONNECT, nsp: "/nsp?tok=1", id: undefined, data: undefined }],
      ['0/a,{"b":1}', { type: CONNECT, nsp: "/a", id: undefined, data: { b: 1 } }],
      ["1", { type: DISCONNECT, nsp: "/", id: undefined, data: undefined }],
      ["1/admin", { type: DISCONNECT, nsp: "/admin", id: undefined, data: undefined }],
      ["1/admin,", { type: DISCONNECT, nsp: "/admin", id: undefined, data: undefined }],
      ["2[1,2]", event([1, 2])],
      ['200012["a"]', event(["a"], { id: 12 })],
      ['2/a,0["a",{}]', event(["a", {}], { nsp: "/a", id: 0 })],
      ["3[]", { type: ACK, nsp: "/", id: undefined, data: [] }],
      ["35[]", { type: ACK, nsp: "/", id: 5, data: [] }],
      ["41", { type: CONNECT_ERROR, nsp: "/", id: 1, data: undefined }],
      ["4", { type: CONNECT_ERROR, nsp: "/", id: undefined, data: undefined }],
      ['4"str"', { type: CONNECT_ERROR, nsp: "/", id: undefined, data: "str" }],
      ['4{"message":"x"}', { type: CONNECT_ERROR, nsp: "/", id: undefined, data: { message: "x" } }]
    ]
    for (const [text, expected] of accepted) {
      expect(decoded([text]), text).toEqual(expected)
      expect(officialDecoded([text]), text).toEqual(JSON.parse(JSON.stringify(expected)))
    }
  })

  it("refuses what the official decoder refuses, with the same message", () => {
    const refused: ReadonlyArray<readonly [string, string]> = [
      ["7", "unknown packet type 7"],
      ["9[]", "unknown packet type 9"],
      ["garbage", "unknown packet type NaN"],
      ['"x"', "unknown packet type NaN"],
      ["5", "Illegal attachments"],
      ['5["a"]', "Illegal attachments"],
      ['5-["a"]', "Illegal attachments"],
      ['50-["a"]', "Illegal attachments"],
      ['5a-["a"]', "Illegal attachments"],
      ['51.5-["a"]', "Illegal attachments"],
      ['5-1-["a"]', "Illegal attachments"],
      ['51/a,["a"]', "Illegal attachments"],
      ['511-["a"]', "too many attachments"],
      ['5999999999999999999999-["a"]', "too many attachments"],
      ["0[]", "invalid payload"],
      ["0null", "invalid payload"],
      ['0"str"', "invalid payload"],
      ["1{}", "invalid payload"],
      ["1[]", "invalid payload"],
      ['2["connect"]', "invalid payload"],
      ['2["connect_error"]', "invalid payload"],
      ['2["disconnect"]', "invalid payload"],
      ['2["disconnecting"]', "invalid payload"],
      ['2["newListener"]', "invalid payload"],
      ['2["removeListener"]', "invalid payload"],
      ["2[]", "invalid payload"],
      ["2{}", "invalid payload"],
      ["2[null]", "invalid payload"],
      ["2[{}]", "invalid payload"],
      ['21e3["x"]', "invalid payload"],
      ['2-1["x"]', "invalid payload"],
      ['2["a"', "invalid payload"],
      ['2a["a"]', "invalid payload"],
      ["3[]x", "invalid payload"],
      ["3{}", "invalid payload"],
      ["3null", "invalid payload"],
      ["4[]", "invalid payload"],
      ["4null", "invalid payload"],
      ["42[", "invalid payload"],
      ["51-{}", "invalid payload"]
    ]
    for (const [text, message] of refused) {
      expect(decoded([text]), text).toBe(message)
      expect(officialDecoded([text]), text).toBe(message)
    }
  })

  it("T14: a space is not a digit", () => {
    expect(decoded(['2 1["a"]'])).toBe("invalid payload")
    expect(decoded(['2 ["a"]'])).toEqual(event(["a"]))
    expect(decoded(['2\t["a"]'])).toEqual(event(["a"]))
    expect(decoded([' ["a"]'])).toBe("unknown packet type NaN")
    expect(decoded(['5 1-["a",{"_placeholder":true,"num":0}]'])).toBe("Illegal attachments")
    expect(decoded([""])).toBe("unknown packet type NaN")
  })

  it("T14: an event or ack without data does not reach the program", () => {
    for (const text of ["2", "20", "2/nsp", "2/nsp,", "2/nsp,7", "3", "35", "51-", "61-5"]) {
      expect(decoded([text]), text).toBe("invalid payload")
    }
  })

  it("T14: a packet with zero attachments is refused and leaves nothing behind", () => {
    const decoder = codec.makeDecoder()
    expect(decoder.add('50-["x"]')).toMatchObject({ message: "Illegal attachments" })
    expect(decoder.add('2["x"]')).toEqual(event(["x"]))
  })

  it("an id is a whole number that a program can count to", () => {
    expect(decoded(['29007199254740991["a"]'])).toEqual(event(["a"], { id: 2 ** 53 - 1 }))
    expect(decoded(['29007199254740992["a"]'])).toBe("invalid packet id")
    expect(decoded([`2${"9".repeat(400)}["a"]`])).toBe("invalid packet id")
  })

  it("puts attachments back and then takes the next packet", () => {
    const decoder = codec.makeDecoder()
    const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)]
    expect(decoder.add('52-/a,7["x",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]')).toBeUndefined()
    expect(decoder.add(a)).toBeUndefined()
    expect(decoder.add(b)).toEqual(event(["x", b, a], { nsp: "/a", id: 7 }))
    expect(decoder.add('61-1[{"_placeholder":true,"num":0}]')).toBeUndefined()
    expect(decoder.add(a)).toEqual({ type: ACK, nsp: "/", id: 1, data: [a] })
    expect(decoder.add('2["y"]')).toEqual(event(["y"]))
  })

  it("refuses text where an attachment is due, and binary where none is, and starts anew", () => {
    const decoder = codec.makeDecoder()
    const head = '51-["x",{"_placeholder":true,"num":0}]'
    expect(decoder.add(head)).toBeUndefined()
    expect(decoder.add("0")).toMatchObject({ message: "got plaintext data when reconstructing a packet" })
    expect(decoder.add(Uint8Array.of(1))).toMatchObject({
      message: "got binary data when not reconstructing a packet"
    })
    expect(decoder.add(head)).toBeUndefined()
    decoder.destroy()
    expect(decoder.add("0")).toMatchObject({ type: CONNECT })
    expect(officialDecoded([head, "0"])).toBe("got plaintext data when reconstructing a packet")
    expect(officialDecoded([Buffer.of(1)])).toBe("got binary data when not reconstructing a packet")
  })

  it("refuses placeholders that are wrong, once the attachments are there", () => {
    for (const num of ['"splice"', "1", "-1", "0.5"]) {
      const messages = [`51-["x",{"_placeholder":true,"num":${num}}]`, Buffer.of(1)]
      expect(decoded(messages), num).toBe("illegal attachments")
    }
    expect(officialDecoded(['51-["x",{"_placeholder":true,"num":1}]', Buffer.of(1)])).toBe("illegal attachments")
    expect(decoded(['52-["x",{"_placeholder":true,"num":0}]', Buffer.of(1), Buffer.of(2)])).toBe("illegal attachments")
    const deep = "[".repeat(5000) + '{"_placeholder":true,"num":0}' + "]".repeat(5000)
    expect(decoded([`51-["x",${deep}]`, Buffer.of(1)])).toBe("illegal attachments")
  })

  it("takes maxAttachments attachments, not one more: 10, the codec's, or the decoder's", () => {
    const refused = { message: "too many attachments" }
    const head = (n: number) => `5${n}-["x"]`
    expect(codec.makeDecoder().add(head(10))).toBeUndefined()
    expect(codec.makeDecoder().add(head(11))).toMatchObject(refused)
    const two = SocketCodec.make({ maxAttachments: 2 })
    expect(two.makeDecoder().add(head(2))).toBeUndefined()
    expect(two.makeDecoder().add(head(3))).toMatchObject(refused)
    expect(two.makeDecoder({ maxAttachments: 3 }).add(head(3))).toBeUndefined()
    expect(two.makeDecoder({ maxAttachments: 3 }).add(head(4))).toMatchObject(refused)
    expect(two.makeDecoder({}).add(head(3))).toMatchObject(refused)
  })

  it("applies the reviver; one that throws makes the payload invalid", () => {
    const revived = SocketCodec.make({ reviver: (key, value) => (key === "at" ? new Date(value as number) : value) })
    expect(decoded(['2["x",{"at":0}]'], revived)).toEqual(event(["x", { at: new Date(0) }]))
    const broken = SocketCodec.make({
      reviver: () => {
        throw new Error("mine")
      }
    })
    expect(decoded(['2["x"]'], broken)).toBe("invalid payload")
  })

  it("does not let a payload change a prototype", () => {
    const result = decoded(['2["x",{"__proto__":{"admin":true}}]']) as { data: ReadonlyArray<{ admin?: boolean }> }
    expect(result.data[1]!.admin).toBeUndefined()
    expect(Object.getPrototypeOf(result.data[1])).toBe(Object.prototype)
  })

  it("gives back every packet, through one decoder for all", () => {
    const decoder = codec.makeDecoder()
    Gen.forAll(1000, (random) => {
      const one = packet(random, { binary: 0.2, extra: [], keys: (r) => r.pick(["a", "b", "__proto__", "num"]) })
      const group = encoded(one)
      let result = decoder.add(String(group.head).slice(1))
      for (const attachment of group.attachments ?? []) {
        expect(result).toBeUndefined()
        result = decoder.add(attachment)
      }
      expect(Gen.comparable(result)).toEqual(Gen.comparable(one))
    })
  })

  it("reads what the official encoder writes, and is read by the official decoder", () => {
    Gen.forAll(500, (random) => {
      const one = packet(random, { binary: 0.2, extra: [() => new Date(1)] })
      const group = encoded(one)
      const messages = [String(group.head).slice(1), ...(group.attachments ?? []).map((bytes) => Buffer.from(bytes))]
      expect(Gen.comparable(decoded(messages))).toEqual(Gen.comparable(officialDecoded(messages)))
    })
  })

  it("makes of garbage what the official decoder makes of it, but for the named differences; never throws", () => {
    const pieces = [
      "0",
      "1",
      "2",
      "3",
      "5",
      "6",
      "1-",
      "0-",
      "/a",
      ",",
      "12",
      '["a"]',
      '["a",1]',
      "[]",
      "{}",
      '"s"',
      "[",
      "e",
      "-",
      "null",
      '["connect"]',
      '{"message":"m"}'
    ]
    let accepted = 0
    Gen.forAll(5000, (random) => {
      let text = ""
      for (let n = 1 + random.below(5); n > 0; n--) text += random.pick(pieces)
      const ours = decoded([text])
      const theirs = officialDecoded([text])
      if (typeof theirs === "string" || theirs === undefined) {
        // Waiting for attachments is the same silence.
        if (ours === "invalid payload" && theirs === undefined) expect(text).toMatch(/^[56]0*[1-9][0-9]*-[^[]*$/)
        else expect(ours, text).toBe(theirs)
      } else if (ours === "invalid payload") {
        expect(theirs, text).not.toHaveProperty("data")
        expect(text).toMatch(/^[23]/)
      } else {
        accepted++
        expect(Gen.comparable(ours), text).toEqual(Gen.comparable(theirs))
      }
    })
    expect(accepted).toBeGreaterThan(100)
    Gen.forAll(1000, (random) => {
      const decoder = codec.makeDecoder()
      for (let n = 0; n < 5; n++) {
        const result = decoder.add(
          random.below(4) === 0 ? Gen.bytes(random) : random.pick(["5", "2", "", "51-", "0/"]) + Gen.text(random, 6)
        )
        expect(result === undefined || SocketCodec.isDecodeFailure(result) || typeof result.type === "number").toBe(
          true
        )
      }
    })
  })
})
