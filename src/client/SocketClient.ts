/**
 * Making clients: one namespace of a server, or several over one connection.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Namespace } from "../contract/index.ts"
import { untyped } from "../contract/UntypedNamespace.ts"
import { json, type SocketCodec } from "../protocol/SocketCodec.ts"
import * as EngineClientOptions from "../transport/EngineClientOptions.ts"
import * as EngineUrl from "../transport/EngineUrl.ts"
import { ConnectFailed } from "./ClientError.ts"
import { ManagerImpl, type ManagerParts } from "./Manager.ts"
import { Platform } from "./Platform.ts"
import * as Reconnection from "./Reconnection.ts"
import * as Socket from "./Socket.ts"
import { type AuthSource, SocketDriver } from "./SocketDriver.ts"

/** A namespace without a contract. */
export type Untyped = ReturnType<typeof untyped<string>>

/** The contract of a namespace that was given by name or as it is. */
export type ContractOf<N extends Namespace.Any | string> = N extends Namespace.Any ? N : Untyped

/** The engine's options: names and defaults are those of Socket.IO. */
export type EngineOptions = {
  readonly [K in keyof EngineClientOptions.EngineClientOptions]?: EngineClientOptions.EngineClientOptions[K] | undefined
}

/** Where the server is, and how to speak to it. */
export interface ManagerOptions extends EngineOptions {
  /** `http`, `https`, `ws` or `wss`; in a browser also relative, and by default where the page is from. Its path is not used. */
  readonly url?: string | undefined
  /** How packets are written (`effect-socketio/parser`); the server must use the same. Default: JSON with attachments. */
  readonly parser?: SocketCodec | undefined
  /** Whether to connect again: by the four options below if one is given, else by the policy of the `Reconnection` reference. Default true. */
  readonly reconnection?: boolean | undefined
  /** Default: without limit. */
  readonly reconnectionAttempts?: number | undefined
  /** Default 1 second; doubled with each attempt. */
  readonly reconnectionDelay?: Duration.Input | undefined
  /** Default 5 seconds. */
  readonly reconnectionDelayMax?: Duration.Input | undefined
  /** Default 0.5: how far a delay may be off, as a part of it. */
  readonly randomizationFactor?: number | undefined
  /** How long an attempt may take. Default 20 seconds; `Infinity` for any time. */
  readonly connectTimeout?: Duration.Input | undefined
}

/** How a namespace is used. */
export interface SocketOptions {
  /** How long `emitWithAck` waits where nothing else is said. Default 10 seconds; `Infinity` for ever. */
  readonly ackTimeout?: Duration.Input | undefined
  /**
   * With a number, events that are not volatile go out one after the other, each up to `1 + retries` times until the server acknowledges it:
   * at least once, in order. Default: off.
   */
  readonly retries?: number | undefined
  /** Whether `connect` waits for the connection, and fails when there is none. Default true. Otherwise it connects in the background. */
  readonly wait?: boolean | undefined
  /** Whether to connect at all; with false only `socket.connect` does. Default true. */
  readonly autoConnect?: boolean | undefined
}

/** What the auth can be given as: a value, or how to find it out, anew for each attempt. */
export type AuthInput<A, E, R> = A | Effect.Effect<A, E, R> | (() => A | Effect.Effect<A, E, R>)

/** A plain object, for namespaces that declare no auth. */
type PlainAuth = { readonly [key: string]: unknown }

/** The auth, required where the contract declares one. */
export type AuthOption<N extends Namespace.Any, E, R> =
  Namespace.HasAuth<N> extends true
    ? { readonly auth: AuthInput<Namespace.Auth<N>, E, R> }
    : { readonly auth?: AuthInput<PlainAuth, E, R> | undefined }

/** What names one of several namespaces that share a contract. */
export type NameOption<N extends Namespace.Any> =
  Namespace.Kind<N> extends "static"
    ? unknown
    : Namespace.Kind<N> extends "parameters"
      ? { readonly params: Namespace.Params<N> }
      : { readonly name: string }

