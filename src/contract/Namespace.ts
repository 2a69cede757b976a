/**
 * The contract of a namespace: one value, imported by both ends, that gives the static types and the run-time validation of
 * everything that crosses the wire.
 */
import type * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import type * as Event from "./Event.ts"
import * as NamespacePath from "./NamespacePath.ts"
import * as PayloadCodec from "./PayloadCodec.ts"
import * as ParamCodec from "./ParamCodec.ts"
import * as PayloadIssue from "./PayloadIssue.ts"
import * as RefusalCodec from "./RefusalCodec.ts"
import type * as RefusalMessage from "./RefusalMessage.ts"
import * as Untyped from "./Untyped.ts"
import { type ReservedEventName, isReservedEventName } from "./ReservedEvents.ts"

/** The brand of namespaces, also the key of what the types below read. */
export const TypeId = "~effect-socketio/contract/Namespace"

/** Events by name. */
export interface AnyEvents {
  readonly [name: string]: Event.Any
}

/** Events by name, without the names that Socket.IO keeps for itself. */
export type EventMap = AnyEvents & {
  readonly [K in ReservedEventName]?: { readonly "this event name is reserved by Socket.IO": never }
}

/** The events of a namespace without a contract: every name, any arguments. */
export interface UntypedEvents {
  readonly [name: string]: Event.Untyped
}

/** Carries the types of a namespace; there is nothing of it at run time. */
export interface Types {
  readonly fromClient: AnyEvents
  readonly fromServer: AnyEvents
  readonly betweenServers: AnyEvents
  readonly auth: unknown
  readonly hasAuth: boolean
  readonly refusal: unknown
  readonly data: unknown
  readonly params: object
  readonly kind: "static" | "parameters" | "pattern"
}

/** The codec of what a client authenticates with. */
export interface AuthCodec<A> extends PayloadCodec.PayloadCodec<A> {
  /** The message of the `connect_error` that answers an auth that did not decode. */
  refusalMessage(cause: Cause.Cause<Schema.SchemaError>): string
}

/** A namespace of whatever types, with what server and client use at run time. */
export interface Any {
  readonly [TypeId]: Types
  readonly path: string
  readonly kind: "static" | "parameters" | "pattern"
  /** What the client emits and the server handles, as declared; empty without a contract. Look names from a peer up by {@link clientEvent}. */
  readonly fromClient: AnyEvents
  /** What the server emits and the client handles. */
  readonly fromServer: AnyEvents
  /** What servers emit to each other. */
  readonly betweenServers: AnyEvents
  readonly auth: AuthCodec<unknown>
  readonly refusal: RefusalMessage.RefusalCodec<unknown>
  readonly data: PayloadCodec.PayloadCodec<unknown>
  /** The event that a client sent; `undefined` for a name the contract does not have. Safe for any name from a peer. */
  clientEvent(name: unknown): Event.Any | undefined
  /** The event that the server sent. */
  serverEvent(name: unknown): Event.Any | undefined
  /** The event that another server sent. */
  betweenServersEvent(name: unknown): Event.Any | undefined
  /** The parameters of a name that a client asks for; `undefined` when this namespace does not answer to it. Never throws. */
  match(name: string, auth: unknown): Readonly<Record<string, unknown>> | undefined
  /** The name for these parameters; see {@link NamespacePath.NamespacePath.nameOf}. */
  nameOf(params: Readonly<Record<string, unknown>>): Exit.Exit<string, PayloadIssue.PayloadIssue>
}

/** A namespace with its types. */
export interface Namespace<T extends Types> extends Any {
  readonly [TypeId]: T
  readonly kind: T["kind"]
  readonly fromClient: T["fromClient"]
  readonly fromServer: T["fromServer"]
  readonly betweenServers: T["betweenServers"]
  readonly auth: AuthCodec<T["auth"]>
  readonly refusal: RefusalMessage.RefusalCodec<T["refusal"]>
  readonly data: PayloadCodec.PayloadCodec<T["data"]>
}

/** The events that the client emits. */
export type FromClient<N extends Any> = N[typeof TypeId]["fromClient"]

/** The events that the server emits. */
export type FromServer<N extends Any> = N[typeof TypeId]["fromServer"]

/** The events that servers emit to each other. */
export type BetweenServers<N extends Any> = N[typeof TypeId]["betweenServers"]

/** What a client authenticates with; `unknown` when nothing is declared. */
export type Auth<N extends Any> = N[typeof TypeId]["auth"]

/** Whether an auth is declared, so that a client has to give one. */
export type HasAuth<N extends Any> = N[typeof TypeId]["hasAuth"]

/** What middleware may refuse a connection with; `never` when nothing is declared. */
export type Refusal<N extends Any> = N[typeof TypeId]["refusal"]

/** What a socket carries (`socket.data`), also when it is asked for from another node. */
export type Data<N extends Any> = N[typeof TypeId]["data"]

/** The parameters that the name of a dynamic namespace holds. */
export type Params<N extends Any> = N[typeof TypeId]["params"]

