/**
 * Where the failures go that nobody waits for: of handlers, middleware and hooks, and payloads that failed their schema.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** What failed. */
export type Stage = "middleware" | "connection" | "event" | "packet" | "disconnect" | "adapter"

/** One failure, with where it happened. */
export interface HandlerReport {
  readonly cause: Cause.Cause<unknown>
  readonly stage: Stage
  /** The event that was handled, where there was one. Names from a peer are cut to 100 characters. */
  readonly event: string | undefined
  readonly socketId: string | undefined
  readonly namespace: string
}

/** Takes reports. It runs with the services of the namespace; what it fails with is ignored. */
export type ErrorSink = (report: HandlerReport) => Effect.Effect<void>

const describe = (report: HandlerReport): string => {
  switch (report.stage) {
    case "middleware":
      return "a middleware failed"
    case "connection":
      return "the connection handler failed"
    case "event":
      return `the handler of "${report.event}" failed`
    case "packet":
      return report.event === undefined ? "a packet was refused" : `the payload of "${report.event}" was refused`
    case "disconnect":
      return "a disconnect handler failed"
    case "adapter":
      return "the adapter failed"
  }
}

/** Logs a report: what came from the peer as a warning, what happened in the program as an error. */
export const log: ErrorSink = (report) =>
  (report.stage === "packet" ? Effect.logWarning : Effect.logError)(
    `effect-socketio: ${describe(report)}`,
    report.cause
  ).pipe(
    Effect.annotateLogs({
      namespace: report.namespace,
      ...(report.socketId === undefined ? {} : { socket: report.socketId })
    })
  )

/** The sink in use; provide another to a namespace's layer or to the whole server. Default: {@link log}. */
export const ErrorSink: Context.Reference<ErrorSink> = Context.Reference<ErrorSink>(
  "effect-socketio/socket/ErrorSink",
  {
    defaultValue: () => log
  }
)
