/**
 * Middleware of namespaces: decides who may connect, and provides services to the handlers of those who do.
 *
 * A middleware is a service with a layer. Provided to a namespace's layer it runs for every client of that namespace, after the
 * contract has decoded the auth and before the client is told that it is connected:
 *
 * ```ts
 * class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("app/CurrentUser") {}
 *
 * class Authenticate extends Middleware.Service<Authenticate>()("app/Authenticate", {
 *   provides: CurrentUser,
 *   failure: Unauthorized,
 *   auth: Schema.Struct({ token: Schema.String })
 * }) {
 *   static readonly layer = Middleware.layer(this, Effect.fnUntraced(function*({ auth }) {
 *     const users = yield* Users
 *     return yield* users.verify(auth.token)      // a CurrentUser, or fails with Unauthorized
 *   }))
 * }
 *
 * const ChatLive = SocketServer.namespace(Chat, handler).pipe(Layer.provide(Authenticate.layer))
 * ```
 *
 * Several run in order, the outermost first: of `pipe(Layer.provide(A), Layer.provide(B))` B runs before A, and A may use what B
 * provides; of `Layer.provide([A, B])` A runs first. Provided around `SocketServer.serve`, a middleware runs for all namespaces.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Namespace, WireRefusal } from "../contract/index.ts"
import * as PayloadCodec from "../contract/PayloadCodec.ts"
import * as RefusalCodec from "../contract/RefusalCodec.ts"
import type { Incoming } from "./Incoming.ts"
import * as IncomingSocket from "./Incoming.ts"
import type { ServerSocket } from "./ServerSocket.ts"

/** Marks a service that a handler needs while it serves one socket. */
declare const PerSocketId: unique symbol

/**
 * A requirement of handlers. An ordinary layer of the service satisfies it, and so does a middleware that provides the service to each
 * socket; what a middleware provides is no use to code that runs without a socket.
 */
export type PerSocket<I> = I extends unknown ? I & { readonly [PerSocketId]: I } : never

/** The ordinary requirements behind those of handlers. */
export type Unwrap<R> = R extends { readonly [PerSocketId]: infer I } ? I : R

/** What the handlers of a socket need from outside: everything but their scope. */
export type Requires<R> = PerSocket<Exclude<R, Scope.Scope>>

/** How a middleware failed, and how it says so. */
export interface Failure {
  readonly error: unknown
  readonly codec: RefusalCodec.RefusalCodec<unknown> | undefined
}

/** A middleware as the server keeps it. */
export interface Entry {
  /** The middleware that were provided to this one. */
  readonly outer: ReadonlyArray<Entry>
  readonly codec: RefusalCodec.RefusalCodec<unknown> | undefined
  /** Whether handlers need it: such a one runs for recovered sockets too, whatever `skipMiddlewares` says. */
  readonly provides: boolean
  /** Gives the services of the socket, with its own among them. */
  readonly run: (
    socket: ServerSocket,
    services: Context.Context<never>
  ) => Effect.Effect<Context.Context<never>, unknown>
}

const TypeId = "~effect-socketio/socket/Middleware"

/** Keys of middleware in contexts begin with this. */
const keyPrefix = "effect-socketio/socket/Middleware/"

/** What a middleware declares. */
export interface Options<P, F extends PayloadCodec.PayloadSchema, A extends PayloadCodec.PayloadSchema> {
  /** The service that it provides to the handlers of each socket. */
  readonly provides?: P | undefined
  /** What it may refuse a client with: encoded as the data of the `connect_error`, unless the contract's `refusal` has a form for it. */
  readonly failure?: F | undefined
  /** What it needs of the auth data. A client whose auth does not decode is refused with the message "invalid auth". */
  readonly auth?: A | undefined
}

/** The types of a middleware. */
export interface Types<Provides, Provided, Failure, Auth> {
  readonly identifier: Provides
  readonly provided: Provided
  readonly failure: Failure
  readonly auth: Auth
}

/** A middleware of whatever types. */
export interface Any {
  readonly [TypeId]: Types<unknown, unknown, unknown, unknown>
  readonly key: string
  readonly provides: Context.Key<unknown, unknown> | undefined
  readonly failure: PayloadCodec.PayloadSchema | undefined
  readonly auth: PayloadCodec.PayloadSchema | undefined
}

/** The class of a middleware, to be extended. */
export interface ServiceClass<
  Self,
  Id extends string,
  T extends Types<unknown, unknown, unknown, unknown>
> extends Context.ServiceClass<Self, Id, Entry> {
  readonly [TypeId]: T
  readonly provides: Context.Key<unknown, unknown> | undefined
  readonly failure: PayloadCodec.PayloadSchema | undefined
  readonly auth: PayloadCodec.PayloadSchema | undefined
}

type TypeOr<S, Otherwise> = [S] extends [never] ? Otherwise : S extends { readonly Type: infer T } ? T : Otherwise

/** Declares a middleware; see the head of this page. */
export const Service =
  <Self>() =>
  <
    const Id extends string,
    I = never,
    S = void,
    F extends PayloadCodec.PayloadSchema = never,
    A extends PayloadCodec.PayloadSchema = never
  >(
    id: Id,
    options?: Options<Context.Key<I, S>, F, A>
  ): ServiceClass<Self, Id, Types<I, S, TypeOr<F, never>, TypeOr<A, unknown>>> => {
    const base = Context.Service<Self, Entry>()(`${keyPrefix}${id}`)
    return Object.assign(base, {
      [TypeId]: {},
      provides: options?.provides,
      failure: options?.failure,
      auth: options?.auth
    }) as unknown as ServiceClass<Self, Id, Types<I, S, TypeOr<F, never>, TypeOr<A, unknown>>>
  }

