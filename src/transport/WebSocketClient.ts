/**
 * The WebSocket transport of the client: one message for each frame.
 */
import * as CloseReason from "../protocol/CloseReason.ts"
import * as EnginePacket from "../protocol/EnginePacket.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import type { ClientPlatform, ClientWebSocket, ClientWebSocketHandlers, WebSocketRequest } from "./ClientPlatform.ts"
import type { ClientTransport, ClientTransportSink } from "./ClientTransport.ts"

/** What the transport needs. */
export interface WebSocketClientOptions {
  readonly platform: ClientPlatform
  readonly request: WebSocketRequest
  /** Send binary as text (`forceBase64`). */
  readonly base64: boolean
}

class WebSocketClient implements ClientTransport, ClientWebSocketHandlers {
  readonly name = "websocket"
  readonly #options: WebSocketClientOptions
  readonly #sink: ClientTransportSink
  #socket: ClientWebSocket | undefined = undefined
  #state: "idle" | "opening" | "open" | "closed" = "idle"

  constructor(options: WebSocketClientOptions, sink: ClientTransportSink) {
    this.#options = options
    this.#sink = sink
  }

  get writable(): boolean {
    return this.#state === "open"
  }

  open(): void {
    this.#state = "opening"
    this.#socket = this.#options.platform.openWebSocket(this.#options.request, this)
  }

  onOpen(): void {
    if (this.#state !== "opening") return
    this.#state = "open"
    this.#sink.onOpen(this)
  }

  onFrame(frame: Frame): void {
    if (this.#state === "open") this.#sink.onFrame(this, frame)
  }

  onClose(code: number, reason: string, cause: unknown): void {
    if (this.#state === "closed") return
    const failed = this.#state === "opening" || cause !== undefined
    this.#state = "closed"
    const context = { code, reason }
    if (failed) {
      this.#sink.onClose(this, CloseReason.transportError, { message: "websocket error", description: cause, context })
    } else {
      const message = "websocket connection closed"
      this.#sink.onClose(this, CloseReason.transportClose, { message, description: message, context })
    }
  }

  send(groups: ReadonlyArray<FrameGroup>, uncompressed?: ReadonlySet<FrameGroup>): void {
    const socket = this.#socket
    if (socket === undefined || this.#state !== "open") return
    if (!this.#options.base64 && socket.sendGroups !== undefined) return socket.sendGroups(groups, uncompressed)
    for (const group of groups) {
      this.#sendFrame(socket, group.head)
      if (group.attachments === undefined) continue
      for (const attachment of group.attachments) this.#sendFrame(socket, attachment)
    }
  }

  #sendFrame(socket: ClientWebSocket, frame: Frame): void {
    socket.send(this.#options.base64 ? EnginePacket.toText(frame) : frame)
  }

  /** Nothing upgrades from a WebSocket, and what was sent has left: there is nothing to settle. */
  pause(done: () => void): void {
    done()
  }

  resume(): void {}

  close(): void {
    if (this.#state === "closed") return
    this.#state = "closed"
    this.#socket?.close()
  }
}

/** A WebSocket that is opened by `open`. */
export const make = (options: WebSocketClientOptions, sink: ClientTransportSink): ClientTransport =>
  new WebSocketClient(options, sink)
