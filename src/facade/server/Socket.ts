/**
 * A client in a namespace: the object that `connection` listeners get.
 */
import { EventEmitter } from "node:events"
import type { IncomingMessage } from "node:http"
import * as Effect from "effect/Effect"
import type { Event as ContractEvent } from "../../contract/index.ts"
import type { WriteOptions } from "../../engine/Session.ts"
import type { ServerDisconnectReason } from "../../protocol/DisconnectReason.ts"
import * as SocketPacket from "../../protocol/SocketPacket.ts"
import type { Recovery } from "../../socket/Recovery.ts"
import { reliable, type ServerSocket } from "../../socket/ServerSocket.ts"
import * as Acks from "./Acks.ts"
import * as Adapter from "./Adapter.ts"
import { BroadcastOperator } from "./BroadcastOperator.ts"
import * as CatchAll from "./CatchAll.ts"
import * as Contract from "./Contract.ts"
import type { Client, ClientConnection } from "./Client.ts"
import * as Cluster from "./Cluster.ts"
import type { EngineSocket } from "./EngineSocket.ts"
import * as Handshake from "./Handshake.ts"
import type { Namespace } from "./Namespace.ts"
import { encodeOrThrow, type OfficialPacket } from "./Parser.ts"
import * as ReservedEvents from "./ReservedEvents.ts"
import {
  type AllButLast,
  type DecorateAcknowledgements,
  type DecorateAcknowledgementsWithMultipleResponses,
  type DefaultEventsMap,
  type EventNames,
  type EventNamesWithAck,
  type EventParams,
  type EventsMap,
  type FirstNonErrorArg,
  type Last,
  StrictEventEmitter,
  type Unchecked
} from "./TypedEvents.ts"

/** Why a socket was disconnected. */
export type DisconnectReason = ServerDisconnectReason

/** What a socket tells of itself. */
export interface SocketReservedEventsMap {
  disconnect: (reason: DisconnectReason, description?: Unchecked) => void
  disconnecting: (reason: DisconnectReason, description?: Unchecked) => void
  error: (err: Error) => void
}

/** An event on its way to the listeners: its name and arguments, with the acknowledgement last, if the client wants one. */
export type Event = [eventName: string, ...args: Array<Unchecked>]

/** A packet middleware. */
export type SocketMiddleware = (event: Event, next: (err?: Error) => void) => unknown

/** A socket whose types do not matter. */
export type AnySocket = Socket<Unchecked, Unchecked, Unchecked, Unchecked>

/** How the next emit of a socket goes. */
interface Flags {
  volatile?: boolean
  compress?: boolean
  timeout?: number
}

