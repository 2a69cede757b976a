/**
 * The Socket.IO server: namespaces with their handlers, served over an engine.
 *
 * ```ts
 * const ChatLive = SocketServer.namespace(Chat, Effect.fnUntraced(function*(socket) {
 *   yield* socket.on("message", (text) => Effect.as(socket.to("lobby").emit("message", "someone", text), { id: 1 }))
 * }))
 * const Main = SocketServer.serve(ChatLive, { pingInterval: "25 seconds" }).pipe(
 *   Layer.provide(InMemoryAdapter.layer),
 *   Layer.provide(NodeEngine.layer({ port: 3000 }))
 * )
 * ```
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Adapter, type AdapterError } from "../adapter/Adapter.ts"
import type { Event, Namespace } from "../contract/index.ts"
import * as EngineConfig from "../engine/EngineConfig.ts"
import type { EngineCounters } from "../engine/EngineCounters.ts"
import { EngineError } from "../engine/EngineError.ts"
import { EngineHost } from "../engine/EngineHost.ts"
import * as EngineServer from "../engine/EngineServer.ts"
import * as SessionId from "../engine/SessionId.ts"
import * as GuardedCodec from "../protocol/GuardedCodec.ts"
import * as SocketCodec from "../protocol/SocketCodec.ts"
import { Connection } from "./Connection.ts"
import type { EventHandler } from "./EventHandler.ts"
import * as Middleware from "./Middleware.ts"
import * as NamespaceHandle from "./NamespaceHandle.ts"
import { count, millis } from "./OptionChecks.ts"
import { type RecoveryOptions, recoverySettings } from "./RecoveryOptions.ts"
import { type MakeAdapter, NamespaceRegistry } from "./NamespaceRegistry.ts"
import type { InvalidPayloadPolicy, NamespaceDefinition, ServerCore, Settings } from "./ServerCore.ts"
import type { ServerSocket } from "./ServerSocket.ts"
import { type HandlerResult, type Socket, typed } from "./Socket.ts"
import * as Telemetry from "./Telemetry.ts"

/** Options of a server: Socket.IO's names and defaults, and some of ours. */
export interface Options extends EngineConfig.EngineOptions {
  /** Where requests are taken. Default "/socket.io". */
  readonly path?: string | undefined
  /** Whether the path ends with a slash. Default true. */
  readonly addTrailingSlash?: boolean | undefined
  /** How long a client may stay without any namespace. Default 45 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /** How packets are written (`effect-socketio/parser`); clients must use the same. Default: Socket.IO's JSON. */
  readonly parser?: SocketCodec.SocketCodec | undefined
  /** Whether a dynamic namespace is forgotten when its last socket leaves. Default false. */
  readonly cleanupEmptyChildNamespaces?: boolean | undefined
  /** How long an answer is waited for where nothing else is said; also for broadcasts. Default 10 seconds. Socket.IO: for ever. */
  readonly ackTimeout?: Duration.Input | undefined
  /** What happens to a socket whose payload failed its schema, once it was reported. Default "report": nothing more. */
  readonly onInvalidPayload?: InvalidPayloadPolicy | undefined
  /**
   * Handlers of one socket that run or wait; at this number its connection is paused, at half of it resumed. Default 1,000. While it is
   * paused answers do not come in either; therefore a socket that waits for answers of its client is paused at twice the number only.
   * Handlers of a client that has even more under way, and that ask it, can meet the ack timeout.
   */
  readonly maxRunningHandlers?: number | undefined
  /** Events that wait for a connection handler to return; at this number the connection is paused until it has. Default 100. */
  readonly maxPendingEvents?: number | undefined
  /** Namespaces that one connection may be in. Default 1,000. */
  readonly maxNamespaces?: number | undefined
  /** Lets clients come back to their session after a lost connection; see docs/recovery.md. Default: they get a new one. */
  readonly connectionStateRecovery?: RecoveryOptions | undefined
}

/** Options of one namespace. */
export interface NamespaceOptions {
  /** Default: that of the server. */
  readonly onInvalidPayload?: InvalidPayloadPolicy | undefined
}

/** A running server. Its members are for this library's own parts; programs use the functions of this module. */
export interface SocketServerShape {
  readonly core: ServerCore
  readonly engine: EngineServer.EngineServerShape
}

/** The server that namespaces belong to. */
export class SocketServer extends Context.Service<SocketServer, SocketServerShape>()(
  "effect-socketio/socket/SocketServer"
) {}

const settingsOf = (options: Options): Settings => ({
  codec: GuardedCodec.make(options.parser ?? SocketCodec.json),
  connectTimeout: millis("connectTimeout", options.connectTimeout, 45_000),
  ackTimeout: millis("ackTimeout", options.ackTimeout, 10_000),
  maxRunningHandlers: count("maxRunningHandlers", options.maxRunningHandlers, 1000),
  maxPendingEvents: count("maxPendingEvents", options.maxPendingEvents, 100),
  maxNamespaces: count("maxNamespaces", options.maxNamespaces, 1000),
  onInvalidPayload: options.onInvalidPayload ?? "report",
  cleanupEmptyChildNamespaces: options.cleanupEmptyChildNamespaces ?? false,
  recovery: recoverySettings(options.connectionStateRecovery)
})

