/**
 * What the two `ws` servers share: the least that the generator takes for a Socket.IO server. Nothing is parsed, looked up or kept;
 * answers are cut from the request's bytes. It is the floor of what a server on `ws` can cost, not a server to use.
 */
import type { WebSocket } from "ws"
import * as Message from "../Message.ts"

/** Sends one text message to one connection. */
export type Send = (socket: WebSocket, text: Buffer) => void

const handshake = Buffer.from(
  '0{"sid":"AAAAAAAAAAAAAAAAAAAA","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
)
const connected = Buffer.from('40{"sid":"BBBBBBBBBBBBBBBBBBBB"}')
const news = Buffer.from(Message.news)
const ackTail = Buffer.from(`[${JSON.stringify(Message.answer)}]`)

const zero = 0x30
const two = 0x32
const four = 0x34
const nine = 0x39
const bracket = 0x5b
const p = 0x70

/** Serves a new connection; `all` are the open ones. */
export const serve = (socket: WebSocket, all: ReadonlySet<WebSocket>, send: Send): void => {
  socket.on("error", () => {})
  socket.on("message", (data: Buffer) => {
    if (data[0] !== four) return
    if (data[1] === zero) return send(socket, connected)
    if (data[1] !== two) return
    if (data[2]! >= zero && data[2]! <= nine) {
      const reply = Buffer.concat([data.subarray(0, data.indexOf(bracket)), ackTail])
      reply[1] = 0x33
      return send(socket, reply)
    }
    // `42["publish"…` against `42["echo"…`.
    if (data[4] === p) {
      for (const each of all) send(each, news)
    } else {
      send(socket, data)
    }
  })
  send(socket, handshake)
}
