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

/** Why an adapter could not do its work. */
export class AdapterError extends Data.TaggedError("AdapterError")<{
  /** `Unsupported`: this adapter has no such operation. `Unavailable`: the broker cannot be reached. `Timeout`: some nodes did not answer. */
  readonly reason: "Unsupported" | "Unavailable" | "Timeout" | "Rejected"
  readonly operation: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `adapter: ${this.operation}: ${this.reason}`
  }
}

/** Whom a broadcast is for: every socket of the namespace, or the union of `rooms`; less those in any room of `except`. */
export interface Target {
  readonly rooms: ReadonlySet<string>
  readonly except: ReadonlySet<string>
}

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

/** The sockets of one namespace on this node; implemented by `socket/ServerNamespace`. Synchronous, never throws. */
export interface LocalSockets {
  readonly namespace: string
  deliver(target: Target, event: EventData, flags: BroadcastFlags): void
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
}

/** Makes the adapter of each namespace; ends with the namespace's scope. */
export class Adapter extends Context.Service<
  Adapter,
  {
    readonly name: string
    make(sockets: LocalSockets): Effect.Effect<NamespaceAdapter, AdapterError, Scope.Scope>
  }
>()("effect-socketio/adapter/Adapter") {}
