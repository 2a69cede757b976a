/**
 * Refusals of middleware, from and to the `connect_error` of Socket.IO: a message for people, data for programs.
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as PayloadCodec from "./PayloadCodec.ts"

/** The data of a CONNECT_ERROR packet. */
export interface WireRefusal {
  readonly message: string
  readonly data?: unknown
}

/** Decodes and encodes what middleware refuses with. */
export interface RefusalCodec<A> {
  /** The schema as it was declared, if one was. */
  readonly schema: PayloadCodec.PayloadSchema | undefined
  /** Fails for refusals that are not declared: those of the server itself ("Invalid namespace"), of an invalid auth, of other code. */
  decode(wire: WireRefusal): Exit.Exit<A, Schema.SchemaError>
  encode(refusal: A): Exit.Exit<WireRefusal, Schema.SchemaError>
}

/** What people read: the message of the value, else its tag. */
const messageOf = (refusal: unknown): string => {
  if (typeof refusal === "string") return refusal
  if (typeof refusal !== "object" || refusal === null) return "refused"
  if ("message" in refusal && typeof refusal.message === "string" && refusal.message !== "") return refusal.message
  return "_tag" in refusal && typeof refusal._tag === "string" ? refusal._tag : "refused"
}

/** The codec of declared refusals; without a schema nothing decodes or encodes. */
export const make = (schema: PayloadCodec.PayloadSchema = Schema.Never): RefusalCodec<unknown> => {
  const codec = PayloadCodec.make(schema)
  return {
    schema: schema === Schema.Never ? undefined : schema,
    decode: ({ data }) => codec.decode(data),
    encode: (refusal) => Exit.map(codec.encode(refusal), (data) => ({ message: messageOf(refusal), data }))
  }
}

/** Refusals without a contract: message and data as they are. */
export const untyped: RefusalCodec<unknown> = {
  schema: undefined,
  decode: Exit.succeed,
  encode: (refusal) => {
    const data = typeof refusal === "object" && refusal !== null && "data" in refusal ? refusal.data : undefined
    return Exit.succeed(data === undefined ? { message: messageOf(refusal) } : { message: messageOf(refusal), data })
  }
}