/**
 * A server without a host: its sessions end with the scope. Throws an `EngineError` (`Config`) for options that make no sense.
 */
export const makeUnsafe = (
  options: Options,
  context: Context.Context<never>,
  scope: Scope.Scope,
  makeAdapter: MakeAdapter
): SocketServerShape => {
  const settings = settingsOf(options)
  const engine = EngineServer.makeUnsafe(
    EngineConfig.makeUnsafe(options),
    context,
    scope,
    (session) => new Connection(core, session)
  )
  const core: ServerCore = {
    settings,
    counters: Telemetry.make(),
    deadlines: engine.deadlines,
    registry: new NamespaceRegistry(makeAdapter),
    handles: new WeakMap(),
    makeId: SessionId.makeGenerator(SessionId.secure),
    shuttingDown: false
  }
  return { core, engine }
}

/**
 * Disconnects everybody: every socket learns "server shutting down", connections are closed, and then it waits for what belonged to the
 * sockets to end.
 */
export const shutDown = ({ core, engine }: SocketServerShape): Effect.Effect<void> =>
  Effect.suspend(() => {
    core.shuttingDown = true
    const namespaces = core.registry.all()
    for (const namespace of namespaces) {
      for (const socket of Array.from(namespace.sockets.values())) socket.connection.shutDown()
    }
    engine.shutDown()
    return Effect.forEach(namespaces, (namespace) => namespace.closed, { discard: true })
  })

const defaultPath = "/socket.io"

/** The path as hosts take it: with a slash at both ends, unless the last one was declined. */
const pathOf = (options: Options): string => {
  const path = (options.path ?? defaultPath).replace(/\/$/, "")
  return (options.addTrailingSlash ?? true) ? `${path}/` : path
}

/**
 * Serves namespaces. They are built first and released last; the host is asked to listen last and stops accepting first, so that no
 * client meets a server without its namespaces: an official client that is told "Invalid namespace" never comes back.
 */
export const serve = <A, E, R>(
  namespaces: Layer.Layer<A, E, R>,
  options: Options = {}
): Layer.Layer<
  SocketServer | A,
  E | EngineError,
  Exclude<Middleware.Unwrap<R>, SocketServer> | Adapter | EngineHost
> => {
  const build = Effect.gen(function* () {
    const scope = yield* Effect.scope
    const memoMap = yield* Effect.serviceOption(Layer.CurrentMemoMap)
    const context = yield* Effect.context<never>()
    const adapter = yield* Adapter
    const host = yield* EngineHost
    // In the order of their release, from the last one.
    const namespacesScope = yield* Scope.fork(scope)
    const server = yield* Effect.try({
      try: () => makeUnsafe(options, context, scope, adapter.make),
      catch: (error) =>
        error instanceof EngineError
          ? error
          : new EngineError({ reason: "Config", message: String(error), cause: error })
    })
    // Two servers of one program may be given the same namespaces: each has them for itself.
    const own = memoMap._tag === "Some" ? Layer.forkMemoMapUnsafe(memoMap.value) : Layer.makeMemoMapUnsafe()
    const built = yield* Layer.buildWithMemoMap(namespaces, own, namespacesScope).pipe(
      Effect.provideService(SocketServer, server)
    )
    yield* Effect.addFinalizer(() => shutDown(server))
    yield* host.serve(server.engine, {
      path: pathOf(options),
      addTrailingSlash: options.addTrailingSlash ?? true,
      maxPayload: server.engine.config.maxPayload
    })
    return Context.add(built, SocketServer, server)
  })
  // `Unwrap` says at the level of types what the context is at run time: plain services.
  return Layer.effectContext(build) as Layer.Layer<
    SocketServer | A,
    E | EngineError,
    Exclude<Middleware.Unwrap<R>, SocketServer> | Adapter | EngineHost
  >
}

const declare = <N extends Namespace.Any>(
  contract: N,
  setup: NamespaceDefinition["setup"],
  shared: NamespaceDefinition["shared"],
  options: NamespaceOptions
): Effect.Effect<void, AdapterError, SocketServer | Scope.Scope> =>
  Effect.gen(function* () {
    const { core } = yield* SocketServer
    const context = Middleware.aroundOf(yield* Effect.context<never>())
    yield* core.registry.register(core, {
      contract,
      setup,
      shared,
      middleware: Middleware.entries(context),
      context,
      onInvalidPayload: options.onInvalidPayload ?? core.settings.onInvalidPayload
    })
  })

/**
 * A namespace. The connection handler runs for each client that is admitted, after the client was told that it is connected, and
 * *sets the socket up*: the client's events are held back until it has returned, so that none is lost while it registers handlers.
 * Answers to questions it asks meanwhile do arrive. Work that goes on belongs into fibers: `Effect.forkScoped`; the scope is the
 * socket's, and with it everything ends that the handler began.
 *
 * When the handler fails, the failure goes to the error sink and the client is disconnected from the namespace.
 */
