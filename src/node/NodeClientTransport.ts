/**
 * The client's platform on Node: `node:http(s)` with keep-alive connections, `ws`, TLS options, request headers and cookies.
 *
 * It is what `#client-platform` means under the "node" condition; browsers get `transport/BrowserPlatform` in its place.
 */
import * as http from "node:http"
import * as https from "node:https"
import type { Socket } from "node:net"
import { type RawData, WebSocket } from "ws"
import * as Group from "../protocol/FrameGroup.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import type {
  ClientPlatform,
  ClientWebSocket,
  ClientWebSocketHandlers,
  HttpRequest,
  HttpResult,
  PlatformOptions,
  WebSocketRequest
} from "../transport/ClientPlatform.ts"
import { CookieJar } from "./CookieJar.ts"
import * as MaskedFrame from "./MaskedFrame.ts"
import * as WebSocketFrame from "./WebSocketFrame.ts"

/** The most bytes that one answer of a server may have. */
export const maxAnswer = 100 * 1024 * 1024

/** Milliseconds after which the last request of a connection is given up, so that it cannot keep the process alive. */
export const farewellTimeout = 5000

/** The connections of one platform, made when they are first needed. */
class Agents {
  #plain: http.Agent | undefined = undefined
  #secure: https.Agent | undefined = undefined
  readonly #options: PlatformOptions

  constructor(options: PlatformOptions) {
    this.#options = options
  }

  of(secure: boolean): http.Agent {
    if (this.#options.agent instanceof http.Agent) return this.#options.agent
    if (secure) return (this.#secure ??= new https.Agent({ keepAlive: true }))
    return (this.#plain ??= new http.Agent({ keepAlive: true }))
  }
}

/** What `tls.connect` takes of the options; absent ones are left out, since `undefined` would replace defaults there. */
const tlsOptions = (options: PlatformOptions): object => {
  const names = [
    "pfx",
    "key",
    "passphrase",
    "cert",
    "ca",
    "ciphers",
    "rejectUnauthorized",
    "localAddress",
    "family"
  ] as const
  const entries = names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const]))
  return Object.fromEntries(entries)
}

/** Which of the options one connection uses. */
interface Connection {
  readonly options: PlatformOptions
  readonly agents: Agents
  readonly tls: object
  readonly cookies: CookieJar
}

const headersWith = (
  cookies: CookieJar,
  headers: Readonly<Record<string, string>>,
  withCredentials: boolean
): Record<string, string> => {
  const cookie = withCredentials ? cookies.header() : undefined
  if (cookie === undefined) return { ...headers }
  const name = Object.keys(headers).find((name) => name.toLowerCase() === "cookie")
  const given = name === undefined ? undefined : headers[name]
  return { ...headers, [name ?? "cookie"]: given === undefined ? cookie : `${given}; ${cookie}` }
}

/** A connection that the server closed while the request was on its way to it: nothing was processed. */
const isStale = (request: http.ClientRequest, error: Error): boolean =>
  request.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET"

const sendRequest = (
  { options, agents, tls, cookies }: Connection,
  request: HttpRequest,
  done: (result: HttpResult) => void
): (() => void) => {
  const secure = request.url.startsWith("https:")
  let finished = false
  let farewell: NodeJS.Timeout | undefined
  let current: http.ClientRequest | undefined
  const finish = (result: HttpResult): void => {
    if (finished) return
    finished = true
    clearTimeout(farewell)
    done(result)
  }

  const answered = (response: http.IncomingMessage): void => {
    if (request.withCredentials) cookies.store(response.headers["set-cookie"])
    const chunks: Array<Buffer> = []
    let size = 0
    response.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size > maxAnswer) response.destroy(new Error("the answer is too large"))
      else chunks.push(chunk)
    })
    response.on("end", () => {
      const body = (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString("utf8")
      finish({ _tag: "Answer", status: response.statusCode ?? 0, body })
    })
    response.on("error", (cause) => finish({ _tag: "NoAnswer", cause }))
    response.on("close", () => finish({ _tag: "NoAnswer", cause: new Error("the answer was cut off") }))
  }

  const start = (mayRepeat: boolean): void => {
    const headers = headersWith(cookies, { Accept: "*/*", ...request.headers }, request.withCredentials)
    const client = (secure ? https : http).request(
      request.url,
      { method: request.method, headers, agent: agents.of(secure), ...tls },
      answered
    )
    current = client
    client.on("error", (cause) => {
      if (finished) return
      if (mayRepeat && request.method === "GET" && isStale(client, cause)) start(false)
      else finish({ _tag: "NoAnswer", cause })
    })
    if (options.autoUnref === true) client.on("socket", (socket) => socket.unref())
    client.end(request.body)
  }

  try {
    start(true)
  } catch (cause) {
    // A header that HTTP does not allow, a URL that is none.
    queueMicrotask(() => finish({ _tag: "NoAnswer", cause }))
  }
  if (request.farewell === true) farewell = setTimeout(() => current?.destroy(), farewellTimeout)
  return () => {
    finished = true
    clearTimeout(farewell)
    current?.destroy()
  }
}

