/**
 * Rooms and fan-out of a namespace, under Socket.IO's contract for adapters: what programs read (`adapter.rooms`), and what they extend.
 *
 * This one keeps nothing: rooms are the namespace's own, and its broadcasts pass the one outbox. Adapters that extend it, or the `Adapter` of
 * the package `socket.io-adapter`, are called for everything they override.
 */
import { EventEmitter } from "node:events"
import * as Effect from "effect/Effect"
import type { AdapterError, BroadcastFlags as CoreFlags, NamespaceAdapter, Target } from "../../adapter/Adapter.ts"
import type { NamespaceObserver, ServerNamespace } from "../../socket/ServerNamespace.ts"
import * as Cluster from "./Cluster.ts"
import { MapView } from "./MapView.ts"
import type { AnyNamespace } from "./Namespace.ts"
import type { OfficialEncoder, OfficialPacket } from "./Parser.ts"
import type { RemoteSocketDetails } from "./RemoteSocket.ts"
import type { AnySocket } from "./Socket.ts"

/** The id of a socket, which other clients may know. */
export type SocketId = string

/** The name of a room. */
export type Room = string

/** How a broadcast travels. */
export interface BroadcastFlags {
  volatile?: boolean
  compress?: boolean
  local?: boolean
  broadcast?: boolean
  binary?: boolean
  /** Milliseconds. */
  timeout?: number
  expectSingleResponse?: boolean
}

/** Whom a broadcast is for. */
export interface BroadcastOptions {
  rooms: Set<Room>
  except?: Set<Room>
  flags?: BroadcastFlags
}

/** What connection state recovery keeps of a socket. */
export interface SessionToPersist {
  sid: SocketId
  pid: string
  rooms: Array<Room>
  data: unknown
}

/** A kept socket, with what it missed. */
export type PersistedSession = SessionToPersist & { missedPackets: Array<Array<unknown>> }

/** What the namespaces of a server call, and what programs listen to. */
export type AdapterContract = EventEmitter &
  Pick<
    Adapter,
    | "nsp"
    | "rooms"
    | "sids"
    | "init"
    | "close"
    | "serverCount"
    | "addAll"
    | "del"
    | "delAll"
    | "broadcast"
    | "broadcastWithAck"
    | "sockets"
    | "socketRooms"
    | "fetchSockets"
    | "addSockets"
    | "delSockets"
    | "disconnectSockets"
    | "serverSideEmit"
  >

/** Makes the adapter of a namespace: a class, or a function as the packages of Socket.IO's adapters give it. */
export type AdapterConstructor = (new (nsp: AnyNamespace) => AdapterContract) | ((nsp: AnyNamespace) => AdapterContract)

const nobody: ReadonlySet<string> = new Set()

/** The target of a broadcast, as the core has it. */
export const targetOf = ({ rooms, except }: BroadcastOptions): Target => ({ rooms, except: except ?? nobody })

/** The flags of a broadcast, as the core has them. */
export const flagsOf = (flags: BroadcastFlags = {}): CoreFlags => ({
  volatile: flags.volatile === true,
  compress: flags.compress !== false,
  timeout: flags.timeout,
  expectSingleResponse: flags.expectSingleResponse === true
})

const roomsView = (core: ServerNamespace): Map<Room, Set<SocketId>> =>
  new MapView<Set<SocketId>>({
    get: (room) => {
      const ids = core.rooms.ids(room)
      return ids.size === 0 ? undefined : new Set(ids)
    },
    keys: () => core.rooms.names(),
    size: () => core.rooms.names().size
  })

const sidsView = (core: ServerNamespace): Map<SocketId, Set<Room>> =>
  new MapView<Set<Room>>({
    get: (id) => {
      const socket = core.sockets.get(id)
      return socket === undefined ? undefined : new Set(core.rooms.of(socket))
    },
    keys: () => core.sockets.keys(),
    size: () => core.sockets.size
  })

/** The adapter in memory, and the base of others. */
export class Adapter extends EventEmitter {
  readonly nsp: AnyNamespace
  /** The rooms with the ids of their members: a view that is always up to date; the sets are copies. */
  readonly rooms: Map<Room, Set<SocketId>>
  /** The ids of the sockets with their rooms: likewise. */
  readonly sids: Map<SocketId, Set<Room>>
  readonly encoder: OfficialEncoder

