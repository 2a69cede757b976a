/** What can go wrong when a server starts, and with a transport while it runs. */
import * as Data from "effect/Data"

/** The host could not listen or attach, or the configuration makes no sense. */
export class EngineError extends Data.TaggedError("EngineError")<{
  readonly reason: "Listen" | "Attach" | "Config"
  readonly message: string
  readonly cause?: unknown
}> {}

/**
 * What a peer did wrong or what befell its connection: the `description` of a session that closed with `transport error` or
 * `parse error`. The messages are those of Engine.IO ("overlap from client", "invalid heartbeat direction", …).
 */
export class TransportError extends Data.TaggedError("TransportError")<{
  readonly message: string
  readonly cause?: unknown
}> {}

/** More bytes than `maxHttpBufferSize`: the `description` of a session that was closed for it. */
export class PayloadTooLarge extends Data.TaggedError("PayloadTooLarge")<{
  readonly limit: number
  /** What was seen before reading stopped; `undefined` where the platform does not tell. */
  readonly size: number | undefined
}> {
  override get message(): string {
    return `payload over ${this.limit} bytes`
  }
}

/**
 * More bytes than `maxBufferedAmount` wait for a peer that does not read them fast enough: the `description` of a session that was
 * closed for it, with `transport error`. `limit` in bytes.
 */
export class BufferFull extends Data.TaggedError("BufferFull")<{
  readonly limit: number
}> {
  override get message(): string {
    return `more than ${this.limit} bytes (maxBufferedAmount) wait for the client`
  }
}
