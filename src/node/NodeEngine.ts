/**
 * Node's HTTP servers as hosts of the engine: one with a port of its own, or one that is there already.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type * as Https from "node:https"
import type { Duplex } from "node:stream"
import { EngineError } from "../engine/EngineError.ts"
import { EngineHost } from "../engine/EngineHost.ts"
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

/** Options of a server with its own port. */
export interface OwnServerOptions extends NodeEngineOptions {
  /** Default 3000; 0 for any free one. */
  readonly port?: number | undefined
  /** Default: all addresses. */
  readonly host?: string | undefined
  /** Options of `http.createServer`. */
  readonly server?: Http.ServerOptions | undefined
}

/** The servers that can be attached to. */
export type Server = Http.Server | Https.Server

const thresholdOf = (options: NodeEngineOptions): number => {
  const { httpCompression } = options
  if (httpCompression === false) return Number.POSITIVE_INFINITY
  return (typeof httpCompression === "object" ? httpCompression.threshold : undefined) ?? 1024
}

/**
 * Whether a URL is below the engine's path. With a trailing slash every path that starts with it is, as in Engine.IO; without one
 * the path itself, with or without a query or more segments, but not a longer name.
 */
export const isEnginePath = (url: string, path: string): boolean => {
  if (!url.startsWith(path)) return false
  if (path.endsWith("/") || url.length === path.length) return true
  const next = url[path.length]
  return next === "?" || next === "/" || next === "#"
}

/** What requests are handed to: the engine's handler over Node's own request objects. */
interface NodeHandler {
  request(request: Http.IncomingMessage, response: Http.ServerResponse): void
  upgrade(request: Http.IncomingMessage, socket: Duplex, head: Buffer): void
}

/** The handlers of one host, and the WebSockets that came through them. */
interface Handlers {
  make(handler: EngineHandler, maxPayload: number): NodeHandler
}

/**
 * Makes handlers whose WebSockets end with the scope, which outlives `serve`: by then the engine has closed its sessions, and peers
 * get `shutdownTimeout` to take leave.
 */
