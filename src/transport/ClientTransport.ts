/**
 * One way of moving frames from the client's side: what polling and WebSocket have in common.
 */
import type { CloseReason } from "../protocol/CloseReason.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"

/**
 * Why a connection failed or ended, beyond its close reason: the message is that of the official client's error
 * (`xhr poll error`, `xhr post error`, `websocket error`, `No transports available` …).
 */
export interface TransportFailure {
  readonly message: string
  /** An HTTP status, an error, or a text: whatever is known. */
  readonly description: unknown
  /** The answer or close event behind it, if there is one. */
  readonly context?: unknown
}

/** What a transport tells the engine above it. `onClose` comes at most once, last, and not after `close`. */
export interface ClientTransportSink {
  /** The WebSocket is open. Polling has no such moment: its first frames are the handshake. */
  onOpen(transport: ClientTransport): void
  onFrame(transport: ClientTransport, frame: Frame): void
  /** What arrived cannot be cut into frames. */
  onUndecodable(transport: ClientTransport, message: string): void
  /** Everything that `send` was given has left. */
  onDrain(transport: ClientTransport): void
  onClose(transport: ClientTransport, reason: CloseReason, failure: TransportFailure): void
}

/** A transport of the client. It never throws. */
export interface ClientTransport {
  readonly name: string
  /** Whether `send` may be called now. */
  readonly writable: boolean
  open(): void
  /** Sends groups in order. Only when `writable`. Those in `uncompressed` are not to be compressed. */
  send(groups: ReadonlyArray<FrameGroup>, uncompressed?: ReadonlySet<FrameGroup>): void
  /** Takes and gives nothing more once what is in flight has settled; then calls `done`. */
  pause(done: () => void): void
  /** Takes back `pause`, finished or not. */
  resume(): void
  /** Ends it without further calls to the sink. `tell`: let the peer know, where the transport has a way. */
  close(tell: boolean): void
}
