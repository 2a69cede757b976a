/** Messages between nodes on the wire: as official nodes write them, and read so that nothing malformed does anything. */
import { assert, describe, it } from "@effect/vitest"
import * as notepack from "notepack.io"
import { Server } from "socket.io"
import { ClusterAdapter as OfficialAdapter, type ClusterMessage as OfficialMessage } from "socket.io-adapter"
import type { BroadcastFlags, Target } from "../../src/adapter/Adapter.ts"
import * as ClusterCodec from "../../src/adapter/ClusterCodec.ts"
import {
  type Body,
  type ClusterMessage,
  emitterUid,
  fromWire,
  isResponse,
  MessageType,
  toWire
} from "../../src/adapter/ClusterMessage.ts"
import { property } from "../properties.ts"
import * as Gen from "../protocol/generate.ts"

const uid = "e6b77731247108f6"
const nsp = "/admin"
const requestId = "00112233445566ff"
const plain: BroadcastFlags = { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false }
const all: Target = { rooms: new Set(), except: new Set() }
const some: Target = { rooms: new Set(["a", "b"]), except: new Set(["c"]) }
const message = (body: Body): ClusterMessage => ({ uid, nsp, body })

/** What official nodes publish when a program does something, with the random ids replaced. */
const official = async (act: (io: Server) => unknown): Promise<ReadonlyArray<string>> => {
  const published: Array<string> = []
  const record = (message: object): Promise<string> => {
    const { data } = message as { data?: { requestId?: string } }
    if (data?.requestId !== undefined) data.requestId = requestId
    // The keys stay in the places where the official node has put them.
    published.push(JSON.stringify({ ...message, uid }))
    return Promise.resolve("")
  }
  class Recording extends OfficialAdapter {
    override serverCount(): Promise<number> {
      return Promise.resolve(2)
    }
    override doPublish(message: OfficialMessage): Promise<string> {
      return record(message)
    }
    override doPublishResponse(_requester: string, response: object): Promise<void> {
      return record(response).then(() => undefined)
    }
    hear(message: object): void {
      this.onMessage(message as OfficialMessage)
    }
  }
  const io = new Server({ adapter: Recording as never })
  await act(io)
  await new Promise((resolve) => setImmediate(resolve))
  return published
}

const admin = (io: Server) => io.of(nsp)

const hear = (io: Server, wire: unknown): void =>
  (admin(io).adapter as unknown as { hear(message: unknown): void }).hear(JSON.parse(JSON.stringify(wire)))

const cases: ReadonlyArray<readonly [what: string, act: (io: Server) => unknown, body: Body]> = [
  [
    "a broadcast",
    (io) => admin(io).emit("hello", 1, { a: null }),
    {
      type: MessageType.BROADCAST,
      target: all,
      flags: plain,
      event: { data: ["hello", 1, { a: null }] },
      requestId: undefined
    }
  ],
  [
    "a broadcast with rooms and flags",
    (io) => admin(io).to("a").to("b").except("c").volatile.compress(false).emit("hello"),
    {
      type: MessageType.BROADCAST,
      target: some,
      flags: { ...plain, volatile: true, compress: false },
      event: { data: ["hello"] },
      requestId: undefined
    }
  ],
  [
    "a broadcast with acks",
    (io) =>
      admin(io)
        .timeout(50)
        .emit("hello", () => {}),
    {
      type: MessageType.BROADCAST,
      target: all,
      flags: { ...plain, timeout: 50 },
      event: { data: ["hello"] },
      requestId
    }
  ],
  [
    "joining",
    (io) => admin(io).in(["a", "b"]).except("c").socketsJoin(["x", "y"]),
    { type: MessageType.SOCKETS_JOIN, target: some, rooms: ["x", "y"] }
  ],
  ["leaving", (io) => admin(io).socketsLeave("x"), { type: MessageType.SOCKETS_LEAVE, target: all, rooms: ["x"] }],
  [
    "disconnecting",
    (io) => admin(io).in(["a", "b"]).except("c").disconnectSockets(true),
    { type: MessageType.DISCONNECT_SOCKETS, target: some, close: true }
  ],
  [
    "fetching",
    (io) =>
      void admin(io)
        .in(["a", "b"])
        .except("c")
        .fetchSockets()
        .catch(() => {}),
    { type: MessageType.FETCH_SOCKETS, target: some, requestId }
  ],
  [
    "a server-side event",
    (io) => admin(io).serverSideEmit("reload", 1),
    { type: MessageType.SERVER_SIDE_EMIT, event: { data: ["reload", 1] }, requestId: undefined }
  ],
  [
    "a server-side event with an answer",
    (io) => admin(io).serverSideEmit("reload", 1, () => {}),
    { type: MessageType.SERVER_SIDE_EMIT, event: { data: ["reload", 1] }, requestId }
  ],
  [
    "described sockets",
    (io) => hear(io, toWire({ ...message({ type: MessageType.FETCH_SOCKETS, target: all, requestId }), uid: "other" })),
    { type: MessageType.FETCH_SOCKETS_RESPONSE, requestId, sockets: [] }
  ],
  [
    "a server's answer",
    (io) => {
      admin(io).on("reload" as never, ((answer: (value: unknown) => void) => answer({ ok: 1 })) as never)
      hear(io, {
        ...toWire(message({ type: MessageType.SERVER_SIDE_EMIT, event: { data: ["reload"] }, requestId })),
        uid: "other"
      })
    },
    { type: MessageType.SERVER_SIDE_EMIT_RESPONSE, requestId, answer: { ok: 1 } }
  ],
  [
    "the number of sockets that were asked",
    (io) =>
      hear(io, {
        ...toWire(
          message({
            type: MessageType.BROADCAST,
            target: all,
            flags: { ...plain, timeout: 50 },
            event: { data: ["hello"] },
            requestId
          })
        ),
        uid: "other"
      }),
    { type: MessageType.BROADCAST_CLIENT_COUNT, requestId, count: 0 }
  ]
]