/** What is rarely used. */
interface Rare {
  any?: Array<CatchAll.AnyListener> | undefined
  anyOutgoing?: Array<CatchAll.AnyListener> | undefined
  middleware?: Array<SocketMiddleware>
  acks?: Acks.AckMap
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** A socket of a server. */
export class Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Unchecked
> extends StrictEventEmitter<ListenEvents, EmitEvents, SocketReservedEventsMap> {
  readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  /** @internal */
  readonly _core: ServerSocket
  #flags: Flags | undefined = undefined
  #data: SocketData | undefined = undefined
  #handshake: Handshake.Handshake | undefined = undefined
  #rare: Rare | undefined = undefined

  /** @internal */
  constructor(nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>, core: ServerSocket) {
    super()
    this.nsp = nsp
    this._core = core
  }

  /** Unguessable; also the name of the socket's own room. */
  get id(): string {
    return this._core.id
  }

  /** Whether the state of an earlier connection was recovered: id, rooms and data are those of before, and the client gets what it missed. */
  get recovered(): boolean {
    return this._core.recovered
  }

  /** Not a member of Socket.IO: what became of the client's earlier session; where it was not recovered, why. */
  get recovery(): Recovery {
    return this._core.recovery
  }

  /** What the first request said. */
  get handshake(): Handshake.Handshake {
    return (this.#handshake ??= Handshake.make(this._core))
  }

  /** Whatever the program keeps here; `fetchSockets` shows it to other servers. */
  get data(): SocketData {
    return (this.#data ??= {} as SocketData)
  }

  set data(data: SocketData) {
    this.#data = data
    this._core.namespace.recovering?.changed(this._core)
  }

  get connected(): boolean {
    return this._core.connected
  }

  get disconnected(): boolean {
    return !this._core.connected
  }

  get client(): Client {
    return (this._core.connection as ClientConnection).client
  }

  /** The engine socket. */
  get conn(): EngineSocket {
    return (this._core.connection as ClientConnection).conn
  }

  /** The first request, with what middleware has attached to it. Set it to `null` to free its memory. */
  get request(): IncomingMessage {
    return this._core.connection.session.request as IncomingMessage
  }

  set request(request: IncomingMessage | null | undefined) {
    this._core.connection.session.request = request ?? undefined
  }

  /** The rooms it is in. */
  get rooms(): Set<string> {
    const { adapter } = this.nsp
    if (!Adapter.isPlain(adapter)) return adapter.socketRooms(this.id) ?? new Set()
    if (this._core.connected || this._core.goneBecause !== undefined)
      return new Set(this._core.namespace.rooms.of(this._core))
    // Not connected yet: its own room comes then.
    const rooms = new Set(this._core.memberships)
    rooms.delete(this.id)
    return rooms
  }

  /** The server. */
  get server(): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>["server"] {
    return this.nsp.server
  }

  /** The adapter of the namespace. */
  get adapter(): Adapter.AdapterContract {
    return this.nsp.adapter
  }

  // ---- out

  /** Sends an event. A function as the last argument gets the acknowledgement; with a timeout it gets an error first. */
  override emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    ReservedEvents.refuse(ReservedEvents.socketEvents, ev)
    const flags = this.#flags
    this.#flags = undefined
    const last: unknown = args.at(-1)
    const callback = typeof last === "function" ? this.#guarded(args.pop() as Acks.AckCallback, String(ev)) : undefined
    const { data, event } = this.#encode(ev, args)
    if (callback === undefined) this.#send(data, undefined, flags)
    else this.#ask(data, flags, callback, undefined, event)
    return true
  }

  /**
   * Sends an event and waits for the acknowledgement. Without a timeout it waits for as long as the socket is connected; rejects with
   * "operation has timed out" or "socket has been disconnected".
   */
  emitWithAck<Ev extends EventNamesWithAck<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>> {
    return new Promise((resolve, reject) => {
      ReservedEvents.refuse(ReservedEvents.socketEvents, ev)
      const flags = this.#flags
      this.#flags = undefined
      const reply: Acks.AckCallback =
        flags?.timeout === undefined
          ? (answer) => resolve(answer as Unchecked)
          : (error, answer) => (error === null ? resolve(answer as Unchecked) : reject(error))
      const { data, event } = this.#encode(ev, args)
      this.#ask(data, flags, reply, reject, event)
    })
  }

  #encode(
    ev: string | symbol,
    args: ReadonlyArray<unknown>
  ): { readonly data: Array<unknown>; readonly event: ContractEvent.Any | undefined } {
    const { _contract } = this.nsp
    return _contract === undefined
      ? { data: [ev, ...args], event: undefined }
      : Contract.encodeEvent(_contract, String(ev), args)
  }

  /** `reject` is for those who wait without an error first. */
  #ask(
    data: Array<unknown>,
    flags: Flags | undefined,
    callback: Acks.AckCallback,
    reject: ((error: unknown) => void) | undefined,
    event: ContractEvent.Any | undefined
  ): void {
    const core = this._core
    const name = String(data[0])
    const gone = reject === undefined ? undefined : () => reject(Acks.disconnected())
    const failed = reject ?? ((error: unknown) => this._listenerFailed(error, name))
    const reply =
      event === undefined ? callback : Contract.answering(event, name, flags?.timeout !== undefined, callback, failed)
    if (!core.connected) {
      // Nobody will answer; as everywhere, those who wait are not called before `emit` has returned.
      if (flags?.timeout !== undefined) queueMicrotask(() => reply(Acks.disconnected()))
      else gone?.()
      return
    }
    const id = core.namespace.nextAckId()
    if (flags?.timeout === undefined) Acks.open(core, id, reply, gone)
    else Acks.timed(core, id, flags.timeout, reply)
    this.#send(data, id, flags)
  }

