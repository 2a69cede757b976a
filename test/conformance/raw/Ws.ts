/** WebSocket connections as the suites need them: frames in order, close codes, refusals as values. */
import { WebSocket } from "ws"
import { type Endpoint, type Query, target } from "./Http.ts"
import { Inbox, within } from "./Wait.ts"

/** How a WebSocket ended: the code of the close frame that was received, 1005 for one without code, 1006 for none at all. */
export interface Closed {
  readonly code: number
  readonly reason: string
}

/** An HTTP answer instead of the upgrade, or none (`status` 0). */
export interface Refused {
  readonly _tag: "Refused"
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
}

/** An open WebSocket. */
export interface Ws {
  readonly _tag: "Ws"
  readonly socket: WebSocket
  readonly inbox: Inbox<string | Buffer>
  readonly closed: Promise<Closed>
  send(frame: string | Uint8Array): void
  /** The next frame: text as string, binary as Buffer. */
  next(): Promise<string | Buffer>
  /** Cuts the TCP connection without a close frame. */
  cut(): void
}

/** Tries to open a WebSocket; `deflate` offers compression of messages. */
export const attempt = (endpoint: Endpoint, query: Query, path?: string, deflate = false): Promise<Ws | Refused> =>
  within(
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${endpoint.port}${target(endpoint, query, path)}`, {
        perMessageDeflate: deflate
      })
      const inbox = new Inbox<string | Buffer>()
      const closed = new Promise<Closed>((resolve) => {
        socket.on("close", (code, reason) => {
          inbox.end(new Error(`WebSocket closed with ${code}`))
          resolve({ code, reason: reason.toString() })
        })
      })
      // Attached before the handshake ends: the server may send its first frame in the same packet as the 101.
      socket.on("message", (data, isBinary) => inbox.push(isBinary ? (data as Buffer) : data.toString()))
      socket.on("error", () => resolve({ _tag: "Refused", status: 0, body: "", headers: {} }))
      socket.on("unexpected-response", (request, response) => {
        let body = ""
        const done = () =>
          resolve({ _tag: "Refused", status: response.statusCode ?? 0, body, headers: response.headers })
        response.on("data", (chunk) => {
          body += String(chunk)
        })
        response.on("error", done)
        response.on("close", () => {
          done()
          request.destroy()
        })
      })
      socket.on("open", () =>
        resolve({
          _tag: "Ws",
          socket,
          inbox,
          closed,
          send: (frame) => socket.send(frame),
          next: () => inbox.next("a WebSocket frame"),
          cut: () => socket.terminate()
        })
      )
    }),
    "a WebSocket to open"
  )

/** Opens a WebSocket, or fails. */
export const open = async (endpoint: Endpoint, query: Query, deflate = false): Promise<Ws> => {
  const opened = await attempt(endpoint, query, undefined, deflate)
  if (opened._tag === "Refused") throw new Error(`WebSocket refused with ${opened.status} ${opened.body}`)
  return opened
}

/** How the connection ended, within the usual deadline. */
export const closing = (ws: Ws): Promise<Closed> => within(ws.closed, "the WebSocket to close")

/**
 * The upgrade attempt ended without a usable connection: an HTTP refusal, or a WebSocket that the server closed without a
 * single frame. Engine.IO's protocol leaves that choice to the server.
 */
export const neverUsable = async (attempted: Ws | Refused): Promise<boolean> => {
  if (attempted._tag === "Refused") return true
  await closing(attempted)
  return attempted.inbox.size === 0
}
