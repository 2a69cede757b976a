/**
 * One namespace of the client: connecting, buffering, events and acknowledgements. Part of the client machine: no clock, no chance,
 * no Effect; the same calls give the same outputs.
 */
import { type AckOwner, type AckWaiter, PendingAck } from "./ClientAck.ts"
import type { AuthData, ClientError, ClientHost, ClientSocketSink } from "./ClientHost.ts"
import * as ClientRecovery from "./ClientRecovery.ts"
import { RetryQueue } from "./ClientRetryQueue.ts"
import * as DisconnectReason from "./DisconnectReason.ts"
import type { ClientDisconnectReason } from "./DisconnectReason.ts"
import type { FrameGroup } from "./FrameGroup.ts"
import type { EncodeFailure, SocketCodec } from "./SocketCodec.ts"
import { isEncodeFailure } from "./SocketCodec.ts"
import type { SocketPacket } from "./SocketPacket.ts"
import { ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT } from "./SocketPacket.ts"

/** What a socket needs of the manager it belongs to. */
export interface ClientSocketOwner {
  readonly host: ClientHost
  readonly codec: SocketCodec
  /** Whether the engine is open. */
  readonly isOpen: boolean
  /** Sees to it that there is a connection or an attempt. */
  ensureOpen(): void
  /** Ends the connection if no socket needs it any more. */
  release(): void
  /** The server broke the protocol: the connection ends with `parse error`. */
  violated(message: string): void
}

/** How sockets of a namespace behave. */
export interface ClientSocketOptions {
  /**
   * With a number, events that are not volatile are delivered one after the other, each sent up to `1 + retries` times until the server
   * acknowledges it: at least once, in order.
   */
  readonly retries?: number | undefined
  /** Milliseconds to wait for an acknowledgement where `emit` says nothing else; without it there is no limit. */
  readonly ackTimeout?: number | undefined
}

/** How to send one event. */
export interface EmitOptions {
  /** Drop it unless it leaves at once. */
  readonly volatile: boolean
  /** Whether the WebSocket may compress it. */
  readonly compress: boolean
  /** Whether the arguments may hold binary; `undefined` to have them searched. */
  readonly hasBinary: boolean | undefined
}

/** What became of an event. */
export type EmitResult = "sent" | "buffered" | "dropped" | EncodeFailure

/** An event that waits for the connection. */
export interface BufferedEvent {
  readonly data: ReadonlyArray<unknown>
  readonly group: FrameGroup
  readonly compress: boolean
  readonly ack: PendingAck | undefined
}

/** The most events that are kept when they come before the answer to CONNECT. */
export const maxEarlyEvents = 10_000

/** The message of the official client when a CONNECT is answered without `sid`. */
export const incompatibleServer =
  "It seems you are trying to reach a Socket.IO server in v2.x with a v3.x client, but they are not compatible (more information here: https://socket.io/docs/v3/migrating-from-2-x-to-3-0/)"

const defaultEmit: EmitOptions = { volatile: false, compress: true, hasBinary: undefined }

/** A namespace of the client. */
export class ClientSocket implements AckOwner {
  readonly nsp: string
  readonly options: ClientSocketOptions
  /** Given by the server with every connection. */
  id: string | undefined = undefined
  /** Whether it wants a connection: it is connected, or will be when the manager's connection is back. */
  active = false
  connected = false
  recovered = false
  /** Counts the times the server has connected it; what belongs to an earlier one is not sent any more. */
  session = 0
  readonly #owner: ClientSocketOwner
  readonly #sink: ClientSocketSink
  #sendBuffer: Array<BufferedEvent> = []
  #early: Array<{ readonly data: ReadonlyArray<unknown>; readonly id: number | undefined }> = []
  #flushing = false
  readonly #acks = new Map<number, PendingAck>()
  #ids = 0
  readonly #queue: RetryQueue | undefined
  #recovery: ClientRecovery.ClientRecovery | undefined = undefined
  /** Auth answers to an earlier attempt are not for this one. */
  #attempt = 0
  #authenticating = false
  /** A CONNECT is under way on this connection. */
  #asked = false
  /** … but nobody wants its answer any more. */
  #stale = false
  /** A DISCONNECT was sent on this connection: events until the next answer to CONNECT belong to what was left. */
  #left = false