describe("what nodes write", () => {
  for (const [what, act, body] of cases) {
    it(`${what}: byte for byte what official nodes write`, async () => {
      const [published] = await official(act)
      assert.strictEqual(JSON.stringify(toWire(message(body))), published)
    })

    it(`${what}: is read again`, () => {
      const wire = JSON.parse(JSON.stringify(toWire(message(body)))) as unknown
      assert.deepStrictEqual(toWire(fromWire(wire, nsp)!), toWire(message(body)))
    })
  }

  it("what has no data: heartbeats and goodbyes", () => {
    for (const type of [MessageType.INITIAL_HEARTBEAT, MessageType.HEARTBEAT, MessageType.ADAPTER_CLOSE]) {
      assert.strictEqual(JSON.stringify(toWire(message({ type }))), `{"type":${type},"uid":"${uid}","nsp":"/admin"}`)
      assert.deepStrictEqual(fromWire({ type, uid, nsp }, nsp), message({ type }))
    }
  })

  it("answers of sockets: official keys first, then whose it is", () => {
    const body: Body = { type: MessageType.BROADCAST_ACK, requestId, answer: "yes", socketId: "s" }
    assert.strictEqual(
      JSON.stringify(toWire(message(body)).data),
      `{"requestId":"${requestId}","packet":"yes","socketId":"s"}`
    )
    assert.deepStrictEqual(fromWire(toWire(message(body)), nsp), message(body))
    const without = fromWire({ type: 12, uid, nsp, data: { requestId } }, nsp)!
    assert.deepStrictEqual(without.body, { type: 12, requestId, answer: undefined, socketId: undefined })
  })

  it("the namespace is in the packet where it is asked for, as emitters do", () => {
    const wire = toWire(message(cases[0]![2]), { nspInPacket: true })
    assert.deepStrictEqual(wire.data?.["packet"], { type: 2, data: ["hello", 1, { a: null }], nsp })
  })

  it("answers are told from what goes to all", () => {
    const responses = cases.filter(([, , body]) => isResponse(message(body))).map(([what]) => what)
    assert.deepStrictEqual(responses, [
      "described sockets",
      "a server's answer",
      "the number of sockets that were asked"
    ])
  })
})

const broadcast = (data: object, more: object = {}): unknown => ({ uid, nsp, type: 3, data, ...more })
const packet = { type: 2, data: ["e"] }
const opts = { rooms: [], except: [], flags: {} }

