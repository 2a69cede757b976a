/** Raw Socket.IO over a raw Engine.IO session: packets as text, attachments as Buffers, helpers for what most cases begin with. */
import * as assert from "node:assert/strict"
import { type Session, session, type SessionOptions, type TransportName } from "./Engine.ts"
import type { Endpoint } from "./Http.ts"
import { within } from "./Wait.ts"

/** A Socket.IO connection. */
export interface SocketIo {
  readonly engine: Session
  /** Sends packets (text without the "4" of Engine.IO, attachments as bytes), in one go. */
  send(...packets: ReadonlyArray<string | Uint8Array>): Promise<void>
  /** The next packet: text without the "4", or an attachment. */
  next(): Promise<string | Buffer>
  /** Reads the next packets and asserts that they are these. */
  expect(...packets: ReadonlyArray<string | Uint8Array>): Promise<void>
  /** Connects to a namespace and reads the answer and the `auth` event of the program; gives the socket id. */
  join(nsp?: string, auth?: unknown): Promise<string>
  /** Sends an event with an acknowledgement and gives its arguments; the answer must be the next packet. */
  call(nsp: string, event: string, ...args: ReadonlyArray<unknown>): Promise<ReadonlyArray<unknown>>
  /** Asserts that nothing but the echo of a message in `nsp` arrives: everything sent before has had its effect. */
  quiet(nsp?: string): Promise<void>
  /** Settles when the server has ended the connection. */
  closed(): Promise<string>
  leave(): void
}

let serial = 0

/** `nsp,` or nothing for the main namespace. */
export const prefix = (nsp: string): string => (nsp === "/" ? "" : `${nsp},`)

/** Opens a connection without joining a namespace. */
export const socketIo = async (
  endpoint: Endpoint,
  transport: TransportName = "websocket",
  options: SessionOptions = {}
): Promise<SocketIo> => over(await session(endpoint, transport, options))

const over = (engine: Session): SocketIo => {
  const send: SocketIo["send"] = (...packets) =>
    engine.send(...packets.map((packet) => (typeof packet === "string" ? `4${packet}` : packet)))
  const next: SocketIo["next"] = async () => {
    const packet = await engine.next()
    if (typeof packet !== "string") return packet
    assert.ok(packet.startsWith("4"), `not a message: ${packet}`)
    return packet.slice(1)
  }
  const expect: SocketIo["expect"] = async (...packets) => {
    for (const packet of packets) {
      const actual = await next()
      assert.deepEqual(actual, typeof packet === "string" ? packet : Buffer.from(packet))
    }
  }
  return {
    engine,
    send,
    next,
    expect,
    join: async (nsp = "/", auth) => {
      await send(`0${prefix(nsp)}${auth === undefined ? "" : JSON.stringify(auth)}`)
      const { sid, rest } = connected(await next(), nsp)
      assert.deepEqual(rest, [])
      await expect(`2${prefix(nsp)}${JSON.stringify(["auth", auth ?? {}])}`)
      return sid
    },
    call: async (nsp, event, ...args) => {
      const id = ++serial
      await send(`2${prefix(nsp)}${id}${JSON.stringify([event, ...args])}`)
      const answer = await next()
      const head = `3${prefix(nsp)}${id}`
      assert.ok(typeof answer === "string" && answer.startsWith(`${head}[`), `not the ack ${head}: ${String(answer)}`)
      return JSON.parse(answer.slice(head.length)) as ReadonlyArray<unknown>
    },
    quiet: async (nsp = "/") => {
      const fence = `fence-${++serial}`
      await send(`2${prefix(nsp)}${JSON.stringify(["message", fence])}`)
      await expect(`2${prefix(nsp)}${JSON.stringify(["message-back", fence])}`)
    },
    closed: () => within(engine.ended, "the server to close the connection"),
    leave: () => engine.leave()
  }
}

/** The answer to a CONNECT: the socket id, and the names of whatever else is in it. */
export const connected = (
  packet: string | Buffer,
  nsp: string
): { readonly sid: string; readonly rest: ReadonlyArray<string> } => {
  const head = `0${prefix(nsp)}`
  assert.ok(
    typeof packet === "string" && packet.startsWith(`${head}{`),
    `not a CONNECT answer for ${nsp}: ${String(packet)}`
  )
  const { sid, ...rest } = JSON.parse(packet.slice(head.length)) as { readonly sid: unknown }
  assert.ok(typeof sid === "string", "no sid in the CONNECT answer")
  return { sid, rest: Object.keys(rest) }
}
