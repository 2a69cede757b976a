/**
 * The engine's handler over Node's own request objects, and the WebSockets that came through it: what all Node hosts share.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import type { EngineHandler } from "../engine/EngineHost.ts"
import * as NodeExchange from "./NodeExchange.ts"
import * as NodeWebSocket from "./NodeWebSocket.ts"

/** Options of every Node host. */
export interface NodeEngineOptions extends NodeWebSocket.NodeWebSocketOptions {
  /** Compresses answers of the polling transport. Default from 1024 bytes on; `false` never. */
  readonly httpCompression?: boolean | NodeExchange.HttpCompressionOptions | undefined
  /** Ends upgrade requests for other paths that nobody has answered. Default true. */
  readonly destroyUpgrade?: boolean | undefined
  /** After how many milliseconds. Default 1000. */
  readonly destroyUpgradeTimeout?: number | undefined
  /** How long the end of the server waits for peers to take leave, in milliseconds. Default 1000. */
  readonly shutdownTimeout?: number | undefined
}

/** From how many bytes on answers are compressed. */
export const thresholdOf = (options: NodeEngineOptions): number => {
  const { httpCompression } = options
  if (httpCompression === false) return Number.POSITIVE_INFINITY
  return (typeof httpCompression === "object" ? httpCompression.threshold : undefined) ?? 1024
}

/** What requests are handed to: the engine's handler over Node's own request objects. */
export interface NodeHandler {
  request(request: Http.IncomingMessage, response: Http.ServerResponse): void
  upgrade(request: Http.IncomingMessage, socket: Duplex, head: Buffer): void
}

/** Makes the handlers of one host. */
export interface NodeHandlers {
  make(handler: EngineHandler, maxPayload: number): NodeHandler
  /** A WebSocket server alone, for hosts that bring their own exchanges. */
  makeWebSockets(maxPayload: number): NodeWebSocket.NodeWebSocketServer
}

/**
 * Makes handlers whose WebSockets end with the scope, which outlives `serve`: by then the engine has closed its sessions, and peers
 * get `shutdownTimeout` to take leave.
 */
export const make = (options: NodeEngineOptions): Effect.Effect<NodeHandlers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const threshold = thresholdOf(options)
    const servers: Array<NodeWebSocket.NodeWebSocketServer> = []
    yield* Effect.addFinalizer(() =>
      Effect.forEach(servers, (server) => leave(server, options.shutdownTimeout ?? 1000), { concurrency: "unbounded" })
    )
    const makeWebSockets = (maxPayload: number): NodeWebSocket.NodeWebSocketServer => {
      const server = NodeWebSocket.makeServer(maxPayload, options)
      servers.push(server)
      return server
    }
    return {
      makeWebSockets,
      make(handler, maxPayload) {
        const webSockets = makeWebSockets(maxPayload)
        return {
          request: (request, response) => handler.handleRequest(NodeExchange.make(request, response, threshold)),
          upgrade: (request, socket, head) =>
            handler.handleUpgrade(NodeExchange.makeUpgrade(request, socket, head, webSockets))
        }
      }
    }
  })

const leave = (server: NodeWebSocket.NodeWebSocketServer, millis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setTimeout(() => server.terminateAll(), millis)
    server.onEmpty(() => {
      clearTimeout(timer)
      resume(Effect.void)
    })
  })