const makeHandlers = (options: NodeEngineOptions): Effect.Effect<Handlers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const threshold = thresholdOf(options)
    const servers: Array<NodeWebSocket.NodeWebSocketServer> = []
    yield* Effect.addFinalizer(() =>
      Effect.forEach(servers, (server) => leave(server, options.shutdownTimeout ?? 1000), { concurrency: "unbounded" })
    )
    return {
      make(handler, maxPayload) {
        const webSockets = NodeWebSocket.makeServer(maxPayload, options)
        servers.push(webSockets)
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

const notFound = (response: Http.ServerResponse): void => {
  response.writeHead(404, { "Content-Length": 0 })
  response.end()
}

const stopped = (response: Http.ServerResponse): void => {
  response.writeHead(503, { "Content-Length": 0, Connection: "close" })
  response.end()
}

const addressOf = (server: Server): { readonly hostname: string; readonly port: number } | undefined => {
  const address = server.address()
  return address === null || typeof address === "string" ? undefined : { hostname: address.address, port: address.port }
}

/**
 * Hands requests below the path to the handler, and leaves everything else to the server's other listeners, whenever they were or
 * will be added. Gives back how to undo it.
 *
 * Listeners cannot keep an event from each other, and Express would answer 404 to our requests; so it is `emit` that is replaced.
 */
const intercept = (server: Server, path: string, handler: NodeHandler, options: NodeEngineOptions): (() => void) => {
  const inherited = !Object.hasOwn(server, "emit")
  const previous = server.emit
  const isOurs = (request: unknown): request is Http.IncomingMessage =>
    active && request instanceof Http.IncomingMessage && isEnginePath(request.url ?? "", path)
  let active = true
  const emit = function (this: Server, event: string | symbol, ...args: Array<unknown>): boolean {
    const [request, second, head] = args
    if ((event === "request" || event === "checkContinue") && isOurs(request)) {
      const response = second as Http.ServerResponse
      if (event === "checkContinue") response.writeContinue()
      handler.request(request, response)
      return true
    }
    if (event === "upgrade" && isOurs(request)) {
      handler.upgrade(request, second as Duplex, head as Buffer)
      return true
    }
    return Reflect.apply(previous, this, [event, ...args]) as boolean
  }
  server.emit = emit as Server["emit"]
  const onForeignUpgrade = (_request: Http.IncomingMessage, socket: Duplex): void => {
    if (options.destroyUpgrade === false) return
    // By listening we have kept Node from closing the socket itself; if nobody else answers, nobody ever will.
    socket.on("error", () => {})
    const timer = setTimeout(() => {
      if (socket.writable && "bytesWritten" in socket && socket.bytesWritten === 0) socket.end()
    }, options.destroyUpgradeTimeout ?? 1000)
    timer.unref()
  }
  server.on("upgrade", onForeignUpgrade)
  return () => {
    active = false
    server.off("upgrade", onForeignUpgrade)
    if (server.emit !== emit) return
    if (inherited) Reflect.deleteProperty(server, "emit")
    else server.emit = previous
  }
}

/**
 * A host on an `http` or `https` server that is there already: requests for the engine's path are taken, all others reach the
 * server's own listeners as before. Listening and closing stay the owner's business.
 */
export const layerAttach = (server: Server, options: NodeEngineOptions = {}): Layer.Layer<EngineHost> =>
  Layer.effect(
    EngineHost,
    Effect.gen(function* () {
      const handlers = yield* makeHandlers(options)
      return {
        serve: (handler, { path, maxPayload }) =>
          Effect.asVoid(
            Effect.acquireRelease(
              Effect.sync(() => intercept(server, path, handlers.make(handler, maxPayload), options)),
              (undo) => Effect.sync(undo)
            )
          ),
        address: Effect.sync(() => addressOf(server))
      }
    })
  )

const listen = (server: Server, options: OwnServerOptions): Effect.Effect<void, EngineError> =>
  Effect.callback<void, EngineError>((resume) => {
    const port = options.port ?? 3000
    const onError = (cause: Error): void => {
      server.off("listening", onListening)
      resume(
        Effect.fail(
          new EngineError({ reason: "Listen", message: `cannot listen on port ${port}: ${cause.message}`, cause })
        )
      )
    }
    const onListening = (): void => {
      server.off("error", onError)
      resume(Effect.void)
    }
    server.once("error", onError)
    server.once("listening", onListening)
    server.listen({ port, ...(options.host === undefined ? {} : { host: options.host }) })
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

/**
 * A host with a port of its own, which listens once something is served. When that ends, it stops to accept first; the connections
 * end with the layer.
 */
export const layer = (options: OwnServerOptions = {}): Layer.Layer<EngineHost> =>
  Layer.effect(
    EngineHost,
    Effect.gen(function* () {
      const server = Http.createServer(options.server ?? {})
      yield* Effect.addFinalizer(() => close(server))
      const handlers = yield* makeHandlers(options)
      let current: { readonly path: string; readonly handler: NodeHandler } | undefined
      server.on("request", (request, response) => {
        if (current === undefined) stopped(response)
        else if (isEnginePath(request.url ?? "", current.path)) current.handler.request(request, response)
        else notFound(response)
      })
      server.on("upgrade", (request, socket, head) => {
        if (current !== undefined && isEnginePath(request.url ?? "", current.path)) {
          return current.handler.upgrade(request, socket, head)
        }
        const status = current === undefined ? 503 : 404
        socket.on("error", () => {})
        NodeExchange.rejectUpgrade(socket, { status, headers: {}, body: undefined })
      })
      return {
        serve: (handler, { path, maxPayload }) =>
          Effect.gen(function* () {
            current = { path, handler: handlers.make(handler, maxPayload) }
            yield* Effect.addFinalizer(() =>
              Effect.sync(() => {
                current = undefined
                server.close()
              })
            )
            yield* listen(server, options)
          }),
        address: Effect.sync(() => addressOf(server))
      }
    })
  )