  constructor(nsp: string, options: ClientSocketOptions, owner: ClientSocketOwner, sink: ClientSocketSink) {
    this.nsp = nsp
    this.options = options
    this.#owner = owner
    this.#sink = sink
    this.#queue = options.retries === undefined ? undefined : new RetryQueue(options.retries, this)
  }

  /** Events that wait for the connection: the list itself, so that what is taken out of it is not sent. */
  get buffered(): Array<BufferedEvent> {
    return this.#sendBuffer
  }

  /** Events that came before the answer to CONNECT. */
  get early(): ReadonlyArray<{ readonly data: ReadonlyArray<unknown>; readonly id: number | undefined }> {
    return this.#early
  }

  /** Acknowledgements that are waited for. */
  get pendingAcks(): number {
    return this.#acks.size
  }

  /** Wants a connection from now on. Nothing happens when it already does. */
  connect(): void {
    if (!this.active) {
      this.active = true
      this.#sink.onConnecting()
    } else if (this.connected) return
    this.#owner.ensureOpen()
    if (this.#owner.isOpen) this.#ask()
  }

  /** Leaves the namespace and stops wanting a connection. */
  disconnect(): void {
    if (!this.active) return
    const connected = this.connected
    this.#deactivate()
    if (connected) {
      this.connected = false
      this.#left = true
      this.#recovery = undefined
      this.#send({ type: DISCONNECT, nsp: this.nsp })
      this.#down(DisconnectReason.ioClientDisconnect, undefined)
    } else if (this.#asked) {
      this.#stale = true
    }
    this.#owner.release()
  }

  #deactivate(): void {
    this.active = false
    this.#authenticating = false
    this.#attempt++
  }

  /** The end: disconnects, and nobody waits any longer. */
  dispose(): void {
    this.disconnect()
    this.#queue?.dispose(DisconnectReason.ioClientDisconnect)
    this.#sendBuffer = []
    this.#early = []
    this.#settleAll(DisconnectReason.ioClientDisconnect, true)
  }

  // --- sending

