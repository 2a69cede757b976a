/**
 * The replaceable part of a session: moves frame groups and knows nothing of what they mean.
 */
import type { CloseReason } from "../protocol/CloseReason.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"

/** What a transport tells the session above it. `onClose` comes once, last. */
export interface TransportSink {
  onFrame(frame: Frame): void
  /** The transport has become writable, or has less buffered than before. */
  onDrain(): void
  onClose(reason: CloseReason, cause: unknown): void
}

/** One way of moving frames for one session. It never throws, and calls nothing of its sink from inside `send`. */
export interface Transport {
  readonly name: string
  /** Whether `send` may be called now: a poll is waiting, or the WebSocket is open. */
  readonly writable: boolean
  /** Bytes accepted by `send` that have not left yet. */
  readonly bufferedAmount: number
  /** Sends groups in order, never mixing their frames. Only when `writable`. */
  send(groups: ReadonlyArray<FrameGroup>, compress: boolean): void
  /** Stops and resumes taking input from the peer. */
  pause(): void
  resume(): void
  /** Ends the transport after what was sent has left. `discard` ends it without telling the peer. */
  close(discard?: boolean): void
}
