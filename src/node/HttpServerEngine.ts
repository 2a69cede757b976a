/**
 * The engine as a route of Effect's HTTP server, on Node.
 *
 * Polling requests are ordinary routes: the program's middleware (CORS, logging, tracing) applies to their answers. WebSocket upgrades
 * pass the router too, and then the TCP socket is taken from under it, since Effect's own `Socket` has no batches, no backpressure
 * figures and no headers of ours.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Http from "node:http"
import type { EngineHandler } from "../engine/EngineHost.ts"
import { EngineHost } from "../engine/EngineHost.ts"
import type { EngineResponse, Exchange, UpgradeExchange } from "../engine/EngineRequest.ts"
import * as NodeExchange from "./NodeExchange.ts"
import * as NodeHandlers from "./NodeHandlers.ts"
import type { NodeWebSocketServer } from "./NodeWebSocket.ts"

type Respond = (effect: Effect.Effect<HttpServerResponse.HttpServerResponse>) => void

const toHttpResponse = (response: EngineResponse): HttpServerResponse.HttpServerResponse => {
  const { body, status } = response
  const headers: Array<[string, string]> = []
  for (const [name, value] of Object.entries(response.headers)) {
    // Effect's headers have one value a name; of ours only Set-Cookie could have several, and the engine sets one.
    headers.push([name, typeof value === "string" ? value : value.join(", ")])
  }
  const contentType = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1]
  const options = { status, headers, ...(contentType === undefined ? {} : { contentType }) }
  if (body === undefined) return HttpServerResponse.empty({ status, headers })
  return typeof body === "string"
    ? HttpServerResponse.text(body, options)
    : HttpServerResponse.uint8Array(body, options)
}

/** A request whose answer goes back through the router. */
class RoutedExchange implements Exchange {
  readonly request: NodeExchange.NodeRequest
  private readonly threshold: number
  private readonly done: Respond
  private listener: (() => void) | undefined = undefined
  private over = false
  private aborted = false

  constructor(request: NodeExchange.NodeRequest, threshold: number, done: Respond) {
    this.request = request
    this.threshold = threshold
    this.done = done
  }

  readBody: Exchange["readBody"] = (maxBytes, done) => NodeExchange.readBody(this.request.raw, maxBytes, done)

  respond(response: EngineResponse, compress: boolean): void {
    if (this.over) return
    this.over = true
    const threshold = compress ? this.threshold : Number.POSITIVE_INFINITY
    NodeExchange.encodeContent(response, this.request.headers, threshold, (encoded) =>
      this.done(Effect.succeed(toHttpResponse(encoded)))
    )
  }

  onAbort(listener: () => void): void {
    // The client may have gone while the engine was still deciding about it.
    if (this.aborted) listener()
    else this.listener = listener
  }

  /** The router has interrupted the request: the client has gone. */
  abort(): void {
    if (this.over) return
    this.over = true
    this.aborted = true
    this.listener?.()
  }
}

const noHead = Buffer.alloc(0)

/** An upgrade that came through the router. */
const makeUpgrade = (
  request: HttpServerRequest.HttpServerRequest,
  raw: Http.IncomingMessage,
  server: NodeWebSocketServer,
  done: Respond
): UpgradeExchange => ({
  request: new NodeExchange.NodeRequest(raw),
  accept(headers, ready) {
    const socket = raw.socket
    if (socket.destroyed) return
    // The router's response must not write to the connection any more, nor end it: let it think that it has answered.
    const response = NodeHttpServerRequest.toServerResponse(request)
    if (response instanceof Http.ServerResponse) {
      response.detachSocket(socket)
      response.end()
    }
    // What a client sends before its handshake is answered is not seen here; no client that keeps to RFC 6455 does.
    server.upgrade(raw, socket, noHead, headers, ready)
    done(Effect.succeed(HttpServerResponse.empty()))
  },
  reject(response) {
    done(Effect.succeed(toHttpResponse(response)))
  }
})

interface Current {
  readonly handler: EngineHandler
  readonly webSockets: NodeWebSocketServer
}

const unavailable = HttpServerResponse.empty({ status: 503 })

const handle = (
  request: HttpServerRequest.HttpServerRequest,
  current: Current,
  threshold: number
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.callback<HttpServerResponse.HttpServerResponse>((resume) => {
    const raw = NodeHttpServerRequest.toIncomingMessage(request)
    if (!(raw instanceof Http.IncomingMessage)) return resume(Effect.succeed(HttpServerResponse.empty({ status: 505 })))
    if (raw.headers.upgrade?.toLowerCase() === "websocket") {
      return current.handler.handleUpgrade(makeUpgrade(request, raw, current.webSockets, resume))
    }
    const exchange = new RoutedExchange(new NodeExchange.NodeRequest(raw), threshold, resume)
    current.handler.handleRequest(exchange)
    return Effect.sync(() => exchange.abort())
  })

const unslashed = (path: string): string => (path.endsWith("/") ? path.slice(0, -1) : path)

/**
 * A host on Effect's HTTP server: adds the engine's path to the `HttpRouter`. Provide it inside `HttpRouter.serve(…)`, over
 * `NodeHttpServer.layer`; HTTP/1.1 only. With a trailing slash in the path, the path without it is not the engine's.
 */
export const layerHttpServer = (
  options: NodeHandlers.NodeEngineOptions = {}
): Layer.Layer<EngineHost, never, HttpRouter.HttpRouter> =>
  Layer.effect(
    EngineHost,
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const server = yield* Effect.serviceOption(HttpServer.HttpServer)
      const handlers = yield* NodeHandlers.make(options)
      const threshold = NodeHandlers.thresholdOf(options)
      return {
        serve: (handler, { maxPayload, path }) =>
          Effect.gen(function* () {
            let current: Current | undefined = { handler, webSockets: handlers.makeWebSockets(maxPayload) }
            yield* Effect.addFinalizer(() =>
              Effect.sync(() => {
                current = undefined
              })
            )
            yield* router.add("*", `/${unslashed(path).replace(/^\/+/, "")}/*`, (request) =>
              current === undefined
                ? Effect.succeed(unavailable)
                : path.endsWith("/") && unslashed(path) === request.url.split("?", 1)[0]
                  ? Effect.succeed(HttpServerResponse.empty({ status: 404 }))
                  : handle(request, current, threshold)
            )
          }),
        address: Effect.sync(() => {
          if (server._tag === "None" || !("address" in server.value.address)) return undefined
          const { address, port } = server.value.address
          return { hostname: String(address), port }
        })
      }
    })
  )
