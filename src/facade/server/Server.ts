/**
 * A Socket.IO server with the API of the package `socket.io`.
 */
import type { EventEmitter } from "node:events"
import { createServer } from "node:http"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Namespace as Contract } from "../../contract/index.ts"
import * as SessionId from "../../engine/SessionId.ts"
import * as ClientFiles from "../../node/ClientFiles.ts"
import * as ConnectChain from "../../node/ConnectChain.ts"
import * as Cors from "../../node/Cors.ts"
import type { UwsApp } from "../../node/Uws.ts"
import * as GuardedCodec from "../../protocol/GuardedCodec.ts"
import * as Deadlines from "../../runtime/Deadlines.ts"
import { ErrorSink, type HandlerReport, log } from "../../socket/ErrorSink.ts"
import { recoverySettings } from "../../socket/RecoveryOptions.ts"
import type { ServerCore, Settings } from "../../socket/ServerCore.ts"
import * as Telemetry from "../../socket/Telemetry.ts"
import * as Adapter from "./Adapter.ts"
import type { BroadcastOperator } from "./BroadcastOperator.ts"
import { ClientConnection } from "./Client.ts"
import { type AdapterLayer, Cluster } from "./Cluster.ts"
import { type EmitEventsOf, isContract, type ListenEventsOf } from "./Contract.ts"
import { type ClientFileHandler, Engine } from "./Engine.ts"
import type { EngineSocket } from "./EngineSocket.ts"
import { type AnyNamespace, Namespace, type NamespaceMiddleware, type NamespaceReservedEventsMap } from "./Namespace.ts"
import type { AttachAppOptions, NodeServer, ServerOptions } from "./Options.ts"
import { ParentNamespace, type ParentNspNameMatchFn } from "./ParentNamespace.ts"
import { codecOf, encoderOf, type OfficialEncoder } from "./Parser.ts"
import { type ForeignConnection, type ForeignEngine, ForeignSession } from "./ForeignSession.ts"
import { type AnyParent, Registry } from "./Registry.ts"
import type { RemoteSocket } from "./RemoteSocket.ts"
import type { AnySocket, Socket } from "./Socket.ts"
import {
  type AllButLast,
  type DecorateAcknowledgements,
  type DecorateAcknowledgementsWithMultipleResponses,
  type DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  type DefaultEventsMap,
  type EventNames,
  type EventNamesWithAck,
  type EventParams,
  type EventsMap,
  type FirstNonErrorArg,
  type Last,
  type RemoveAcknowledgements,
  StrictEventEmitter,
  type Unchecked
} from "./TypedEvents.ts"

/** Where a listener failed. */
export interface ListenerFailure {
  /** The event that was listened to; "middleware" for a middleware of a namespace. */
  readonly event: string
  readonly namespace?: string | undefined
  readonly socket?: AnySocket | undefined
}

/** What a server tells. */
export interface ServerReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData
> extends NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  new_namespace: (namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void
  /** Not an event of Socket.IO: a listener, callback or middleware threw or rejected. Where nobody listens, it is logged. */
  listener_error: (error: Unchecked, where: ListenerFailure) => void
}

type ListenOf<N extends Contract.Any> = ListenEventsOf<Contract.FromClient<N>>

type EmitOf<N extends Contract.Any> = EmitEventsOf<Contract.FromServer<N>>

type BetweenOf<N extends Contract.Any> = ListenEventsOf<Contract.BetweenServers<N>>

const expressMessage =
  "You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance."

const isOptions = (value: unknown): value is ServerOptions =>
  typeof value === "object" && value !== null && typeof (value as Partial<NodeServer>).listen !== "function"

const isAdapterLayer = (adapter: Adapter.AdapterConstructor | AdapterLayer): adapter is AdapterLayer =>
  Layer.isLayer(adapter)

/** Adapters read the options of recovery where Socket.IO leaves them, with its defaults. */
const withRecoveryDefaults = (options: Partial<ServerOptions>): Partial<ServerOptions> => {
  const { connectionStateRecovery } = options
  if (connectionStateRecovery === undefined) return options
  const defaults = { maxDisconnectionDuration: 120_000, skipMiddlewares: true }
  return { ...options, connectionStateRecovery: { ...defaults, ...connectionStateRecovery } }
}

