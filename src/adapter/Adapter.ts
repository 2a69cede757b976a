/**
 * Fan-out between the nodes of a server.
 *
 * An adapter never imports the server: it is given `LocalSockets` for each namespace and delivers through them. Rooms belong to
 * the namespace; the adapter only hears which rooms came to exist and which are gone.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { FrameGroup } from "../protocol/FrameGroup.ts"

/** Why an adapter could not do its work. */
export class AdapterError extends Data.TaggedError("AdapterError")<{
  /** `Unsupported`: this adapter has no such operation. `Unavailable`: the broker cannot be reached. `Timeout`: some nodes did not answer. */
  readonly reason: "Unsupported" | "Unavailable" | "Timeout" | "Rejected"
  readonly operation: string
  readonly cause?: unknown
  /** With `Timeout`: what did arrive, of the same kind as the whole result would have been. */
  readonly received?: ReadonlyArray<unknown> | undefined
  /** With `Timeout`: who stayed silent; `nodes` names them where the broker gives membership, and is empty where it only counts. */
  readonly missing?: { readonly count: number; readonly nodes: ReadonlyArray<string> } | undefined
  /** With `Timeout` of a broadcast: sockets of other nodes that were asked and have not answered, where their nodes said how many there are. */
  readonly unanswered?: number | undefined
}> {
  override get message(): string {
    const { missing } = this
    const silent = missing === undefined ? "" : `: ${missing.count} of the servers did not answer`
    return `adapter: ${this.operation}: ${this.reason}${silent}`
  }
}

/** Whom a broadcast is for: every socket of the namespace, or the union of `rooms`; less those in any room of `except`. */
export interface Target {
  readonly rooms: ReadonlySet<string>
  readonly except: ReadonlySet<string>
}

/** Whether a socket that is in these rooms belongs to a target. */
export const isFor = (target: Target, rooms: ReadonlyArray<string>): boolean =>
  (target.rooms.size === 0 || rooms.some((room) => target.rooms.has(room))) &&
  (target.except.size === 0 || !rooms.some((room) => target.except.has(room)))

/** What travels with a broadcast. */
export interface BroadcastFlags {
  readonly volatile: boolean
  readonly compress: boolean
  /** Ack deadline in milliseconds. */
  readonly timeout: number | undefined
  /** Ask one socket's answer only, as remote sockets do. */
  readonly expectSingleResponse: boolean
}

/** An event to deliver: its name and its arguments, encoded by the contract (JSON with binary leaves). */
export interface EventData {
  readonly data: readonly [event: string, ...args: Array<unknown>]
  /**
   * What it was encoded to here, its offset with it: set when a stored event is delivered. A log in memory keeps it with the event, so that
   * what is sent again is what was sent, whatever the program has done to its objects since.
   */
  frames?: FrameGroup | undefined
}

/** What a namespace tells about one of its sockets, also to other nodes. */
export interface SocketDescription {
  readonly id: string
  readonly handshake: unknown
  readonly rooms: ReadonlyArray<string>
  readonly data: unknown
}

/** An answer to a broadcast with acks. The socket id is absent where the wire has none (official nodes). */
export interface AckReply {
  readonly socketId: string | undefined
  /** The ack's arguments, still encoded. */
  readonly args: ReadonlyArray<unknown>
}

/** What the namespace asks of an adapter that can store. */
export interface RecoveryOptions {
  /** How long the session of a lost socket and the events it missed are kept, in milliseconds. */
  readonly maxDisconnectionDuration: number
  /** How many events a log in memory keeps at most, and how many bytes of them. Logs elsewhere have limits of their own. */
  readonly maxEvents?: number | undefined
  readonly maxBytes?: number | undefined
}

/** The sockets of one namespace on this node; implemented by `socket/ServerNamespace`. Synchronous, never throws. */
export interface LocalSockets {
  readonly namespace: string
  /** Present when sockets of this namespace are to be recovered after a lost connection. */
  readonly recovery: RecoveryOptions | undefined
  /** `offset` is the event's place in the log of the store, where there is one: receivers are told, to name it when they return. */
  deliver(target: Target, event: EventData, flags: BroadcastFlags, offset?: string): void
  /** Tells how many sockets were asked, then each answer; `done` when all have answered, left, or the deadline has passed. */
  deliverWithAcks(
    target: Target,
    event: EventData,
    flags: BroadcastFlags,
    observer: { asked(count: number): void; reply(reply: AckReply): void; done(): void }
  ): void
  join(target: Target, rooms: ReadonlyArray<string>): void
  leave(target: Target, rooms: ReadonlyArray<string>): void
  disconnect(target: Target, close: boolean): void
  describe(target: Target): ReadonlyArray<SocketDescription>
  /** An event from another node; `reply` is present when it wants an answer. */
  serverSideEvent(event: EventData, reply: ((args: ReadonlyArray<unknown>) => void) | undefined): void
}

