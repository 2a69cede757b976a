/**
 * The connection under a socket, as Socket.IO shows it: `socket.conn`, an Engine.IO socket. It exists only where a program asks for it.
 */
import { EventEmitter } from "node:events"
import type { IncomingMessage } from "node:http"
import type { Session, SessionSink } from "../../engine/Session.ts"
import * as CloseReason from "../../protocol/CloseReason.ts"
import * as EnginePacket from "../../protocol/EnginePacket.ts"
import type { Frame, FrameGroup } from "../../protocol/FrameGroup.ts"
import * as Group from "../../protocol/FrameGroup.ts"
import type { Engine } from "./Engine.ts"

/** A packet, as the events `packet` and `packetCreate` show it. */
export interface RawPacket {
  readonly type: string
  readonly data?: string | Uint8Array
  readonly options?: { readonly compress: boolean }
}

/** How a message is sent. */
export interface SendOptions {
  /** Default true. */
  readonly compress?: boolean
}

/** The transport that an engine socket uses. */
export class EngineTransport extends EventEmitter {
  readonly protocol = 4
  readonly name: string
  readonly #session: Session

  constructor(session: Session, name: string) {
    super()
    this.#session = session
    this.name = name
  }

  /** The id of the session. */
  get sid(): string {
    return this.#session.id
  }

  /** Whether what is sent now leaves at once. */
  get writable(): boolean {
    return this.readyState === "open" && this.#session.bufferedAmount === 0
  }

  get readyState(): "open" | "closed" {
    return this.#session.closed === undefined && this.#session.transportName === this.name ? "open" : "closed"
  }
}

const packetOf = (frame: Frame): RawPacket | undefined => {
  const packet = EnginePacket.decode(frame)
  if (EnginePacket.isFailure(packet)) return undefined
  return packet.data === undefined ? { type: packet.type } : { type: packet.type, data: packet.data }
}

/** An Engine.IO socket: a view of a session, and its events. */
export class EngineSocket extends EventEmitter {
  /** The revision of the protocol. */
  readonly protocol = 4
  readonly server: Engine
  readonly #session: Session
  #transport: EngineTransport | undefined = undefined
  #upgrading = false

  /** @internal */
  constructor(session: Session, engine: Engine) {
    super({ captureRejections: true })
    this.#session = session
    this.server = engine
    // A connection that nobody listens to is not watched.
    this.once("newListener", () => this.#watch())
  }

  /** The id of the session; unlike the id of a socket it must not be shown to other clients. */
  get id(): string {
    return this.#session.id
  }

  /** The first request; set it to `null` to free its memory. */
  get request(): IncomingMessage {
    return this.#session.request as IncomingMessage
  }

  set request(request: IncomingMessage | null | undefined) {
    this.#session.request = request ?? undefined
  }

  get remoteAddress(): string {
    return this.#session.handshake.address ?? ""
  }

  get readyState(): "opening" | "open" | "closing" | "closed" {
    return this.#session.closed === undefined ? "open" : "closed"
  }

  get transport(): EngineTransport {
    const name = this.#session.transportName
    if (this.#transport?.name !== name) this.#transport = new EngineTransport(this.#session, name)
    return this.#transport
  }

  get upgraded(): boolean {
    return this.#session.upgraded
  }

  /** Whether a client is trying to upgrade; known from when somebody began to listen. */
  get upgrading(): boolean {
    return this.#upgrading
  }

  /** What was written and has not left. */
  get writeBuffer(): ReadonlyArray<RawPacket> {
    return this.#session.buffered.flatMap((group) => packetsOf(group))
  }

  /** Sends a message of the engine, beside what sockets send. */
  send(data: string | Uint8Array, options?: SendOptions | (() => void), callback?: () => void): this {
    const compress = typeof options === "object" ? options.compress !== false : true
    const done = typeof options === "function" ? options : callback
    const group = Group.make(EnginePacket.encode(EnginePacket.make("message", data)))
    this.#session.write(group, { volatile: false, compress })
    if (done !== undefined) this.#onceSent(done)
    return this
  }

  /** The same as `send`. */
  write(data: string | Uint8Array, options?: SendOptions | (() => void), callback?: () => void): this {
    return this.send(data, options, callback)
  }

  /** Closes the connection, and with it all sockets of the client. What was written still leaves. */
  close(_discard?: boolean): void {
    this.#session.close(CloseReason.forcedClose)
  }

  #onceSent(done: () => void): void {
    const stop = this.#session.observe({
      drain: () => {
        stop()
        done()
      }
    })
  }

  #watch(): void {
    this.#session.observe({
      upgrading: (name) => {
        this.#upgrading = true
        this.emit("upgrading", new EngineTransport(this.#session, name))
      },
      upgrade: () => {
        this.#upgrading = false
        this.emit("upgrade", this.transport)
      },
      packet: (frame) => {
        if (this.listenerCount("packet") + this.listenerCount("data") + this.listenerCount("message") === 0) return
        const packet = packetOf(frame)
        if (packet === undefined) return
        this.emit("packet", packet)
        if (packet.type !== "message") return
        this.emit("data", packet.data)
        this.emit("message", packet.data)
      },
      packetCreate: (group) => {
        if (this.listenerCount("packetCreate") === 0) return
        for (const packet of packetsOf(group)) this.emit("packetCreate", packet)
      },
      heartbeat: () => this.emit("heartbeat"),
      drain: () => {
        this.emit("flush")
        this.emit("drain")
      },
      // The sockets of the client are told first.
      close: ({ reason, description }) => queueMicrotask(() => this.emit("close", reason, description))
    })
  }

  /** What listeners throw must not reach the engine, which is in the middle of something. */
  override emit(event: string | symbol, ...args: Array<unknown>): boolean {
    try {
      return super.emit(event, ...args)
    } catch (error) {
      this.server._listenerFailed(error, event)
      return true
    }
  }

  /** What a listener rejects with. */
  [Symbol.for("nodejs.rejection")](error: unknown, event: string | symbol): void {
    this.server._listenerFailed(error, event)
  }
}

const packetsOf = (group: FrameGroup): Array<RawPacket> => {
  const frames = group.attachments === undefined ? [group.head] : [group.head, ...group.attachments]
  return frames.flatMap((frame) => packetOf(frame) ?? [])
}

/** Where no server is bound to the engine only the engine sockets hear of what comes. */
export const bareSink: SessionSink = { onMessage() {}, onDrain() {}, onClose() {} }