describe("what nodes read", () => {
  it("leniently: no namespace, no uid, numbers as text, rooms that are numbers, unknown keys and flags", () => {
    const emitted = fromWire({ type: "3", data: { packet: { type: 2, data: ["e"], nsp }, opts }, more: 1 }, nsp)
    assert.strictEqual(emitted?.uid, emitterUid)
    assert.strictEqual(emitted?.nsp, nsp)
    const numbered = fromWire(
      broadcast({ packet: { data: [7] }, opts: { rooms: [5], flags: { other: 1, timeout: "x" } } }),
      nsp
    )
    assert.deepStrictEqual(numbered?.body, {
      type: 3,
      target: { rooms: new Set(["5"]), except: new Set<string>() },
      flags: plain,
      event: { data: ["7"] },
      requestId: undefined
    })
    assert.strictEqual(fromWire({ type: "11", uid, data: { requestId, clientCount: "3" } }, nsp)?.body.type, 11)
    assert.isDefined(fromWire(broadcast({ packet, opts: {} }, { nsp: "admin" }), nsp))
    assert.isDefined(fromWire(broadcast({ packet, opts, requestId: null }), nsp))
  })

  it("strictly: nothing that could reach somebody else", () => {
    const malformed: ReadonlyArray<unknown> = [
      undefined,
      null,
      5,
      "text",
      [],
      {},
      { uid, nsp, type: 0 },
      { uid, nsp, type: 14, data: {} },
      { uid, nsp, type: 3.5, data: { packet, opts } },
      { uid, nsp, type: "three", data: { packet, opts } },
      { uid: 5, nsp, type: 2 },
      { uid: "", nsp, type: 2 },
      { uid: "x".repeat(257), nsp, type: 2 },
      { uid, nsp: "/other", type: 2 },
      { uid, nsp: 5, type: 2 },
      broadcast({ packet }),
      broadcast({ packet, opts: [] }),
      broadcast({ packet, opts: { rooms: "all" } }),
      broadcast({ packet, opts: { rooms: {} } }),
      broadcast({ packet, opts: { rooms: ["a", null] } }),
      broadcast({ packet, opts: { except: true } }),
      broadcast({ packet: { type: 3, data: ["e"] }, opts }),
      broadcast({ packet: { type: 2, data: [] }, opts }),
      broadcast({ packet: { type: 2, data: [{}] }, opts }),
      broadcast({ packet: { type: 2, data: ["disconnect"] }, opts }),
      broadcast({ packet: { type: 2, data: "e" }, opts }),
      broadcast({ packet: { ...packet, nsp: "/other" }, opts }),
      broadcast({ packet, opts, requestId: 5 }),
      broadcast({ packet, opts, requestId: "" }),
      { uid, nsp, type: 4, data: { opts, rooms: [{}] } },
      { uid, nsp, type: 4, data: { rooms: ["x"] } },
      { uid, nsp, type: 6, data: { close: true } },
      { uid, nsp, type: 7, data: { opts } },
      { uid, nsp, type: 8, data: { requestId, sockets: {} } },
      { uid, nsp, type: 8, data: { requestId, sockets: [{ id: "s", rooms: [] }, { rooms: [] }] } },
      { uid, nsp, type: 9, data: { packet: ["connection", {}] } },
      { uid, nsp, type: 9, data: { packet: {} } },
      { uid, nsp, type: 10, data: {} },
      { uid, nsp, type: 11, data: { requestId, clientCount: -1 } },
      { uid, nsp, type: 11, data: { requestId, clientCount: 1e300 } },
      { uid, nsp, type: 12, data: "x" }
    ]
    for (const value of malformed) assert.isUndefined(fromWire(value, nsp), JSON.stringify(value))
  })

  it("names of rooms and properties cannot change prototypes", () => {
    const wire: unknown = JSON.parse(
      `{"uid":"u","type":3,"data":{"packet":{"data":["e",{"__proto__":{"x":1}}]},"opts":{"rooms":["__proto__"],"__proto__":{"except":["a"]}}}}`
    )
    const body = fromWire(wire, nsp)?.body as { target: Target }
    assert.deepStrictEqual(body.target, { rooms: new Set(["__proto__"]), except: new Set<string>() })
    assert.isUndefined(({} as { x?: unknown }).x)
  })

  it("never throws, whatever one of its parts is replaced by", () => {
    const parts: ReadonlyArray<unknown> = [
      undefined,
      null,
      0,
      -1,
      1.5,
      "",
      "x",
      true,
      [],
      {},
      [[]],
      [null],
      { a: 1 },
      NaN
    ]
    Gen.forAll(property(300).runs, (random) => {
      const wire: unknown = JSON.parse(JSON.stringify(toWire(message(random.pick(cases)[2]))))
      const damage = (value: unknown): unknown => {
        if (random.below(6) === 0) return random.pick(parts)
        if (Array.isArray(value)) return value.map(damage)
        if (typeof value !== "object" || value === null) return value
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, damage(item)]))
      }
      const read = fromWire(damage(wire), nsp)
      // What passes is a message that can be written again.
      if (read !== undefined) assert.isDefined(fromWire(JSON.parse(JSON.stringify(toWire(read))), nsp))
    })
  })
})

