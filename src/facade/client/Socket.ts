/**
 * One namespace of the plain client, with the methods and events of Socket.IO's `Socket`.
 */
import type { AuthData, ClientSocketSink } from "../../protocol/ClientHost.ts"
import type { BufferedEvent, ClientSocket, EmitOptions } from "../../protocol/ClientSocket.ts"
import type { ClientDisconnectReason } from "../../protocol/DisconnectReason.ts"
import { reservedEvents } from "../../protocol/SocketPacket.ts"
import type { EncodeFailure } from "../../protocol/SocketCodec.ts"
import { AckCallback, type AckFunction } from "./Ack.ts"
import { BlobQueue, isUnread } from "./Blobs.ts"
import { Emitter } from "./Emitter.ts"
import type { Manager } from "./Manager.ts"
import type { Auth, SocketOptions } from "./Options.ts"
import { callUser, rethrowLater } from "./Rethrow.ts"
import { type DisconnectDescription, type ExtendedError, fromClientError } from "./TransportError.ts"
import type {
  AllButLast,
  Anything,
  DecorateAcknowledgements,
  DefaultEventsMap,
  EventNames,
  EventParams,
  EventsMap,
  FirstArg,
  Last
} from "./TypedEvents.ts"

/** The events of the socket itself. */
export interface SocketReservedEvents {
  connect: () => void
  connect_error: (err: ExtendedError) => void
  disconnect: (reason: ClientDisconnectReason, description?: DisconnectDescription) => void
}

/** What listens to every event: its name and arguments. */
export type AnyListener = (...args: Array<Anything>) => void

interface Flags {
  readonly compress?: boolean
  readonly volatile?: boolean
  readonly timeout?: number
}

const noFlags: Flags = {}

const errorOf = (failure: EncodeFailure): Error =>
  failure.cause instanceof Error ? failure.cause : new Error(failure.message)

/**
 * A namespace of a server.
 *
 * A listener or callback that throws does not disturb the connection or the other listeners: its error is thrown again from a microtask
 * of its own, where the process or the page reports it like any uncaught error.
 */
