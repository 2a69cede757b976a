/**
 * What answers an event on the wire; docs/wire-acks.md tells it to those who write the other side by hand.
 *
 * An event with a declared error answers with one envelope, `{ ok: true, value }` or `{ ok: false, error }`, whose error is a declared
 * one or one of the two faults below. Other events answer as Socket.IO does: with the plain value, or with nothing.
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { PayloadCodec } from "./PayloadCodec.ts"
import { cut, maxPathLength, type PayloadIssue } from "./PayloadIssue.ts"

/** The arguments of the event did not pass its schema; the handler was not called. */
export interface InvalidPayloadFault extends PayloadIssue {
  readonly _tag: "InvalidPayload"
  readonly event: string
}

/** The handler ended with something other than a value or a declared error; what it was stays on its side. */
export interface HandlerFailedFault {
  readonly _tag: "HandlerFailed"
  readonly event: string
}

/** The failures that an envelope can carry besides the declared ones. */
export type AckFault = InvalidPayloadFault | HandlerFailedFault

/** The `_tag`s that a declared error cannot have, since the faults have them. */
export const reservedTags: ReadonlySet<unknown> = new Set<AckFault["_tag"]>(["InvalidPayload", "HandlerFailed"])

/** A decoded answer: the value, a declared error, or a fault. */
export type AckReply<Ack, Error> =
  | { readonly _tag: "Success"; readonly value: Ack }
  | { readonly _tag: "Failure"; readonly error: Error }
  | AckFault

/** The form of a successful answer. `value` is absent when the event declares no ack. */
export const success = (value: unknown): { readonly ok: true; readonly value: unknown } => ({ ok: true, value })

/** The form of a failed answer. */
export const failure = (error: unknown): { readonly ok: false; readonly error: unknown } => ({ ok: false, error })

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const field = (record: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(record, key) ? record[key] : null

const isPosition = (value: unknown): value is string | number => typeof value === "string" || typeof value === "number"

const bounded = (key: string | number): string | number => (typeof key === "string" ? cut(key) : key)

/** Reads a fault; `undefined` for everything else. Texts from a peer are cut as our own are. */
const decodeFault = (error: unknown): AckFault | undefined => {
  if (!isRecord(error)) return undefined
  const name = field(error, "event")
  if (typeof name !== "string") return undefined
  const event = cut(name)
  const tag = field(error, "_tag")
  if (tag === "HandlerFailed") return { _tag: "HandlerFailed", event }
  if (tag !== "InvalidPayload") return undefined
  const path = field(error, "path")
  const message = field(error, "message")
  return {
    _tag: "InvalidPayload",
    event,
    path: Array.isArray(path) ? path.slice(0, maxPathLength).filter(isPosition).map(bounded) : [],
    message: typeof message === "string" ? cut(message) : ""
  }
}

const notAnEnvelope = Exit.fail(
  new Schema.SchemaError(
    new SchemaIssue.InvalidValue({ expected: "an acknowledgement { ok: true, value } or { ok: false, error }" })
  )
)

/** A failure one level deeper, so that its path starts at the envelope's field. */
const under = <A>(key: string, exit: Exit.Exit<A, Schema.SchemaError>): Exit.Exit<A, Schema.SchemaError> =>
  Exit.mapError(exit, (error) => new Schema.SchemaError(new SchemaIssue.Pointer([key], error.issue)))

/** Reads the envelope of an event whose value and declared error have these codecs. */
export const decode = <Ack, Error>(
  envelope: unknown,
  ack: PayloadCodec<Ack>,
  error: PayloadCodec<Error>
): Exit.Exit<AckReply<Ack, Error>, Schema.SchemaError> => {
  if (!isRecord(envelope)) return notAnEnvelope
  const ok = field(envelope, "ok")
  if (ok === true) {
    const value = under("value", ack.decode(field(envelope, "value")))
    return Exit.map(value, (value) => ({ _tag: "Success", value }) as const)
  }
  if (ok !== false) return notAnEnvelope
  const wire = field(envelope, "error")
  const fault = decodeFault(wire)
  if (fault !== undefined) return Exit.succeed(fault)
  return Exit.map(under("error", error.decode(wire)), (error) => ({ _tag: "Failure", error }) as const)
}
