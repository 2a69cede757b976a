/**
 * What the two `ws` servers share: the least that the generator takes for a Socket.IO server. Nothing is parsed, looked up or kept;
 * answers are cut from the request's bytes. It is the floor of what a server on `ws` can cost, not a server to use.
 */
import type { WebSocket } from "ws"
import * as Message from "../Message.ts"

/** Sends one message to one connection. */
export type Send = (socket: WebSocket, data: Buffer, isBinary: boolean) => void

const handshake = Buffer.from(
  '0{"sid":"AAAAAAAAAAAAAAAAAAAA","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
)
const connected = Buffer.from('40{"sid":"BBBBBBBBBBBBBBBBBBBB"}')
const news = Buffer.from(Message.news)
const ackTail = Buffer.from(`[${JSON.stringify(Message.answer)}]`)

const zero = 0x30
const two = 0x32
const four = 0x34
const five = 0x35
const nine = 0x39
const bracket = 0x5b
const quote = 0x22
const j = 0x6a
const p = 0x70
const r = 0x72

const rooms = new Map<string, Set<WebSocket>>()

/** The second string of `42["event","…"`. */
const nameIn = (data: Buffer): string => {
  const start = data.indexOf(quote, data.indexOf(quote, 5) + 1) + 1
  return data.toString("latin1", start, data.indexOf(quote, start))
}

/** Serves a new connection; `all` are the open ones. */
export const serve = (socket: WebSocket, all: ReadonlySet<WebSocket>, send: Send): void => {
  socket.on("error", () => {})
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    if (isBinary) return send(socket, data, true)
    if (data[0] !== four) return
    if (data[1] === zero) return send(socket, connected, false)
    if (data[1] === five) return send(socket, data, false)
    if (data[1] !== two) return
    if (data[2]! >= zero && data[2]! <= nine) {
      const reply = Buffer.concat([data.subarray(0, data.indexOf(bracket)), ackTail])
      reply[1] = 0x33
      return send(socket, reply, false)
    }
    // The first letter of the event.
    switch (data[4]) {
      case p:
        for (const each of all) send(each, news, false)
        break
      case r:
        for (const each of rooms.get(nameIn(data)) ?? []) send(each, news, false)
        break
      case j: {
        const name = nameIn(data)
        const room = rooms.get(name)
        if (room === undefined) rooms.set(name, new Set([socket]))
        else room.add(socket)
        break
      }
      default:
        send(socket, data, false)
    }
  })
  send(socket, handshake, false)
}