/** A connection that namespaces share, for `connect`. */
export interface Manager {
  /** The transport in use: "polling" or "websocket"; `undefined` while there is no connection. */
  readonly transport: string | undefined
}

/** Where the connection comes from: a manager of one's own, or one that `connect` finds or makes for the URL. */
export type ConnectionOption =
  | { readonly manager: Manager }
  | (ManagerOptions & {
      readonly manager?: undefined
      /** Always make a connection of its own. Default false: namespaces connected in one scope to one URL and path share one. */
      readonly forceNew?: boolean | undefined
    })

/** Everything that {@link connect} takes. */
export type ConnectOptions<N extends Namespace.Any, E, R> = ConnectionOption &
  SocketOptions &
  AuthOption<N, E, R> &
  NameOption<N>

/** How long an attempt to connect may take by default, in milliseconds. */
export const defaultConnectTimeout = 20_000

/** How long `emitWithAck` waits by default, in milliseconds. */
export const defaultAckTimeout = 10_000

const millisOf = (input: Duration.Input | undefined, otherwise: number): number =>
  input === undefined ? otherwise : Duration.toMillis(Duration.fromInputUnsafe(input))

const finite = (millis: number): number | undefined => (millis === Number.POSITIVE_INFINITY ? undefined : millis)

/** The managers of each scope: what is connected in one scope shares connections. */
const shared = new WeakMap<Scope.Scope, Array<ManagerImpl>>()

const policyOf = (options: ManagerOptions, context: Context.Context<never>): Reconnection.ReconnectionPolicy => {
  if (options.reconnection === false) return Reconnection.none
  const { reconnectionAttempts, reconnectionDelay, reconnectionDelayMax, randomizationFactor } = options
  const given = [reconnectionAttempts, reconnectionDelay, reconnectionDelayMax, randomizationFactor]
  if (given.every((value) => value === undefined)) return Context.get(context, Reconnection.Reconnection)
  return Reconnection.backoff({
    // As in the official client, 0 is no limit either.
    reconnectionAttempts: reconnectionAttempts === 0 ? undefined : reconnectionAttempts,
    reconnectionDelay: reconnectionDelay === undefined ? undefined : millisOf(reconnectionDelay, 0),
    reconnectionDelayMax: reconnectionDelayMax === undefined ? undefined : millisOf(reconnectionDelayMax, 0),
    randomizationFactor
  })
}

interface Prepared {
  readonly parts: ManagerParts
  make(): ManagerImpl
}

const prepare = (
  options: ManagerOptions,
  context: Context.Context<never>,
  scope: Scope.Scope
): Prepared | ConnectFailed => {
  const platform = Context.get(context, Platform)
  const engine = EngineClientOptions.make(options)
  const { base } = platform
  const address = EngineUrl.parse(options.url ?? (base === undefined ? "" : "/"), { ...engine, base })
  if (EngineUrl.isInvalid(address)) return new ConnectFailed({ message: address.message, description: options.url })
  const parts: ManagerParts = {
    address,
    engine,
    platform,
    codec: options.parser ?? json,
    policy: policyOf(options, context),
    timeout: finite(millisOf(options.connectTimeout, defaultConnectTimeout))
  }
  return { parts, make: () => new ManagerImpl(parts, context, scope) }
}

/**
 * A connection for several namespaces (`connect(ns, { manager })`), which is made with the first of them and ends with the scope.
 * Fails only for a URL that is none.
 */
export const manager = (options: ManagerOptions): Effect.Effect<Manager, ConnectFailed, Scope.Scope> =>
  Effect.contextWith((context: Context.Context<Scope.Scope>) => {
    const prepared = prepare(options, context, Context.get(context, Scope.Scope))
    return prepared instanceof ConnectFailed ? Effect.fail(prepared) : Effect.sync(() => prepared.make())
  })

