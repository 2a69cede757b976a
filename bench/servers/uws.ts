/**
 * µWebSockets.js without logic, as `bare.ts` for `ws`: a floor made of another library, in C++, with its own publish and subscribe. It is
 * bundled for the Node that its binary was built for; see `process/Native.ts`.
 */
import { createRequire } from "node:module"
import * as Message from "../Message.ts"
import type { Start } from "./Server.ts"

interface UwsSocket {
  send(message: string | ArrayBuffer, isBinary: boolean): unknown
  subscribe(topic: string): unknown
}

interface UwsApp {
  ws(path: string, behavior: object): UwsApp
  publish(topic: string, message: string, isBinary: boolean): unknown
  listen(host: string, port: number, done: (token: unknown) => void): UwsApp
}

interface Uws {
  App(): UwsApp
  us_socket_local_port(token: unknown): number
}

const handshake =
  '0{"sid":"AAAAAAAAAAAAAAAAAAAA","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
const connected = '40{"sid":"BBBBBBBBBBBBBBBBBBBB"}'
const everybody = "everybody"
const ackTail = `[${JSON.stringify(Message.answer)}]`

const receive = (app: UwsApp, socket: UwsSocket, data: ArrayBuffer, isBinary: boolean): void => {
  if (isBinary) return void socket.send(data, true)
  const text = Buffer.from(data).toString("latin1")
  if (text === "40") return void socket.send(connected, false)
  const id = /^42(\d+)/.exec(text)?.[1]
  if (id !== undefined) return void socket.send(`43${id}${ackTail}`, false)
  switch (text[4]) {
    case "p":
      return void app.publish(everybody, Message.news, false)
    case "r":
      return void app.publish(text.split('"', 4)[3]!, Message.news, false)
    case "j":
      return void socket.subscribe(text.split('"', 4)[3]!)
    default:
      if (text.startsWith("4")) socket.send(data, false)
  }
}

/** Starts it. */
export const start: Start = () =>
  new Promise((resolve, reject) => {
    const uws = createRequire(import.meta.url)("@trufflesuite/uws-js-unofficial") as Uws
    const app = uws.App()
    app
      .ws("/*", {
        idleTimeout: 0,
        maxPayloadLength: 1_000_000,
        // By default it drops what a slow receiver has not taken after 64 kB; the others keep it.
        maxBackpressure: 16 * 1024 * 1024,
        open(socket: UwsSocket) {
          socket.subscribe(everybody)
          socket.send(handshake, false)
        },
        message: (socket: UwsSocket, data: ArrayBuffer, isBinary: boolean) => receive(app, socket, data, isBinary)
      })
      .listen("127.0.0.1", 0, (token) => {
        if (token === false) reject(new Error("µWebSockets.js cannot listen"))
        else resolve({ port: uws.us_socket_local_port(token) })
      })
  })
