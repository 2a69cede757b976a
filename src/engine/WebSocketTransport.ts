/**
 * The WebSocket transport: one frame is one message.
 */
import type * as Layer from "effect/Layer"
import * as CloseReason from "../protocol/CloseReason.ts"
import * as EnginePacket from "../protocol/EnginePacket.ts"
import * as EnginePayload from "../protocol/EnginePayload.ts"
import * as FrameGroup from "../protocol/FrameGroup.ts"
import { PayloadTooLarge, TransportError } from "./EngineError.ts"
import type { Transport, TransportSink } from "./Transport.ts"
import type { TransportEnvironment, TransportFactory, Transports } from "./Transports.ts"
import { layerAdd } from "./Transports.ts"
import type { WebSocketHandlers, WebSocketLike } from "./WebSocketLike.ts"

/** RFC 6455 section 7.4.1: a close frame without a code; what Engine.IO sends. */
const noStatus = 1005
/** RFC 6455 section 7.4.1: a message too big. */
const tooBig = 1009

class WebSocketTransport implements Transport, WebSocketHandlers {
  private readonly environment: TransportEnvironment
  private readonly socket: WebSocketLike
  private sink: TransportSink | undefined
  private open = true

  constructor(environment: TransportEnvironment, socket: WebSocketLike) {
    this.environment = environment
    this.socket = socket
    this.sink = undefined
  }

  get name(): string {
    return factory.name
  }

  get writable(): boolean {
    return this.open
  }

  get bufferedAmount(): number {
    return this.socket.bufferedAmount
  }

  attach(sink: TransportSink): void {
    const first = this.sink === undefined
    this.sink = sink
    if (first) this.socket.listen(this)
  }

  send(groups: ReadonlyArray<FrameGroup.FrameGroup>, compress: boolean): void {
    this.socket.send(this.environment.textOnly ? asText(groups) : groups, compress)
  }

  release(): void {}

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  close(discard: boolean, last?: ReadonlyArray<FrameGroup.FrameGroup>): void {
    if (!this.open) return
    if (last !== undefined) this.send(last, true)
    this.open = false
    // A peer that does not read what is queued would not read the close frame either.
    if (discard && this.socket.bufferedAmount > 0) this.socket.terminate()
    else this.socket.close(noStatus, "")
    this.sink?.onClose(CloseReason.forcedClose, undefined)
  }

  onFrame(frame: FrameGroup.Frame): void {
    if (this.open) this.sink?.onFrame(frame)
  }

  onDrain(): void {
    if (this.open) this.sink?.onDrain()
  }

  onClose(code: number, reason: string, cause: unknown): void {
    if (!this.open) return
    this.open = false
    if (code === tooBig) {
      this.environment.counters.tooLarge++
      const limit = this.environment.maxPayload
      this.sink?.onClose(CloseReason.transportError, new PayloadTooLarge({ limit, size: undefined }))
    } else if (cause !== undefined) {
      const message = cause instanceof Error ? cause.message : "websocket error"
      this.sink?.onClose(CloseReason.transportError, new TransportError({ message, cause }))
    } else {
      this.sink?.onClose(CloseReason.transportClose, { code, reason })
    }
  }
}

/** For clients that take no binary messages: `b` and base64, as in polling payloads. */
const asText = (groups: ReadonlyArray<FrameGroup.FrameGroup>): ReadonlyArray<FrameGroup.FrameGroup> =>
  EnginePayload.framesOf(groups).map((frame) => FrameGroup.make(EnginePacket.toText(frame)))

/** Makes WebSocket transports. */
export const factory: TransportFactory = {
  name: "websocket",
  kind: "websocket",
  upgradesTo: [],
  make: (environment, socket) => new WebSocketTransport(environment, socket)
}

/** Adds the WebSocket transport to the collection. */
export const layer: Layer.Layer<never, never, Transports> = layerAdd(factory)