/** How the namespace is named: `pattern` means that a client has to give the name. */
export type Kind<N extends Any> = N[typeof TypeId]["kind"]

/** The names of the events of a map, as a union that errors at call sites print. */
export type EventName<M> = Extract<keyof M, string>

/** What refuses a connection to a namespace without a contract: the message and data of the `connect_error`. */
export interface UntypedRefusal {
  readonly message: string
  readonly data?: unknown
}

/** A schema, or nothing declared. */
type Declared = PayloadCodec.PayloadSchema | undefined

/** What {@link make} takes. */
export interface Options<
  P extends NamespacePath.PathInput,
  S,
  A extends Declared,
  R extends Declared,
  D extends Declared,
  FC,
  FS,
  BS
> {
  /** Schemas of the `:parameters` of the path; a name whose parameters do not decode is no name of this namespace. */
  readonly params?: S & NamespacePath.ParamSchemas<P, S>
  /** What clients authenticate with, decoded before any middleware runs. A client that sends nothing sends `{}`. */
  readonly auth?: A
  /** The message of the refusal when the auth does not decode. Default `"invalid auth"`. */
  readonly authMessage?: string | ((issue: PayloadIssue.PayloadIssue) => string) | undefined
  /** What middleware may refuse a connection with: the `message` or `_tag` of the value is the message of the `connect_error`, its encoded form the data. */
  readonly refusal?: R
  /** What sockets carry. */
  readonly data?: D
  readonly fromClient?: FC | undefined
  readonly fromServer?: FS | undefined
  readonly betweenServers?: BS | undefined
}

type TypeOr<S, Otherwise> = S extends { readonly Type: infer T } ? T : Otherwise

type NoEvents = Record<never, never>

/** Looks names from a peer up among the own properties only: `__proto__` and `constructor` are no events. */
const lookup = (events: AnyEvents): ((name: unknown) => Event.Any | undefined) => {
  const byName = new Map<unknown, Event.Any>(Object.entries(events))
  for (const name of Object.keys(events)) {
    if (isReservedEventName(name))
      throw new TypeError(`"${name}" is an event of Socket.IO itself; a contract cannot declare it`)
  }
  return (name) => byName.get(name)
}

const authCodec = (
  schema: Declared,
  message: string | ((issue: PayloadIssue.PayloadIssue) => string) = "invalid auth"
): AuthCodec<unknown> => {
  if (schema === undefined) return Untyped.auth
  const codec = PayloadCodec.make(schema)
  return {
    schema,
    get hasBinary() {
      return codec.hasBinary
    },
    decode: (input) => codec.decode(Untyped.emptyIfAbsent(input)),
    encode: (value) => codec.encode(value),
    refusalMessage: (cause) => (typeof message === "string" ? message : message(PayloadIssue.fromCause(cause)))
  }
}

/** The brand carries types only, which no value can show. */
const branded = <N extends Any>(namespace: Omit<Any, typeof TypeId>): N =>
  Object.assign(namespace, { [TypeId]: {} }) as unknown as N

/**
 * Declares the contract of a namespace, or of all namespaces that a path with `:parameters`, a regular expression or a predicate
 * selects. Throws a `TypeError` for a path that cannot be a namespace and for event names that Socket.IO keeps for itself.
 */
export const make = <
  const P extends NamespacePath.PathInput,
  S = NoEvents,
  A extends Declared = undefined,
  R extends Declared = undefined,
  D extends Declared = undefined,
  FC extends EventMap = NoEvents,
  FS extends EventMap = NoEvents,
  BS extends EventMap = NoEvents
>(
  path: P,
  options: Options<P, S, A, R, D, FC, FS, BS>
): Namespace<{
  readonly fromClient: FC
  readonly fromServer: FS
  readonly betweenServers: BS
  readonly auth: TypeOr<A, unknown>
  readonly hasAuth: [A] extends [undefined] ? false : true
  readonly refusal: TypeOr<R, never>
  readonly data: TypeOr<D, Record<string, unknown>>
  readonly params: NamespacePath.Params<P, S>
  readonly kind: NamespacePath.Kind<P>
}> => {
  const names = NamespacePath.make(
    path,
    ParamCodec.fromSchemas((options.params ?? {}) as NamespacePath.AnyParamSchemas)
  )
  const fromClient: AnyEvents = options.fromClient ?? {}
  const fromServer: AnyEvents = options.fromServer ?? {}
  const betweenServers: AnyEvents = options.betweenServers ?? {}
  return branded({
    path: names.path,
    kind: names.kind,
    fromClient,
    fromServer,
    betweenServers,
    auth: authCodec(options.auth, options.authMessage),
    refusal: RefusalCodec.make(options.refusal),
    data: options.data === undefined ? Untyped.payload : PayloadCodec.make(options.data),
    clientEvent: lookup(fromClient),
    serverEvent: lookup(fromServer),
    betweenServersEvent: lookup(betweenServers),
    match: names.match,
    nameOf: names.nameOf
  })
}

/** A namespace without a contract: every event name with any arguments, passed through as Socket.IO does. */
export { untyped } from "./UntypedNamespace.ts"
