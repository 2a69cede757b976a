/**
 * Refusals of middleware as the `connect_error` of Socket.IO carries them: a message for people, data for programs.
 */
import type * as Exit from "effect/Exit"
import type * as Schema from "effect/Schema"
import type { PayloadSchema } from "./PayloadCodec.ts"

/** The data of a CONNECT_ERROR packet. */
export interface WireRefusal {
  readonly message: string
  readonly data?: unknown
}

/** Decodes and encodes what middleware refuses with. */
export interface RefusalCodec<A> {
  /** The schema as it was declared, if one was. */
  readonly schema: PayloadSchema | undefined
  /** Fails for refusals that are not declared: those of the server itself ("Invalid namespace"), of an invalid auth, of other code. */
  decode(wire: WireRefusal): Exit.Exit<A, Schema.SchemaError>
  encode(refusal: A): Exit.Exit<WireRefusal, Schema.SchemaError>
}

/** What people read of a refusal: its message, else its tag. */
export const messageOf = (refusal: unknown): string => {
  if (typeof refusal === "string") return refusal
  if (typeof refusal !== "object" || refusal === null) return "refused"
  if ("message" in refusal && typeof refusal.message === "string" && refusal.message !== "") return refusal.message
  return "_tag" in refusal && typeof refusal._tag === "string" ? refusal._tag : "refused"
}
