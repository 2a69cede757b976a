/**
 * A namespace of a server: its sockets, its middleware, and broadcasts to it.
 */
import { EventEmitter } from "node:events"
import type * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import type { Namespace as Contract } from "../../contract/index.ts"
import * as UntypedNamespace from "../../contract/UntypedNamespace.ts"
import type { InMemoryStore } from "../../adapter/InMemoryStore.ts"
import type { FrameGroup } from "../../protocol/FrameGroup.ts"
import * as SocketPacket from "../../protocol/SocketPacket.ts"
import type { NamespaceDefinition, ServerCore } from "../../socket/ServerCore.ts"
import { ServerNamespace } from "../../socket/ServerNamespace.ts"
import type { ServerSocket } from "../../socket/ServerSocket.ts"
import * as Adapter from "./Adapter.ts"
import { BroadcastOperator } from "./BroadcastOperator.ts"
import { MapView } from "./MapView.ts"
import { encodeOrThrow } from "./Parser.ts"
import { make as makeReceiver } from "./Receiver.ts"
import type { RemoteSocket } from "./RemoteSocket.ts"
import * as SessionStore from "./SessionStore.ts"
import * as ReservedEvents from "./ReservedEvents.ts"
import type { Server } from "./Server.ts"
import type { AnySocket, Socket } from "./Socket.ts"
import {
  type AllButLast,
  type DecorateAcknowledgements,
  type DecorateAcknowledgementsWithMultipleResponses,
  type DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  type DefaultEventsMap,
  type EventNames,
  type EventNamesWithAck,
  type EventNamesWithoutAck,
  type EventParams,
  type EventsMap,
  type FirstNonErrorArg,
  type Last,
  type RemoveAcknowledgements,
  StrictEventEmitter,
  type Unchecked
} from "./TypedEvents.ts"

/** An error whose `data` the client gets, too. */
export interface ExtendedError extends Error {
  data?: Unchecked
}

/** What a namespace tells. */
export interface NamespaceReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData
> {
  connect: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void
  connection: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void
}

/** A middleware of a namespace: it refuses a client by giving `next` an error. */
export type NamespaceMiddleware<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData
> = (
  socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  next: (err?: ExtendedError) => void
) => unknown

/** A namespace whose types do not matter. */
export type AnyNamespace = Namespace<Unchecked, Unchecked, Unchecked, Unchecked>

/** The core of a namespace. What cannot be encoded is thrown to the program that emits it, as in Socket.IO. */
class NamespaceCore extends ServerNamespace {
  override encode(event: readonly [string, ...Array<unknown>], id: number | undefined): FrameGroup {
    return encodeOrThrow(this.core.settings.codec, { type: SocketPacket.EVENT, nsp: this.name, id, data: event })
  }
}

const anything = UntypedNamespace.untyped("/")

/**
 * What the core is told: the contract of the namespace, or none. Every name is a name of its own here, whatever it looks like; and what a
 * socket of the core carries is its facade, whose data is what other servers may see.
 */
const contractOf = (name: string, declared: Contract.Any = anything): Contract.Any => ({
  ...declared,
  data: { ...declared.data, encode: (socket) => declared.data.encode((socket as AnySocket).data) },
  path: name,
  kind: "static",
  match: (other) => (other === name ? {} : undefined),
  nameOf: () => Exit.succeed(name)
})

const makeCore = (core: ServerCore, context: Context.Context<never>, namespace: AnyNamespace): ServerNamespace => {
  const definition: NamespaceDefinition = {
    contract: contractOf(namespace.name, namespace._contract),
    setup: undefined,
    shared: undefined,
    middleware: [],
    context,
    onInvalidPayload: core.settings.onInvalidPayload,
    receiver: makeReceiver(namespace)
  }
  return new NamespaceCore(core, namespace.name, definition, {})
}

/** A namespace. */
export class Namespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Unchecked
> extends StrictEventEmitter<
  ServerSideEvents,
  RemoveAcknowledgements<EmitEvents>,
  NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
