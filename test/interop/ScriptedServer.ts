/**
 * A server that does what a case says, packet by packet: it completes HTTP requests and WebSocket handshakes, hands out what the client
 * sends and sends what it is told to. It knows no protocol beyond that.
 */
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { WebSocketServer, type WebSocket } from "ws"
import type { Endpoint } from "../conformance/raw/Http.ts"
import { separator } from "../conformance/raw/Engine.ts"
import type { Target } from "../conformance/Target.ts"
import { Inbox, within } from "../conformance/raw/Wait.ts"

/** A request of polling that waits for its answer. */
export interface Request {
  readonly method: string
  readonly query: URLSearchParams
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
  answer(status: number, body: string): void
}

/** A WebSocket that a client opened. */
export interface Peer {
  readonly query: URLSearchParams
  readonly path: string
  /** The next frame. */
  next(): Promise<string | Buffer>
  readonly pending: number
  send(...frames: ReadonlyArray<string | Uint8Array>): void
  close(): void
  /** Settles when the WebSocket is closed. */
  readonly closed: Promise<void>
}

/** The server; requests and connections are taken one after the other. */
export interface ScriptedServer {
  readonly endpoint: Endpoint
  /** The next WebSocket. */
  accept(): Promise<Peer>
  /** The next request of polling, optionally of one method; those of the other method keep waiting. */
  request(method?: "GET" | "POST"): Promise<Request>
  stop(): Promise<void>
}

/** The open packet of a server. */
export const open = (options: Readonly<Record<string, unknown>> = {}): string =>
  `0${JSON.stringify({ sid: "scripted-session-aaa", upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000, ...options })}`

const urlOf = (request: Http.IncomingMessage): URL => new URL(request.url ?? "/", "http://localhost")

const peerOf = (socket: WebSocket, url: URL): Peer => {
  const inbox = new Inbox<string | Buffer>()
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => {
      inbox.end(new Error("the client closed the WebSocket"))
      resolve()
    })
  })
  socket.on("message", (data, isBinary) => inbox.push(isBinary ? (data as Buffer) : String(data)))
  socket.on("error", () => undefined)
  return {
    query: url.searchParams,
    path: url.pathname,
    next: () => inbox.next("a frame of the client"),
    get pending() {
      return inbox.size
    },
    send: (...frames) => {
      for (const frame of frames) socket.send(frame)
    },
    close: () => socket.close(),
    closed
  }
}

/** Starts a scripted server. */
export const scriptedServer = async (): Promise<ScriptedServer> => {
  const peers = new Inbox<Peer>()
  const requests = { GET: new Inbox<Request>(), POST: new Inbox<Request>() }
  const any = new Inbox<"GET" | "POST">()
  const http = Http.createServer((request, response) => {
    let body = ""
    request.setEncoding("utf8")
    request.on("data", (chunk) => {
      body += String(chunk)
    })
    request.on("error", () => undefined)
    response.on("error", () => undefined)
    request.on("end", () => {
      const method = request.method === "POST" ? "POST" : "GET"
      requests[method].push({
        method,
        query: urlOf(request).searchParams,
        headers: request.headers,
        body,
        answer: (status, text) => {
          response.writeHead(status, { "content-type": "text/plain; charset=UTF-8" })
          response.end(text)
        }
      })
      any.push(method)
    })
  })
  const sockets = new WebSocketServer({ noServer: true })
  http.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => peers.push(peerOf(webSocket, urlOf(request))))
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", () => resolve()))
  return {
    endpoint: { port: (http.address() as AddressInfo).port, path: "/socket.io/" },
    accept: () => peers.next("a WebSocket of the client"),
    request: async (method) => {
      if (method !== undefined) return requests[method].next(`a ${method} of the client`)
      return requests[await any.next("a request of the client")].next("a request of the client")
    },
    stop: async () => {
      for (const client of sockets.clients) client.terminate()
      http.closeAllConnections()
      await new Promise<void>((resolve) => http.close(() => resolve()))
    }
  }
}

/** A peer over WebSocket that has been sent the open packet. */
export const opened = async (
  server: ScriptedServer,
  options: Readonly<Record<string, unknown>> = {}
): Promise<Peer> => {
  const peer = await server.accept()
  peer.send(open(options))
  return peer
}

/** The packets of a polling payload. */
export const packets = (body: string): ReadonlyArray<string> => body.split(separator)

/** Settles when the client has closed the WebSocket. */
export const closing = (peer: Peer): Promise<void> => within(peer.closed, "the client to close the WebSocket")

/** The scripted server in the place of a target: suites that use it start their own. */
export const scriptedTarget: Target = {
  name: "scripted server",
  official: false,
  engine: () => Promise.reject(new Error("scripted suites start their own server")),
  socket: () => Promise.reject(new Error("scripted suites start their own server")),
  stop: async () => undefined
}