type TypesOf<M extends Any> = M[typeof TypeId]

/** What a middleware does for one client. It may wait; a client that leaves meanwhile interrupts it. */
export type Handler<M extends Any, R> = (
  socket: Incoming<TypesOf<M>["auth"]>
) => Effect.Effect<TypesOf<M>["provided"], TypesOf<M>["failure"], R>

/** What the layer of a middleware gives: the middleware, and its service to handlers. */
export type Output<M extends Any> =
  | (M extends Context.Key<infer Self, infer _S> ? Self : never)
  | PerSocket<TypesOf<M>["identifier"]>

/** The middleware in an environment, in the order in which they run. */
export const entries = (context: Context.Context<never>): Array<Entry> => {
  const found = new Set<Entry>()
  const visit = (entry: Entry): void => {
    for (const outer of entry.outer) visit(outer)
    found.add(entry)
  }
  for (const [key, entry] of context.mapUnsafe) if (key.startsWith(keyPrefix)) visit(entry as Entry)
  return Array.from(found)
}

/** The services around a middleware or a namespace, without what belongs to the building of layers. */
export const aroundOf = (context: Context.Context<never>): Context.Context<never> =>
  Context.omit(Scope.Scope, Layer.CurrentMemoMap)(context as Context.Context<Scope.Scope | Layer.CurrentMemoMap>)

/** A layer of one entry. Built anew wherever it is provided, since what it finds around it differs. */
const entryLayer = <I, R>(key: string, make: (services: Context.Context<never>) => Omit<Entry, "outer">) =>
  Layer.fromBuild<I, never, R>(() =>
    Effect.contextWith((context: Context.Context<R>) => {
      const services = aroundOf(context)
      const entry: Entry = { ...make(services), outer: entries(services) }
      return Effect.succeed(Context.makeUnsafe<I>(new Map([[key, entry]])))
    })
  )

/** The layer of a middleware. What its handler needs is taken from where the layer is provided. */
export const layer = <M extends Any, R = never>(
  middleware: M,
  handler: Handler<M, R>
): Layer.Layer<Output<M>, never, Requires<R>> => {
  const codec = middleware.failure === undefined ? undefined : RefusalCodec.make(middleware.failure)
  const auth = middleware.auth === undefined ? undefined : PayloadCodec.make(middleware.auth)
  const provides = middleware.provides
  const handle = handler as (socket: Incoming<unknown>) => Effect.Effect<unknown, unknown>
  return entryLayer<Output<M>, Requires<R>>(middleware.key, (around) => ({
    codec,
    provides: provides !== undefined,
    run: (socket, services) =>
      Effect.suspend(() => {
        const decoded = auth === undefined ? Exit.succeed(socket.auth) : auth.decode(socket.wireAuth)
        if (Exit.isFailure(decoded)) return Effect.fail(invalidAuth)
        return handle(IncomingSocket.make(socket, decoded.value))
      }).pipe(
        Effect.provideContext(Context.merge(services, around)),
        Effect.map((provided) => (provides === undefined ? services : Context.add(services, provides, provided)))
      )
  }))
}

let anonymous = 0

/** A middleware that provides nothing, from a function: it refuses by failing. */
export const make = <E = never, R = never>(
  handler: (socket: Incoming<unknown>) => Effect.Effect<unknown, E, R>
): Layer.Layer<never, never, Requires<R>> =>
  entryLayer<never, Requires<R>>(`${keyPrefix}anonymous/${++anonymous}`, (around) => {
    const entry = fromFunction(handler as (socket: Incoming<unknown>) => Effect.Effect<unknown, E>, around)
    return { codec: entry.codec, provides: false, run: entry.run }
  })

/** The entry of a function that has all services it needs in `around`. */
export const fromFunction = <E>(
  handler: (socket: Incoming<unknown>) => Effect.Effect<unknown, E>,
  around: Context.Context<never>
): Entry => ({
  outer: [],
  codec: undefined,
  provides: false,
  run: (socket, services) =>
    Effect.suspend(() => handler(IncomingSocket.make(socket, socket.auth))).pipe(
      Effect.provideContext(Context.merge(services, around)),
      Effect.as(services)
    )
})

/** Runs middleware in order. Gives the services of the socket, or what the first that failed failed with. */
export const run = (
  middleware: ReadonlyArray<Entry>,
  socket: ServerSocket
): Effect.Effect<Context.Context<never>, Failure> =>
  Effect.gen(function* () {
    let services = socket.services()
    for (const { run, codec } of middleware) {
      services = yield* Effect.mapError(run(socket, services), (error): Failure => ({ error, codec }))
    }
    return services
  })

const invalidAuth: WireRefusal = { message: "invalid auth" }

const refusedWithoutWords: WireRefusal = { message: "refused" }

/** The answer for a failure: in the contract's form, else in the middleware's, else its message alone. */
export const toWire = (failure: Failure, contract: Namespace.Any): WireRefusal => {
  if (failure.error === invalidAuth) return invalidAuth
  try {
    for (const codec of [contract.refusal, failure.codec]) {
      const encoded = codec?.encode(failure.error)
      if (encoded !== undefined && Exit.isSuccess(encoded)) return encoded.value
    }
    const plain = RefusalCodec.untyped.encode(failure.error)
    if (Exit.isSuccess(plain)) return { message: plain.value.message }
  } catch {
    // The error's own getters threw.
  }
  return refusedWithoutWords
}