  /** Sends an event, its name first in `data`; `timeout` in milliseconds instead of the option's. */
  emit(
    data: ReadonlyArray<unknown>,
    options: EmitOptions = defaultEmit,
    waiter?: AckWaiter,
    timeout?: number
  ): EmitResult {
    if (this.#queue !== undefined && !options.volatile) return this.#queue.add(data, options, waiter, timeout)
    return this.emitNow(data, options, waiter, timeout)
  }

  /** Whether an event can be sent at all. */
  check(data: ReadonlyArray<unknown>, options: EmitOptions): EncodeFailure | undefined {
    const packet: SocketPacket = { type: EVENT, nsp: this.nsp, id: undefined, data }
    const group = this.#owner.codec.encode(packet, { hasBinary: options.hasBinary })
    return isEncodeFailure(group) ? group : undefined
  }

  /** As `emit`, around the queue of `retries`. */
  emitNow(
    data: ReadonlyArray<unknown>,
    options: EmitOptions,
    waiter: AckWaiter | undefined,
    timeout: number | undefined
  ): EmitResult {
    const id = waiter === undefined ? undefined : this.#ids
    const group = this.#owner.codec.encode({ type: EVENT, nsp: this.nsp, id, data }, { hasBinary: options.hasBinary })
    if (isEncodeFailure(group)) return group
    const ack = waiter === undefined ? undefined : this.#expect(waiter, timeout)
    // Behind what is kept already: that leaves with the next connection, as this connection is about to be given up.
    const ready =
      this.connected && !this.#flushing && this.#sendBuffer.length === 0 && !this.#owner.host.hasPingExpired()
    if (options.volatile && !(ready && this.#owner.host.isWritable())) return "dropped"
    if (ready && !this.#sink.watchesOutgoing) {
      this.#owner.host.send(group, options.compress)
      return "sent"
    }
    if (ack !== undefined) ack.buffered = true
    const event: BufferedEvent = { data, group, compress: options.compress, ack }
    this.#sendBuffer.push(event)
    if (!ready) return "buffered"
    this.#flushBuffer()
    return this.#sendBuffer.includes(event) ? "buffered" : "sent"
  }

  #expect(waiter: AckWaiter, timeout: number | undefined): PendingAck {
    const ack = new PendingAck(this.#ids++, waiter, this)
    this.#acks.set(ack.id, ack)
    waiter.pending = ack
    const millis = timeout ?? this.options.ackTimeout
    if (millis !== undefined && millis !== Number.POSITIVE_INFINITY) {
      ack.timer = this.#owner.host.setTimer(millis, ack)
    }
    return ack
  }

  /** Answers an event of that session. An answer to what another session sent is dropped: there its id means something else. */
  reply(session: number, id: number, args: ReadonlyArray<unknown>, hasBinary?: boolean): EncodeFailure | undefined {
    if (session !== this.session || !this.connected) return undefined
    return this.#send({ type: ACK, nsp: this.nsp, id, data: args }, hasBinary)
  }

  #send(packet: SocketPacket, hasBinary?: boolean): EncodeFailure | undefined {
    if (!this.#owner.isOpen) return undefined
    const group = this.#owner.codec.encode(packet, { hasBinary })
    if (isEncodeFailure(group)) return group
    this.#owner.host.send(group, true)
    return undefined
  }

  // --- acknowledgements

  ackExpired(ack: PendingAck): void {
    if (!this.#forget(ack)) return
    ack.waiter.onTimeout()
  }

  /** Nobody waits for this any more; an event that has not left stays here. */
  cancelAck(waiter: AckWaiter): void {
    if (this.#queue?.cancel(waiter) === true) return
    if (waiter.pending !== undefined) this.#forget(waiter.pending)
  }

  #forget(ack: PendingAck): boolean {
    if (this.#acks.get(ack.id) !== ack) return false
    this.#acks.delete(ack.id)
    ack.waiter.pending = undefined
    if (ack.timer !== undefined) this.#owner.host.cancelTimer(ack.timer)
    if (ack.buffered) this.#sendBuffer = this.#sendBuffer.filter((event) => event.ack !== ack)
    return true
  }

  #settleAll(reason: ClientDisconnectReason, includingBuffered: boolean): void {
    const acks = [...this.#acks.values()].filter((ack) => includingBuffered || !ack.buffered)
    for (const ack of acks) {
      if (this.#forget(ack)) ack.waiter.onDisconnect(reason)
    }
  }

  // --- the connection, told by the manager

  /** The engine is open: a socket that wants a connection asks for it. */
  engineOpened(): void {
    this.#asked = this.#stale = this.#left = false
    if (this.active) this.#ask()
  }

  /** The engine, which was open, is closed. */
  engineClosed(reason: ClientDisconnectReason, description: unknown): void {
    this.#asked = this.#stale = this.#left = false
    this.#authenticating = false
    this.#attempt++
    this.#early = []
    if (this.connected) this.#down(reason, description)
  }

  /** An attempt to open the engine failed. */
  engineFailed(error: ClientError): void {
    if (this.active && !this.connected) this.#sink.onConnectError(error)
  }

  #ask(): void {
    if (this.#authenticating || this.#asked || this.connected) return
    this.#authenticating = true
    this.#sink.authenticate(++this.#attempt)
  }

  /** The auth data for an attempt. */
  authenticated(attempt: number, auth: AuthData): void {
    if (attempt !== this.#attempt || !this.#authenticating || !this.#owner.isOpen) return
    this.#authenticating = false
    const data = ClientRecovery.connectData(auth, this.#recovery)
    this.#asked = true
    const failure = this.#send({ type: CONNECT, nsp: this.nsp, data })
    if (failure === undefined) return
    this.#asked = false
    this.#refuse({ kind: "auth", message: failure.message, description: failure.cause })
  }

  /** There is no auth data for an attempt: the socket gives up. */
  authFailed(attempt: number, error: ClientError): void {
    if (attempt !== this.#attempt || !this.#authenticating) return
    this.#refuse(error)
  }

  #refuse(error: ClientError): void {
    this.#deactivate()
    this.#early = []
    this.#owner.release()
    this.#sink.onConnectError(error)
  }

  #down(reason: ClientDisconnectReason, description: unknown): void {
    this.connected = false
    this.id = undefined
    this.#sink.onDisconnect(reason, description)
    this.#settleAll(reason, false)
  }

  /** A packet of this namespace. */
  receive(packet: SocketPacket): void {
    switch (packet.type) {
      case EVENT:
        return this.#receiveEvent(packet.data, packet.id)
      case ACK:
        return this.#receiveAck(packet.id, packet.data)
      case CONNECT:
        return this.#answered(packet.data)
      case CONNECT_ERROR:
        return this.#receiveRefusal(packet.data)
      case DISCONNECT:
        if (!this.connected) return
        this.#deactivate()
        this.connected = false
        // The server keeps no session of a socket that it has disconnected.
        this.#recovery = undefined
        this.#owner.release()
        return this.#down(DisconnectReason.ioServerDisconnect, undefined)
    }
  }

  #receiveEvent(data: ReadonlyArray<unknown>, id: number | undefined): void {
    if (this.connected) return this.#tell(data, id)
    // Middleware of the server may emit before it lets the socket in, and missed events come before the answer to CONNECT.
    if (!this.active || !this.#asked || this.#left) return
    if (this.#early.length >= maxEarlyEvents) return this.#owner.violated("too many events before CONNECT")
    this.#early.push({ data, id })
  }

  #tell(data: ReadonlyArray<unknown>, id: number | undefined): void {
    const recovery = this.#recovery
    this.#sink.onEvent(recovery === undefined || id !== undefined ? data : ClientRecovery.take(recovery, data), id)
  }

  /** Whether the last text of an event may be the offset of an official server, which has no place for it of its own. */
  get mayTrailOffset(): boolean {
    return this.#recovery?.ownSlot === false
  }

  #receiveAck(id: number | undefined, data: ReadonlyArray<unknown>): void {
    const ack = id === undefined ? undefined : this.#acks.get(id)
    // An event that has not left cannot have been answered.
    if (ack === undefined || ack.buffered || !this.connected) return
    this.#forget(ack)
    ack.waiter.onAck(data)
  }

  #answered(data: unknown): void {
    if (!this.#asked) return
    this.#asked = false
    if (this.#stale) return this.#leaveStale()
    const answer = (data ?? {}) as { readonly sid?: unknown; readonly pid?: unknown; readonly offset?: unknown }
    const { sid, pid } = answer
    if (typeof sid !== "string" || sid === "") {
      return this.#sink.onConnectError({ kind: "protocol", message: incompatibleServer })
    }
    this.#left = false
    this.id = sid
    this.recovered = ClientRecovery.isRecovered(this.#recovery, pid)
    this.#recovery = ClientRecovery.fromConnect(this.#recovery, answer)
    this.connected = true
    this.session++
    this.#cameUp(sid)
  }

  /** What waited leaves first, then what came early arrives, then the program hears that it is connected. */
  #cameUp(id: string): void {
    const session = this.session
    this.#flushBuffer()
    const early = this.#early
    this.#early = []
    for (const event of early) {
      if (!this.#isSession(session)) return
      this.#tell(event.data, event.id)
    }
    if (!this.#isSession(session)) return
    this.#sink.onConnect(id, this.recovered)
    if (this.#isSession(session)) this.#queue?.drain()
  }

  #isSession(session: number): boolean {
    return this.connected && this.session === session
  }

  /** In order, also when somebody who is told about an event emits another, disconnects, or takes it back. */
  #flushBuffer(): void {
    this.#flushing = true
    for (let event = this.#sendBuffer[0]; event !== undefined; event = this.#sendBuffer[0]) {
      if (this.#sink.watchesOutgoing) this.#sink.onOutgoing(event.data)
      if (!this.connected) break
      if (this.#sendBuffer[0] !== event) continue
      this.#sendBuffer.shift()
      if (event.ack !== undefined) event.ack.buffered = false
      this.#owner.host.send(event.group, event.compress)
    }
    this.#flushing = false
  }

  /** The server let in a socket that has changed its mind: it is told, and asked again if it changed its mind once more. */
  #leaveStale(): void {
    this.#stale = false
    this.#left = true
    this.#send({ type: DISCONNECT, nsp: this.nsp })
    if (this.active) this.#ask()
  }

  #receiveRefusal(data: unknown): void {
    if (!this.#asked) return
    this.#asked = false
    if (this.#stale) {
      this.#stale = false
      if (this.active) this.#ask()
      return
    }
    const { message, data: detail } = (typeof data === "object" && data !== null ? data : { message: data }) as {
      readonly message?: unknown
      readonly data?: unknown
    }
    this.#refuse({ kind: "refused", message: typeof message === "string" ? message : "", data: detail })
  }
}
