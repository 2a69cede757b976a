/**
 * The compiled codec of one payload, held by the contract value.
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { mayHoldBinary, toWire } from "./WireForm.ts"

/**
 * A schema that a contract accepts: its codec needs no services and does no asynchronous work, since it runs between the wire and the
 * handler.
 */
export type PayloadSchema = Schema.ConstraintCodec<unknown, unknown>

/**
 * Decodes from and encodes to the wire form of one payload: JSON with binary leaves kept as they are.
 */
export interface PayloadCodec<A> {
  /** The schema as it was declared; `undefined` where values pass untouched. */
  readonly schema: PayloadSchema | undefined
  /** Whether an encoded value can hold binary leaves; `false` lets a packet encoder skip looking for them. */
  readonly hasBinary: boolean
  /** Never throws: what a schema or its transformations throw is a defect in the Exit. */
  decode(input: unknown): Exit.Exit<A, Schema.SchemaError>
  /** Never throws; fails when the value is not of the schema's type, e.g. when a refinement does not hold. */
  encode(value: A): Exit.Exit<unknown, Schema.SchemaError>
}

type Parser<A, B> = (input: A) => Exit.Exit<B, Schema.SchemaError>

/** Compiles on first use: a program pays for the events it uses, and JIT compilation enabled by its entry point applies. */
class Compiled<A> implements PayloadCodec<A> {
  readonly schema: PayloadSchema
  #wire: Schema.Codec<A, unknown> | undefined
  #hasBinary: boolean | undefined
  #decoder: Parser<unknown, A> | undefined
  #encoder: Parser<unknown, unknown> | undefined
  readonly #toWire: () => Schema.Codec<A, unknown>

  constructor(schema: PayloadSchema, wire: () => Schema.Codec<A, unknown>) {
    this.schema = schema
    this.#toWire = wire
  }

  get hasBinary(): boolean {
    try {
      return (this.#hasBinary ??= mayHoldBinary((this.#wire ??= this.#toWire())))
    } catch {
      // A schema that has no wire form: the encode that follows says so.
      return true
    }
  }

  decode(input: unknown): Exit.Exit<A, Schema.SchemaError> {
    try {
      return (this.#decoder ??= Schema.decodeUnknownExit((this.#wire ??= this.#toWire())))(input)
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  encode(value: A): Exit.Exit<unknown, Schema.SchemaError> {
    try {
      return (this.#encoder ??= Schema.encodeUnknownExit((this.#wire ??= this.#toWire())))(value)
    } catch (defect) {
      return Exit.die(defect)
    }
  }
}

/** The codec of a schema. The work of deriving and compiling it is done by the first value that passes. */
export const make = <S extends PayloadSchema>(schema: S): PayloadCodec<S["Type"]> =>
  new Compiled<S["Type"]>(schema, () => toWire(schema))