/** What is kept of a socket whose connection was lost, under its private id. */
export interface SocketSession {
  readonly sid: string
  /** The private id: only its client knows it, and names it on return. */
  readonly pid: string
  readonly rooms: ReadonlyArray<string>
  /** Encoded by the contract. */
  readonly data: unknown
  /** The end of the log when the socket connected: where to begin if its client names no offset. Absent in sessions of official nodes. */
  readonly since: string | undefined
  /**
   * How far the server had come with this socket when its connection was lost: the offset that was written to it last, and the end of the log.
   * A client that names `last` has missed nothing before `end`. Stores may leave it out: then only the log tells.
   */
  readonly written?: { readonly last: string | undefined; readonly end: string | undefined } | undefined
}

/** A session, and the events that its socket has missed, in order. */
export interface RestoredSession {
  readonly session: SocketSession
  readonly missed: ReadonlyArray<{ readonly event: EventData; readonly offset: string }>
}

/**
 * Why a session was not restored. `SessionUnknown`: never kept, kept too long ago, or taken already: sessions are single-use.
 * `OffsetUnknown`: not a place in this log. `LogTruncated`: events after the offset are gone, and a part of them is never passed for all.
 */
export class RecoveryFailed extends Data.TaggedError("RecoveryFailed")<{
  readonly reason: "SessionUnknown" | "OffsetUnknown" | "LogTruncated"
}> {
  override get message(): string {
    return `not recovered: ${this.reason}`
  }
}

/**
 * The log and the sessions of one namespace: what connection state recovery needs of an adapter. Events come to this node in the order of
 * the log, its own (`done`) and those of others (`LocalSockets.deliver` with an offset) alike: the last offset that a client has seen says
 * everything about what it has missed.
 */
export interface RecoveryStore {
  /**
   * Appends an event to the log and publishes it to the other nodes, in the order of the calls; the namespace delivers it here when
   * `done` is called, with its offset, or with `undefined` when it could not be stored. `done` is called exactly once, also synchronously.
   */
  append(target: Target, event: EventData, flags: BroadcastFlags, done: (offset: string | undefined) => void): void
  /** The last offset that this node has appended or received; `undefined` for an empty log. Offsets of one log can be ordered. */
  readonly position: string | undefined
  /** Keeps a session for `maxDisconnectionDuration`; replaces an earlier one with the same private id. */
  persist(session: SocketSession): Effect.Effect<void, AdapterError>
  /**
   * Takes a session, once; without an offset everything since the session's `since` was missed. Completes when this node has delivered
   * everything up to the offset: clients come from nodes that were ahead of it. What comes after may be among the missed before this node
   * has come to it.
   */
  restore(pid: string, offset: string | undefined): Effect.Effect<RestoredSession, RecoveryFailed | AdapterError>
}

/** The other nodes, for one namespace. Local delivery is the namespace's own work: an adapter publishes to others only. */
export interface NamespaceAdapter {
  /** Whether there may be other nodes at all; when false the namespace never calls `publish`. */
  readonly remote: boolean
  publish(target: Target, event: EventData, flags: BroadcastFlags): void
  /** Answers from other nodes. Fails with `Timeout` when nodes stayed silent. */
  publishWithAcks(target: Target, event: EventData, flags: BroadcastFlags): Stream.Stream<AckReply, AdapterError>
  join(target: Target, rooms: ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  leave(target: Target, rooms: ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  disconnect(target: Target, close: boolean): Effect.Effect<void, AdapterError>
  /** Sockets on other nodes. */
  fetchSockets(target: Target): Effect.Effect<ReadonlyArray<SocketDescription>, AdapterError>
  serverSideEmit(event: EventData): Effect.Effect<void, AdapterError>
  serverSideEmitWithAck(event: EventData, timeout: number): Stream.Stream<ReadonlyArray<unknown>, AdapterError>
  /** Nodes including this one. */
  readonly serverCount: Effect.Effect<number, AdapterError>
  /** Told synchronously when the first socket joins a room here and when the last has left. */
  roomCreated(room: string): void
  roomDeleted(room: string): void
  /** Completes when the subscription for the room, if there is one, is active. */
  readonly subscribed: (room: string) => Effect.Effect<void, AdapterError>
  /** Present where the adapter can store, and `LocalSockets.recovery` asks for it. */
  readonly recovery?: RecoveryStore | undefined
}

/** How the way to the other nodes is doing. */
export type AdapterHealth =
  | { readonly _tag: "Connected" }
  /** Local delivery goes on; what is published meanwhile fails, and is counted. */
  | { readonly _tag: "Disconnected"; readonly cause: unknown }
  /** Connected again, and messages of other nodes may have been missed meanwhile. */
  | { readonly _tag: "Gap" }

/** What an adapter has counted, over all namespaces. */
export interface AdapterCounters {
  published: number
  received: number
  publishFailures: number
  /** Messages on the broker's channels that were malformed, oversized or not ours. */
  ignored: number
  gaps: number
}

/** Makes the adapter of each namespace; ends with the namespace's scope. */
export class Adapter extends Context.Service<
  Adapter,
  {
    readonly name: string
    /** The present state first, then every change. Absent where nothing can fail. */
    readonly health?: Stream.Stream<AdapterHealth> | undefined
    readonly counters?: Readonly<AdapterCounters> | undefined
    make(sockets: LocalSockets): Effect.Effect<NamespaceAdapter, AdapterError, Scope.Scope>
  }
>()("effect-socketio/adapter/Adapter") {}
