/**
 * WebSockets of µWebSockets.js as the engine wants them.
 */
import type { WebSocketHandlers, WebSocketLike } from "../engine/WebSocketLike.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import type { UwsSocket } from "./Uws.ts"

const noStatus = 1005
const tooBig = 1009
const dropped = 2

/** What µWebSockets.js says of a message over the limit, with the code 1006. */
const tooBigReason = "Received too big message"

/** A WebSocket of µWebSockets.js. It cannot be paused: `pause` does nothing, and messages go on to come in. */
export class UwsWebSocket implements WebSocketLike {
  private socket: UwsSocket | undefined = undefined
  private handlers: WebSocketHandlers | undefined = undefined
  private early: Array<Frame> | undefined = undefined
  private closed: { readonly code: number; readonly reason: string } | undefined = undefined
  private error: unknown = undefined

  listen(handlers: WebSocketHandlers): void {
    this.handlers = handlers
    const early = this.early
    this.early = undefined
    if (early !== undefined) for (const frame of early) handlers.onFrame(frame)
    if (this.closed !== undefined) handlers.onClose(this.closed.code, this.closed.reason, this.error)
  }

  send(groups: ReadonlyArray<FrameGroup>, compress: boolean): void {
    const { socket } = this
    if (socket === undefined) return
    let lost = false
    socket.cork(() => {
      const write = (frame: Frame): void => {
        lost ||= socket.send(frame, typeof frame !== "string", compress) === dropped
      }
      for (const { head, attachments } of groups) {
        write(head)
        if (attachments !== undefined) for (const frame of attachments) write(frame)
      }
    })
    if (!lost) return
    // A gap in what a client gets is worse than a new connection.
    this.error = new Error("maxBackpressure reached")
    socket.close()
  }

  get bufferedAmount(): number {
    return this.socket?.getBufferedAmount() ?? 0
  }

  pause(): void {}

  resume(): void {}

  close(code: number, reason: string): void {
    if (code === noStatus) this.socket?.end()
    else this.socket?.end(code, reason)
  }

  terminate(): void {
    this.socket?.close()
  }

  /** @internal */
  opened(socket: UwsSocket): void {
    this.socket = socket
  }

  /** @internal */
  received(message: ArrayBuffer, isBinary: boolean): void {
    // The memory is taken back when this returns.
    const frame = isBinary ? Buffer.from(message.slice(0)) : Buffer.from(message).toString()
    if (this.handlers !== undefined) this.handlers.onFrame(frame)
    else (this.early ??= []).push(frame)
  }

  /** @internal */
  drained(): void {
    this.handlers?.onDrain()
  }

  /** @internal */
  ended(code: number, message: ArrayBuffer): void {
    this.socket = undefined
    const reason = Buffer.from(message).toString()
    this.closed = { code: reason === tooBigReason ? tooBig : code, reason }
    this.handlers?.onClose(this.closed.code, reason, this.error)
  }
}
