/**
 * What can go wrong for those who use the server: one tagged error for each thing they can react to.
 */
import * as Data from "effect/Data"
import type { ServerDisconnectReason } from "../protocol/DisconnectReason.ts"
import type { AckTimeout } from "../runtime/AckTimeout.ts"
import type { HandlerFailed, InvalidPayload } from "../runtime/PayloadError.ts"

export { AckTimeout } from "../runtime/AckTimeout.ts"
export { HandlerFailed, InvalidPayload } from "../runtime/PayloadError.ts"

/** The socket is gone, or went while something was waited for. `description` has what is known beyond the reason. */
export class Disconnected extends Data.TaggedError("Disconnected")<{
  readonly reason: ServerDisconnectReason
  readonly description?: unknown
}> {
  override get message(): string {
    return `disconnected: ${this.reason}`
  }
}

/** What a question to one client can fail with; `E` are the errors that the contract declares for the event. */
export type AckError<E = never> = E | AckTimeout | Disconnected | HandlerFailed | InvalidPayload

/** A client that did not answer a broadcast with a value. The id is absent for clients of other nodes that did not tell it. */
export interface ReplyFailure<E = never> {
  readonly socketId: string | undefined
  readonly error: AckError<E>
}

/**
 * Some of those asked by a broadcast did not answer with a value. The replies that did come were delivered before this failure:
 * `received` of them; `missing` clients failed, left or stayed silent, and `failures` says which, as far as they are known.
 */
export class PartialResult<E = never> extends Data.TaggedError("PartialResult")<{
  readonly event: string
  readonly received: number
  readonly missing: number
  readonly failures: ReadonlyArray<ReplyFailure<unknown>>
}> {
  declare readonly failures: ReadonlyArray<ReplyFailure<E>>

  override get message(): string {
    return `"${this.event}": ${this.received} answers received, ${this.missing} missing`
  }
}
