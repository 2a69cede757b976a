/** Socket.IO: packets that are none. Each ends its connection, and nothing else. */
import * as assert from "node:assert/strict"
import { calm, type Case, type Context, socketSuite } from "../Case.ts"
import { connected } from "../raw/SocketIo.ts"
import type { SocketServer } from "../Target.ts"
import { connection } from "./connecting.ts"

type Given = Context<SocketServer>
type Frames = ReadonlyArray<string | Uint8Array>

const bytes = Buffer.from([1, 2, 3])
const placeholder = (num: unknown): string => `{"_placeholder":true,"num":${JSON.stringify(num)}}`

/** After CONNECT to /: undecodable, so that the connection is closed. */
const undecodable: ReadonlyArray<readonly [what: string, frames: Frames]> = [
  ["text that is no packet", ["abc"]],
  ["an unknown type", ['7["a"]']],
  ["a type 8", ["8"]],
  ["an empty message", [""]],
  ["JSON cut short", ['2["a"']],
  ["JSON with something behind", ['2["a"]x']],
  ["an object instead of an array", ["2{}"]],
  ["a text instead of an array", ['2"a"']],
  ["null", ["2null"]],
  ["true", ["2true"]],
  ["an empty array", ["2[]"]],
  ["an event name that is an object", ["2[{}]"]],
  ["an event name that is null", ["2[null]"]],
  ["an event name that is an array", ['2[["message"]]']],
  ["an event name that is a boolean", ["2[true]"]],
  ["an id that is no number", ['2abc["a"]']],
  ["an id with an exponent", ['21e3["a"]']],
  ["a negative id", ['2-1["a"]']],
  ["data on DISCONNECT", ["1{}"]],
  ["an acknowledgement of an object", ["31{}"]],
  ["CONNECT with an array", ["0/custom,[]"]],
  ["CONNECT with a text", ['0/custom,"str"']],
  ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map(
    (name) => [`the reserved event name ${name}`, [`2["${name}"]`]] as const
  ),
  ["an attachment that nobody announced", [bytes]],
  ["a text while an attachment is awaited", [`51-["message",${placeholder(0)}]`, '2["message","x"]']],
  ["no number of attachments", [`5-["message",${placeholder(0)}]`, bytes]],
  ["a number of attachments without dash", [`51["message",${placeholder(0)}]`, bytes]],
  ["a number of attachments that is none", [`5x-["message",${placeholder(0)}]`, bytes]],
  ["a negative number of attachments", [`5-1-["message",${placeholder(0)}]`, bytes]],
  ["a fraction of attachments", [`51.5-["message",${placeholder(0)}]`, bytes]],
  ["no attachments (50-)", ['50-["message"]']],
  ["eleven attachments", ['511-["message"]']],
  ["a billion attachments", ['51000000000-["message"]']],
  ["a placeholder beyond the attachments", [`51-["message",${placeholder(1)}]`, bytes]],
  ["a placeholder of a negative number", [`51-["message",${placeholder(-1)}]`, bytes]],
  ["a placeholder of a text", [`51-["message",${placeholder("0")}]`, bytes]],
  ["a binary event of a reserved name", ['51-["disconnect"]', bytes]],
  ["a binary acknowledgement of an object", ['61-1{"a":1}', bytes]]
]

/** After CONNECT to /: decodable, but not allowed in this state. */
const misplaced: ReadonlyArray<readonly [what: string, frames: Frames]> = [
  ["an event for a namespace that was not joined", ['2/custom,["message"]']],
  ["an event for a namespace that does not exist", ['2/random,["message"]']],
  ["an event for /__proto__", ['2/__proto__,["message"]']],
  ["an acknowledgement for a namespace that was not joined", ["3/custom,1[]"]],
  ["a binary event for a namespace that was not joined", [`51-/custom,["message",${placeholder(0)}]`, bytes]],
  ["CONNECT_ERROR", ['4{"message":"x"}']],
  ["CONNECT_ERROR for a namespace that was not joined", ['4/custom,{"message":"x"}']]
]

/** What the official decoder takes without data and then drops silently (T14). */
const withoutData: ReadonlyArray<readonly [what: string, frames: Frames]> = [
  ["an event with an id and no data", ["20"]],
  ["an event without data", ["2"]],
  ["an acknowledgement without data", ["3"]]
]

