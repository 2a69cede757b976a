/** Socket.IO with the msgpack parser: one binary message a packet, attachments inside. */
import * as assert from "node:assert/strict"
import * as notepack from "notepack.io"
import { calm, type Case, type Context, socketSuite } from "../Case.ts"
import { type Session, session, transports } from "../raw/Engine.ts"
import { within } from "../raw/Wait.ts"
import type { SocketServer } from "../Target.ts"

type Given = Context<SocketServer>

interface Packet {
  readonly type: unknown
  readonly nsp?: unknown
  readonly data?: unknown
  readonly id?: unknown
}

const encode = (packet: Packet): Buffer => Buffer.from(notepack.encode(packet))

const next = async (engine: Session): Promise<Packet> => {
  const message = await engine.next()
  assert.ok(typeof message !== "string", `not a binary message: ${String(message)}`)
  return notepack.decode(message) as Packet
}

const open = async (
  { server, cleanup }: Given,
  transport: (typeof transports)[number] = "websocket"
): Promise<Session> => {
  const engine = await session(server.endpoint, transport)
  cleanup(() => engine.leave())
  return engine
}

const join = async (engine: Session, nsp: string): Promise<string> => {
  await engine.send(encode({ type: 0, nsp, data: { token: "x" } }))
  const answer = await next(engine)
  assert.deepEqual({ ...answer, data: undefined }, { type: 0, nsp, data: undefined })
  const { sid } = answer.data as { readonly sid: string }
  assert.match(sid, /^[A-Za-z0-9_-]{20}$/)
  assert.deepEqual(await next(engine), { type: 2, nsp, data: ["auth", { token: "x" }] })
  return sid
}

const echoed = async (engine: Session, nsp: string, ...args: ReadonlyArray<unknown>): Promise<void> => {
  await engine.send(encode({ type: 2, nsp, data: ["message", ...args] }))
  assert.deepEqual(await next(engine), { type: 2, nsp, data: ["message-back", ...args] })
}

const bad: ReadonlyArray<readonly [what: string, message: string | Buffer]> = [
  ["a text packet", "40"],
  ["text that is no packet", "4abc"],
  ["bytes that are no msgpack", Buffer.from([0xc1])],
  ["msgpack cut short", encode({ type: 2, nsp: "/", data: ["message", "hello"] }).subarray(0, 20)],
  ["an empty message", Buffer.alloc(0)],
  ["a number", Buffer.from(notepack.encode(1))],
  ["an array", Buffer.from(notepack.encode([2, "/", ["message"]]))],
  ["nil", Buffer.from(notepack.encode(null))],
  ["an unknown type", encode({ type: 7, nsp: "/", data: ["message"] })],
  ["a fraction as type", encode({ type: 2.5, nsp: "/", data: ["message"] })],
  ["a negative type", encode({ type: -1, nsp: "/", data: ["message"] })],
  ["a type of text", encode({ type: "2", nsp: "/", data: ["message"] })],
  ["no namespace", encode({ type: 2, data: ["message"] })],
  ["a namespace that is a number", encode({ type: 2, nsp: 1, data: ["message"] })],
  ["an event without data", encode({ type: 2, nsp: "/" })],
  ["an event of an object", encode({ type: 2, nsp: "/", data: { a: 1 } })],
  ["an acknowledgement without data", encode({ type: 3, nsp: "/", id: 1 })],
  ["DISCONNECT with data", encode({ type: 1, nsp: "/", data: "x" })],
  ["an id of text", encode({ type: 2, nsp: "/", data: ["message"], id: "1" })],
  ["an id that is a fraction", encode({ type: 2, nsp: "/", data: ["message"], id: 1.5 })],
  ["an event for a namespace that was not joined", encode({ type: 2, nsp: "/custom", data: ["message"] })],
  // An array of 2^32 - 1 elements and a text of 2^32 - 1 bytes, of which nothing follows.
  ["an array that claims four billion elements", Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff])],
  ["a text that claims four billion bytes", Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff])],
  ["arrays nested ten thousand deep", Buffer.concat([Buffer.alloc(10_000, 0x91), Buffer.from([0xc0])])]
]

