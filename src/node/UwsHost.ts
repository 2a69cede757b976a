/**
 * An app of µWebSockets.js as a host: its requests and upgrades below a path, and its WebSockets.
 */
import type { UwsApp, UwsBehavior, UwsSocket } from "./Uws.ts"
import { UwsExchange, UwsIncoming, UwsUpgradeExchange, type UwsUserData } from "./UwsExchange.ts"

/** Options of µWebSockets.js itself, by its names. */
export interface UwsOptions {
  /** Which compressor WebSockets use. Default: none. */
  readonly compression?: number | undefined
  /** Seconds without any frame after which a WebSocket is closed. Default 120. */
  readonly idleTimeout?: number | undefined
  /** Bytes beyond which a WebSocket that does not read is closed. Default: no limit but that of the engine. */
  readonly maxBackpressure?: number | undefined
}

/** Who takes the requests. */
export interface UwsHandler {
  request(exchange: UwsExchange): void
  upgrade(exchange: UwsUpgradeExchange): void
}

/** The limits of the engine, in bytes. */
export interface UwsLimits {
  readonly maxPayload: number
  /** From which size on answers are compressed. */
  readonly threshold: number
}

/** The name of what `SSLApp()` makes. */
const tlsApp = "uWS.SSLApp"

const dataOf = (socket: UwsSocket): UwsUserData => socket.getUserData() as UwsUserData

/**
 * Routes everything below `path` to the handler. Routes cannot be taken back from an app: afterwards it is the handler's to refuse.
 * Gives what ends all open WebSockets at once.
 */
export const attach = (
  app: UwsApp,
  path: string,
  limits: UwsLimits,
  options: UwsOptions,
  handler: UwsHandler
): (() => void) => {
  const encrypted = app.constructor.name === tlsApp
  const open = new Set<UwsSocket>()
  const { compression, idleTimeout } = options
  const behavior: UwsBehavior = {
    maxPayloadLength: limits.maxPayload,
    maxBackpressure: options.maxBackpressure ?? 0,
    ...(compression !== undefined && { compression }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    upgrade(response, request, context) {
      const incoming = new UwsIncoming(request, response, encrypted)
      handler.upgrade(new UwsUpgradeExchange(response, request, incoming, context))
    },
    open(ws) {
      const { ready, socket } = dataOf(ws)
      open.add(ws)
      socket.opened(ws)
      ready(socket)
    },
    message: (ws, message, isBinary) => dataOf(ws).socket.received(message, isBinary),
    drain: (ws) => dataOf(ws).socket.drained(),
    close(ws, code, message) {
      const { incoming, socket } = dataOf(ws)
      open.delete(ws)
      incoming.socket.emit("close")
      socket.ended(code, message)
    }
  }
  for (const pattern of [path, path.endsWith("/") ? `${path}*` : `${path}/*`]) {
    app.any(pattern, (response, request) => {
      const incoming = new UwsIncoming(request, response, encrypted)
      handler.request(new UwsExchange(response, incoming, limits.threshold, limits.maxPayload))
    })
    app.ws(pattern, behavior)
  }
  return () => {
    for (const socket of open) socket.close()
  }
}
