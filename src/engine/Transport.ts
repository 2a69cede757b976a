/**
 * The replaceable part of a session: moves frame groups and knows nothing of what they mean.
 */
import type { CloseReason } from "../protocol/CloseReason.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import type { Exchange } from "./EngineRequest.ts"

/** What a transport tells the session above it. `onClose` comes once, last. */
export interface TransportSink {
  onFrame(frame: Frame): void
  /** The transport has become writable, or has less buffered than before. */
  onDrain(): void
  /** It has ended, by itself or because `close` was called; in the latter case the reason means nothing. */
  onClose(reason: CloseReason, cause: unknown): void
}

/** One way of moving frames for one session. It never throws, and calls nothing of its sink from inside `send`. */
export interface Transport {
  readonly name: string
  /** Whether `send` may be called now: a poll is waiting, or the WebSocket is open. */
  readonly writable: boolean
  /** Bytes accepted by `send` that have not left yet. */
  readonly bufferedAmount: number
  /** Says whom to tell; once at the start, which may deliver what came earlier, and again when a probe becomes the current transport. */
  attach(sink: TransportSink): void
  /** Sends groups in order, never mixing their frames. Only when `writable`. */
  send(groups: ReadonlyArray<FrameGroup>, compress: boolean): void
  /** Lets a request that waits for frames go with a noop; does nothing where none waits. */
  release(): void
  /** Stops and resumes taking input from the peer. What has been received already may still be delivered. */
  pause(): void
  resume(): void
  /**
   * Sends the last groups, if it is writable, and ends the transport after what was sent has left, then calls `onClose`: at once, or, where the peer must be told and is not there
   * (polling without a waiting poll), when it has come, at the latest after `pollCloseTimeout`. Until then it may become writable once more.
   * `discard` ends it at once without telling the peer that the session is over.
   */
  close(discard: boolean, last?: ReadonlyArray<FrameGroup>): void
}

/** A transport that lives on HTTP requests of its own. */
export interface RequestTransport extends Transport {
  /** Takes one request that carries the session's id, or the first one of the session. */
  handle(exchange: Exchange): void
}
