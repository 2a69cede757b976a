/**
 * What server and client need of an event at run time: its arguments and its acknowledgement, from and to the wire.
 */
import type * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as AckEnvelope from "./AckEnvelope.ts"
import * as PayloadCodec from "./PayloadCodec.ts"
import * as PayloadIssue from "./PayloadIssue.ts"

type Result<A> = Exit.Exit<A, Schema.SchemaError>

/** The arguments of one `emit` or one acknowledgement, as a packet carries them. */
export type WireArgs = ReadonlyArray<unknown>

/**
 * The codec of one event. Every method is total: failures and defects of schemas are in the Exit. Methods that return `undefined`
 * do so where the wire has no form for the answer, and nothing is to be sent.
 */
export interface EventCodec<Args extends ReadonlyArray<unknown>, Ack, Error> {
  /** Whether encoded arguments can hold binary leaves. */
  readonly argsHaveBinary: boolean
  /** Whether an encoded acknowledgement, also a failed one, can hold binary leaves. */
  readonly ackHasBinary: boolean
  /** More arguments than declared are refused. */
  decodeArgs(args: WireArgs): Result<Args>
  /** Trailing `undefined`s in the place of optional arguments are not sent. */
  encodeArgs(args: Args): Result<WireArgs>
  /** The answer of a peer. Where no ack is declared, what it holds is ignored. */
  decodeAck(args: WireArgs): Result<AckEnvelope.AckReply<Ack, Error>>
  /** The answer for what a handler returned. */
  encodeAck(value: Ack): Result<WireArgs>
  /** The answer for a declared error. */
  encodeAckFailure(error: Error): Result<WireArgs> | undefined
  /** The answer for arguments that failed to decode. */
  encodeInvalidPayload(event: string, issue: PayloadIssue.PayloadIssue): WireArgs | undefined
  /** The answer for a handler that ended with anything else. */
  encodeHandlerFailed(event: string): WireArgs | undefined
  /** What is told about a failed decode or encode: how a client that imports no Schema makes its `InvalidPayload`. */
  issueOf(cause: Cause.Cause<Schema.SchemaError>): PayloadIssue.PayloadIssue
}

const nothing: Result<WireArgs> = Exit.succeed([])

const void_: Result<{ readonly _tag: "Success"; readonly value: undefined }> = Exit.succeed({
  _tag: "Success",
  value: undefined
})

const noAck: PayloadCodec.PayloadCodec<unknown> = {
  schema: undefined,
  hasBinary: false,
  decode: () => Exit.void,
  encode: () => Exit.void
}

const tooManyAckArguments = (schema: PayloadCodec.PayloadSchema): Result<never> =>
  Exit.fail(
    new Schema.SchemaError(
      new SchemaIssue.Pointer([1], new SchemaIssue.UnexpectedKey((schema as Schema.Constraint).ast))
    )
  )

/** The schemas of an event; those left out are not declared. */
export interface EventSchemas {
  readonly args: PayloadCodec.PayloadSchema
  readonly ack: PayloadCodec.PayloadSchema | undefined
  readonly error: PayloadCodec.PayloadSchema | undefined
}

/** How many leading arguments cannot be left out; `undefined` when none can, or when a rest element follows. */
const requiredArguments = (ast: SchemaAST.AST): number | undefined => {
  if (!SchemaAST.isArrays(ast) || ast.rest.length > 0) return undefined
  const optional = ast.elements.findIndex(SchemaAST.isOptional)
  return optional < 0 ? undefined : optional
}

const withoutTrailingUndefined = (args: WireArgs, required: number): WireArgs => {
  let length = args.length
  while (length > required && args[length - 1] === undefined) length--
  return length === args.length ? args : args.slice(0, length)
}

class SchemaEventCodec implements EventCodec<Array<unknown>, unknown, unknown> {
  readonly #args: PayloadCodec.PayloadCodec<unknown>
  readonly #ack: PayloadCodec.PayloadCodec<unknown> | undefined
  readonly #error: PayloadCodec.PayloadCodec<unknown> | undefined
  readonly #required: number | undefined

  constructor(schemas: EventSchemas) {
    this.#args = PayloadCodec.make(schemas.args)
    this.#ack = schemas.ack && PayloadCodec.make(schemas.ack)
    this.#error = schemas.error && PayloadCodec.make(schemas.error)
    this.#required = requiredArguments(schemas.args.ast)
  }

  get argsHaveBinary(): boolean {
    return this.#args.hasBinary
  }

  get ackHasBinary(): boolean {
    return this.#ack?.hasBinary === true || this.#error?.hasBinary === true
  }

  decodeArgs(args: WireArgs): Result<Array<unknown>> {
    return this.#args.decode(args) as Result<Array<unknown>>
  }

  encodeArgs(args: ReadonlyArray<unknown>): Result<WireArgs> {
    const given = this.#required === undefined ? args : withoutTrailingUndefined(args, this.#required)
    return this.#args.encode(given) as Result<WireArgs>
  }

  decodeAck(args: WireArgs): Result<AckEnvelope.AckReply<unknown, unknown>> {
    // `callback()` of a peer answers without arguments; JSON has null where a position is undefined.
    const first = args.length === 0 ? null : args[0]
    const ack = this.#ack
    if (this.#error !== undefined) return AckEnvelope.decode(first, ack ?? noAck, this.#error)
    if (ack === undefined) return void_
    if (args.length > 1) return tooManyAckArguments(ack.schema!)
    return Exit.map(ack.decode(first), (value) => ({ _tag: "Success", value }) as const)
  }

  encodeAck(value: unknown): Result<WireArgs> {
    const ack = this.#ack
    if (this.#error !== undefined) {
      if (ack === undefined) return Exit.succeed([{ ok: true }])
      return Exit.map(ack.encode(value), (encoded) => [AckEnvelope.success(encoded)])
    }
    return ack === undefined ? nothing : Exit.map(ack.encode(value), (encoded) => [encoded])
  }

  encodeAckFailure(error: unknown): Result<WireArgs> | undefined {
    return this.#error && Exit.map(this.#error.encode(error), (encoded) => [AckEnvelope.failure(encoded)])
  }

  encodeInvalidPayload(event: string, issue: PayloadIssue.PayloadIssue): WireArgs | undefined {
    const fault: AckEnvelope.AckFault = {
      _tag: "InvalidPayload",
      event,
      path: issue.path,
      message: issue.message
    }
    return this.#error && [AckEnvelope.failure(fault)]
  }

  encodeHandlerFailed(event: string): WireArgs | undefined {
    const fault: AckEnvelope.AckFault = { _tag: "HandlerFailed", event }
    return this.#error && [AckEnvelope.failure(fault)]
  }

  issueOf(cause: Cause.Cause<Schema.SchemaError>): PayloadIssue.PayloadIssue {
    return PayloadIssue.fromCause(cause)
  }
}

/** The codec of an event with these schemas; each is compiled by the first value that passes it. */
export const make = (schemas: EventSchemas): EventCodec<Array<unknown>, unknown, unknown> =>
  new SchemaEventCodec(schemas)