const said = (...args: ReadonlyArray<unknown>): ClusterMessage =>
  message({
    type: MessageType.BROADCAST,
    target: all,
    flags: plain,
    event: { data: ["said", ...args] },
    requestId: undefined
  })

const payloadOf = (encoded: ClusterCodec.Encoded | ClusterCodec.EncodeFailure): string | Uint8Array => {
  if (encoded._tag === "EncodeFailure") throw new Error(encoded.message)
  return encoded.payload
}

describe("the codec", () => {
  it("JSON without binary, msgpack as notepack writes it with binary, and only for the types that may have it", () => {
    const text = payloadOf(ClusterCodec.encode(said({ a: [1] })))
    assert.strictEqual(text, JSON.stringify(toWire(said({ a: [1] }))))
    const binary = said({ bytes: Uint8Array.of(1, 2, 3), date: 1, none: undefined })
    const bytes = payloadOf(ClusterCodec.encode(binary))
    assert.deepStrictEqual(Buffer.from(bytes as Uint8Array), Buffer.from(notepack.encode(toWire(binary)) as Uint8Array))
    const moved = message({ type: MessageType.SOCKETS_JOIN, target: all, rooms: ["x"] })
    assert.isString(payloadOf(ClusterCodec.encode(moved)))
  })

  it("reads text and both kinds of bytes", () => {
    const binary = said({ bytes: Uint8Array.of(0x7b, 255) })
    for (const [sent, payload] of [
      [said("ä"), payloadOf(ClusterCodec.encode(said("ä")))],
      [said("ä"), new TextEncoder().encode(String(payloadOf(ClusterCodec.encode(said("ä")))))],
      [binary, payloadOf(ClusterCodec.encode(binary))]
    ] as const) {
      assert.deepStrictEqual(ClusterCodec.decode(payload, nsp), sent)
    }
  })

  it("what cannot be written is a failure: big integers, cycles, functions of JSON that throw", () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const throws = {
      toJSON: () => {
        throw new Error("no")
      }
    }
    for (const value of [1n, cycle, throws, [Uint8Array.of(1), 1n], [Uint8Array.of(1), cycle]]) {
      assert.strictEqual(ClusterCodec.encode(said(value))._tag, "EncodeFailure")
    }
  })

  it("limits: a payload of the limit passes, one byte more does not, in both directions", () => {
    const payload = payloadOf(ClusterCodec.encode(said("ä")))
    const size = new TextEncoder().encode(String(payload)).length
    assert.strictEqual(ClusterCodec.encode(said("ä"), { maxSize: size })._tag, "Encoded")
    assert.strictEqual(ClusterCodec.encode(said("ä"), { maxSize: size - 1 })._tag, "EncodeFailure")
    assert.isDefined(ClusterCodec.decode(payload, nsp, { maxSize: size }))
    assert.isUndefined(ClusterCodec.decode(payload, nsp, { maxSize: size - 1 }))
    const bytes = payloadOf(ClusterCodec.encode(said(Uint8Array.of(1))))
    assert.isDefined(ClusterCodec.decode(bytes, nsp, { maxSize: bytes.length }))
    assert.isUndefined(ClusterCodec.decode(bytes, nsp, { maxSize: bytes.length - 1 }))
  })

  it("reading never throws, whatever the bytes", () => {
    Gen.forAll(property(500).runs, (random) => {
      ClusterCodec.decode(Gen.bytes(random, 60), nsp)
      ClusterCodec.decode(Gen.text(random, 60), nsp)
      const bytes = Uint8Array.from(payloadOf(ClusterCodec.encode(said(Uint8Array.of(1, 2, 3)))) as Uint8Array)
      bytes[random.below(bytes.length)] = random.below(256)
      ClusterCodec.decode(bytes.subarray(0, 1 + random.below(bytes.length)), nsp)
    })
  })

  it("deep nesting is read or refused, not a stack overflow", () => {
    const deep = `{"uid":"u","type":3,"data":{"packet":{"data":["e",${"[".repeat(200_000)}${"]".repeat(200_000)}]},"opts":{}}}`
    assert.doesNotThrow(() => ClusterCodec.decode(deep, nsp))
    const msgpack = new Uint8Array(100_000).fill(0x91)
    assert.isUndefined(ClusterCodec.decode(msgpack, nsp))
  })
})
