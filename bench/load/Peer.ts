/**
 * The server that measured clients connect to: Engine.IO and one namespace over WebSocket, cheap enough that the client is what is
 * busy. The program of the client is told what to do by its events: `news` is only received, `sync` is answered with `synced`, and on
 * `ask` the client emits that many events with an ack, 16 of them at a time, and then `asked`.
 */
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as Message from "../Message.ts"
import type { Driver } from "../Scenario.ts"
import * as Frame from "./Frame.ts"

const handshake = Frame.fromServer(
  '0{"sid":"AAAAAAAAAAAAAAAAAAAA","upgrades":[],"pingInterval":600000,"pingTimeout":600000,"maxPayload":1000000}'
)
const connected = Frame.fromServer('40{"sid":"BBBBBBBBBBBBBBBBBBBB"}')
const news = Frame.fromServer(Message.news)
const sync = Frame.fromServer('42["sync"]')
const ackTail = `[${JSON.stringify(Message.answer)}]`

/** Reads masked text frames of a trusted client; gives what is left over. */
const read = (bytes: Buffer, onText: (text: string) => void): Buffer => {
  let at = 0
  while (bytes.length - at >= 6) {
    let length = bytes[at + 1]! & 0x7f
    let start = at + 2
    if (length === 126) {
      length = bytes.readUInt16BE(start)
      start += 2
    }
    const end = start + 4 + length
    if (end > bytes.length) break
    const mask = bytes.subarray(start, start + 4)
    const payload = Buffer.from(bytes.subarray(start + 4, end))
    for (let i = 0; i < length; i++) payload[i] = payload[i]! ^ mask[i & 3]!
    if ((bytes[at]! & 0x0f) === 1) onText(payload.toString())
    at = end
  }
  return bytes.subarray(at)
}

let client: Socket | undefined
let joined: () => void = () => {}
const ready = new Promise<void>((resolve) => {
  joined = resolve
})
let onDone: () => void = () => {}

const onText = (socket: Socket, answers: Array<Buffer>, text: string): void => {
  if (text === "40") {
    answers.push(connected)
    client = socket
    joined()
  } else if (text === '42["synced"]' || text === '42["asked"]') {
    onDone()
  } else {
    const id = /^42(\d+)\["ask"/.exec(text)?.[1]
    if (id !== undefined) answers.push(Frame.fromServer(`43${id}${ackTail}`))
    else if (text !== "3") throw new Error(`unexpected packet of the client: ${text}`)
  }
}

/** Opens the port. */
export const listen = (): Promise<number> =>
  new Promise((resolve) => {
    const http = createServer()
    http.on("upgrade", (request, duplex) => {
      const socket = duplex as Socket
      const accept = createHash("sha1")
        .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest("base64")
      socket.setNoDelay(true)
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
      )
      socket.write(handshake)
      let rest: Buffer = Buffer.alloc(0)
      socket.on("data", (chunk: Buffer) => {
        const answers: Array<Buffer> = []
        rest = read(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), (text) => onText(socket, answers, text))
        for (const answer of answers) socket.write(answer)
      })
      socket.on("error", () => {})
    })
    http.listen(0, "127.0.0.1", () => resolve((http.address() as AddressInfo).port))
  })

/** How many operations a command asks of the client. */
const batch = 2000

const repeatUntil = async (milliseconds: number, command: () => void): Promise<number> => {
  const end = performance.now() + milliseconds
  let operations = 0
  do {
    await new Promise<void>((resolve) => {
      onDone = resolve
      command()
    })
    operations += batch
  } while (performance.now() < end)
  return operations
}

const driver = async (command: () => void): Promise<Driver> => {
  await ready
  return {
    warmUp: async (scale) => {
      await repeatUntil(1000 * scale, command)
    },
    measure: async (milliseconds) => ({ operations: await repeatUntil(milliseconds, command) }),
    settle: () => Promise.resolve()
  }
}

/** Sends events that the client receives, each a frame of its own. */
export const sending = (): Promise<Driver> => {
  // Eight to a segment: what a busy server writes in a turn.
  const segment = Frame.repeat(news, 8)
  return driver(() => {
    for (let i = 0; i < batch; i += 8) client!.write(segment)
    client!.write(sync)
  })
}

/** Lets the client ask. */
export const answering = (): Promise<Driver> => {
  const command = Frame.fromServer(`42["ask",${batch}]`)
  return driver(() => void client!.write(command))
}
