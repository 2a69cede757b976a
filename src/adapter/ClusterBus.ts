/**
 * What a broker has to offer so that `ClusterAdapter` can do the rest: one open bus for each namespace.
 *
 * A bus carries message values; how they look on its wire is its own matter. Everything is handed over in the order of the calls, and a
 * bus keeps that order to each receiver as far as its broker does.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type {
  AdapterCounters,
  AdapterError,
  AdapterHealth,
  RecoveryFailed,
  RecoveryOptions,
  RestoredSession,
  SocketSession
} from "./Adapter.ts"
import type { ClusterMessage } from "./ClusterMessage.ts"

/** What became of a message that was handed to the broker. */
export type Published =
  /** `offset` is its place in the broker's log, where there is one. */
  | { readonly _tag: "Published"; readonly offset: string | undefined }
  | { readonly _tag: "Failed"; readonly error: AdapterError }

/** Hears what arrives for one namespace; never throws. */
export interface BusSink {
  /** A message from the broker, also one of our own if the broker gives them back: its reader knows its uid. */
  onMessage(message: ClusterMessage, offset: string | undefined): void
}

/** How a bus knows who else is there. */
export type Membership =
  /** It does not: nodes tell each other by heartbeats (types 1, 2 and 13), so that silent ones can be named. */
  | { readonly _tag: "Heartbeats" }
  /** The broker counts subscribers; `count` includes this node. */
  | { readonly _tag: "Counted"; readonly count: Effect.Effect<number, AdapterError> }

/** The log and the sessions of a broker that stores; appending is `ClusterBus.publish`, whose offset is the place in the log. */
export interface BusStore {
  readonly position: string | undefined
  persist(session: SocketSession): Effect.Effect<void, AdapterError>
  restore(pid: string, offset: string | undefined): Effect.Effect<RestoredSession, RecoveryFailed | AdapterError>
}

/** The open bus of one namespace. */
export interface ClusterBus {
  readonly membership: Membership
  /**
   * To all other nodes. Never throws and never waits; `done` is called exactly once, synchronously or later, in the order of the calls. While
   * the broker is away it fails at once (`Unavailable`): nothing is buffered without bound.
   */
  publish(message: ClusterMessage, done: (published: Published) => void): void
  /** To the node with this uid: answers. */
  publishTo(uid: string, message: ClusterMessage, done: (published: Published) => void): void
  /** The first socket has joined a room here; for brokers where interest in rooms can be told. */
  roomCreated?(room: string): void
  roomDeleted?(room: string): void
  /** Completes when the subscription for the room is active. */
  subscribed?(room: string): Effect.Effect<void, AdapterError>
  /** Present where the broker stores and `recovery` was asked for. */
  readonly store?: BusStore | undefined
}

/** What a namespace opens its bus with. */
export interface BusRequest {
  readonly namespace: string
  /** This node, in this namespace: 16 hexadecimal digits. */
  readonly uid: string
  readonly recovery: RecoveryOptions | undefined
  readonly sink: BusSink
}

/** A broker: opens the bus of each namespace; the bus ends with the scope. */
export interface Broker {
  readonly name: string
  readonly health: Stream.Stream<AdapterHealth>
  /** The bus counts what it ignores and its gaps; what is published and received is counted by `ClusterAdapter`. */
  readonly counters: AdapterCounters
  open(request: BusRequest): Effect.Effect<ClusterBus, AdapterError, Scope.Scope>
}
