/**
 * Connections of an engine that is not ours, as sessions: what `io.bind(engine)` and `io.onconnection(conn)` take, for engines that give
 * sockets like Engine.IO's.
 */
import type { EventEmitter } from "node:events"
import type { IncomingMessage } from "node:http"
import * as HandshakeRecord from "../../engine/HandshakeRecord.ts"
import type {
  Closed,
  Handshake,
  Session,
  SessionObserver,
  SessionSink,
  WriteOptions,
  WriteResult
} from "../../engine/Session.ts"
import { NodeRequest } from "../../node/NodeExchange.ts"
import * as CloseReason from "../../protocol/CloseReason.ts"
import type { Frame, FrameGroup } from "../../protocol/FrameGroup.ts"

/** An Engine.IO socket of another engine, as far as it is used. */
export interface ForeignConnection extends EventEmitter {
  readonly id: string
  readonly readyState: string
  readonly upgraded?: boolean
  readonly remoteAddress?: string
  request: IncomingMessage | null | undefined
  readonly transport: { readonly name: string; readonly writable: boolean }
  write(data: string | Uint8Array, options?: { readonly compress?: boolean }): unknown
  close(discard?: boolean): unknown
}

/** An engine that gives such sockets. */
export interface ForeignEngine extends Pick<EventEmitter, "on"> {
  close?(): unknown
}

/** Where there is no request: WebTransport, tests. */
const unknownRequest = (address: string | undefined) => ({
  method: "GET",
  url: "/",
  headers: {},
  remoteAddress: address,
  secure: true,
  raw: undefined
})

/** The session of such a connection. */
export class ForeignSession implements Session {
  readonly conn: ForeignConnection
  readonly handshake: Handshake
  closed: Closed | undefined = undefined
  readonly #sink: SessionSink

  /** `makeSink` makes the level above. */
  constructor(conn: ForeignConnection, makeSink: (session: Session) => SessionSink) {
    this.conn = conn
    const request = conn.request
    const described =
      request === null || request === undefined ? unknownRequest(conn.remoteAddress) : new NodeRequest(request)
    this.handshake = HandshakeRecord.make(described, Date.now())
    this.#sink = makeSink(this)
    conn.on("data", (data: Frame) => {
      if (this.closed === undefined) this.#sink.onMessage(data)
    })
    conn.on("drain", () => {
      if (this.closed === undefined) this.#sink.onDrain()
    })
    conn.on("close", (reason: string, description: unknown) => {
      this.#end(CloseReason.isCloseReason(reason) ? reason : CloseReason.transportClose, description)
    })
  }

  get id(): string {
    return this.conn.id
  }

  get request(): unknown {
    return this.conn.request ?? undefined
  }

  set request(request: unknown) {
    this.conn.request = request as IncomingMessage | undefined
  }

  get transportName(): string {
    return this.conn.transport.name
  }

  get upgraded(): boolean {
    return this.conn.upgraded === true
  }

  /** The engine tells only whether there is anything. */
  get bufferedAmount(): number {
    return this.conn.transport.writable ? 0 : 1
  }

  readonly buffered: ReadonlyArray<FrameGroup> = []

  write(group: FrameGroup, { compress, volatile }: WriteOptions): WriteResult {
    if (this.closed !== undefined || this.conn.readyState !== "open") return "dropped"
    const { writable } = this.conn.transport
    if (volatile && !writable) return "dropped"
    const { attachments, head } = group
    // Engines add the type themselves.
    this.conn.write(typeof head === "string" ? head.slice(1) : head, { compress })
    if (attachments !== undefined) for (const attachment of attachments) this.conn.write(attachment, { compress })
    return writable ? "sent" : "buffered"
  }

  close(reason: CloseReason.CloseReason, description?: unknown): void {
    if (this.closed !== undefined) return
    this.conn.close()
    this.#end(reason, description)
  }

  pause(): void {}

  resume(): void {}

  observe(observer: SessionObserver): () => void {
    const listeners: Readonly<Record<string, (transport: { readonly name: string }) => void>> = {
      upgrade: ({ name }) => observer.upgrade?.(name),
      upgrading: ({ name }) => observer.upgrading?.(name),
      heartbeat: () => observer.heartbeat?.(),
      drain: () => observer.drain?.()
    }
    for (const [event, listener] of Object.entries(listeners)) this.conn.on(event, listener)
    return () => {
      for (const [event, listener] of Object.entries(listeners)) this.conn.off(event, listener)
    }
  }

  #end(reason: CloseReason.CloseReason, description: unknown): void {
    if (this.closed !== undefined) return
    this.closed = { reason, description }
    this.#sink.onClose(this.closed)
  }
}
