/**
 * The client's side of the in-memory network: requests and WebSockets as a `ClientPlatform`.
 */
import type { EngineResponse } from "../engine/EngineRequest.ts"
import { byteLength } from "../protocol/Utf8.ts"
import type { Deadlines } from "../runtime/Deadlines.ts"
import type { Turn } from "../runtime/Turn.ts"
import type {
  ClientPlatform,
  ClientWebSocket,
  ClientWebSocketHandlers,
  HttpRequest,
  HttpResult,
  WebSocketRequest
} from "../transport/ClientPlatform.ts"
import type { Parties } from "./Faults.ts"
import { later, type MemoryLink } from "./MemoryLink.ts"
import { type ArrivingRequest, MemoryExchange, MemoryUpgrade, type Mount, sizeOfResponse } from "./MemoryServer.ts"
import { makePair, type WebSocketPair } from "./MemoryWebSocket.ts"

/** What the network counts. */
export interface Counters {
  requests: number
  webSockets: number
  refused: number
  reset: number
  parcels: number
  bytes: number
}

/** What clients need of the network. */
export interface ClientWorld {
  readonly turn: Turn
  readonly deadlines: Deadlines
  readonly counters: Counters
  /** A connection, unless it is refused at once. */
  connect(parties: Parties): MemoryLink | undefined
  /** Whether anything listens under a host name. */
  isListening(server: string): boolean
  /** What listens there for a path. */
  mountFor(server: string, url: string): Mount | undefined
}

/** Heads of HTTP messages are not counted as bytes. */
const headSize = 0

const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code })

const refusal = (server: string): Error => failure("ECONNREFUSED", `connect ECONNREFUSED ${server}`)

/** How a connection ends that is broken. */
export const brokenPipe = (): Error => failure("ECONNRESET", "socket hang up")

interface Target {
  readonly host: string
  readonly path: string
  readonly secure: boolean
}

/** Host, path with query, and security of a URL; undefined for one that is none. */
const parseUrl = (url: string): Target | undefined => {
  if (!URL.canParse(url)) return undefined
  const { host, pathname, protocol, search } = new URL(url)
  return { host, path: pathname + search, secure: protocol === "https:" || protocol === "wss:" }
}

const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const bodyText = (response: EngineResponse): string =>
  typeof response.body === "string" ? response.body : new TextDecoder().decode(response.body)

const arriving = (method: string, target: Target, headers: Readonly<Record<string, string>>): ArrivingRequest => ({
  method,
  url: target.path,
  headers: { host: target.host, ...lowerCase(headers) },
  secure: target.secure
})

const request = (
  world: ClientWorld,
  client: string,
  request: HttpRequest,
  done: (result: HttpResult) => void
): (() => void) => {
  const { counters, turn } = world
  counters.requests++
  let settled = false
  const finish = (result: HttpResult): void => {
    if (settled) return
    settled = true
    done(result)
  }
  const target = parseUrl(request.url)
  const link = target === undefined ? undefined : world.connect({ server: target.host, client, over: "http" })
  if (target === undefined || link === undefined) {
    const cause = target === undefined ? new TypeError(`Invalid URL: ${request.url}`) : refusal(target.host)
    later(turn, () => finish({ _tag: "NoAnswer", cause }))
    return () => {
      settled = true
    }
  }
  let exchange: MemoryExchange | undefined
  const answer = (response: EngineResponse): void =>
    link.toClient.push(sizeOfResponse(response), () => {
      link.end()
      finish({ _tag: "Answer", status: response.status, body: bodyText(response) })
    })
  link.onServerReset = () => exchange?.abort()
  link.onClientReset = (cause) => finish({ _tag: "NoAnswer", cause })
  const body = request.body
  const headers = body === undefined ? {} : { "content-length": String(byteLength(body)) }
  link.toServer.push(headSize, () => {
    const mount = world.mountFor(target.host, target.path)
    if (mount !== undefined) {
      exchange = new MemoryExchange(arriving(request.method, target, { ...headers, ...request.headers }), answer)
      mount.handler.handleRequest(exchange)
    } else if (world.isListening(target.host)) {
      answer({ status: 404, headers: {}, body: "Not Found" })
    } else {
      counters.refused++
      link.toClient.push(headSize, () => {
        link.end()
        finish({ _tag: "NoAnswer", cause: refusal(target.host) })
      })
    }
  })
  if (body !== undefined) link.toServer.push(byteLength(body), () => exchange?.arrive(body))
  else link.toServer.push(headSize, () => exchange?.arrive(""))
  return () => {
    if (settled) return
    settled = true
    link.onClientReset = undefined
    link.toServer.push(headSize, () => {
      exchange?.abort()
      link.end()
    })
  }
}