> {
  readonly name: string
  readonly server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
  /** The sockets of this server by id: a view that is always up to date. */
  readonly sockets: Map<string, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>
  adapter: Adapter.AdapterContract
  /** @internal What events and their arguments are checked by, if the program gave a contract. */
  readonly _contract: Contract.Any | undefined
  /** @internal */
  readonly _core: ServerNamespace
  /** @internal */
  _fns: Array<NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> = []
  /** @internal What our adapter keeps for sockets that come back. */
  _memory: InMemoryStore | undefined = undefined
  /** @internal Whether sockets can come back, and their events go through an adapter that is not ours. */
  _foreignRecovery = false
  /** @internal Sockets that middleware has not decided about. */
  readonly _admitting = new Map<string, ServerSocket>()

  /** @internal Namespaces are made by `io.of`. */
  constructor(
    server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    name: string,
    contract?: Contract.Any
  ) {
    super()
    this.server = server
    this.name = name
    this._contract = contract
    this._core = makeCore(server._core, server._context, this)
    const { sockets } = this._core
    this.sockets = new MapView({
      get: (id) => sockets.get(id)?.data as Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData> | undefined,
      keys: () => sockets.keys(),
      size: () => sockets.size
    })
    this.adapter = this._makeAdapter()
  }

  /** @internal Joins the namespaces of this name on other servers, where the program gave a layer. */
  _connect(): void {
    this.server._cluster?.connect(this._core, (data, reply) => {
      this._onServerSideEmit(reply === undefined ? [...data] : [...data, reply])
    })
  }

  /** @internal */
  _makeAdapter(): Adapter.AdapterContract {
    if (this._core.adapter === undefined) this._connect()
    const adapter = Adapter.make(this.server._adapterConstructor, this as AnyNamespace)
    if (this.server._cluster === undefined) this.#connectSessions(adapter)
    // Whoever made the server has had time to listen when it is told.
    new Promise((resolve) => resolve(adapter.init())).catch((error: unknown) => this.#failed(error, "adapter"))
    return adapter
  }

  #connectSessions(adapter: Adapter.AdapterContract): void {
    const sessions = SessionStore.make(this as AnyNamespace, adapter)
    if (sessions === undefined) return
    this._memory = sessions.memory
    this._foreignRecovery = sessions.foreign
    this._core.connect(sessions.adapter, sessions.foreign)
  }

  /** @internal The number of the next acknowledgement, as adapters that ask themselves take it: `nsp._ids++`. */
  get _ids(): number {
    return this._core.nextAckId()
  }

  set _ids(_next: number) {}

  /** @internal */
  _coreSocket(id: string): ServerSocket | undefined {
    return this._core.sockets.get(id) ?? this._admitting.get(id)
  }

  /** Adds a middleware for clients that connect from now on. One that throws or rejects refuses the client, with the message "internal error". */
  use(fn: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this {
    this._fns.push(fn)
    return this
  }

  /** To rooms. */
  to(
    room: string | Array<string>
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#all().to(room)
  }

  /** The same as `to`. */
  in(
    room: string | Array<string>
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#all().in(room)
  }

  /** To everybody but those in the rooms. */
  except(
    room: string | Array<string>
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#all().except(room)
  }

  /** Sends an event to everybody. */
  override emit<Ev extends EventNamesWithoutAck<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    return new BroadcastOperator<EmitEvents, SocketData>(this.adapter).emit(ev, ...args)
  }

  /** Sends the event `message` to everybody. */
  send(...args: EventParams<EmitEvents, "message">): this {
    new BroadcastOperator<EmitEvents, SocketData>(this.adapter).emit("message", ...args)
    return this
  }

  /** The same as `send`. */
  write(...args: EventParams<EmitEvents, "message">): this {
    return this.send(...args)
  }

  /** Sends an event to the other servers. A function as the last argument gets an error, or `null`, and their answers. */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(
    ev: Ev,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Ev>
  ): boolean {
    ReservedEvents.refuse(ReservedEvents.namespaceEvents, ev)
    this.adapter.serverSideEmit([ev, ...args])
    return true
  }

  /** Sends an event to the other servers and waits for their answers; the `responses` of the error are those that did come. */
  serverSideEmitWithAck<Ev extends EventNamesWithAck<ServerSideEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<ServerSideEvents, Ev>>
  ): Promise<Array<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Ev>>>>> {
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null, responses: Unchecked): void => {
        if (error === null || error === undefined) resolve(responses)
        else reject(Object.assign(error, { responses }))
      }
      this.serverSideEmit(ev, ...([...args, settle] as Unchecked))
    })
  }

  /** Called by adapters: an event of another server. */
  _onServerSideEmit(args: [string, ...Array<unknown>]): void {
    this._emitReserved(...args)
  }

  /** The ids of the sockets. Use `fetchSockets`. */
  allSockets(): Promise<Set<string>> {
    return this.#all().allSockets()
  }

  /** Whether what follows may be compressed. */
  compress(
    compress: boolean
  ): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#all().compress(compress)
  }

  /** What follows is dropped for clients that cannot take it now. */
  get volatile(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#all().volatile
  }

  /** What follows is for the sockets of this server only. */
  get local(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return this.#all().local
  }

  /** How many milliseconds the acknowledgements of what follows may take. */
  timeout(
    timeout: number
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  > {
    return this.#all().timeout(timeout)
  }

  /** The sockets, of other servers too. */
  fetchSockets(): Promise<Array<RemoteSocket<EmitEvents, SocketData>>> {
    return new BroadcastOperator<EmitEvents, SocketData>(this.adapter).fetchSockets()
  }

  /** Puts all sockets into rooms. */
  socketsJoin(room: string | Array<string>): void {
    this.#all().socketsJoin(room)
  }

  /** Takes all sockets out of rooms. */
  socketsLeave(room: string | Array<string>): void {
    this.#all().socketsLeave(room)
  }

  /** Disconnects all sockets; with `close` also their connections. */
  disconnectSockets(close = false): void {
    this.#all().disconnectSockets(close)
  }

  #all(): BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData> {
    return new BroadcastOperator(this.adapter)
  }

  /** @internal Tells the program, where `emit` sends to clients. */
  _emitReserved(event: string, ...args: Array<unknown>): void {
    try {
      emitLocally.call(this, event, ...args)
    } catch (error) {
      this.#failed(error, event, args[0])
    }
  }

  /** What a listener rejects with, unless the program replaces this. */
  [Symbol.for("nodejs.rejection")](error: unknown, event: string | symbol, ...args: Array<unknown>): void {
    this.#failed(error, String(event), args[0])
  }

  #failed(error: unknown, event: string, subject?: unknown): void {
    const socket = this._core.sockets.has((subject as AnySocket | undefined)?.id ?? "")
      ? (subject as AnySocket)
      : undefined
    if (socket === undefined) this.server._listenerFailed(error, { event, namespace: this.name })
    else socket._listenerFailed(error, event)
  }
}

/** What `emit` of an emitter does, where a namespace's own sends to clients. */
const emitLocally = EventEmitter.prototype.emit
