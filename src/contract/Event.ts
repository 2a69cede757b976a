/**
 * One event of a contract: its arguments, its acknowledgement, the errors its handler may answer with, and how handlers run.
 */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { type AckFault, reservedTags } from "./AckEnvelope.ts"
import * as EventCodec from "./EventCodec.ts"
import type { PayloadSchema } from "./PayloadCodec.ts"
import { event as untypedEvent } from "./Untyped.ts"

/** The brand of events, also the key of what the types below read. */
export const TypeId = "~effect-socketio/contract/Event"

/** How many calls of the handler of one event may run at once for one socket: 1 makes them sequential, in order of arrival. */
export type Concurrency = number | "unbounded"

/** Carries the types of an event; there is nothing of it at run time. */
export interface Types<Args extends Array<unknown>, Ack, Error, HasAck extends boolean> {
  readonly args: Args
  readonly ack: Ack
  readonly error: Error
  readonly hasAck: HasAck
}

/** An event of whatever types, with what server and client use at run time. */
export interface Any {
  readonly [TypeId]: Types<Array<unknown>, unknown, unknown, boolean>
  /** The schema of the argument list; `undefined` for events without a contract. */
  readonly argsSchema: PayloadSchema | undefined
  /** The schema of the acknowledgement, if one is declared. */
  readonly ackSchema: PayloadSchema | undefined
  /** The schema of the declared errors, if there are any. */
  readonly errorSchema: PayloadSchema | undefined
  readonly concurrency: Concurrency
  readonly codec: EventCodec.EventCodec<Array<unknown>, unknown, unknown>
}

/** An event with the types of its arguments, acknowledgement and declared errors. */
export interface Event<
  Args extends Array<unknown>,
  Ack = void,
  Error = never,
  HasAck extends boolean = false
> extends Any {
  readonly [TypeId]: Types<Args, Ack, Error, HasAck>
  readonly codec: EventCodec.EventCodec<Args, Ack, Error>
}

/** An event of a namespace without a contract: any arguments, any answer. */
export type Untyped = Event<Array<unknown>, unknown, never, true>

/** The argument list of an event, mutable so that it can be the parameters of a generator function. */
export type Args<E extends Any> = E[typeof TypeId]["args"]

/** What a handler returns and a caller gets; `void` when no ack is declared. */
export type Ack<E extends Any> = E[typeof TypeId]["ack"]

/** What a handler may fail with; `never` when no error is declared. */
export type Error<E extends Any> = E[typeof TypeId]["error"]

/** Whether an ack or an error is declared. */
export type HasAck<E extends Any> = E[typeof TypeId]["hasAck"]

/** The schemas of a fixed argument list, or one schema of a list (for optional and rest arguments `Schema.TupleWithRest`). */
export type ArgsInput = ReadonlyArray<PayloadSchema> | Schema.ConstraintCodec<ReadonlyArray<unknown>, unknown>

/** The argument list that the `args` of {@link make} describe. */
export type ArgsOf<A extends ArgsInput> =
  A extends ReadonlyArray<PayloadSchema>
    ? [...Schema.Tuple.Type<A>]
    : A extends { readonly Type: infer T extends ReadonlyArray<unknown> }
      ? [...T]
      : never

type TypeOr<S, Otherwise> = S extends { readonly Type: infer T } ? T : Otherwise

type IsDeclared<Ack, Error> = [Ack | Error] extends [undefined] ? false : true

type WithoutReservedTag<S> = S extends { readonly Type: { readonly _tag: AckFault["_tag"] } }
  ? { readonly "this _tag is reserved for the faults of acknowledgements": never }
  : unknown

/** Whether an error schema has a member whose `_tag` is that of a fault. Suspended members are not looked into. */
const reservedTag = (ast: SchemaAST.AST): unknown => {
  if (SchemaAST.isUnion(ast)) return ast.types.map(reservedTag).find((tag) => tag !== undefined)
  if (!SchemaAST.isObjects(ast)) return undefined
  const tag = ast.propertySignatures.find((property) => property.name === "_tag")?.type
  return tag !== undefined && SchemaAST.isLiteral(tag) && reservedTags.has(tag.literal) ? tag.literal : undefined
}

const isSchemaList = (args: ArgsInput): args is ReadonlyArray<PayloadSchema> => Array.isArray(args)

/** A schema, or nothing declared. */
type Declared = PayloadSchema | undefined

/** What {@link make} takes. */
export interface Options<A extends ArgsInput, K extends Declared, X extends Declared> {
  /** The arguments of the event; more than these are refused. */
  readonly args: A
  /** What the handler answers with, as the only argument of the acknowledgement. */
  readonly ack?: K
  /** What the handler may fail with. It makes the answer an envelope; see docs/wire-acks.md. */
  readonly error?: X & WithoutReservedTag<X>
  /** Default `"unbounded"`: handlers start in order of arrival and run concurrently. */
  readonly concurrency?: Concurrency | undefined
}

/**
 * Declares an event. Schemas are compiled by the first value that passes. Throws a `TypeError` for a concurrency below 1 and for an
 * error whose `_tag` is `InvalidPayload` or `HandlerFailed`.
 */
export const make = <const A extends ArgsInput, K extends Declared = undefined, X extends Declared = undefined>(
  options: Options<A, K, X>
): Event<ArgsOf<A>, TypeOr<K, void>, TypeOr<X, never>, IsDeclared<K, X>> => {
  const { args, ack, error, concurrency = "unbounded" } = options
  if (concurrency !== "unbounded" && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new TypeError(`the concurrency of an event is a whole number from 1 or "unbounded", not ${concurrency}`)
  }
  const tag = error && reservedTag(SchemaAST.toEncoded(error.ast))
  if (tag !== undefined) throw new TypeError(`the _tag "${String(tag)}" is reserved for the faults of acknowledgements`)
  const schema: PayloadSchema = isSchemaList(args) ? Schema.Tuple(args) : args
  const event: Omit<Any, typeof TypeId> = {
    argsSchema: schema,
    ackSchema: ack,
    errorSchema: error,
    concurrency,
    codec: EventCodec.make({ args: schema, ack, error })
  }
  return branded(event)
}

/** The brand carries types only, which no value can show. */
const branded = <E extends Any>(event: Omit<Any, typeof TypeId>): E =>
  Object.assign(event, { [TypeId]: {} }) as unknown as E

/** The event that stands for every name of a namespace without a contract. */
export const untyped: Untyped = untypedEvent
