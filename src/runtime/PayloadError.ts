/**
 * The two failures that every acknowledgement envelope can carry besides what the contract declares. They need no Schema, so that a
 * client without contracts does not pay for it.
 */
import * as Data from "effect/Data"

/**
 * A payload that did not pass the schema of its event: arguments from a peer, an acknowledgement from a peer, or a value of our own
 * that cannot be encoded. `path` leads into the argument list (`[0, "room"]`); `message` names what was expected and, by default, never
 * repeats the value.
 */
export class InvalidPayload extends Data.TaggedError("InvalidPayload")<{
  readonly event: string
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}> {}

/**
 * The handler of the event ended with a defect, an interruption or an error the contract does not declare. What happened stays on the
 * side of the handler (its error sink); the caller only learns that it did.
 */
export class HandlerFailed extends Data.TaggedError("HandlerFailed")<{
  readonly event: string
}> {
  override get message(): string {
    return `the handler of "${this.event}" failed`
  }
}

/** A fault as an acknowledgement envelope carries it; see docs/wire-acks.md. */
export type Fault =
  | {
      readonly _tag: "InvalidPayload"
      readonly event: string
      readonly path: ReadonlyArray<string | number>
      readonly message: string
    }
  | { readonly _tag: "HandlerFailed"; readonly event: string }

/** The error that a caller gets for a fault in its answer. */
export const fromFault = (fault: Fault): InvalidPayload | HandlerFailed =>
  fault._tag === "HandlerFailed" ? new HandlerFailed({ event: fault.event }) : new InvalidPayload(fault)