const toFrame = (data: RawData, isBinary: boolean): Frame => {
  const buffer = Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? Buffer.from(data) : data
  return isBinary ? buffer : buffer.toString("utf8")
}

/**
 * A WebSocket on `ws`. What is sent is framed here and written straight to the TCP socket, one write for all messages of a turn; `ws`
 * sends what is to be compressed.
 */
class NodeWebSocket implements ClientWebSocket {
  readonly #socket: WebSocket
  #tcp: Socket | undefined = undefined
  #compressFrom = Number.POSITIVE_INFINITY
  #cause: unknown = undefined

  /** `threshold`: messages of so many bytes are compressed where the server agreed to that. */
  constructor(socket: WebSocket, handlers: ClientWebSocketHandlers, unref: boolean, threshold: number) {
    this.#socket = socket
    socket.on("upgrade", (response) => {
      this.#tcp = response.socket
      if (unref) response.socket.unref()
    })
    socket.on("open", () => {
      if (socket.extensions !== "") this.#compressFrom = threshold
      handlers.onOpen()
    })
    socket.on("message", (data, isBinary) => handlers.onFrame(toFrame(data, isBinary)))
    socket.on("error", (error) => {
      this.#cause = error
    })
    socket.on("close", (code, reason) => handlers.onClose(code, reason.toString("utf8"), this.#cause))
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
  }

  send(frame: Frame): void {
    this.sendGroups([Group.make(frame)], undefined)
  }

  sendGroups(groups: ReadonlyArray<FrameGroup>, uncompressed: ReadonlySet<FrameGroup> | undefined): void {
    const tcp = this.#tcp
    if (tcp === undefined || this.#socket.readyState !== WebSocket.OPEN) return
    if (this.#compresses(tcp, groups)) this.#sendThroughWs(tcp, groups, uncompressed)
    else tcp.write(MaskedFrame.encode(groups))
  }

  /** Whether `ws` must send these: it compresses one of them, or is still at it with earlier ones, which nothing may overtake. */
  #compresses(tcp: Socket, groups: ReadonlyArray<FrameGroup>): boolean {
    if (this.#compressFrom === Number.POSITIVE_INFINITY) return false
    if (this.#socket.bufferedAmount > tcp.writableLength) return true
    return groups.some((group) => WebSocketFrame.sizeOf(group) >= this.#compressFrom)
  }

  #sendThroughWs(
    tcp: Socket,
    groups: ReadonlyArray<FrameGroup>,
    uncompressed: ReadonlySet<FrameGroup> | undefined
  ): void {
    tcp.cork()
    for (const group of groups) {
      const options = { compress: uncompressed === undefined || !uncompressed.has(group) }
      this.#socket.send(group.head, options)
      if (group.attachments === undefined) continue
      for (const attachment of group.attachments) this.#socket.send(attachment, options)
    }
    tcp.uncork()
  }

  close(): void {
    this.#socket.close()
  }
}

/** The bytes from which on messages are compressed; `undefined` where they never are. */
const thresholdOf = ({ perMessageDeflate: deflate }: PlatformOptions): number | undefined => {
  if (deflate === false) return undefined
  return typeof deflate === "object" ? (deflate.threshold ?? 1024) : 1024
}

const open = (
  { options, agents, tls, cookies }: Connection,
  request: WebSocketRequest,
  handlers: ClientWebSocketHandlers
): ClientWebSocket => {
  const threshold = thresholdOf(options)
  try {
    const socket = new WebSocket(request.url, [...request.protocols], {
      ...tls,
      // An agent of the program may be a proxy; one's own would keep no connection of a WebSocket anyway.
      ...(options.agent instanceof http.Agent && { agent: agents.of(request.url.startsWith("wss:")) }),
      headers: headersWith(cookies, request.headers, request.withCredentials),
      perMessageDeflate: threshold !== undefined && { threshold },
      maxPayload: maxAnswer
    })
    return new NodeWebSocket(socket, handlers, options.autoUnref === true, threshold ?? Number.POSITIVE_INFINITY)
  } catch (cause) {
    queueMicrotask(() => handlers.onClose(1006, "", cause))
    return { send() {}, bufferedAmount: 0, close() {} }
  }
}

const over = (connection: Connection): ClientPlatform => ({
  name: "node",
  request: (request, done) => sendRequest(connection, request, done),
  openWebSocket: (request, handlers) => open(connection, request, handlers),
  connection: () => over({ ...connection, cookies: new CookieJar() })
})

/** A platform with these options. Each Engine.IO connection has cookies of its own, used when it is made `withCredentials`. */
export const make = (options: PlatformOptions = {}): ClientPlatform =>
  over({ options, agents: new Agents(options), tls: tlsOptions(options), cookies: new CookieJar() })