  constructor(nsp: AnyNamespace) {
    super({ captureRejections: true })
    this.nsp = nsp
    this.encoder = nsp.server.encoder
    this.rooms = roomsView(nsp._core)
    this.sids = sidsView(nsp._core)
    const events: NamespaceObserver = {
      roomCreated: (room) => this.emit("create-room", room),
      roomDeleted: (room) => this.emit("delete-room", room),
      roomJoined: (room, id) => this.emit("join-room", room, id),
      roomLeft: (room, id) => this.emit("leave-room", room, id)
    }
    // Nobody is told of rooms where nobody listens.
    this.once("newListener", () => nsp._core.observe(events))
  }

  /** To be overridden. */
  init(): Promise<void> | void {}

  /** To be overridden. */
  close(): Promise<void> | void {}

  /** How many servers there are, this one included. */
  serverCount(): Promise<number> {
    const remote = Cluster.remoteOf(this.nsp._core)
    return remote === undefined
      ? Promise.resolve(1)
      : Effect.runPromiseWith(this.nsp.server._context)(remote.serverCount)
  }

  /** Puts a socket into rooms. */
  addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    this.nsp._coreSocket(id)?.joinNow([...rooms])
  }

  /** Takes a socket out of a room. */
  del(id: SocketId, room: Room): Promise<void> | void {
    this.nsp._coreSocket(id)?.leaveNow(room)
  }

  /** Takes a socket out of all rooms. */
  delAll(id: SocketId): void {
    const socket = this.nsp._coreSocket(id)
    if (socket !== undefined) socket.leaveNow([...this.nsp._core.rooms.of(socket)])
  }

  /** Sends an event to the selected sockets. */
  broadcast(packet: OfficialPacket, opts: BroadcastOptions): void {
    const { _core } = this.nsp
    const data = packet.data as [string, ...Array<unknown>]
    _core.outbox.broadcast(targetOf(opts), { data }, flagsOf(opts.flags), opts.flags?.local === true)
  }

  /** Asks the selected sockets: tells how many they are, then each answer. */
  broadcastWithAck(
    packet: OfficialPacket,
    opts: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: (...args: Array<unknown>) => void
  ): void {
    const { _core } = this.nsp
    const data = packet.data as [string, ...Array<unknown>]
    _core.outbox.poll(targetOf(opts), { data }, flagsOf(opts.flags), {
      asked: clientCountCallback,
      reply: (_id, args) => ack(...args),
      disconnected: () => {},
      expired: () => {},
      done: () => {}
    })
  }

  /** The ids of the sockets in these rooms, or of all. */
  sockets(rooms: Set<Room>): Promise<Set<SocketId>> {
    const selected = this.nsp._core.rooms.list({ rooms, except: nobody })
    return Promise.resolve(new Set(selected.map((socket) => socket.id)))
  }

  /** The rooms of a socket; `undefined` for one that is not here. */
  socketRooms(id: SocketId): Set<Room> | undefined {
    return this.sids.get(id)
  }

  /** The selected sockets: those of this server themselves, descriptions of others. */
  async fetchSockets(opts: BroadcastOptions): Promise<Array<AnySocket | RemoteSocketDetails>> {
    const here = this.#select(opts)
    const remote = this.#remote(opts)
    if (remote === undefined) return here
    const there = await Effect.runPromiseWith(this.nsp.server._context)(remote.fetchSockets(targetOf(opts)))
    return [...here, ...(there as ReadonlyArray<RemoteSocketDetails>)]
  }

  /** Puts the selected sockets into rooms. */
  addSockets(opts: BroadcastOptions, rooms: Array<Room>): void {
    for (const socket of this.#select(opts)) void socket.join(rooms)
    this.#aside(this.#remote(opts)?.join(targetOf(opts), rooms))
  }

  /** Takes the selected sockets out of rooms. */
  delSockets(opts: BroadcastOptions, rooms: Array<Room>): void {
    for (const socket of this.#select(opts)) for (const room of rooms) void socket.leave(room)
    this.#aside(this.#remote(opts)?.leave(targetOf(opts), rooms))
  }

  /** Disconnects the selected sockets. */
  disconnectSockets(opts: BroadcastOptions, close: boolean): void {
    for (const socket of this.#select(opts)) socket.disconnect(close)
    this.#aside(this.#remote(opts)?.disconnect(targetOf(opts), close))
  }

  /** Sends an event to the other servers; in memory there are none. A function as the last element gets an error or `null`, and their answers. */
  serverSideEmit(packet: Array<unknown>): void {
    const { _core, server } = this.nsp
    const remote = Cluster.remoteOf(_core)
    if (remote === undefined) {
      process.emitWarning("this adapter does not support the serverSideEmit() functionality")
      return
    }
    const data = packet as [string, ...Array<unknown>]
    const last = packet.at(-1)
    if (typeof last !== "function") return this.#aside(remote.serverSideEmit({ data }))
    packet.pop()
    const { ackTimeout } = _core.core.settings
    Cluster.askServers(server._context, remote, data, ackTimeout, last as (...args: Array<unknown>) => unknown)
  }

  /** Keeps the session of a socket whose connection was lost; in memory, with the option `connectionStateRecovery`. */
  persistSession({ sid, pid, rooms, data }: SessionToPersist): Promise<void> | void {
    const { _memory } = this.nsp
    if (_memory !== undefined) Effect.runSync(_memory.persist({ sid, pid, rooms, data, since: undefined }))
  }

  /** Takes a kept session, once, with what was missed since the offset; `null` where there is none, or a part of that is gone. */
  restoreSession(pid: string, offset: string): Promise<PersistedSession | null> {
    const { _memory } = this.nsp
    if (_memory === undefined) return Promise.resolve(null)
    const restoring = Effect.map(_memory.restore(pid, offset), ({ session, missed }) => ({
      sid: session.sid,
      pid: session.pid,
      rooms: [...session.rooms],
      data: session.data,
      missedPackets: missed.map(({ event, offset }) => [...event.data, offset])
    }))
    return Effect.runPromise(Effect.orElseSucceed(restoring, () => null))
  }

  /** What listeners throw must not reach the namespace, which is in the middle of something. */
  override emit(event: string | symbol, ...args: Array<unknown>): boolean {
    try {
      return super.emit(event, ...args)
    } catch (error) {
      this.nsp.server._listenerFailed(error, { event: String(event), namespace: this.nsp.name })
      return true
    }
  }

  /** What a listener rejects with. */
  [Symbol.for("nodejs.rejection")](error: unknown, event: string | symbol): void {
    this.nsp.server._listenerFailed(error, { event: String(event), namespace: this.nsp.name })
  }

  #remote({ flags }: BroadcastOptions): NamespaceAdapter | undefined {
    return flags?.local === true ? undefined : Cluster.remoteOf(this.nsp._core)
  }

  #aside(effect: Effect.Effect<void, AdapterError> | undefined): void {
    if (effect === undefined) return
    const { name, server } = this.nsp
    Cluster.runAside(server._context, effect, (error) =>
      server._listenerFailed(error, { event: "adapter", namespace: name })
    )
  }

  #select(opts: BroadcastOptions): Array<AnySocket> {
    return this.nsp._core.rooms.list(targetOf(opts)).map((socket) => socket.data as AnySocket)
  }
}

/** Adapters that keep sessions themselves. */
export interface SessionKeeper {
  persistSession(session: SessionToPersist): unknown
  restoreSession(pid: string, offset: string): unknown
}

/** Whether a class that extends ours keeps sessions in its own way. */
export const keepsSessions = (adapter: Adapter): boolean =>
  adapter.persistSession !== Adapter.prototype.persistSession ||
  adapter.restoreSession !== Adapter.prototype.restoreSession

/** Whether an adapter is ours as it is, so that the namespace may do without calling it. */
export const isPlain = (adapter: AdapterContract): boolean => adapter.constructor === Adapter

/** The adapter that a constructor or function makes. */
export const make = (constructor: AdapterConstructor, nsp: AnyNamespace): AdapterContract =>
  // Arrow functions have no prototype and cannot be constructed.
  constructor.prototype === undefined
    ? (constructor as (nsp: AnyNamespace) => AdapterContract)(nsp)
    : new (constructor as new (nsp: AnyNamespace) => AdapterContract)(nsp)
