/**
 * The WebSocket that the engine needs: implemented over `ws` (node/NodeWebSocket), by the in-memory network, and by whatever
 * else a host brings.
 */
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"

/** What a WebSocket tells its owner. `onClose` comes once, last. */
export interface WebSocketHandlers {
  onFrame(frame: Frame): void
  /** Bytes that had to wait have left. */
  onDrain(): void
  /** `code` as in RFC 6455 section 7.4; 1009 when the peer sent more than the limit. */
  onClose(code: number, reason: string, cause: unknown): void
}

/** A connected server-side WebSocket. Nothing here throws; sending on a closed socket does nothing. */
export interface WebSocketLike {
  /** Installs the handlers. Frames that came earlier are kept and delivered now. */
  listen(handlers: WebSocketHandlers): void
  /** Sends the frames of the groups in order, each a message of its own; in one system call where the platform can. */
  send(groups: ReadonlyArray<FrameGroup>, compress: boolean): void
  /** Bytes accepted by `send` that have not left yet. */
  readonly bufferedAmount: number
  /** Stops and resumes reading, so that the peer's TCP window fills. */
  pause(): void
  resume(): void
  /** Starts the closing handshake, after what was sent has left. */
  close(code: number, reason: string): void
  /** Drops the connection at once. */
  terminate(): void
}