export class Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents
> extends Emitter<ListenEvents, EmitEvents, SocketReservedEvents> {
  readonly io: Manager<ListenEvents, EmitEvents>
  readonly nsp: string
  /** What to authenticate with the next time. */
  declare auth: Auth
  readonly #socket: ClientSocket
  readonly #withError: boolean
  readonly #retries: boolean
  readonly #blobs = new BlobQueue()
  #flags: Flags = noFlags
  #anyListeners: Array<AnyListener> = []
  #anyOutgoing: Array<AnyListener> = []

  constructor(io: Manager<ListenEvents, EmitEvents>, nsp: string, opts: Partial<SocketOptions> = {}) {
    super()
    this.io = io
    this.nsp = nsp
    if (opts.auth) this.auth = opts.auth
    this.#retries = Boolean(opts.retries)
    this.#withError = opts.ackTimeout !== undefined
    this.#socket = io._attach(nsp, opts, () => this.#sink)
    if (io._autoConnect) this.connect()
  }

  /** Given by the server with every connection; `undefined` while there is none. */
  get id(): string | undefined {
    return this.#socket.id
  }

  /** Whether the server has let it in. */
  get connected(): boolean {
    return this.#socket.connected
  }

  /** The opposite of `connected`. */
  get disconnected(): boolean {
    return !this.connected
  }

  /** Whether it is connected or will be by itself: false after `disconnect`, a refusal, or a disconnect by the server. */
  get active(): boolean {
    return this.#socket.active
  }

  /** Whether the server took up the session before the last disconnection, and sent what was missed. */
  get recovered(): boolean {
    return this.#socket.recovered
  }

  /** Events that wait for the connection. What is taken out of the list, or left out of one assigned, is not sent. */
  get sendBuffer(): Array<BufferedEvent> {
    return this.#socket.buffered
  }

  set sendBuffer(events: ReadonlyArray<BufferedEvent>) {
    const { buffered } = this.#socket
    buffered.splice(0, buffered.length, ...events)
  }

  /** The arguments of events that came before the server's answer to the connection. */
  get receiveBuffer(): Array<ReadonlyArray<Anything>> {
    return this.#socket.early.map(({ data }) => data)
  }

  /** Wants a connection from now on. */
  connect(): this {
    this.#socket.connect()
    return this
  }

  /** The same as `connect`. */
  open(): this {
    return this.connect()
  }

  /** Leaves the namespace; the last one that leaves ends the connection. It does not connect again by itself. */
  disconnect(): this {
    this.#socket.disconnect()
    return this
  }

  /** The same as `disconnect`. */
  close(): this {
    return this.disconnect()
  }

  /** Emits a `message`. */
  send(...args: Array<Anything>): this {
    return this.#emit(["message", ...args], false)
  }

  /**
   * Sends an event; a function as the last argument gets the answer. Throws for a reserved name and for arguments that cannot be
   * encoded.
   */
  override emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): this {
    return this.#emit([ev, ...args], false)
  }

  /**
   * Sends an event; resolves with the first argument of the answer. Rejects with `operation has timed out`, or with `socket has been
   * disconnected` when the connection was lost meanwhile.
   */
  emitWithAck<Ev extends EventNames<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstArg<Last<EventParams<EmitEvents, Ev>>>> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown, answer: never): void => (error ? reject(error) : resolve(answer))
      this.#emit([ev, ...args, settle], true)
    })
  }

  #emit(data: Array<unknown>, withError: boolean): this {
    const flags = this.#flags
    this.#flags = noFlags
    const name = data[0]
    if (reservedEvents.has(name as string)) throw new Error(`"${String(name)}" is a reserved event name`)
    const callback = typeof data.at(-1) === "function" ? (data.pop() as AckFunction) : undefined
    const isVolatile = flags.volatile === true
    const errorFirst = withError || this.#withError || flags.timeout !== undefined || (this.#retries && !isVolatile)
    const waiter = callback && new AckCallback(callback, errorFirst, this)
    const options: EmitOptions = { volatile: isVolatile, compress: flags.compress !== false, hasBinary: undefined }
    this.#deliver(
      data,
      (ready) => {
        const result = this.#socket.emit(ready, options, waiter, flags.timeout)
        return typeof result === "string" ? undefined : result
      },
      (error) => waiter?.fail(error) === true
    )
    return this
  }

  /** Sends something, after what is being read before it; what has to be read itself waits for that. */
  #deliver(
    data: ReadonlyArray<unknown>,
    send: (data: ReadonlyArray<unknown>) => EncodeFailure | undefined,
    tell: (error: unknown) => boolean
  ): void {
    if (!this.#blobs.busy) {
      const failure = send(data)
      if (failure === undefined) return
      if (!isUnread(failure)) throw errorOf(failure)
    }
    this.#blobs.add({
      data,
      send(ready) {
        const failure = send(ready)
        if (failure === undefined) return "done"
        if (isUnread(failure) && ready === data) return "unread"
        throw errorOf(failure)
      },
      fail(error) {
        if (!tell(error)) rethrowLater(error)
      }
    })
  }

  /** For the next event: whether the WebSocket may compress it. */
  compress(compress: boolean): this {
    this.#flags = { ...this.#flags, compress }
    return this
  }

  /** For the next event: drop it unless it leaves at once. */
  get volatile(): this {
    this.#flags = { ...this.#flags, volatile: true }
    return this
  }

  /** For the next event: its acknowledgement gets an error first, at the latest after so many milliseconds. */
  timeout(timeout: number): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>> {
    this.#flags = { ...this.#flags, timeout }
    return this as unknown as Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>>
  }

  /** Adds a listener of all events that come. */
  onAny(listener: AnyListener): this {
    this.#anyListeners.push(listener)
    return this
  }

  /** The same, before the others. */
  prependAny(listener: AnyListener): this {
    this.#anyListeners.unshift(listener)
    return this
  }

  /** Removes such a listener, or all. */
  offAny(listener?: AnyListener): this {
    this.#anyListeners = without(this.#anyListeners, listener)
    return this
  }

  /** The listeners of all events that come; the list itself. */
  listenersAny(): Array<AnyListener> {
    return this.#anyListeners
  }

  /** Adds a listener of all events that leave. Acknowledgements are none. */
  onAnyOutgoing(listener: AnyListener): this {
    this.listenersAnyOutgoing().push(listener)
    return this
  }

  /** The same, before the others. */
  prependAnyOutgoing(listener: AnyListener): this {
    this.listenersAnyOutgoing().unshift(listener)
    return this
  }

  /** Removes such a listener, or all. */
  offAnyOutgoing(listener?: AnyListener): this {
    this.#anyOutgoing = without(this.#anyOutgoing, listener)
    return this
  }

  /** The listeners of all events that leave; the list itself. */
  listenersAnyOutgoing(): Array<AnyListener> {
    // Whoever has the list may add to it.
    this.#sink.watchesOutgoing = true
    return this.#anyOutgoing
  }

  #callAll(listeners: Array<AnyListener>, args: ReadonlyArray<unknown>): void {
    for (const listener of [...listeners]) callUser(listener, this, args)
  }

  readonly #sink = this.#makeSink()

  #makeSink(): { -readonly [K in keyof ClientSocketSink]: ClientSocketSink[K] } {
    return {
      authenticate: (attempt) => this.#authenticate(attempt),
      onConnecting() {},
      onConnect: () => {
        this.emitReserved("connect")
      },
      onConnectError: (error) => {
        this.emitReserved("connect_error", fromClientError(error))
      },
      onDisconnect: (reason, description) => {
        const described = typeof description === "string" ? new Error(description) : description
        this.emitReserved("disconnect", reason, described as DisconnectDescription | undefined)
      },
      onEvent: (data, id) => {
        const args = id === undefined ? data : [...data, this.#reply(id)]
        if (this.#anyListeners.length > 0) this.#callAll(this.#anyListeners, args)
        this._dispatch(args[0] as string, args.slice(1))
      },
      watchesOutgoing: false,
      onOutgoing: (data) => this.#callAll(this.#anyOutgoing, data)
    }
  }

  #authenticate(attempt: number): void {
    const { auth } = this
    if (typeof auth !== "function") return this.#socket.authenticated(attempt, auth)
    const failed = (description: unknown): void =>
      this.#socket.authFailed(attempt, { kind: "auth", message: String(description), description })
    try {
      const result: unknown = auth((data) => this.#socket.authenticated(attempt, data as AuthData))
      // An asynchronous function may fail after it has returned.
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  /** The last argument of an event that is to be answered; only its first call counts. */
  #reply(id: number): (...args: ReadonlyArray<unknown>) => void {
    const { session } = this.#socket
    let sent = false
    return (...args) => {
      if (sent) return
      sent = true
      this.#deliver(
        args,
        (ready) => this.#socket.reply(session, id, ready),
        () => false
      )
    }
  }
}

const without = (listeners: Array<AnyListener>, listener: AnyListener | undefined): Array<AnyListener> => {
  if (listener === undefined) return []
  const index = listeners.indexOf(listener)
  return listeners.filter((_, i) => i !== index)
}