const cases: ReadonlyArray<Case<SocketServer>> = [
  ...transports.map((transport) => ({
    title: `${transport}: connect, events with text and binary, acknowledgements`,
    run: async (given: Given) => {
      const engine = await open(given, transport)
      await join(engine, "/")
      await join(engine, "/custom")
      await echoed(engine, "/", 1, "2", { three: ["4", { five: null }] }, true, 1.5)
      await echoed(engine, "/custom", Buffer.from([1, 2, 3]), { deep: [Buffer.from([4])] }, Buffer.alloc(0))
      await engine.send(encode({ type: 2, nsp: "/", data: ["message-with-ack", 1, Buffer.from([9])], id: 456 }))
      assert.deepEqual(await next(engine), { type: 3, nsp: "/", data: [1, Buffer.from([9])], id: 456 })
    }
  })),
  {
    title: "id 0 is an id",
    run: async (given) => {
      const engine = await open(given)
      await join(engine, "/")
      await engine.send(encode({ type: 2, nsp: "/", data: ["message-with-ack"], id: 0 }))
      assert.deepEqual(await next(engine), { type: 3, nsp: "/", data: [], id: 0 })
    }
  },
  {
    title: "an unknown namespace and a refusal of middleware: CONNECT_ERROR",
    run: async (given) => {
      const engine = await open(given)
      await engine.send(encode({ type: 0, nsp: "/random" }))
      assert.deepEqual(await next(engine), { type: 4, nsp: "/random", data: { message: "Invalid namespace" } })
      const nsp = `/guarded-${given.unique}`
      await engine.send(encode({ type: 0, nsp }))
      assert.deepEqual(await next(engine), { type: 4, nsp, data: { message: "not allowed", data: { code: 42 } } })
    }
  },
  {
    title: "what looks like a placeholder is data",
    run: async (given) => {
      const engine = await open(given)
      await join(engine, "/")
      await echoed(engine, "/", { _placeholder: true, num: 0 }, Buffer.from([1]))
    }
  },
  {
    title: "a broadcast with binary, over each transport",
    run: async (given) => {
      const nsp = `/room-${given.unique}`
      const engines: Array<Session> = []
      for (const transport of transports) {
        const engine = await open(given, transport)
        await join(engine, nsp)
        engines.push(engine)
      }
      await engines[0]?.send(encode({ type: 2, nsp, data: ["all", { value: Buffer.from([1, 2]) }] }))
      for (const engine of engines) {
        assert.deepEqual(await next(engine), { type: 2, nsp, data: ["told", { value: Buffer.from([1, 2]) }] })
      }
    }
  },
  {
    title: "DISCONNECT, and joining again",
    run: async (given) => {
      const engine = await open(given)
      const sid = await join(engine, "/")
      await engine.send(encode({ type: 1, nsp: "/" }))
      assert.equal((await given.server.disconnectOf(sid)).reason, "client namespace disconnect")
      await join(engine, "/")
      await engine.send(encode({ type: 2, nsp: "/", data: ["leave-me", false] }))
      assert.deepEqual(await next(engine), { type: 1, nsp: "/" })
    }
  },
  ...bad.map(([what, message]) => ({
    title: `${what}: closed`,
    run: async (given: Given) => {
      const witness = await open(given)
      await join(witness, "/")
      const engine = await open(given)
      await join(engine, "/")
      await engine.send(message)
      await within(engine.ended, "the server to close the connection")
      await echoed(witness, "/", "still here")
    }
  }))
]

/** Suites about the msgpack parser. */
export const msgpackSuites = [socketSuite("Socket.IO with msgpack", { ...calm, parser: "msgpack" }, cases)]
