/**
 * What the parts of one server share: settings, counters, clocks, and the namespaces.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Namespace } from "../contract/index.ts"
import type { SocketCodec } from "../protocol/SocketCodec.ts"
import type { Deadlines } from "../runtime/Deadlines.ts"
import { ErrorSink, type HandlerReport } from "./ErrorSink.ts"
import type * as EventHandler from "./EventHandler.ts"
import type * as Middleware from "./Middleware.ts"
import type { NamespaceHandle } from "./NamespaceHandle.ts"
import type { NamespaceRegistry } from "./NamespaceRegistry.ts"
import type { RecoverySettings } from "./Recovery.ts"
import type { Receiver } from "./Receiver.ts"
import type { ServerSocket } from "./ServerSocket.ts"
import type * as Telemetry from "./Telemetry.ts"

/** What happens to a socket whose payload failed its schema, after the failure was reported. */
export type InvalidPayloadPolicy = "report" | "disconnect"

/** Checked options of the server; times in milliseconds. */
export interface Settings {
  readonly codec: SocketCodec
  readonly connectTimeout: number
  readonly ackTimeout: number
  readonly maxRunningHandlers: number
  readonly maxPendingEvents: number
  readonly maxNamespaces: number
  readonly onInvalidPayload: InvalidPayloadPolicy
  readonly cleanupEmptyChildNamespaces: boolean
  /** Where sockets are to be recovered. */
  readonly recovery: RecoverySettings | undefined
}

/** One server. */
export interface ServerCore {
  readonly settings: Settings
  readonly counters: Telemetry.Counters
  readonly deadlines: Deadlines
  readonly registry: NamespaceRegistry
  /** Of contracts with a fixed name: programs ask for one in every connection handler. */
  readonly handles: WeakMap<Namespace.Any, NamespaceHandle<Namespace.Any>>
  /** A new socket id: unguessable, since it names the private room of its socket. */
  readonly makeId: () => string
  /** Set once, when the server begins to close: every socket that goes then goes for that reason. */
  shuttingDown: boolean
}

/** A namespace, or a family of them, as a program declared it. */
export interface NamespaceDefinition {
  readonly contract: Namespace.Any
  /** The connection handler. */
  readonly setup: ((socket: ServerSocket) => Effect.Effect<unknown, unknown>) | undefined
  /** Handlers that all sockets share. */
  readonly shared: ReadonlyMap<string, EventHandler.EventHandler> | undefined
  /** In order; more may be added while the server runs. */
  readonly middleware: Array<Middleware.Entry>
  /** The services that handlers run with. */
  readonly context: Context.Context<never>
  readonly onInvalidPayload: InvalidPayloadPolicy
  /** Takes the place of `setup`, `shared` and `middleware`. */
  readonly receiver?: Receiver | undefined
}

/** The longest event name that is repeated in a report. */
const maxReportedName = 100

/** An event name, cut to what is fit for a log. */
export const reportedName = (name: unknown): string => {
  const text = String(name)
  return text.length > maxReportedName ? `${text.slice(0, maxReportedName)}…` : text
}

/** Hands a failure to the error sink of the context; whatever the sink does, nothing comes back. */
export const report = (context: Context.Context<never>, failure: HandlerReport): void => {
  const effect = Effect.withFiber((fiber) => fiber.getRef(ErrorSink)(failure))
  Effect.runForkWith(context)(effect)
}

/** Whether a cause is nothing but the interruption that a disconnect brings. */
export const isInterruption = (cause: Cause.Cause<unknown>): boolean => Cause.hasInterruptsOnly(cause)
