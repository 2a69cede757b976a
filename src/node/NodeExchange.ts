/**
 * `node:http` requests and upgrades as the engine wants them.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import { deflate, gzip } from "node:zlib"
import type {
  EngineBody,
  EngineRequest,
  EngineResponse,
  Exchange,
  Headers,
  UpgradeExchange
} from "../engine/EngineRequest.ts"
import * as ContentEncoding from "./ContentEncoding.ts"
import type { NodeWebSocketServer } from "./NodeWebSocket.ts"

/** When answers are compressed: from `threshold` bytes on, where the client takes gzip or deflate. */
export interface HttpCompressionOptions {
  /** Bytes. Default 1024. */
  readonly threshold?: number | undefined
}

/** The head of a request of `node:http`. */
export class NodeRequest implements EngineRequest {
  readonly raw: IncomingMessage
  readonly method: string
  readonly url: string

  constructor(raw: IncomingMessage) {
    this.raw = raw
    this.method = raw.method ?? "GET"
    this.url = raw.url ?? "/"
  }

  get headers(): Headers {
    return this.raw.headers
  }

  get remoteAddress(): string | undefined {
    return this.raw.socket.remoteAddress
  }

  get secure(): boolean {
    return "encrypted" in this.raw.socket && this.raw.socket.encrypted === true
  }
}

/** A request of `node:http`. */
class NodeExchange implements Exchange {
  readonly request: EngineRequest
  private readonly raw: IncomingMessage
  private readonly response: ServerResponse
  private readonly threshold: number
  private responded = false

  constructor(raw: IncomingMessage, response: ServerResponse, threshold: number) {
    this.raw = raw
    this.response = response
    this.threshold = threshold
    this.request = new NodeRequest(raw)
  }

  readBody(maxBytes: number, done: (body: EngineBody) => void): void {
    readBody(this.raw, maxBytes, done)
  }

  respond(response: EngineResponse, compress: boolean): void {
    if (this.responded) return
    this.responded = true
    encodeContent(response, this.request.headers, compress ? this.threshold : Number.POSITIVE_INFINITY, (encoded) =>
      this.write(encoded)
    )
  }

  private write(response: EngineResponse): void {
    const out = this.response
    const { body } = response
    if (out.headersSent || out.destroyed) return
    if (this.writePlainHead(response)) {
      out.end(body)
      return
    }
    for (const [name, value] of Object.entries(response.headers)) {
      try {
        const given = typeof value === "string" ? value : [...value]
        // Middleware has cookies of its own.
        if (name.toLowerCase() === "set-cookie") out.appendHeader(name, given)
        else out.setHeader(name, given)
      } catch {
        // A name or value that HTTP does not allow, from a hook: the answer matters more.
      }
    }
    out.setHeader("Content-Length", body === undefined ? 0 : Buffer.byteLength(body))
    out.writeHead(response.status)
    out.end(body)
  }

  /** The head in one piece, where middleware has set nothing that it would have to be joined with; false where that cannot be. */
  private writePlainHead({ status, headers, body }: EngineResponse): boolean {
    const out = this.response
    if (out.getHeaderNames().length > 0) return false
    const all: Record<string, string | Array<string> | number> = {}
    for (const [name, value] of Object.entries(headers)) {
      if (name.toLowerCase() === "content-length") return false
      all[name] = typeof value === "string" ? value : [...value]
    }
    all["Content-Length"] = body === undefined ? 0 : Buffer.byteLength(body)
    try {
      out.writeHead(status, all)
      return true
    } catch {
      // A name or value that HTTP does not allow: one by one it is found out which.
      return false
    }
  }

  onAbort(listener: () => void): void {
    if (this.response.destroyed) return listener()
    this.response.once("close", () => {
      if (!this.responded) listener()
    })
  }
}

/**
 * Reads a body as UTF-8, counting bytes as they arrive. What comes after it was found too large is thrown away, not refused: a
 * connection that is closed while its peer is still writing loses the answer.
 */
export const readBody = (raw: IncomingMessage, maxBytes: number, done: (body: EngineBody) => void): void => {
  const announced = Number(raw.headers["content-length"])
  if (announced > maxBytes) return done({ _tag: "TooLarge", size: announced })
  if (raw.destroyed && !raw.readableEnded) return done({ _tag: "Aborted" })
  const chunks: Array<Buffer> = []
  let size = 0
  const finish = (body: EngineBody): void => {
    raw.off("data", onData)
    raw.off("end", onEnd)
    raw.off("close", onClose)
    done(body)
  }
  const onData = (chunk: Buffer): void => {
    size += chunk.byteLength
    if (size <= maxBytes) {
      chunks.push(chunk)
      return
    }
    finish({ _tag: "TooLarge", size })
    raw.resume()
  }
  const onEnd = (): void => {
    const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
    finish({ _tag: "Body", text: bytes.toString() })
  }
  const onClose = (): void => finish({ _tag: "Aborted" })
  raw.on("data", onData)
  raw.on("end", onEnd)
  raw.on("close", onClose)
}

const encodings = ["gzip", "deflate"] as const

/** Compresses an answer of at least `threshold` bytes where the client takes it; `done` is called at once where nothing is to do. */
export const encodeContent = (
  response: EngineResponse,
  requestHeaders: Headers,
  threshold: number,
  done: (response: EngineResponse) => void
): void => {
  const { body } = response
  // Text has at least as many bytes as units, and exactly as many where it is ASCII.
  if (body === undefined || body.length < threshold) return done(response)
  const encoding = ContentEncoding.preferred(requestHeaders["accept-encoding"], encodings)
  if (encoding === undefined) return done(response)
  const compress = encoding === "gzip" ? gzip : deflate
  compress(typeof body === "string" ? Buffer.from(body) : body, (error, compressed) => {
    if (error !== null) return done(response)
    done({ ...response, headers: { ...response.headers, "Content-Encoding": encoding }, body: compressed })
  })
}

/** The exchange of a request. `threshold` in bytes, `Infinity` for no compression. */
export const make = (request: IncomingMessage, response: ServerResponse, threshold: number): Exchange =>
  new NodeExchange(request, response, threshold)

/** The exchange of an upgrade request. */
export const makeUpgrade = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  server: NodeWebSocketServer
): UpgradeExchange => {
  // Node has taken its own listener away; between now and the WebSocket nobody else hears of a reset.
  const onError = (): void => {
    socket.destroy()
  }
  socket.on("error", onError)
  return {
    request: new NodeRequest(request),
    accept(headers, ready) {
      server.upgrade(request, socket, head, headers, (webSocket) => {
        socket.off("error", onError)
        ready(webSocket)
      })
    },
    reject(response) {
      rejectUpgrade(socket, response)
    }
  }
}

/** Answers an upgrade request with plain HTTP and closes the connection. */
export const rejectUpgrade = (socket: Duplex, response: EngineResponse): void => {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = Buffer.from(response.body ?? "")
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`]
  for (const [name, value] of Object.entries(response.headers)) {
    if (name.toLowerCase() === "connection") continue
    for (const item of typeof value === "string" ? [value] : value)
      lines.push(`${name}: ${item.replace(/[\r\n]+/g, " ")}`)
  }
  lines.push("Connection: close", `Content-Length: ${body.byteLength}`, "", "")
  socket.once("finish", () => socket.destroy())
  socket.write(lines.join("\r\n"))
  socket.end(body)
}
