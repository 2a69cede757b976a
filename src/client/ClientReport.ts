/**
 * Where the failures go that nobody waits for: of handlers, and payloads from the server that failed their schema.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** One failure, with where it happened. */
export interface ClientReport {
  readonly cause: Cause.Cause<unknown>
  /** `event`: a handler failed. `packet`: what came from the server was refused. `reconnection`: the program's policy failed. */
  readonly stage: "event" | "packet" | "reconnection"
  /** The event that was handled, where there was one. Names from the server are cut to 100 characters. */
  readonly event: string | undefined
  readonly namespace: string
}

/** Takes reports. What it fails with is ignored. */
export type ErrorSink = (report: ClientReport) => Effect.Effect<void>

const describe = ({ stage, event }: ClientReport): string => {
  switch (stage) {
    case "event":
      return `the handler of "${event}" failed`
    case "packet":
      return `the payload of "${event}" was refused`
    case "reconnection":
      return "the reconnection policy failed"
  }
}

/** Logs a report: what came from the server as a warning, what happened in the program as an error. */
export const log: ErrorSink = (report) =>
  (report.stage === "packet" ? Effect.logWarning : Effect.logError)(
    `effect-socketio: ${describe(report)} (namespace ${report.namespace})`,
    report.cause
  )

/** The sink in use, taken when a client is made. Default: {@link log}. */
export const ErrorSink: Context.Reference<ErrorSink> = Context.Reference<ErrorSink>(
  "effect-socketio/client/ErrorSink",
  {
    defaultValue: () => log
  }
)