const openWebSocket = (
  world: ClientWorld,
  client: string,
  request: WebSocketRequest,
  handlers: ClientWebSocketHandlers
): ClientWebSocket => {
  const { counters, deadlines, turn } = world
  let pair: WebSocketPair | undefined
  let state: "connecting" | "open" | "over" = "connecting"
  const fail = (cause: Error): void => {
    if (state === "over") return
    state = "over"
    handlers.onClose(1006, "", cause)
  }
  const target = parseUrl(request.url)
  const link = target === undefined ? undefined : world.connect({ server: target.host, client, over: "websocket" })
  if (target === undefined || link === undefined) {
    const cause = target === undefined ? new TypeError(`Invalid URL: ${request.url}`) : refusal(target.host)
    later(turn, () => fail(cause))
    return { send() {}, bufferedAmount: 0, close: () => later(turn, () => fail(brokenPipe())) }
  }
  const failAfter = (cause: Error): void =>
    link.toClient.push(headSize, () => {
      link.end()
      fail(cause)
    })
  link.onClientReset = fail
  link.toServer.push(headSize, () => {
    const mount = world.mountFor(target.host, target.path)
    if (mount === undefined) {
      if (!world.isListening(target.host)) {
        counters.refused++
        return failAfter(refusal(target.host))
      }
      return failAfter(failure("ERR_UNEXPECTED_RESPONSE", "Unexpected server response: 404"))
    }
    const headers: Record<string, string> = { ...request.headers, connection: "Upgrade", upgrade: "websocket" }
    if (request.protocols.length > 0) headers["sec-websocket-protocol"] = request.protocols.join(", ")
    const upgrade = new MemoryUpgrade(
      arriving("GET", target, headers),
      () => {
        if (state === "over") {
          link.end()
          return undefined
        }
        counters.webSockets++
        const made = makePair(turn, deadlines, link, mount.maxPayload, {
          onFrame: (frame) => {
            if (state === "open") handlers.onFrame(frame)
          },
          onClose: (code, reason, cause) => {
            if (state === "over") return
            state = "over"
            handlers.onClose(code, reason, cause)
          }
        })
        link.toClient.push(headSize, () => {
          if (state === "over") return made.client.close()
          pair = made
          state = "open"
          handlers.onOpen()
        })
        return made.server
      },
      (response) =>
        failAfter(failure("ERR_UNEXPECTED_RESPONSE", `Unexpected server response: ${String(response.status)}`))
    )
    mount.handler.handleUpgrade(upgrade)
  })
  return {
    send: (frame) => pair?.client.send(frame),
    get bufferedAmount() {
      return pair?.client.bufferedAmount ?? 0
    },
    close() {
      if (pair !== undefined) return pair.client.close()
      if (state !== "connecting") return
      // As browsers and ws do: an attempt that is given up fails.
      later(turn, () => fail(failure("ABORT_ERR", "WebSocket was closed before the connection was established")))
    }
  }
}

/** The platform of a client of that name. */
export const makePlatform = (world: ClientWorld, client: string): ClientPlatform => ({
  name: "memory",
  request: (options, done) => request(world, client, options, done),
  openWebSocket: (options, handlers) => openWebSocket(world, client, options, handlers)
})
