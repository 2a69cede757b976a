/**
 * Requests and upgrades of µWebSockets.js as the engine wants them.
 */
import { EventEmitter } from "node:events"
import { type IncomingMessage, STATUS_CODES } from "node:http"
import type { EngineBody, EngineRequest, EngineResponse, Exchange, UpgradeExchange } from "../engine/EngineRequest.ts"
import type { WebSocketLike } from "../engine/WebSocketLike.ts"
import { encodeContent, NodeRequest } from "./NodeExchange.ts"
import type { UwsRequest, UwsResponse } from "./Uws.ts"
import { UwsWebSocket } from "./UwsWebSocket.ts"

/** What programs ask of the connection of a request; "close" when it has ended. */
class UwsConnection extends EventEmitter {
  readonly remoteAddress: string
  readonly encrypted: boolean

  constructor(remoteAddress: string, encrypted: boolean) {
    super()
    this.remoteAddress = remoteAddress
    this.encrypted = encrypted
  }
}

/** A copy of a request, in the shape of Node's: what middleware, hooks and `socket.request` read. It is no stream. */
export class UwsIncoming extends EventEmitter {
  readonly httpVersion = "1.1"
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly socket: UwsConnection
  readonly connection: UwsConnection

  constructor(request: UwsRequest, response: UwsResponse, encrypted: boolean) {
    super()
    const query = request.getQuery()
    this.method = request.getMethod().toUpperCase()
    this.url = query === "" ? request.getUrl() : `${request.getUrl()}?${query}`
    const headers: Array<[string, string]> = []
    request.forEach((key, value) => headers.push([key, value]))
    this.headers = Object.fromEntries(headers)
    this.socket = new UwsConnection(Buffer.from(response.getRemoteAddressAsText()).toString(), encrypted)
    this.connection = this.socket
  }

  get asIncomingMessage(): IncomingMessage {
    return this as unknown as IncomingMessage
  }
}

/** Counts the bytes of a body as they arrive, and keeps them until somebody wants them. µWebSockets.js throws away what nobody reads at once. */
class Body {
  private readonly limit: number
  private chunks: Array<Buffer> = []
  private size = 0
  private result: EngineBody | undefined = undefined
  private waiting: ((body: EngineBody) => void) | undefined = undefined

  constructor(response: UwsResponse, announced: number, limit: number) {
    this.limit = limit
    if (announced > limit) this.settle({ _tag: "TooLarge", size: announced })
    response.onData((chunk, isLast) => this.add(chunk, isLast))
  }

  private add(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.result !== undefined) return
    this.size += chunk.byteLength
    if (this.size > this.limit) return this.settle({ _tag: "TooLarge", size: this.size })
    // The memory is taken back when this returns.
    this.chunks.push(Buffer.from(chunk.slice(0)))
    if (isLast) this.settle({ _tag: "Body", text: Buffer.concat(this.chunks).toString() })
  }

  settle(result: EngineBody): void {
    if (this.result !== undefined) return
    this.result = result
    this.chunks = []
    this.waiting?.(result)
  }

  read(done: (body: EngineBody) => void): void {
    if (this.result === undefined) this.waiting = done
    else done(this.result)
  }
}

/** A request of µWebSockets.js. */
export class UwsExchange implements Exchange {
  readonly request: EngineRequest
  readonly incoming: UwsIncoming
  private readonly response: UwsResponse
  private aborted = false
  private readonly body: Body | undefined
  private readonly threshold: number
  private readonly limit: number
  private responded = false
  private abortListener: (() => void) | undefined = undefined

  /** `threshold` in bytes, from which on answers are compressed; `limit` of bodies, in bytes. */
  constructor(response: UwsResponse, incoming: UwsIncoming, threshold: number, limit: number) {
    this.response = response
    this.incoming = incoming
    this.threshold = threshold
    this.limit = limit
    this.request = new NodeRequest(incoming.asIncomingMessage)
    response.onAborted(() => this.abort())
    if (incoming.method === "POST") {
      this.body = new Body(response, Number(incoming.headers["content-length"]), limit)
    }
  }