export const namespace = <N extends Namespace.Any, E = never, R = never>(
  contract: N,
  connection: (socket: Socket<N>) => Effect.Effect<unknown, E, R>,
  options: NamespaceOptions = {}
): Layer.Layer<never, AdapterError, SocketServer | Middleware.Requires<R>> => {
  const setup = connection as (socket: Socket<N>) => Effect.Effect<unknown, E>
  return Layer.effectDiscard(declare(contract, (socket) => setup(typed<N>(socket)), undefined, options))
}

/** Handlers for the events of a namespace that all its sockets share: they get the socket first. */
export type Handlers<N extends Namespace.Any> = {
  readonly [K in Namespace.EventName<Namespace.FromClient<N>>]?: (
    socket: Socket<N>,
    ...args: Event.Args<Namespace.FromClient<N>[K]>
  ) => Effect.Effect<HandlerResult<Namespace.FromClient<N>[K]>, Event.Error<Namespace.FromClient<N>[K]>, unknown>
}

type ServicesOf<H> = H[keyof H] extends infer F
  ? F extends (...args: never) => Effect.Effect<infer _A, infer _E, infer R>
    ? R
    : never
  : never

/**
 * A namespace whose handlers are shared by all sockets instead of being made for each: the way to go for very many connections, since
 * nothing is kept per socket. `connection` may set up the rest, as in {@link namespace}.
 */
export const handlers = <N extends Namespace.Any, H extends Handlers<N>, E = never, R = never>(
  contract: N,
  events: H,
  connection?: (socket: Socket<N>) => Effect.Effect<unknown, E, R>,
  options: NamespaceOptions = {}
): Layer.Layer<never, AdapterError, SocketServer | Middleware.Requires<R | ServicesOf<H>>> => {
  const shared = new Map<string, EventHandler>()
  for (const [name, handler] of Object.entries(events)) {
    const event = contract.clientEvent(name)
    if (event === undefined || handler === undefined) continue
    const run = handler as EventHandler["run"]
    shared.set(name, { name, event, run, shared: true, context: undefined, next: undefined })
  }
  const setup = connection as ((socket: Socket<N>) => Effect.Effect<unknown, E>) | undefined
  return Layer.effectDiscard(
    declare(
      contract,
      setup === undefined ? undefined : (socket: ServerSocket) => setup(typed<N>(socket)),
      shared,
      options
    )
  )
}

/** What a handle is asked for by: nothing for a contract with a fixed name, else the parameters or the name. */
export type HandleOf<N extends Namespace.Any> =
  Namespace.Kind<N> extends "static"
    ? []
    : Namespace.Kind<N> extends "parameters"
      ? [params: Namespace.Params<N>]
      : [name: string]

/** A namespace from outside of its sockets: `yield* SocketServer.handle(Chat)`, then `chat.to("lobby").emit(…)`. */
export const handle = <N extends Namespace.Any>(
  contract: N,
  ...[of]: HandleOf<N>
): Effect.Effect<NamespaceHandle.NamespaceHandle<N>, never, SocketServer> =>
  SocketServer.use(({ core }) => {
    const asked: unknown = of
    if (typeof asked === "string") return Effect.succeed(NamespaceHandle.make(core, contract, asked))
    if (asked === undefined) {
      const known = core.handles.get(contract)
      if (known !== undefined) return Effect.succeed(known as unknown as NamespaceHandle.NamespaceHandle<N>)
    }
    const name = contract.nameOf((asked ?? {}) as Readonly<Record<string, unknown>>)
    if (Exit.isFailure(name)) return Effect.die(new TypeError(`"${contract.path}" has no name for these parameters`))
    const made = NamespaceHandle.make(core, contract, name.value)
    if (asked === undefined)
      core.handles.set(contract, made as unknown as NamespaceHandle.NamespaceHandle<Namespace.Any>)
    return Effect.succeed(made)
  })

/** The name of each dynamic namespace that comes to exist: Socket.IO's `new_namespace`. */
export const newNamespaces: Stream.Stream<string, never, SocketServer> = Stream.unwrap(
  SocketServer.useSync(({ core }) =>
    Stream.callback<string>((queue) =>
      Effect.acquireRelease(
        Effect.sync(() => core.registry.onNew((created) => Queue.offerUnsafe(queue, created.name))),
        (stop) => Effect.sync(stop)
      )
    )
  )
)

/** The names of the namespaces that exist now. */
export const namespaces: Effect.Effect<ReadonlyArray<string>, never, SocketServer> = SocketServer.useSync(({ core }) =>
  core.registry.all().map(({ name }) => name)
)

/** What a server has counted. */
export interface Snapshot extends Readonly<Telemetry.Counters> {
  /** Open connections, whether or not they are in a namespace. */
  readonly clients: number
  readonly engine: Readonly<EngineCounters>
}

/** What the server has counted so far. */
export const telemetry: Effect.Effect<Snapshot, never, SocketServer> = SocketServer.useSync(({ core, engine }) => ({
  ...core.counters,
  clients: engine.clientsCount,
  engine: {
    ...engine.counters,
    opened: { ...engine.counters.opened },
    closed: { ...engine.counters.closed },
    refused: [...engine.counters.refused]
  }
}))