const findManager = (
  options: ConnectionOption,
  name: string,
  context: Context.Context<never>,
  scope: Scope.Scope
): ManagerImpl | ConnectFailed => {
  if (options.manager !== undefined) return options.manager as ManagerImpl
  const prepared = prepare(options, context, scope)
  if (prepared instanceof ConnectFailed) return prepared
  if (options.forceNew === true) return prepared.make()
  const managers = shared.get(scope) ?? []
  shared.set(scope, managers)
  // A namespace can be on one connection once.
  const existing = managers.find((manager) => manager.speaksAs(prepared.parts) && !manager.machine.has(name))
  if (existing !== undefined) return existing
  const made = prepared.make()
  managers.push(made)
  return made
}

const nameOf = (
  namespace: Namespace.Any,
  options: { readonly params?: Readonly<Record<string, unknown>>; readonly name?: string }
): string | ConnectFailed => {
  if (options.name !== undefined) return options.name
  const name = namespace.nameOf(options.params ?? {})
  if (Exit.isSuccess(name)) return name.value
  return new ConnectFailed({ message: "the parameters do not make a namespace", description: name.cause })
}

/** The auth as an Effect that finds it out. */
const authSource = (auth: unknown, context: Context.Context<never>): AuthSource => {
  const found = (auth: unknown): Effect.Effect<unknown, unknown> =>
    Effect.isEffect(auth)
      ? Effect.provideContext(auth as Effect.Effect<unknown, unknown>, context)
      : Effect.succeed(auth)
  return typeof auth === "function" ? Effect.suspend(() => found((auth as () => unknown)())) : found(auth)
}

/**
 * Connects to a namespace, given by its contract or, without one, by name.
 *
 * It waits for the first connection: fails with `ConnectRefused` when the server refuses, and with `ConnectFailed` once there are no more
 * attempts (with Socket.IO's default policy there always are). From then on the client connects again by itself whenever the connection
 * is lost, until the scope closes. To miss no event that the server sends at once, pass `autoConnect: false`, register handlers, then run
 * `socket.connect`; handlers registered directly after `connect`, with nothing awaited in between, miss none either.
 */
export const connect = <const N extends Namespace.Any | string, E = never, R = never>(
  namespace: N,
  options: ConnectOptions<ContractOf<N>, E, R>
): Effect.Effect<Socket.Socket<ContractOf<N>, E>, Socket.ConnectError<ContractOf<N>, E>, R | Scope.Scope> =>
  Effect.flatMap(Effect.context<R | Scope.Scope>(), (context) =>
    Effect.suspend((): Effect.Effect<Socket.Socket<ContractOf<N>, E>, Socket.ConnectError<ContractOf<N>, E>> => {
      const made = make(namespace, options, context as unknown as Context.Context<Scope.Scope>)
      if (made instanceof ConnectFailed) return Effect.fail(made)
      const socket = Socket.make<ContractOf<N>, E>(made)
      if (options.autoConnect === false) return Effect.succeed(socket)
      if (options.wait !== false) return Effect.as(socket.connect, socket)
      return Effect.sync(() => {
        made.connect()
        return socket
      })
    })
  )

/** One step, so that no interruption comes between what is made and its finalizer. */
const make = (
  namespace: Namespace.Any | string,
  options: ConnectionOption &
    SocketOptions & {
      readonly auth?: unknown
      readonly params?: Readonly<Record<string, unknown>>
      readonly name?: string
    },
  context: Context.Context<Scope.Scope>
): SocketDriver | ConnectFailed => {
  const scope = Context.get(context, Scope.Scope)
  const contract: Namespace.Any = typeof namespace === "string" ? untyped(namespace) : namespace
  const name = nameOf(contract, options)
  if (name instanceof ConnectFailed) return name
  const manager = findManager(options, name, context, scope)
  if (manager instanceof ConnectFailed) return manager
  if (manager.machine.has(name)) {
    return new ConnectFailed({ message: `"${name}" is already on this connection`, description: undefined })
  }
  const ackTimeout = finite(millisOf(options.ackTimeout, defaultAckTimeout))
  const driver = new SocketDriver({
    manager,
    namespace: contract,
    name,
    auth: authSource(options.auth, context),
    options: { retries: options.retries, ackTimeout }
  })
  Effect.runSync(
    Scope.addFinalizer(
      scope,
      Effect.sync(() => driver.close())
    )
  )
  return driver
}