  #send(data: Array<unknown>, id: number | undefined, flags: Flags | undefined): void {
    const core = this._core
    if (this.nsp._foreignRecovery) {
      const packet = { type: SocketPacket.EVENT, nsp: this.nsp.name, data, id }
      this.nsp.adapter.broadcast(packet, { rooms: new Set([this.id]), except: new Set(), flags: { ...flags } })
      return
    }
    const options: WriteOptions =
      flags === undefined ? reliable : { volatile: flags.volatile === true, compress: flags.compress !== false }
    core.namespace.outbox.send(core, data as [string, ...Array<unknown>], id, options)
  }

  /** Sends the event `message`. */
  send(...args: EventParams<EmitEvents, "message">): this {
    this.emit("message", ...args)
    return this
  }

  /** The same as `send`. */
  write(...args: EventParams<EmitEvents, "message">): this {
    return this.send(...args)
  }

  /** Whether the next emit may be compressed. */
  compress(compress: boolean): this {
    ;(this.#flags ??= {}).compress = compress
    return this
  }

  /** The next emit is dropped if the client cannot take it now. */
  get volatile(): this {
    ;(this.#flags ??= {}).volatile = true
    return this
  }

  /** How many milliseconds the acknowledgement of the next emit may take. */
  timeout(timeout: number): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData> {
    ;(this.#flags ??= {}).timeout = timeout
    return this as Unchecked
  }

  /** To rooms, without this socket. */
  to(
    room: string | Array<string>
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcast().to(room)
  }

  /** The same as `to`. */
  in(
    room: string | Array<string>
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcast().in(room)
  }

  /** To everybody but those in the rooms, without this socket. */
  except(
    room: string | Array<string>
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcast().except(room)
  }

  /** To everybody but this socket. */
  get broadcast(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcast()
  }

  /** To everybody on this server but this socket. */
  get local(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#broadcast().local
  }

  #broadcast(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    const flags = this.#flags
    this.#flags = undefined
    return new BroadcastOperator(this.nsp.adapter, undefined, new Set([this.id]), { ...flags })
  }

  // ---- rooms and life

  /** Joins rooms. With an adapter for several servers the promise says when its subscription is there. */
  join(rooms: string | Array<string>): Promise<void> | void {
    const { adapter } = this.nsp
    if (Adapter.isPlain(adapter)) {
      this._core.joinNow(rooms)
      return this.#subscribed(rooms)
    }
    if (this._core.goneBecause !== undefined) return
    return adapter.addAll(this.id, new Set(typeof rooms === "string" ? [rooms] : rooms))
  }

  #subscribed(rooms: string | Array<string>): Promise<void> | void {
    const remote = Cluster.remoteOf(this._core.namespace)
    if (remote === undefined) return
    const list = typeof rooms === "string" ? [rooms] : rooms
    // Most programs do not look at the promise: a failure must not be an unhandled rejection.
    return Effect.runPromiseWith(this.nsp.server._context)(Cluster.subscribed(remote, list)).catch((error: unknown) =>
      this._listenerFailed(error, "join")
    )
  }

  /** Leaves a room. */
  leave(room: string): Promise<void> | void {
    const { adapter } = this.nsp
    return Adapter.isPlain(adapter) ? this._core.leaveNow(room) : adapter.del(this.id, room)
  }

  /** Disconnects from the namespace; with `close` from all of them, and closes the connection. */
  disconnect(close = false): this {
    if (!this.connected) return this
    if (close) this._core.connection.disconnect()
    else this._core.leaveNamespace()
    return this
  }

  // ---- in

  /** Adds a middleware for the events of this socket. An error given to `next` reaches the `error` listeners, and the event goes no further. */
  use(fn: SocketMiddleware): this {
    const rare = (this.#rare ??= {})
    rare.middleware = [...(rare.middleware ?? []), fn]
    return this
  }

  /** Adds a listener for all events that come in. */
  onAny(listener: CatchAll.AnyListener): this {
    const rare = (this.#rare ??= {})
    rare.any = CatchAll.append(rare.any, listener)
    return this
  }

  /** Adds one before the others. */
  prependAny(listener: CatchAll.AnyListener): this {
    const rare = (this.#rare ??= {})
    rare.any = CatchAll.prepend(rare.any, listener)
    return this
  }

  /** Removes one, or all. */
  offAny(listener?: CatchAll.AnyListener): this {
    if (this.#rare !== undefined) this.#rare.any = CatchAll.remove(this.#rare.any, listener)
    return this
  }

  /** The listeners for all events that come in. */
  listenersAny(): Array<CatchAll.AnyListener> {
    return [...(this.#rare?.any ?? [])]
  }

  /** Adds a listener for all events that go out, broadcasts too. */
  onAnyOutgoing(listener: CatchAll.AnyListener): this {
    const rare = this.#watchOutgoing()
    rare.anyOutgoing = CatchAll.append(rare.anyOutgoing, listener)
    return this
  }

  /** Adds one before the others. */
  prependAnyOutgoing(listener: CatchAll.AnyListener): this {
    const rare = this.#watchOutgoing()
    rare.anyOutgoing = CatchAll.prepend(rare.anyOutgoing, listener)
    return this
  }

  /** Removes one, or all. */
  offAnyOutgoing(listener?: CatchAll.AnyListener): this {
    if (this.#rare !== undefined) this.#rare.anyOutgoing = CatchAll.remove(this.#rare.anyOutgoing, listener)
    return this
  }

  /** The listeners for all events that go out. */
  listenersAnyOutgoing(): Array<CatchAll.AnyListener> {
    return [...(this.#rare?.anyOutgoing ?? [])]
  }

  #watchOutgoing(): Rare {
    const rare = (this.#rare ??= {})
    if (rare.anyOutgoing === undefined) {
      const watcher = {
        offer: ({ event, args }: { readonly event: string; readonly args: ReadonlyArray<unknown> }) =>
          this.notifyOutgoingListeners({ data: [event, ...args] }),
        end: () => {}
      }
      const extras = this._core.extra()
      extras.outgoing ??= new Set([watcher])
    }
    return rare
  }

  /** Called by adapters that write themselves. */
  notifyOutgoingListeners(packet: Pick<OfficialPacket, "data">): void {
    const listeners = this.#rare?.anyOutgoing
    if (listeners === undefined) return
    const data = packet.data as [string, ...Array<unknown>]
    for (const listener of listeners) this.#call(listener, data, data[0])
  }

  /** The answers that are waited for, as adapters that ask themselves add them. */
  get acks(): Acks.AckMap {
    return ((this.#rare ??= {}).acks ??= new Acks.AckMap(this._core))
  }

  /** @internal An event of the client; the array is ours. */
  _event(data: Array<unknown>, id: number | undefined, event: ContractEvent.Any | undefined): void {
    if (id !== undefined) data.push(this.#acknowledgement(id, String(data[0]), event))
    const rare = this.#rare
    if (rare === undefined) return this.#dispatch(data as Event)
    const name = String(data[0])
    if (rare.any !== undefined) for (const listener of rare.any) this.#call(listener, data, name)
    if (rare.middleware === undefined) return this.#dispatch(data as Event)
    this.#pass(rare.middleware, 0, data as Event)
  }

  #pass(middleware: ReadonlyArray<SocketMiddleware>, index: number, event: Event): void {
    const gate = middleware[index]
    if (gate === undefined) return this.#dispatch(event)
    let settled = false
    const next = (error?: unknown): void => {
      if (settled) return
      settled = true
      if (error === undefined || error === null || error === false) this.#pass(middleware, index + 1, event)
      else this._error(asError(error))
    }
    const failed = (error: unknown): void => {
      settled = true
      this._listenerFailed(error, event[0])
    }
    try {
      const result = gate.call(this, event, next)
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #dispatch(event: Event): void {
    if (!this._core.connected) return
    // Node throws for an `error` that nobody listens to.
    if (event[0] === "error" && this.listenerCount("error") === 0) return
    try {
      emitLocally.apply(this, event)
    } catch (error) {
      this._listenerFailed(error, event[0])
    }
  }

  /** Answers an event once. */
  #acknowledgement(id: number, name: string, event: ContractEvent.Any | undefined): (...args: Array<unknown>) => void {
    let sent = false
    return (...args) => {
      if (sent) return
      sent = true
      this.#answer(id, event === undefined ? args : Contract.encodeAnswer(event, name, args[0]))
    }
  }

  #answer(id: number, data: ReadonlyArray<unknown>): void {
    const core = this._core
    const packet = { type: SocketPacket.ACK, nsp: core.namespace.name, id, data } as const
    const group = encodeOrThrow(core.core.settings.codec, packet)
    core.core.counters.acksSent++
    core.write(group, reliable)
  }

  /** @internal An event that does not fit the contract. */
  _refuse(failure: Error, id: number | undefined, answer: ReadonlyArray<unknown> | undefined): void {
    this._core.core.counters.invalidPayloads++
    if (id !== undefined && answer !== undefined) this.#answer(id, answer)
    this._listenerFailed(failure, "packet")
  }

  /** @internal Emits what Socket.IO itself has to say. */
  _emitReserved<Ev extends EventNames<SocketReservedEventsMap>>(
    ev: Ev,
    ...args: EventParams<SocketReservedEventsMap, Ev>
  ): void {
    try {
      emitLocally.call(this, ev, ...args)
    } catch (error) {
      this._listenerFailed(error, ev)
    }
  }

  /** @internal An error of this socket that is nobody's fault here: the `error` listeners get it. */
  _error(error: Error): void {
    if (this.listenerCount("error") > 0) this._emitReserved("error", error)
  }

  /** @internal A listener failed: the socket's `error` listeners and the server are told. */
  _listenerFailed(error: unknown, event: string): void {
    this._core.core.counters.handlerFailures++
    const heard = event !== "error" && this.listenerCount("error") > 0
    if (heard) this._emitReserved("error", asError(error))
    this.nsp.server._listenerFailed(error, { event, namespace: this.nsp.name, socket: this as AnySocket }, heard)
  }

  /** What a listener rejects with, unless the program replaces this. */
  [Symbol.for("nodejs.rejection")](error: unknown, event: string | symbol): void {
    this._listenerFailed(error, String(event))
  }

  #call(listener: CatchAll.AnyListener, args: ReadonlyArray<unknown>, event: string): void {
    try {
      const result: unknown = Reflect.apply(listener, this, args)
      if (result instanceof Promise) result.catch((error: unknown) => this._listenerFailed(error, event))
    } catch (error) {
      this._listenerFailed(error, event)
    }
  }

  #guarded(callback: Acks.AckCallback, event: string): Acks.AckCallback {
    return (...args) => this.#call(callback, args, event)
  }
}

/** What `emit` of an emitter does, where a socket's own sends to the client. */
const emitLocally = EventEmitter.prototype.emit
