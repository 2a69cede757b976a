/**
 * Entry `effect-socketio/contract`: contracts of namespaces, for both ends.
 */
import "#schema-compiler"

export * as Binary from "./Binary.ts"
export * as Event from "./Event.ts"
export * as Namespace from "./Namespace.ts"
export * as PayloadIssue from "./PayloadIssue.ts"
export type { AckFault, AckReply, HandlerFailedFault, InvalidPayloadFault } from "./AckEnvelope.ts"
export type { EventCodec, WireArgs } from "./EventCodec.ts"
export type { PayloadCodec, PayloadSchema } from "./PayloadCodec.ts"
export type { RefusalCodec, WireRefusal } from "./RefusalMessage.ts"
