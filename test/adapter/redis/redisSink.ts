/** What nobody should send, for any channel of a namespace: not one of these may reach a socket. */
import { encodeOrThrow } from "../../../src/protocol/MsgpackEncode.ts"

const nsp = "/chat"
const packet = { type: 2, data: ["said", "wrong"], nsp }
const opts = { rooms: [], except: [], flags: {} }

const values: ReadonlyArray<unknown> = [
  null,
  1,
  "text",
  [],
  {},
  [null, null, null],
  ["uid"],
  ["uid", packet],
  ["uid", packet, null],
  ["uid", packet, { rooms: "room" }],
  ["uid", packet, { rooms: [{}] }],
  ["uid", packet, { rooms: [], except: 1 }],
  [{}, packet, opts],
  ["uid", null, opts],
  ["uid", { ...packet, nsp: "/other" }, opts],
  ["uid", { type: 2, data: ["said", "wrong"] }, opts],
  ["uid", { ...packet, type: 3 }, opts],
  ["uid", { ...packet, data: "said" }, opts],
  ["uid", { ...packet, data: [] }, opts],
  ["uid", { ...packet, data: [{}] }, opts],
  ["uid", { ...packet, data: ["connect"] }, opts],
  ["uid", { ...packet, data: ["disconnect"] }, opts],
  { type: 2 },
  { type: 2, rooms: ["wrong"] },
  { type: 2, opts: null, rooms: ["wrong"] },
  { type: 2, opts: { rooms: "room" }, rooms: ["wrong"] },
  { type: 3, opts: [] },
  { type: 4, close: true },
  { type: 4, opts: {}, sid: 1, close: true, uid: 5 },
  { type: 5, requestId: "x" },
  { type: 6, data: null },
  { type: 6, data: "reload", requestId: 5 },
  { type: 7, requestId: "x", packet, opts: null },
  { type: 7, packet, opts },
  { type: 99, data: {} },
  { type: -1 },
  { type: "__proto__" },
  { uid: "x", nsp: "/other", type: 3, data: { packet, opts } },
  { uid: "x", nsp, type: 3 },
  { uid: "x", nsp, type: 3, data: { packet } },
  { uid: "x", nsp, type: 3, data: { packet, opts: { rooms: null, except: 1 } } },
  { uid: "x", nsp, type: 3, data: { packet: { ...packet, data: ["connect_error"] }, opts } },
  { uid: "x", nsp, type: 6, data: {} },
  { uid: "x", nsp, type: 7, data: { opts } }
]

/** As JSON, as msgpack, and what is neither. */
export const sink: ReadonlyArray<string | Uint8Array> = [
  "",
  "{",
  "{}",
  "[]",
  "\u0000",
  '{"__proto__":{"type":4}}',
  Buffer.from([0xc1]),
  Buffer.from([0x93, 0xa3]),
  Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0xc6, 0xff, 0xff, 0xff, 0xff, 1]),
  Buffer.alloc(5000, 0x91),
  Buffer.from("[".repeat(5000)),
  ...values.map((value) => JSON.stringify(value)),
  ...values.map((value) => Buffer.from(encodeOrThrow(value, "notepack3")))
]
