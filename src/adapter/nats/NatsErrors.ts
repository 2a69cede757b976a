/**
 * Why NATS did not take a message, beside what its client says.
 */
import * as Data from "effect/Data"
import { AdapterError } from "../Adapter.ts"

/** A message is larger than can be sent. It is the `cause` of an `AdapterError` with reason `Rejected`. */
export class MessageTooLarge extends Data.TaggedError("MessageTooLarge")<{
  /** In bytes. */
  readonly size: number
  /** In bytes: the server's `max_payload`, or the option `maxMessageSize`. */
  readonly limit: number
}> {
  override get message(): string {
    return `a message of ${this.size} bytes is larger than ${this.limit}`
  }
}

/** More is on its way than is allowed. It is the `cause` of an `AdapterError` with reason `Unavailable`. */
export class TooMuchPending extends Data.TaggedError("TooMuchPending")<{
  /** Bytes, or messages on their way to the log. */
  readonly limit: number
}> {
  override get message(): string {
    return `more than ${this.limit} on the way to NATS`
  }
}

/** The broker is not there, or did not do it. */
export const unavailable = (operation: string, cause?: unknown): AdapterError =>
  new AdapterError({ reason: "Unavailable", operation, cause })

/** It would fail again. */
export const rejected = (operation: string, cause?: unknown): AdapterError =>
  new AdapterError({ reason: "Rejected", operation, cause })
