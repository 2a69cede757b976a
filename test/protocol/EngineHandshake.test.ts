import { describe, expect, it } from "vitest"
import * as EngineHandshake from "../../src/protocol/EngineHandshake.ts"
import * as EnginePacket from "../../src/protocol/EnginePacket.ts"

const handshake: EngineHandshake.EngineHandshake = {
  sid: "lv_VI97HAXpY6yYWAAAC",
  upgrades: ["websocket"],
  pingInterval: 25000,
  pingTimeout: 20000,
  maxPayload: 1000000
}

const decodeWith = (changes: Readonly<Record<string, unknown>>) =>
  EngineHandshake.decode(JSON.stringify({ ...handshake, ...changes }))

describe("EngineHandshake", () => {
  it("writes the five fields in the official order, and reads them back", () => {
    const text = EngineHandshake.encode(handshake)
    expect(text).toBe(
      '{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
    )
    expect(EngineHandshake.decode(text)).toEqual(handshake)
  })

  it("a server that does not say maxPayload has no limit", () => {
    const unlimited = { ...handshake, maxPayload: Number.POSITIVE_INFINITY }
    expect(EngineHandshake.decode(EngineHandshake.encode(unlimited))).toEqual(unlimited)
    expect(decodeWith({ maxPayload: undefined })).toEqual(unlimited)
  })

  it("takes times up to what a timer can wait, and ignores unknown fields", () => {
    expect(decodeWith({ pingInterval: 1, pingTimeout: 0, maxPayload: 1, upgrades: [], more: 1 })).toEqual({
      ...handshake,
      pingInterval: 1,
      pingTimeout: 0,
      maxPayload: 1,
      upgrades: []
    })
    expect(decodeWith({ pingInterval: 2 ** 31 - 1, pingTimeout: 0 })).toMatchObject({ pingInterval: 2 ** 31 - 1 })
    expect(decodeWith({ pingInterval: 2 ** 31 - 1, pingTimeout: 1 })).toEqual(EnginePacket.failure("invalid handshake"))
  })

  it("refuses everything else", () => {
    const wrong: ReadonlyArray<Readonly<Record<string, unknown>>> = [
      { sid: "" },
      { sid: 1 },
      { sid: undefined },
      { upgrades: "websocket" },
      { upgrades: [1] },
      { upgrades: undefined },
      { pingInterval: 0 },
      { pingInterval: -1 },
      { pingInterval: "25000" },
      { pingInterval: 2 ** 31 },
      { pingInterval: undefined },
      { pingTimeout: -1 },
      { pingTimeout: null },
      { maxPayload: 0 },
      { maxPayload: null },
      { maxPayload: "1" }
    ]
    for (const changes of wrong) {
      expect(EnginePacket.isFailure(decodeWith(changes)), JSON.stringify(changes)).toBe(true)
    }
    for (const data of [undefined, Uint8Array.of(1), "", "{", "null", "[]", "1", '"x"']) {
      expect(EnginePacket.isFailure(EngineHandshake.decode(data)), String(data)).toBe(true)
    }
  })
})

describe("EngineHandshake.parseQuery", () => {
  const parse = (query: string) => EngineHandshake.parseQuery(new URLSearchParams(query))

  it("reads what the official client sends", () => {
    expect(parse("EIO=4&transport=polling&t=abc&sid=xyz&b64=1")).toEqual({
      protocol: 4,
      transport: "polling",
      sid: "xyz",
      b64: true,
      t: "abc"
    })
    expect(parse("EIO=4&transport=websocket")).toEqual({
      protocol: 4,
      transport: "websocket",
      sid: undefined,
      b64: false,
      t: undefined
    })
  })

  it("tells revisions apart: missing is 3, anything that is no number is 0", () => {
    expect(["", "EIO=3", "EIO=4", "EIO=5", "EIO=999"].map((query) => parse(query).protocol)).toEqual([3, 3, 4, 5, 999])
    for (const eio of ["", "abc", "-4", "4.0", "+4", "%204", "04x", "1000", "0x4"]) {
      expect(parse("EIO=" + eio).protocol, eio).toBe(0)
    }
    expect(parse("EIO=4").protocol).toBe(EngineHandshake.protocol)
  })

  it("takes an empty sid or b64 as none", () => {
    expect(parse("sid=&b64=&transport=")).toEqual({
      protocol: 3,
      transport: "",
      sid: undefined,
      b64: false,
      t: undefined
    })
  })
})

describe("EngineHandshake refusals", () => {
  it("have the official codes, messages and contexts", () => {
    const refusals = [
      EngineHandshake.unknownTransport("abc"),
      EngineHandshake.unknownSid("xyz"),
      EngineHandshake.badHandshakeMethod("POST"),
      EngineHandshake.badRequest({ name: "TRANSPORT_MISMATCH", transport: "polling", previousTransport: "websocket" }),
      EngineHandshake.forbidden(),
      EngineHandshake.unsupportedProtocolVersion(3)
    ]
    expect(refusals.map(EngineHandshake.refusalBody)).toEqual([
      '{"code":0,"message":"Transport unknown"}',
      '{"code":1,"message":"Session ID unknown"}',
      '{"code":2,"message":"Bad handshake method"}',
      '{"code":3,"message":"Bad request"}',
      '{"code":4,"message":"Forbidden"}',
      '{"code":5,"message":"Unsupported protocol version"}'
    ])
    expect(refusals.map((refusal) => refusal.code)).toEqual(Object.values(EngineHandshake.EngineErrorCode))
    expect(refusals.map(EngineHandshake.statusOf)).toEqual([400, 400, 400, 400, 403, 400])
    expect(refusals.map((refusal) => refusal.context)).toEqual([
      { transport: "abc" },
      { sid: "xyz" },
      { method: "POST" },
      { name: "TRANSPORT_MISMATCH", transport: "polling", previousTransport: "websocket" },
      { message: "Forbidden" },
      { protocol: 3 }
    ])
  })

  it("code 4 carries the message of the server's own check", () => {
    expect(EngineHandshake.refusalBody(EngineHandshake.forbidden("thou shall not pass"))).toBe(
      '{"code":4,"message":"thou shall not pass"}'
    )
  })
})
