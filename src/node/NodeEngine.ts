/**
 * Node's HTTP servers as hosts of the engine: one with a port of its own, or one that is there already.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Http from "node:http"
import type * as Https from "node:https"
import { EngineError } from "../engine/EngineError.ts"
import { EngineHost } from "../engine/EngineHost.ts"
import * as Interception from "./Interception.ts"
import * as NodeExchange from "./NodeExchange.ts"
import * as NodeHandlers from "./NodeHandlers.ts"

export { layerHttpServer } from "./HttpServerEngine.ts"
export { isEnginePath } from "./Interception.ts"
export type { NodeEngineOptions } from "./NodeHandlers.ts"

/** Options of a server with its own port. */
export interface OwnServerOptions extends NodeHandlers.NodeEngineOptions {
  /** Default 3000; 0 for any free one. */
  readonly port?: number | undefined
  /** Default: all addresses. */
  readonly host?: string | undefined
  /** Options of `http.createServer`. */
  readonly server?: Http.ServerOptions | undefined
}

/** The servers that can be attached to. */
export type Server = Http.Server | Https.Server

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
 * A host on an `http` or `https` server that is there already: requests for the engine's path are taken, all others reach the
 * server's own listeners as before. Listening and closing stay the owner's business.
 */
export const layerAttach = (server: Server, options: NodeHandlers.NodeEngineOptions = {}): Layer.Layer<EngineHost> =>
  Layer.effect(
    EngineHost,
    Effect.gen(function* () {
      const handlers = yield* NodeHandlers.make(options)
      return {
        serve: (handler, { path, maxPayload }) =>
          Effect.asVoid(
            Effect.acquireRelease(
              Effect.sync(() =>
                Interception.intercept(server, Interception.below(path, handlers.make(handler, maxPayload)), options)
              ),
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
      const handlers = yield* NodeHandlers.make(options)
      let current: { readonly path: string; readonly handler: NodeHandlers.NodeHandler } | undefined
      server.on("request", (request, response) => {
        if (current === undefined) stopped(response)
        else if (Interception.isEnginePath(request.url ?? "", current.path)) current.handler.request(request, response)
        else notFound(response)
      })
      server.on("upgrade", (request, socket, head) => {
        if (current !== undefined && Interception.isEnginePath(request.url ?? "", current.path)) {
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
