/**
 * The engine of a server, `io.engine`: Engine.IO's server as programs know it, over our own.
 */
import { EventEmitter } from "node:events"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as EngineConfig from "../../engine/EngineConfig.ts"
import type { EngineRequest, EngineResponse, UpgradeExchange } from "../../engine/EngineRequest.ts"
import * as EngineServer from "../../engine/EngineServer.ts"
import * as HandshakeRecord from "../../engine/HandshakeRecord.ts"
import * as Heartbeat from "../../engine/Heartbeat.ts"
import type { Session, SessionSink } from "../../engine/Session.ts"
import * as SessionId from "../../engine/SessionId.ts"
import * as ConnectChain from "../../node/ConnectChain.ts"
import * as Cors from "../../node/Cors.ts"
import * as Interception from "../../node/Interception.ts"
import * as NodeExchange from "../../node/NodeExchange.ts"
import * as NodeHandlers from "../../node/NodeHandlers.ts"
import * as NodeWebSocket from "../../node/NodeWebSocket.ts"
import * as ResponseHeaders from "../../node/ResponseHeaders.ts"
import type { UwsApp } from "../../node/Uws.ts"
import * as UwsHost from "../../node/UwsHost.ts"
import * as EngineHandshake from "../../protocol/EngineHandshake.ts"
import type { Deadlines } from "../../runtime/Deadlines.ts"
import { bareSink, EngineSocket } from "./EngineSocket.ts"
import type { AttachAppOptions, AttachOptions, EngineOptions, NodeServer } from "./Options.ts"

/** A request with what the engine adds to it: its query, as Engine.IO's middleware expects it. */
export type EngineIncomingMessage = IncomingMessage & { _query: Record<string, string> }

/** A request that was refused. */
export interface ConnectionError {
  readonly req: IncomingMessage
  /** 0-5, see {@link Engine.errors}. */
  readonly code: number
  readonly message: string
  readonly context: object
}

/** What a server gives its engine. */
export interface EngineEnvironment {
  readonly context: Context.Context<never>
  /** Shared with the rest of the server. */
  readonly deadlines: Deadlines
  /** Told of listeners that fail. */
  readonly onListenerFailure: (error: unknown, event: string | symbol) => void
}

/** Serves the client's files. */
export interface ClientFileHandler {
  /** The file that a URL names, if it names one. */
  nameOf(url: string): string | undefined
  serve(name: string, request: IncomingMessage, response: ServerResponse): void
}

const defaultOptions = {
  pingTimeout: 20_000,
  pingInterval: 25_000,
  upgradeTimeout: 10_000,
  maxHttpBufferSize: 1e6,
  transports: ["polling", "websocket"],
  allowUpgrades: true,
  httpCompression: { threshold: 1024 },
  cors: false,
  allowEIO3: false
} as const

const withQuery = (request: IncomingMessage): EngineIncomingMessage => {
  const found = request as EngineIncomingMessage
  found._query ??= Object.fromEntries(new URLSearchParams(HandshakeRecord.queryOf(request.url ?? "")))
  return found
}

const rawOf = (request: EngineRequest): EngineIncomingMessage => withQuery(request.raw as IncomingMessage)

/** The path as it is compared: with a slash at both ends, unless the last one was declined. */
const pathOf = (options: AttachOptions): string => {
  const path = (options.path ?? "/engine.io").replace(/\/$/, "")
  return options.addTrailingSlash === false ? path : `${path}/`
}

const generator = SessionId.makeGenerator(SessionId.secure)

/** The options that Effect's engine knows, from those of Socket.IO. */
const configOf = (engine: Engine): EngineConfig.EngineConfig => {
  const { opts } = engine
  const { allowRequest } = opts
  return EngineConfig.makeUnsafe({
    pingInterval: opts.pingInterval,
    pingTimeout: opts.pingTimeout,
    upgradeTimeout: opts.upgradeTimeout,
    maxHttpBufferSize: opts.maxHttpBufferSize,
    transports: opts.transports,
    allowUpgrades: opts.allowUpgrades,
    initialPacket: opts.initialPacket,
    cookie: opts.cookie,
    maxBufferedAmount: opts.maxBufferedAmount ?? Number.POSITIVE_INFINITY,
    keepRequest: opts.keepRequest ?? true,
    generateId: (request) => engine.generateId(rawOf(request)),
    allowRequest:
      allowRequest === undefined
        ? undefined
        : (request) =>
            Effect.callback<boolean | string>((resume) => {
              allowRequest(rawOf(request), (message, success) => {
                resume(Effect.succeed(success || (typeof message === "string" && message !== "" ? message : false)))
              })
            }),
    onConnectionError: ({ request, refusal }) => engine._refused(rawOf(request), refusal),
    onInitialHeaders: (headers, request) => {
      if (engine.listenerCount("initial_headers") > 0) engine.emit("initial_headers", headers, rawOf(request))
    },
    onHeaders: (headers, request) => {
      if (engine.listenerCount("headers") > 0) engine.emit("headers", headers, rawOf(request))
    }
  })
}