/** A server. */
export class Server<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Unchecked
> extends StrictEventEmitter<
  ServerSideEvents,
  RemoveAcknowledgements<EmitEvents>,
  ServerReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
> {
  /** The main namespace, `io.of("/")`. */
  readonly sockets: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  /** The engine; it is there once the server is attached or bound. */
  declare engine: Engine
  /** The HTTP server that it was attached to. */
  declare httpServer: NodeServer
  /** What adapters encode with. */
  readonly encoder: OfficialEncoder
  /** The options as they were given; adapters look here. */
  readonly _opts: ServerOptions
  /** @internal */
  readonly _core: ServerCore
  /** @internal */
  readonly _context: Context.Context<never>
  /** @internal The way to other nodes, where the program gave a layer. */
  _cluster: Cluster | undefined
  /** @internal */
  _adapterConstructor: Adapter.AdapterConstructor
  readonly #registry: Registry
  readonly #scope = Scope.makeUnsafe()
  #path = "/socket.io"
  #connectTimeout = 45_000
  #serveClient = true

  /**
   * A server for a port (0 for any free one), for an `http`, `https` or `http2` server, or for none yet: then `listen` or `attach` it.
   */
  constructor(opts?: Partial<ServerOptions>)
  constructor(srv?: NodeServer | number, opts?: Partial<ServerOptions>)
  constructor(srv: undefined | Partial<ServerOptions> | NodeServer | number, opts?: Partial<ServerOptions>)
  constructor(srv?: Partial<ServerOptions> | NodeServer | number, opts: Partial<ServerOptions> = {}) {
    super()
    const options = withRecoveryDefaults(isOptions(srv) ? srv : opts)
    this._opts = options
    this.path(options.path ?? this.#path)
    this.connectTimeout(options.connectTimeout ?? this.#connectTimeout)
    this.serveClient(options.serveClient !== false)
    const { adapter = Adapter.Adapter } = options
    this._adapterConstructor = isAdapterLayer(adapter) ? Adapter.Adapter : adapter
    const codec = GuardedCodec.make(codecOf(options.parser))
    this.encoder = encoderOf(codec)
    this._context = Context.make(ErrorSink, (report: HandlerReport) => Effect.suspend(() => this.#reported(report)))
    this._cluster = isAdapterLayer(adapter) ? this.#makeCluster(adapter) : undefined
    this.#registry = new Registry(
      (error, namespace) => this._listenerFailed(error, { event: "namespace", namespace }),
      (namespace, proceed) => (this._cluster === undefined ? proceed() : this._cluster.whenReady(namespace, proceed))
    )
    const connectTimeout = (): number => this.#connectTimeout
    const settings: Settings = {
      codec,
      get connectTimeout() {
        return connectTimeout()
      },
      ackTimeout: options.ackTimeout ?? 10_000,
      maxRunningHandlers: Number.POSITIVE_INFINITY,
      maxPendingEvents: Number.POSITIVE_INFINITY,
      maxNamespaces: 1000,
      onInvalidPayload: "report",
      cleanupEmptyChildNamespaces: options.cleanupEmptyChildNamespaces === true,
      recovery: recoverySettings(options.connectionStateRecovery)
    }
    this._core = {
      settings,
      counters: Telemetry.make(),
      deadlines: Deadlines.makeUnsafe(this._context, this.#scope),
      registry: this.#registry,
      handles: new WeakMap(),
      makeId: SessionId.makeGenerator(SessionId.secure),
      shuttingDown: false
    }
    this.sockets = this.of("/")
    if (srv !== undefined && !isOptions(srv)) this.attach(srv)
  }

  /** The options that it was made with; adapters of other packages read them. */
  get opts(): Readonly<Partial<ServerOptions>> {
    return this._opts
  }

  /** Whether the client's files are served. */
  serveClient(v: boolean): this
  serveClient(): boolean
  serveClient(v?: boolean): this | boolean {
    if (v === undefined) return this.#serveClient
    this.#serveClient = v
    return this
  }

  /** The path that clients connect to. */
  path(v: string): this
  path(): string
  path(v?: string): this | string {
    if (v === undefined) return this.#path
    this.#path = v.replace(/\/$/, "")
    return this
  }

  /** After how many milliseconds a client without a namespace is closed. */
  connectTimeout(v: number): this
  connectTimeout(): number
  connectTimeout(v?: number): this | number {
    if (v === undefined) return this.#connectTimeout
    this.#connectTimeout = v
    return this
  }

  /** What makes the adapters of namespaces; those that exist get another one. A layer is one of the Effect API, to be set before clients come. */
  adapter(): Adapter.AdapterConstructor
  adapter(v: Adapter.AdapterConstructor | AdapterLayer): this
  adapter(v?: Adapter.AdapterConstructor | AdapterLayer): this | Adapter.AdapterConstructor {
    if (v === undefined) return this._adapterConstructor
    if (isAdapterLayer(v)) {
      void this._cluster?.close()
      this._cluster = this.#makeCluster(v)
      for (const namespace of this.#registry.namespaces.values()) namespace._connect()
      return this
    }
    this._adapterConstructor = v
    for (const namespace of this.#registry.namespaces.values()) namespace.adapter = namespace._makeAdapter()
    return this
  }

  #makeCluster(layer: AdapterLayer): Cluster {
    return new Cluster(layer, (error, namespace) => this._listenerFailed(error, { event: "adapter", namespace }))
  }

  /** The same as `attach`. */
  listen(srv: NodeServer | number, opts: Partial<ServerOptions> = {}): this {
    return this.attach(srv, opts)
  }

  /** Serves clients on a port or through an HTTP server; requests for other paths reach the server's own listeners as before. */
  attach(srv: NodeServer | number, opts: Partial<ServerOptions> = {}): this {
    if (typeof srv === "function") throw new Error(expressMessage)
    const options: ServerOptions = { ...opts, ...this._opts }
    options.path ??= this.#path
    const server = typeof srv === "object" ? srv : listenOn(Number(srv))
    const engine = this.#makeEngine(options)
    engine._attach(server, options, this.#clientFiles(options))
    this.httpServer = server
    return this.bind(engine)
  }

  /** Serves clients through an app of µWebSockets.js. `close` does not close its listening socket: µWebSockets.js gave that to you. */
  attachApp(app: UwsApp, opts: Partial<ServerOptions> & AttachAppOptions = {}): this {
    const options: ServerOptions & AttachAppOptions = { ...opts, ...this._opts }
    options.path ??= this.#path
    const engine = this.#makeEngine(options)
    engine._attachApp(app, options, this.#clientFiles(options))
    return this.bind(engine)
  }

  #makeEngine(options: ServerOptions): Engine {
    return new Engine(options, {
      context: this._context,
      deadlines: this._core.deadlines,
      onListenerFailure: (error, event) => this._listenerFailed(error, { event: String(event) })
    })
  }

  #clientFiles({ cors }: ServerOptions): ClientFileHandler {
    const chain = cors === undefined || cors === false ? [] : [Cors.make(cors)]
    return {
      nameOf: (url) => (this.#serveClient ? ClientFiles.nameOf(url, this.#path) : undefined),
      serve: (name, request, response) =>
        ConnectChain.run(chain, request, response, (error) => {
          if (error === undefined) return ClientFiles.serve(name, request, response)
          response.writeHead(400)
          response.end()
        })
    }
  }

  /** Serves the clients of an engine: ours, or another one whose sockets are like Engine.IO's. */
  bind(engine: Engine | ForeignEngine): this {
    this.engine = engine as Engine
    if (engine instanceof Engine) {
      const environment = { core: this._core, socketOf: engine._socketOf.bind(engine) }
      engine._bind((session) => new ClientConnection(environment, session))
    } else engine.on("connection", (conn: ForeignConnection) => this.onconnection(conn))
    return this
  }

  /** Serves one client of another engine. */
  onconnection(conn: ForeignConnection): this {
    const environment = { core: this._core, socketOf: () => conn as EventEmitter as EngineSocket }
    // It listens, and so it stays.
    void new ForeignSession(conn, (session) => new ClientConnection(environment, session))
    return this
  }

  /**
   * A namespace, which exists from then on; `fn` is a listener of its `connection`. A regular expression or function stands for all
   * namespaces that clients ask for and it agrees to. A contract gives the types of its events, and everything that crosses the wire is
   * checked by it: payloads of clients that do not fit reach the `error` listeners of the socket and `listener_error`, and no other.
   */
  of<N extends Contract.Any>(
    contract: N,
    fn?: (socket: Socket<ListenOf<N>, EmitOf<N>, BetweenOf<N>, Contract.Data<N>>) => void
  ): Namespace<ListenOf<N>, EmitOf<N>, BetweenOf<N>, Contract.Data<N>>
  of(
    name: string | RegExp | ParentNspNameMatchFn,
    fn?: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  of(
    name: string | RegExp | ParentNspNameMatchFn | Contract.Any,
    fn?: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const namespace = this.#namespaceOf(name)
    if (fn !== undefined) namespace.on("connect", fn)
    return namespace
  }

  #namespaceOf(
    name: string | RegExp | ParentNspNameMatchFn | Contract.Any
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    if (!isContract(name)) return typeof name === "string" ? this.#named(name) : this.#family(name)
    return name.kind === "static" ? this.#named(name.path, name) : this.#family(name)
  }

  #named(given: string, contract?: Contract.Any): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const name = given[0] === "/" ? given : `/${given}`
    const existing = this.#registry.namespaces.get(name) ?? this.#registry.familyOf(name)?.createChild(name)
    if (existing !== undefined) {
      if (contract === undefined || existing._contract === contract) return existing
      throw new Error(`the namespace "${name}" exists already, without this contract`)
    }
    const namespace = new Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>(this, name, contract)
    this._add(namespace)
    return namespace
  }

  #family(
    name: RegExp | ParentNspNameMatchFn | Contract.Any
  ): ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    if (name instanceof RegExp && (name.global || name.sticky)) {
      throw new Error("stateful regular expressions are not supported")
    }
    const contract = isContract(name) ? name : undefined
    const parent = new ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>(this, contract)
    this.#registry.addFamily(name, parent as AnyParent)
    return parent
  }

  /** @internal A namespace has come to exist. */
  _add(namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): void {
    this.#registry.namespaces.set(namespace.name, namespace as AnyNamespace)
    if (namespace.name !== "/") this.sockets._emitReserved("new_namespace", namespace)
  }

  /** @internal A namespace ceases to exist. */
  _forget(namespace: AnyNamespace): void {
    if (this.#registry.namespaces.get(namespace.name) !== namespace) return
    this.#registry.namespaces.delete(namespace.name)
    void namespace.adapter.close()
    void this._cluster?.disconnect(namespace._core)
  }

  /** The namespaces by name, a snapshot; adapters and tools look here. */
  get _nsps(): Map<string, Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> {
    return new Map(this.#registry.namespaces)
  }

  /**
   * Disconnects everybody ("server shutting down"), closes the engine and then the HTTP server; `fn` gets the error if that was not
   * running. The promise never rejects.
   */
  async close(fn?: (err?: Error) => void): Promise<void> {
    const core = this._core
    core.shuttingDown = true
    const namespaces = Array.from(this.#registry.namespaces.values())
    for (const { _core } of namespaces) {
      for (const socket of Array.from(_core.sockets.values())) socket.connection.shutDown()
    }
    // Sessions of those who may come back to another server are being kept.
    await Promise.allSettled(namespaces.map(({ _core }) => Effect.runPromise(_core.closed)))
    await Promise.allSettled(namespaces.map(async ({ adapter }) => adapter.close()))
    await this._cluster?.close()
    // An engine of somebody else may have nothing to close.
    this.engine?.close?.()
    await Effect.runPromise(Scope.close(this.#scope, Exit.void))
    const { httpServer } = this
    if (httpServer === undefined) return fn?.()
    await new Promise<void>((resolve) => {
      httpServer.close((error) => {
        fn?.(error)
        resolve()
      })
    })
  }

  /** Adds a middleware to the main namespace. */
  use(fn: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this {
    this.sockets.use(fn)
    return this
  }

  /** To rooms. */
  to(
    room: string | Array<string>
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.to(room)
  }

  /** The same as `to`. */
  in(
    room: string | Array<string>
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.in(room)
  }

  /** To everybody but those in the rooms. */
  except(
    room: string | Array<string>
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.except(room)
  }

  /** Sends the event `message` to everybody. */
  send(...args: EventParams<EmitEvents, "message">): this {
    this.sockets.send(...args)
    return this
  }

  /** The same as `send`. */
  write(...args: EventParams<EmitEvents, "message">): this {
    return this.send(...args)
  }

  /** Sends an event to the other servers. */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(
    ev: Ev,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Ev>
  ): boolean {
    return this.sockets.serverSideEmit(ev, ...args)
  }

  /** Sends an event to the other servers and waits for their answers. */
  serverSideEmitWithAck<Ev extends EventNamesWithAck<ServerSideEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<ServerSideEvents, Ev>>
  ): Promise<Array<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Ev>>>>> {
    return this.sockets.serverSideEmitWithAck(ev, ...args)
  }

  /** The ids of the sockets of the main namespace. Use `fetchSockets`. */
  allSockets(): Promise<Set<string>> {
    return this.sockets.allSockets()
  }

  /** Whether what follows may be compressed. */
  compress(
    compress: boolean
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.compress(compress)
  }

  /** What follows is dropped for clients that cannot take it now. */
  get volatile(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.volatile
  }

  /** What follows is for the sockets of this server only. */
  get local(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.sockets.local
  }

  /** How many milliseconds the acknowledgements of what follows may take. */
  timeout(
    timeout: number
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  > {
    return this.sockets.timeout(timeout)
  }

  /** The sockets of the main namespace, of other servers too. */
  fetchSockets(): Promise<Array<RemoteSocket<EmitEvents, SocketData>>> {
    return this.sockets.fetchSockets()
  }

  /** Puts all sockets of the main namespace into rooms. */
  socketsJoin(room: string | Array<string>): void {
    this.sockets.socketsJoin(room)
  }

  /** Takes all sockets of the main namespace out of rooms. */
  socketsLeave(room: string | Array<string>): void {
    this.sockets.socketsLeave(room)
  }

  /** Disconnects all sockets of the main namespace; with `close` also their connections. */
  disconnectSockets(close = false): void {
    this.sockets.disconnectSockets(close)
  }

  /** @internal A listener failed. `heard` says that somebody has been told already. */
  _listenerFailed(error: unknown, where: ListenerFailure, heard = false): void {
    const told = where.event !== "listener_error" && this.sockets.listenerCount("listener_error") > 0
    if (told) this.sockets._emitReserved("listener_error", error, where)
    if (told || heard) return
    const { event, namespace = "", socket } = where
    const stage = event === "middleware" ? "middleware" : "event"
    Effect.runFork(log({ cause: Cause.die(error), stage, event, socketId: socket?.id, namespace }))
  }

  /** What the core has to report: packets that cannot be decoded are errors of their sockets. */
  #reported(report: HandlerReport): Effect.Effect<void> {
    const { cause, event, namespace, socketId, stage } = report
    const socket = socketId === undefined ? undefined : this.#registry.get(namespace)?.sockets.get(socketId)
    const error = Cause.squash(cause)
    return Effect.sync(() => {
      if (stage === "packet" && socket !== undefined) (socket.data as AnySocket)._error(error as Error)
      else this._listenerFailed(error, { event: event ?? stage, namespace, socket: socket?.data as AnySocket })
    })
  }
}

const listenOn = (port: number): NodeServer => {
  const server = createServer((_request, response) => {
    response.writeHead(404)
    response.end()
  })
  server.listen(port)
  return server
}

/** What `io.on`, `io.emit` and their like are about: the main namespace. */
const delegated = [
  "addListener",
  "emit",
  "eventNames",
  "getMaxListeners",
  "listenerCount",
  "listeners",
  "off",
  "on",
  "once",
  "prependListener",
  "prependOnceListener",
  "rawListeners",
  "removeAllListeners",
  "removeListener",
  "setMaxListeners"
] as const

for (const name of delegated) {
  Object.defineProperty(Server.prototype, name, {
    configurable: true,
    writable: true,
    value: function (this: Server, ...args: Array<unknown>): unknown {
      const { sockets } = this
      const result: unknown = Reflect.apply(sockets[name], sockets, args)
      return result === sockets ? this : result
    }
  })
}
