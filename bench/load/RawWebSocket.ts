/**
 * A WebSocket client over a bare TCP socket, as small as it can be: it reads frames in place, does not copy payloads, and leaves
 * masking and batching to the caller. It trusts the server and is for this benchmark only.
 */
import * as Net from "node:net"

/** One open connection. The two callbacks are replaced by whoever uses it. */
export interface RawWebSocket {
  /** Writes ready-made frames. */
  readonly write: (frames: Uint8Array) => void
  /** One text message: bytes `start` to `end` of a buffer that is reused after the call. */
  onText: (buffer: Buffer, start: number, end: number) => void
  /** One binary message, in the same way. */
  onBinary: (buffer: Buffer, start: number, end: number) => void
  /** The end of what one read of the TCP socket brought. */
  onTurn: () => void
  /** Closes the TCP connection without a closing handshake, as a lost client does. */
  readonly destroy: () => void
}

// Node fills it, calls back and only then reads another socket, so one buffer serves all connections.
const shared = Buffer.allocUnsafe(256 * 1024)

const headerEnd = Buffer.from("\r\n\r\n")

const nothing = () => {}

/** Connects and upgrades. Rejects when the server refuses; a connection lost later ends the process, as its numbers would be wrong. */
export const open = (port: number, path: string): Promise<RawWebSocket> =>
  new Promise((resolve, reject) => {
    let upgraded = false
    let closing = false
    let carried: Buffer | undefined

    const connection: RawWebSocket = {
      write: (frames) => void socket.write(frames),
      onText: nothing,
      onBinary: nothing,
      onTurn: nothing,
      destroy: () => {
        closing = true
        socket.destroy()
      }
    }

    // Returns where the first incomplete frame starts.
    const frames = (buffer: Buffer, from: number, to: number): number => {
      let at = from
      while (to - at >= 2) {
        let length = buffer[at + 1]!
        let start = at + 2
        if (length === 126) {
          if (to - at < 4) return at
          length = buffer.readUInt16BE(start)
          start += 2
        } else if (length === 127) {
          if (to - at < 10) return at
          length = buffer.readUInt32BE(start + 4)
          start += 8
        }
        const end = start + length
        if (end > to) return at
        const opcode = buffer[at]! & 0x0f
        if (opcode === 1) connection.onText(buffer, start, end)
        else if (opcode === 2) connection.onBinary(buffer, start, end)
        else if (opcode === 8)
          throw new Error(`the server closed with ${length >= 2 ? buffer.readUInt16BE(start) : "no code"}`)
        at = end
      }
      return at
    }

    const receive = (chunk: Buffer) => {
      const buffer = carried === undefined ? chunk : Buffer.concat([carried, chunk])
      carried = undefined
      let at = 0
      if (!upgraded) {
        const end = buffer.indexOf(headerEnd)
        if (end >= 0) {
          if (!buffer.toString("latin1", 0, 12).startsWith("HTTP/1.1 101")) {
            closing = true
            socket.destroy()
            return reject(new Error(`no upgrade: ${buffer.toString("latin1", 0, end)}`))
          }
          upgraded = true
          at = end + 4
          resolve(connection)
          // The promise's continuation sets the callbacks; what came with the answer waits until then.
          if (at < buffer.length) {
            const rest = Buffer.from(buffer.subarray(at))
            queueMicrotask(() => queueMicrotask(() => receive(rest)))
          }
          return
        }
      } else {
        at = frames(buffer, 0, buffer.length)
      }
      if (at < buffer.length) carried = Buffer.from(buffer.subarray(at))
      if (upgraded) connection.onTurn()
    }

    const socket = Net.connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length) => {
          receive(shared.subarray(0, length))
          return true
        }
      }
    })
    socket.on("connect", () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZWZmZWN0LXNvY2tldGlvLg==\r\n" +
          "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
      )
    })
    socket.on("error", nothing)
    socket.on("close", () => {
      if (closing) return
      const lost = new Error("the server dropped a connection")
      if (!upgraded) return reject(lost)
      throw lost
    })
  })