/** Engine.IO's server. Programs get it from `io.engine`. */
export class Engine extends EventEmitter {
  /** The codes of refused requests. */
  static readonly errors = {
    UNKNOWN_TRANSPORT: 0,
    UNKNOWN_SID: 1,
    BAD_HANDSHAKE_METHOD: 2,
    BAD_REQUEST: 3,
    FORBIDDEN: 4,
    UNSUPPORTED_PROTOCOL_VERSION: 5
  } as const
  /** The messages of the codes. */
  static readonly errorMessages: Readonly<Record<number, string>> = { ...EngineHandshake.messages }

  /** The options, with defaults. */
  readonly opts: EngineOptions
  /** The server that it was attached to last. */
  httpServer: NodeServer | undefined = undefined
  readonly #environment: EngineEnvironment
  readonly #scope = Scope.makeUnsafe()
  readonly #server: EngineServer.EngineServerShape
  readonly #webSockets: NodeWebSocket.NodeWebSocketServer
  readonly #threshold: number
  readonly #middleware: Array<ConnectChain.Middleware> = []
  /** Of the sessions whose engine socket somebody has asked for. */
  readonly #sockets = new WeakMap<Session, EngineSocket>()
  #undo: Array<() => void> = []
  #sink: ((session: Session) => SessionSink) | undefined = undefined

