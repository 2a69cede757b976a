/**
 * Where the failures go that nobody waits for: of handlers, middleware and hooks, and payloads that failed their schema.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { InvalidPayload } from "../runtime/PayloadError.ts"

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

/** A refused payload is told in a line: where the error was made is of no interest, and a peer can cause as many as it likes. */
const detailsOf = (report: HandlerReport): Cause.Cause<unknown> | string => {
  const error = report.stage === "packet" ? report.cause.reasons.find(Cause.isFailReason)?.error : undefined
  if (!(error instanceof InvalidPayload)) return report.cause
  return error.path.length === 0 ? error.message : `${error.message} at [${error.path.join("][")}]`
}

/** Logs a report: what came from the peer as a warning, what happened in the program as an error. */
export const log: ErrorSink = (report) =>
  (report.stage === "packet" ? Effect.logWarning : Effect.logError)(
    `effect-socketio: ${describe(report)}`,
    detailsOf(report)
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
