/**
 * A namespace without a contract. This module and all it imports do without Schema.
 */
import type * as Event from "./Event.ts"
import type { Any, Namespace, UntypedEvents, UntypedRefusal } from "./Namespace.ts"
import * as NamespacePath from "./NamespacePath.ts"
import { isReservedEventName } from "./ReservedEvents.ts"
import * as Untyped from "./Untyped.ts"

const anyEvent = (name: unknown): Event.Any | undefined =>
  (typeof name === "string" || typeof name === "number") && !isReservedEventName(name) ? Untyped.event : undefined

/** A namespace without a contract: every event name with any arguments, passed through as Socket.IO does. */
export const untyped = <const P extends NamespacePath.PathInput>(
  path: P
): Namespace<{
  readonly fromClient: UntypedEvents
  readonly fromServer: UntypedEvents
  readonly betweenServers: UntypedEvents
  readonly auth: unknown
  readonly hasAuth: false
  readonly refusal: UntypedRefusal
  readonly data: Record<string, unknown>
  readonly params: NamespacePath.Params<P, Record<never, never>>
  readonly kind: NamespacePath.Kind<P>
}> => {
  const names = NamespacePath.make(path)
  const namespace: Omit<Any, "~effect-socketio/contract/Namespace"> = {
    path: names.path,
    kind: names.kind,
    fromClient: {},
    fromServer: {},
    betweenServers: {},
    auth: Untyped.auth,
    refusal: Untyped.refusal,
    data: Untyped.payload,
    clientEvent: anyEvent,
    serverEvent: anyEvent,
    betweenServersEvent: anyEvent,
    match: names.match,
    nameOf: names.nameOf
  }
  // The brand carries types only, which no value can show.
  return Object.assign(namespace, { "~effect-socketio/contract/Namespace": {} }) as never
}