  /** @internal */
  constructor(options: EngineOptions, environment: EngineEnvironment) {
    super({ captureRejections: true })
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    this.opts = { ...defaultOptions, ...given } as EngineOptions
    this.#environment = environment
    warnOfUnsupported(options)
    const { cors, checkOrigin } = options
    if (cors !== undefined && cors !== false) {
      if (checkOrigin === true) {
        this.use((request, _response, next) => {
          Cors.checkOrigin(cors, request, (allowed) => next(allowed ? undefined : new Error("origin not allowed")))
        })
      }
      this.use(Cors.make(cors))
    }
    const config = configOf(this)
    this.#server = EngineServer.makeUnsafe(
      config,
      Context.add(environment.context, Heartbeat.Heartbeat, Heartbeat.make(config, environment.deadlines)),
      this.#scope,
      (session) => this.#begin(session)
    )
    const { httpCompression, perMessageDeflate } = this.opts
    this.#threshold = NodeHandlers.thresholdOf({ httpCompression })
    this.#webSockets = NodeWebSocket.makeServer(config.maxPayload, { perMessageDeflate })
  }

  /** Open connections, whether or not they are in a namespace. */
  get clientsCount(): number {
    return this.#server.clientsCount
  }

  /** The connections by their ids, a snapshot. */
  get clients(): Readonly<Record<string, EngineSocket>> {
    const open = this.#server.sessions.values().filter((session) => session.closed === undefined)
    return Object.fromEntries(open.map((session) => [session.id, this._socketOf(session)]))
  }

  /** Adds a middleware `(req, res, next)` to all requests and upgrades: helmet, sessions and the like. */
  use(middleware: ConnectChain.Middleware): void {
    this.#middleware.push(middleware)
  }

  /** Makes the id of a session; replace it. It must be unguessable and unique. Default: 20 characters, 120 random bits. */
  generateId(_req: IncomingMessage): string | PromiseLike<string> {
    return generator()
  }

  /** Which transports a client may move to from this one. */
  upgrades(transport: string): Array<string> {
    if (this.opts.allowUpgrades === false) return []
    const factory = this.#server.transports.get(transport)
    return [...(factory?.upgradesTo ?? [])].filter((name) => this.opts.transports?.includes(name) ?? true)
  }

  /** Serves one request of its path. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void {
    const pass = (): void => this.#server.handleRequest(NodeExchange.make(req, res, this.#threshold))
    if (this.#middleware.length === 0) return pass()
    ConnectChain.run(this.#middleware, withQuery(req), res, (error) => {
      if (error === undefined) return pass()
      const refusal = EngineHandshake.badRequest({ name: "MIDDLEWARE_FAILURE" })
      this._refused(withQuery(req), refusal)
      NodeExchange.make(req, res, this.#threshold).respond(
        {
          status: EngineHandshake.statusOf(refusal),
          headers: { "Content-Type": "application/json" },
          body: EngineHandshake.refusalBody(refusal)
        },
        false
      )
    })
  }

  /** Serves one upgrade request of its path. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, upgradeHead: Buffer): void {
    const exchange = NodeExchange.makeUpgrade(req, socket, upgradeHead, this.#webSockets)
    this.#upgrade(exchange, req)
  }

  #upgrade(exchange: UpgradeExchange, req: IncomingMessage): void {
    if (this.#middleware.length === 0) return this.#server.handleUpgrade(exchange)
    this.#throughMiddleware(
      req,
      (answer) => exchange.reject(answer),
      (held) =>
        this.#server.handleUpgrade({
          request: exchange.request,
          accept: (headers, ready) => exchange.accept(ResponseHeaders.merge(held, headers), ready),
          reject: (answer) => exchange.reject({ ...answer, headers: ResponseHeaders.merge(held, answer.headers) })
        })
    )
  }

  /** Runs the middleware over a request that has no `ServerResponse`: `pass` gets the headers that its answer has to carry. */
  #throughMiddleware(
    req: IncomingMessage,
    answer: (response: EngineResponse) => void,
    pass: (held: EngineResponse["headers"]) => void
  ): void {
    const response = new ConnectChain.UpgradeResponse(req, answer)
    ConnectChain.run(this.#middleware, withQuery(req), response.asServerResponse, (error) => {
      if (response.finished) return
      if (error !== undefined) {
        const refusal = EngineHandshake.badRequest({ name: "MIDDLEWARE_FAILURE" })
        this._refused(withQuery(req), refusal)
        return answer({
          status: EngineHandshake.statusOf(refusal),
          headers: { "Content-Type": "application/json" },
          body: EngineHandshake.refusalBody(refusal)
        })
      }
      // Some middleware waits for this to set its headers.
      response.writeHead()
      pass(response.headers)
    })
  }

  /** Takes the requests of a path of a server; all others reach the server's own listeners as before. */
  attach(server: NodeServer, options: AttachOptions = {}): void {
    this._attach(server, options, undefined)
  }

  /** @internal `files` takes requests below the path before the engine does. */
  _attach(server: NodeServer, options: AttachOptions, files: ClientFileHandler | undefined): void {
    this.httpServer = server
    const path = pathOf(options)
    const takesUpgrades = this.opts.transports?.includes("websocket") ?? true
    const undo = Interception.intercept(
      server,
      {
        takes: (request, upgrade) => {
          if (upgrade && !takesUpgrades) return false
          const url = request.url ?? ""
          return Interception.isEnginePath(url, path) || (!upgrade && files?.nameOf(url) !== undefined)
        },
        request: (request, response) => {
          const name = files?.nameOf(request.url ?? "")
          if (name === undefined || files === undefined) this.handleRequest(request, response)
          else files.serve(name, request, response)
        },
        upgrade: (request, socket, head) => this.handleUpgrade(request, socket, head)
      },
      { destroyUpgrade: options.destroyUpgrade, destroyUpgradeTimeout: options.destroyUpgradeTimeout }
    )
    const onClose = (): void => this.#server.closeAll()
    server.on("close", onClose)
    this.#undo.push(() => {
      undo()
      server.off("close", onClose)
    })
  }

  /** @internal Takes the requests of a path of an app of µWebSockets.js. */
  _attachApp(app: UwsApp, options: AttachAppOptions, files: ClientFileHandler | undefined): void {
    const takesUpgrades = this.opts.transports?.includes("websocket") ?? true
    const limits = { maxPayload: this.#server.config.maxPayload, threshold: this.#threshold }
    const terminateAll = UwsHost.attach(app, pathOf(options), limits, options, {
      request: (exchange) => {
        const req = exchange.incoming.asIncomingMessage
        const name = files?.nameOf(exchange.incoming.url)
        if (name !== undefined && files !== undefined) {
          const response = new ConnectChain.UpgradeResponse(req, (answer) => exchange.respond(answer, false))
          return files.serve(name, req, response.asServerResponse)
        }
        if (this.#middleware.length === 0) return this.#server.handleRequest(exchange)
        this.#throughMiddleware(
          req,
          (answer) => exchange.respond(answer, false),
          (held) =>
            this.#server.handleRequest({
              request: exchange.request,
              readBody: (maxBytes, done) => exchange.readBody(maxBytes, done),
              onAbort: (listener) => exchange.onAbort(listener),
              respond: (answer, compress) =>
                exchange.respond({ ...answer, headers: ResponseHeaders.merge(held, answer.headers) }, compress)
            })
        )
      },
      upgrade: (exchange) => {
        if (takesUpgrades) this.#upgrade(exchange, exchange.incoming.asIncomingMessage)
        else exchange.reject({ status: 400, headers: {}, body: undefined })
      }
    })
    this.#undo.push(() => {
      setTimeout(terminateAll, farewell).unref()
    })
  }

  /** Closes all connections; no new ones begin. Polls that are still to be told so are answered until the HTTP server has closed. */
  close(): this {
    this.#server.shutDown()
    // A client that does not answer the closing handshake must not keep the HTTP server open.
    const timer = setTimeout(() => {
      this.#webSockets.terminateAll()
      this.#end()
    }, farewell)
    timer.unref()
    // Whoever closes servers often must not hold the last second's worth of them.
    const end = (): void => {
      this.#end()
      this.#webSockets.onEmpty(() => clearTimeout(timer))
    }
    const { httpServer } = this
    if (httpServer?.listening === true) httpServer.once("close", end)
    else end()
    return this
  }

  #end(): void {
    for (const undo of this.#undo) undo()
    this.#undo = []
    Effect.runFork(Scope.close(this.#scope, Exit.void))
  }

  /** WebTransport is not supported. */
  onWebTransportSession(_session: unknown): Promise<never> {
    return Promise.reject(new Error("WebTransport is not supported"))
  }

  /** What listeners throw must not reach the engine, which is in the middle of something. */
  override emit(event: string | symbol, ...args: Array<unknown>): boolean {
    try {
      return super.emit(event, ...args)
    } catch (error) {
      this._listenerFailed(error, event)
      return true
    }
  }

  /** What a listener rejects with. */
  [Symbol.for("nodejs.rejection")](error: unknown, event: string | symbol): void {
    this._listenerFailed(error, event)
  }

  /** @internal The server above, which is given each new session. */
  _bind(sink: (session: Session) => SessionSink): void {
    this.#sink = sink
  }

  /** @internal */
  _listenerFailed(error: unknown, event: string | symbol): void {
    this.#environment.onListenerFailure(error, event)
  }

  /** @internal */
  _refused(req: IncomingMessage, { code, message, context }: EngineHandshake.EngineRefusal): void {
    if (this.listenerCount("connection_error") === 0) return
    const error: ConnectionError = { req, code, message: EngineHandshake.messages[code] ?? message, context }
    this.emit("connection_error", error)
  }

  /** @internal The engine socket of a session: one and the same for as long as somebody holds it. */
  _socketOf(session: Session): EngineSocket {
    let socket = this.#sockets.get(session)
    if (socket === undefined) this.#sockets.set(session, (socket = new EngineSocket(session, this)))
    return socket
  }

  #begin(session: Session): SessionSink {
    if (session.request !== undefined) withQuery(session.request as IncomingMessage)
    const sink = this.#sink?.(session) ?? bareSink
    if (this.listenerCount("connection") > 0) this.emit("connection", this._socketOf(session))
    return sink
  }
}

/** Milliseconds that clients have to take leave. */
const farewell = 1000

const warnOfUnsupported = (options: EngineOptions): void => {
  if (options.allowEIO3 === true) process.emitWarning("effect-socketio: clients of Socket.IO 2 are not supported")
  if (options.wsEngine !== undefined) process.emitWarning("effect-socketio: the option wsEngine is ignored")
}
