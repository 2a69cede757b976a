/**
 * What stands for a contract where there is none: everything passes as it is. Nothing here needs Schema, so that a client without
 * contracts does not carry it.
 */
import * as Exit from "effect/Exit"
import type * as Event from "./Event.ts"
import type { EventCodec } from "./EventCodec.ts"
import type { AuthCodec } from "./Namespace.ts"
import type { PayloadCodec } from "./PayloadCodec.ts"
import type { PayloadIssue } from "./PayloadIssue.ts"
import { messageOf, type RefusalCodec } from "./RefusalMessage.ts"

/** What is told of a failure that no schema describes: a defect, whose text is not meant for a peer. */
export const undescribed: PayloadIssue = { path: [], message: "the schema could not be applied" }

/** Values pass untouched in both directions, as Socket.IO does. */
export const payload: PayloadCodec<unknown> = {
  schema: undefined,
  hasBinary: true,
  decode: (value) => Exit.succeed(value),
  encode: (value) => Exit.succeed(value)
}

/** A CONNECT packet without a payload is one with `{}`, as the handshake of Socket.IO has it. */
export const emptyIfAbsent = (auth: unknown): unknown => (auth === undefined ? {} : auth)

/** Whatever a client sends authenticates it. */
export const auth: AuthCodec<unknown> = {
  schema: undefined,
  hasBinary: true,
  decode: (value) => Exit.succeed(emptyIfAbsent(value)),
  encode: (value) => Exit.succeed(value),
  refusalMessage: () => "invalid auth"
}

/**
 * The codec of events without a contract: nothing is looked at or copied. An answer is its first argument, as in Socket.IO's
 * `emitWithAck`; a handler that returns `undefined` answers without arguments.
 */
const codec: EventCodec<Array<unknown>, unknown, never> = {
  argsHaveBinary: true,
  ackHasBinary: true,
  decodeArgs: (args) => Exit.succeed(args as Array<unknown>),
  encodeArgs: (args) => Exit.succeed(args),
  decodeAck: (args) => Exit.succeed({ _tag: "Success", value: args[0] }),
  encodeAck: (value) => Exit.succeed(value === undefined ? [] : [value]),
  encodeAckFailure: () => undefined,
  encodeInvalidPayload: () => undefined,
  encodeHandlerFailed: () => undefined,
  issueOf: () => undescribed
}

/** The event that stands for every name of a namespace without a contract. Its brand carries types only, which no value can show. */
export const event: Event.Untyped = {
  "~effect-socketio/contract/Event": {},
  argsSchema: undefined,
  ackSchema: undefined,
  errorSchema: undefined,
  concurrency: "unbounded",
  codec
} as unknown as Event.Untyped

/** Refusals as Socket.IO has them: message and data as they are. */
export const refusal: RefusalCodec<unknown> = {
  schema: undefined,
  decode: (wire) => Exit.succeed(wire),
  encode: (value) => {
    const data = typeof value === "object" && value !== null && "data" in value ? value.data : undefined
    return Exit.succeed(data === undefined ? { message: messageOf(value) } : { message: messageOf(value), data })
  }
}
