/** A handler that records what reaches the server, and client ends that record what reaches them. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import type { EngineHandler } from "../../src/engine/EngineHost.ts"
import type { EngineBody, Exchange, UpgradeExchange } from "../../src/engine/EngineRequest.ts"
import type { WebSocketHandlers, WebSocketLike } from "../../src/engine/WebSocketLike.ts"
import type { Frame } from "../../src/protocol/FrameGroup.ts"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import type { ClientPlatform, ClientWebSocket, HttpResult } from "../../src/transport/ClientPlatform.ts"

/** A WebSocket at the server with what it was told. */
export interface ServerEnd {
  readonly socket: WebSocketLike
  readonly frames: Array<Frame>
  readonly closes: Array<readonly [code: number, reason: string]>
  readonly causes: Array<unknown>
  drains: number
}

/** A server that answers requests by what `onRequest` does and accepts every WebSocket. */
export interface Server {
  readonly ends: Array<ServerEnd>
  readonly exchanges: Array<Exchange>
  readonly upgrades: Array<UpgradeExchange>
}

export const listen = (socket: WebSocketLike): ServerEnd => {
  const end: ServerEnd = { socket, frames: [], closes: [], causes: [], drains: 0 }
  const handlers: WebSocketHandlers = {
    onFrame: (frame) => end.frames.push(frame),
    onDrain: () => end.drains++,
    onClose: (code, reason, cause) => {
      end.closes.push([code, reason])
      end.causes.push(cause)
    }
  }
  socket.listen(handlers)
  return end
}

/** Serves `/socket.io/` under the name. */
export const serve = (
  options: {
    readonly name?: string
    readonly onRequest?: (exchange: Exchange) => void
    readonly onUpgrade?: (upgrade: UpgradeExchange, server: Server) => void
    readonly maxPayload?: number
  } = {}
): Effect.Effect<Server, never, MemoryNetwork.MemoryNetwork | Scope> =>
  Effect.gen(function* () {
    const network = yield* MemoryNetwork.MemoryNetwork
    const server: Server = { ends: [], exchanges: [], upgrades: [] }
    const handler: EngineHandler = {
      handleRequest(exchange) {
        server.exchanges.push(exchange)
        options.onRequest?.(exchange)
      },
      handleUpgrade(upgrade) {
        server.upgrades.push(upgrade)
        if (options.onUpgrade !== undefined) options.onUpgrade(upgrade, server)
        else upgrade.accept({}, (socket) => server.ends.push(listen(socket)))
      }
    }
    yield* Effect.orDie(
      network.host(options.name ?? "server").serve(handler, {
        path: "/socket.io",
        addTrailingSlash: true,
        maxPayload: options.maxPayload ?? 1_000_000
      })
    )
    return server
  })

export const ok = (exchange: Exchange, body: string | Uint8Array = "ok"): void =>
  exchange.respond({ status: 200, headers: {}, body }, false)

/** A client's WebSocket with what it was told. */
export interface ClientEnd {
  readonly socket: ClientWebSocket
  readonly frames: Array<Frame>
  readonly closes: Array<readonly [code: number, reason: string]>
  readonly causes: Array<unknown>
  opens: number
}

export const open = (platform: ClientPlatform, url = "ws://server/socket.io/?EIO=4&transport=websocket"): ClientEnd => {
  const frames: Array<Frame> = []
  const closes: Array<readonly [number, string]> = []
  const causes: Array<unknown> = []
  const end = { frames, closes, causes, opens: 0 }
  const socket = platform.openWebSocket(
    { url, protocols: [], headers: {}, withCredentials: false },
    {
      onOpen: () => end.opens++,
      onFrame: (frame) => frames.push(frame),
      onClose: (code, reason, cause) => {
        closes.push([code, reason])
        causes.push(cause)
      }
    }
  )
  return Object.assign(end, { socket })
}

/** A request and the answers it got, of which there must be at most one. */
export const ask = (
  platform: ClientPlatform,
  options: { readonly url?: string; readonly body?: string; readonly headers?: Record<string, string> } = {}
): { readonly results: Array<HttpResult>; readonly abort: () => void } => {
  const results: Array<HttpResult> = []
  const abort = platform.request(
    {
      method: options.body === undefined ? "GET" : "POST",
      url: options.url ?? "http://server/socket.io/?EIO=4&transport=polling",
      headers: options.headers ?? {},
      body: options.body,
      withCredentials: false
    },
    (result) => results.push(result)
  )
  return { results, abort }
}

export const group = (head: Frame, attachments?: ReadonlyArray<Uint8Array>): FrameGroup.FrameGroup =>
  FrameGroup.make(head, attachments)

/** Reads the body of a POST as the engine does. */
export const bodyOf = (exchange: Exchange, maxBytes: number): Array<EngineBody> => {
  const bodies: Array<EngineBody> = []
  exchange.readBody(maxBytes, (body) => bodies.push(body))
  return bodies
}
