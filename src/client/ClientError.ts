/**
 * What can go wrong for those who use the client: one tagged error for each thing they can react to.
 */
import * as Data from "effect/Data"
import type { ClientDisconnectReason } from "../protocol/DisconnectReason.ts"
import type { AckTimeout } from "../runtime/AckTimeout.ts"
import type { HandlerFailed, InvalidPayload } from "../runtime/PayloadError.ts"

export { AckTimeout } from "../runtime/AckTimeout.ts"
export { HandlerFailed, InvalidPayload } from "../runtime/PayloadError.ts"

/**
 * The server refused the namespace. `refusal` is what the contract declares, decoded; it is `undefined` for refusals that are not
 * declared (`Invalid namespace`, an auth that did not decode, another program's), of which `message` and `data` tell what came.
 */
export class ConnectRefused<R = unknown> extends Data.TaggedError("ConnectRefused")<{
  readonly message: string
  readonly data: unknown
  readonly refusal: unknown
}> {
  declare readonly refusal: R | undefined
}

/**
 * There is no connection and there will be no more attempts: reconnection is off, or its schedule has ended, or the URL is none.
 * The message is the official client's (`xhr poll error`, `websocket error`, `timeout` …), the description whatever is known.
 */
export class ConnectFailed extends Data.TaggedError("ConnectFailed")<{
  readonly message: string
  readonly description: unknown
}> {}

/**
 * The connection went while an answer was waited for: whether the server has handled the event is unknown. `description` has what is
 * known beyond the reason.
 */
export class Disconnected extends Data.TaggedError("Disconnected")<{
  readonly reason: ClientDisconnectReason
  readonly description?: unknown
}> {
  override get message(): string {
    return `disconnected: ${this.reason}`
  }
}

/** What a question to the server can fail with; `E` are the errors that the contract declares for the event. */
export type AckError<E = never> = E | AckTimeout | Disconnected | HandlerFailed | InvalidPayload
