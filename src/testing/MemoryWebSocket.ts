/**
 * The two ends of a WebSocket over a link: framing, the closing handshake and the payload limit, as RFC 6455 has them.
 */
import type { WebSocketHandlers, WebSocketLike } from "../engine/WebSocketLike.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import { byteLength } from "../protocol/Utf8.ts"
import type { Deadline, Deadlines, Expirable } from "../runtime/Deadlines.ts"
import type { Turn } from "../runtime/Turn.ts"
import type { ClientWebSocket, ClientWebSocketHandlers } from "../transport/ClientPlatform.ts"
import { later, type MemoryLink } from "./MemoryLink.ts"
import type { Wire } from "./Wire.ts"

/** Milliseconds that an end waits for the other one's close frame before it drops the connection, as `ws` does. */
export const closeTimeout = 30_000

/** RFC 6455: no close frame was received. */
const abnormal = 1006
/** RFC 6455: a close frame without a code. */
const noStatus = 1005
const tooBig = 1009

const closeFrameSize = 4

/** What an end tells the side that owns it. */
interface EndHandlers {
  onFrame(frame: Frame): void
  onDrain(): void
  onClose(code: number, reason: string, cause: unknown): void
}

const sizeOf = (frame: Frame): number => (typeof frame === "string" ? byteLength(frame) : frame.byteLength)

/** A network copies: what its sender does to the bytes later does not change what arrives. */
const copyOf = (frame: Frame): Frame => (typeof frame === "string" ? frame : frame.slice())

/** One end. The closing handshake is the same from both. */
class End implements Expirable {
  readonly #turn: Turn
  readonly #deadlines: Deadlines
  readonly #link: MemoryLink
  readonly #outgoing: Wire
  readonly #incoming: Wire
  readonly #maxPayload: number
  #state: "open" | "closing" | "closed" = "open"
  #handlers: EndHandlers | undefined
  #kept: Array<(handlers: EndHandlers) => void> | undefined
  #alarm: Deadline | undefined
  peer: End | undefined

  constructor(turn: Turn, deadlines: Deadlines, link: MemoryLink, outgoing: Wire, incoming: Wire, maxPayload: number) {
    this.#turn = turn
    this.#deadlines = deadlines
    this.#link = link
    this.#outgoing = outgoing
    this.#incoming = incoming
    this.#maxPayload = maxPayload
    outgoing.onDrain = () => {
      if (this.#state === "open") this.#handlers?.onDrain()
    }
  }

  listen(handlers: EndHandlers): void {
    this.#handlers = handlers
    const kept = this.#kept ?? []
    this.#kept = undefined
    for (const tell of kept) tell(handlers)
  }

  send(frame: Frame): void {
    if (this.#state !== "open") return
    const copy = copyOf(frame)
    this.#outgoing.push(sizeOf(copy), () => this.peer?.receive(copy))
  }

  get bufferedAmount(): number {
    return this.#state === "closed" ? 0 : this.#outgoing.bufferedAmount
  }

  get isClosed(): boolean {
    return this.#state === "closed"
  }

  set paused(paused: boolean) {
    this.#incoming.paused = paused
  }

  close(code: number, reason: string): void {
    if (this.#state !== "open") return
    this.#state = "closing"
    // The answer to our close frame has to be read.
    this.#incoming.paused = false
    this.#outgoing.push(closeFrameSize, () => this.peer?.receiveClose(code, reason))
    this.#alarm = this.#deadlines.set(closeTimeout, this)
  }

  terminate(): void {
    if (this.#state === "closed") return
    const peer = this.peer
    this.#outgoing.push(0, () => peer?.finish(abnormal, "", undefined))
    this.#state = "closing"
    later(this.#turn, () => this.finish(abnormal, "", undefined))
  }

  /** @internal */
  onDeadline(): void {
    this.terminate()
  }

  finish(code: number, reason: string, cause: unknown): void {
    if (this.#state === "closed") return
    this.#state = "closed"
    if (this.#alarm !== undefined) this.#deadlines.cancel(this.#alarm)
    this.#tell((handlers) => handlers.onClose(code, reason, cause))
    if (this.peer?.isClosed === true) this.#link.end()
  }

  receive(frame: Frame): void {
    if (this.#state === "closed") return
    const size = sizeOf(frame)
    if (size > this.#maxPayload) {
      this.#outgoing.push(closeFrameSize, () => this.peer?.finish(tooBig, "", undefined))
      return this.finish(tooBig, "", new RangeError("Max payload size exceeded"))
    }
    this.#tell((handlers) => handlers.onFrame(frame))
  }

  receiveClose(code: number, reason: string): void {
    if (this.#state === "closed") return
    if (this.#state === "open") {
      // Our own close frame, which completes the handshake at the other end.
      this.#state = "closing"
      this.#outgoing.push(closeFrameSize, () => this.peer?.finish(code, reason, undefined))
    }
    this.finish(code, reason, undefined)
  }

  #tell(tell: (handlers: EndHandlers) => void): void {
    if (this.#handlers !== undefined) return tell(this.#handlers)
    this.#kept ??= []
    this.#kept.push(tell)
  }
}

/** An established WebSocket. */
export interface WebSocketPair {
  readonly server: WebSocketLike
  /** The client's end, which is not told `onOpen` here. */
  readonly client: ClientWebSocket
}

/** Joins two ends over a link. The limit is the server's, for what the client sends. */
export const makePair = (
  turn: Turn,
  deadlines: Deadlines,
  link: MemoryLink,
  maxPayload: number,
  clientHandlers: Omit<ClientWebSocketHandlers, "onOpen">
): WebSocketPair => {
  const server = new End(turn, deadlines, link, link.toClient, link.toServer, maxPayload)
  const client = new End(turn, deadlines, link, link.toServer, link.toClient, Number.POSITIVE_INFINITY)
  server.peer = client
  client.peer = server
  link.onServerReset = (cause) => server.finish(abnormal, "", cause)
  link.onClientReset = (cause) => client.finish(abnormal, "", cause)
  client.listen({
    onFrame: (frame) => clientHandlers.onFrame(frame),
    onDrain: () => {},
    onClose: (code, reason, cause) => clientHandlers.onClose(code, reason, cause)
  })
  return {
    server: {
      listen: (handlers: WebSocketHandlers) => server.listen(handlers),
      send(groups: ReadonlyArray<FrameGroup>) {
        for (const group of groups) {
          server.send(group.head)
          if (group.attachments !== undefined) for (const frame of group.attachments) server.send(frame)
        }
      },
      get bufferedAmount() {
        return server.bufferedAmount
      },
      pause() {
        server.paused = true
      },
      resume() {
        server.paused = false
      },
      close: (code, reason) => server.close(code, reason),
      terminate: () => server.terminate()
    },
    client: {
      send: (frame) => client.send(frame),
      get bufferedAmount() {
        return client.bufferedAmount
      },
      close: () => client.close(noStatus, "")
    }
  }
}