const first: ReadonlyArray<readonly [what: string, frames: Frames]> = [
  ["text that is no packet", ["abc"]],
  ["an event", ['2["message"]']],
  ["an acknowledgement", ["31[]"]],
  ["DISCONNECT", ["1"]],
  ["CONNECT_ERROR", ['4{"message":"x"}']],
  ["an attachment that nobody announced", [bytes]],
  ["CONNECT with an array", ["0[]"]],
  ["CONNECT with a text", ['0"str"']],
  ["CONNECT with JSON cut short", ['0{"a"']],
  ["CONNECT with null", ["0null"]]
]

const closedAfter = (frames: Frames) => async (given: Given) => {
  const io = await connection(given)
  const witness = await connection(given)
  await witness.join()
  const sid = await io.join()
  const custom = frames.some((frame) => typeof frame === "string" && /^\d+(\d-)?\/custom/.test(frame))
    ? undefined
    : await io.join("/custom")
  await io.send(...frames)
  await io.closed()
  assert.equal(io.engine.pending, 0, "something was answered before the close")
  for (const id of [sid, custom]) {
    if (id !== undefined)
      assert.match((await given.server.disconnectOf(id)).reason, /^(forced close|parse error|forced server close)$/)
  }
  await witness.quiet()
}

const cases: ReadonlyArray<Case<SocketServer>> = [
  ...first.map(([what, frames]) => ({
    title: `before CONNECT, ${what}: closed`,
    run: async (given: Given) => {
      const io = await connection(given)
      await io.send(...frames)
      await io.closed()
      assert.equal(io.engine.pending, 0)
    }
  })),
  ...undecodable.map(([what, frames]) => ({ title: `${what}: closed`, run: closedAfter(frames) })),
  ...misplaced.map(([what, frames]) => ({ title: `${what}: closed`, run: closedAfter(frames) })),
  ...withoutData.map(([what, frames]) => ({
    title: `${what}: closed`,
    run: closedAfter(frames),
    official: {
      because: "T14: EVENT and ACK packets decode without data and vanish",
      instead: async (given: Given) => {
        const io = await connection(given)
        await io.join()
        await io.send(...frames)
        await io.quiet()
      }
    }
  })),
  {
    title: "a space before the id: closed",
    run: closedAfter(['2 1["message-with-ack","x"]']),
    official: {
      because: "T14: a space counts as a digit of the id",
      instead: async (given) => {
        const io = await connection(given)
        await io.join()
        await io.send('2 1["message-with-ack","x"]')
        await io.expect('31["x"]')
      }
    }
  },
  {
    title: "an acknowledgement id beyond the safe integers: closed",
    run: closedAfter(['29007199254740993["message-with-ack","x"]']),
    official: {
      because: "ids are read as floating-point numbers: from 2^53 on the answer carries another id than the question",
      instead: async (given) => {
        const io = await connection(given)
        await io.join()
        await io.send('29007199254740993["message-with-ack","x"]')
        await io.expect('39007199254740992["x"]')
      }
    }
  },
  {
    title: "after 4{} the same client may connect anew",
    run: async (given) => {
      const io = await connection(given)
      await io.join()
      await io.send("2{}")
      await io.closed()
      const again = await connection(given)
      await again.join()
      await again.quiet()
    }
  },
  {
    title: "a placeholder fraction: closed",
    run: closedAfter([`51-["message",${placeholder(0.5)}]`, bytes]),
    official: {
      because: "a placeholder number is only checked to be in range: num 0.5 puts undefined, JSON's null, in its place",
      instead: async (given) => {
        const io = await connection(given)
        await io.join()
        await io.send(`51-["message",${placeholder(0.5)}]`, bytes)
        await io.expect('2["message-back",null]')
      }
    }
  },
  {
    title: "polling: an undecodable packet behind a good one: the good one was handled, the session is gone",
    run: async (given) => {
      const io = await connection(given, "polling")
      const sid = await io.join()
      await io.send('2["message","good"]', '2["bad"').catch(() => undefined)
      await io.closed()
      assert.match((await given.server.disconnectOf(sid)).reason, /^(forced close|parse error)$/)
    }
  },
  {
    title: "a namespace name of 10,000 characters: refused like any other",
    run: async (given) => {
      const io = await connection(given)
      const name = `/${"n".repeat(10_000)}`
      await io.send(`0${name},`)
      await io.expect(`4${name},{"message":"Invalid namespace"}`)
      await io.send("0")
      connected(await io.next(), "/")
    }
  }
]

/** Suites about malformed packets. */
export const malformedSuites = [socketSuite("Socket.IO malformed packets", calm, cases)]