  private abort(): void {
    this.aborted = true
    this.body?.settle({ _tag: "Aborted" })
    this.incoming.socket.emit("close")
    if (!this.responded) this.abortListener?.()
  }

  readBody(maxBytes: number, done: (body: EngineBody) => void): void {
    if (this.body === undefined) return done({ _tag: "Body", text: "" })
    this.body.read((body) => {
      const size = body._tag === "Body" && maxBytes < this.limit ? Buffer.byteLength(body.text) : 0
      done(size > maxBytes ? { _tag: "TooLarge", size } : body)
    })
  }

  respond(response: EngineResponse, compress: boolean): void {
    if (this.responded) return
    this.responded = true
    encodeContent(response, this.request.headers, compress ? this.threshold : Number.POSITIVE_INFINITY, (encoded) =>
      this.write(encoded)
    )
  }

  private write({ body, headers, status }: EngineResponse): void {
    if (this.aborted) return
    const { response } = this
    response.cork(() => {
      response.writeStatus(`${status} ${STATUS_CODES[status] ?? ""}`)
      const closes = writeHeaders(response, headers)
      if (status === 204 || status === 304) response.endWithoutBody(undefined, closes)
      else response.end(body, closes)
    })
  }

  onAbort(listener: () => void): void {
    if (this.aborted) listener()
    else this.abortListener = listener
  }
}

/** Writes all but what µWebSockets.js writes by itself; tells whether the connection is to be closed. */
const writeHeaders = (response: UwsResponse, headers: EngineResponse["headers"]): boolean => {
  let closes = false
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (lower === "connection") closes = value === "close"
    if (lower === "connection" || lower === "content-length") continue
    for (const item of typeof value === "string" ? [value] : value) {
      response.writeHeader(name, item.replace(/[\r\n]+/g, " "))
    }
  }
  return closes
}

/** What a WebSocket of µWebSockets.js carries from its upgrade on. */
export interface UwsUserData {
  readonly socket: UwsWebSocket
  readonly incoming: UwsIncoming
  readonly ready: (socket: WebSocketLike) => void
}

/** An upgrade request of µWebSockets.js. */
export class UwsUpgradeExchange implements UpgradeExchange {
  readonly incoming: UwsIncoming
  private readonly exchange: UwsExchange
  private readonly response: UwsResponse
  private readonly context: unknown
  private readonly handshake: readonly [key: string, protocol: string, extensions: string]
  private aborted = false

  constructor(response: UwsResponse, request: UwsRequest, incoming: UwsIncoming, context: unknown) {
    this.response = response
    this.incoming = incoming
    this.context = context
    this.handshake = [
      request.getHeader("sec-websocket-key"),
      request.getHeader("sec-websocket-protocol"),
      request.getHeader("sec-websocket-extensions")
    ]
    this.exchange = new UwsExchange(response, incoming, Number.POSITIVE_INFINITY, 0)
    this.exchange.onAbort(() => {
      this.aborted = true
    })
  }

  get request(): EngineRequest {
    return this.exchange.request
  }

  accept(headers: EngineResponse["headers"], ready: (socket: WebSocketLike) => void): void {
    if (this.aborted) return
    const { context, handshake, incoming, response } = this
    const userData: UwsUserData = { socket: new UwsWebSocket(), incoming, ready }
    // Corked, the answer and the first message leave in one write.
    response.cork(() => {
      response.writeStatus("101 Switching Protocols")
      writeHeaders(response, headers)
      response.upgrade(userData, ...handshake, context)
    })
  }

  reject(response: EngineResponse): void {
    this.exchange.respond({ ...response, headers: { ...response.headers, Connection: "close" } }, false)
  }
}
