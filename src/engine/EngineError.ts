/** What can go wrong when a server starts or refuses a handshake. */
import * as Data from "effect/Data"

/** The host could not listen or attach. */
export class EngineError extends Data.TaggedError("EngineError")<{
  readonly reason: "Listen" | "Attach" | "Config"
  readonly message: string
  readonly cause?: unknown
}> {}
