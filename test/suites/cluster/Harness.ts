/**
 * What the suites need of a broker: how nodes of one cluster are made, and what may be expected of them.
 *
 * ```ts
 * clusterSuite("redis, sharded", {
 *   supports: { ...everything, recovery: false, named: false },
 *   cluster: Effect.map(freshPrefix, (prefix) => ({ node: makeAdapter(prefix, suiteOptions) }))
 * })
 * busSuite("redis, sharded", {
 *   supports: { store: false, named: false },
 *   cluster: Effect.map(freshPrefix, (prefix) => ({ broker: makeBroker(prefix) }))
 * })
 * ```
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Adapter } from "../../../src/adapter/Adapter.ts"
import type { ClusterOptions } from "../../../src/adapter/ClusterAdapter.ts"
import type { Broker } from "../../../src/adapter/ClusterBus.ts"

/**
 * The options that nodes of `clusterSuite` are to be made with: requests that are not answered end soon, and dead nodes are still known when
 * they are first asked.
 */
export const suiteOptions: ClusterOptions = {
  heartbeatInterval: "1 second",
  heartbeatTimeout: "8 seconds",
  discovery: "1200 millis",
  requestTimeout: "3 seconds"
}

/** What may be expected of an adapter. */
export interface ClusterSupports {
  /** It stores: the recovery cases run. */
  readonly recovery: boolean
  /** It names nodes that stay silent (heartbeats); else it counts them. */
  readonly named: boolean
  /** Messages of one node reach another in the order in which they were published, whatever their kind. */
  readonly order: boolean
  /** Binary arguments arrive as bytes. */
  readonly binary: boolean
  /** Server-side events may ask for answers, and broadcasts too. Default true. */
  readonly acks?: boolean | undefined
  /** Nodes that leave say so, so that questions do not wait for them. Default true. */
  readonly goodbye?: boolean | undefined
}

/** What a cluster over `ClusterAdapter` with heartbeats and a store does. */
export const everything: ClusterSupports = { recovery: true, named: true, order: true, binary: true }

/** A node that can die without telling anybody, as a process that is killed. */
export interface Mortal {
  readonly adapter: Adapter["Service"]
  /** From now on nothing reaches it and nothing leaves it, not even a goodbye. */
  readonly kill: Effect.Effect<void>
}

/** Where the nodes of one test meet: a keyspace of their own on the broker. */
export interface Cluster {
  /** A fresh node; ends with the scope. */
  readonly node: Effect.Effect<Adapter["Service"], unknown, Scope.Scope>
  /** A node that the test will kill. Without it the case about dead nodes is skipped, which CI takes for broken. */
  readonly mortal?: Effect.Effect<Mortal, unknown, Scope.Scope> | undefined
  /** Puts a payload on the channel of a namespace that is no message: the case about malformed messages needs it. */
  readonly inject?: ((namespace: string, payload: string) => Effect.Effect<void, unknown>) | undefined
  /** Forgets the log of a namespace up to its end: the case about truncated logs needs it. */
  readonly truncate?: ((namespace: string) => Effect.Effect<void, unknown>) | undefined
}

/** An adapter under test. */
export interface ClusterHarness {
  readonly supports: ClusterSupports
  /** A cluster without nodes, for one test. */
  readonly cluster: Effect.Effect<Cluster, unknown, Scope.Scope>
}

/** What may be expected of a broker. */
export interface BusSupports {
  /** Buses have a store where recovery is asked for. */
  readonly store: boolean
  /** Messages of one node reach another in order. Default true. */
  readonly order?: boolean | undefined
  /** Answers reach only the node that they are for. Default true; brokers without channels of their own for nodes send them to all. */
  readonly addressed?: boolean | undefined
}

/** Where the brokers of one test meet. */
export interface BusCluster {
  /** The broker as a fresh node sees it; ends with the scope. */
  readonly broker: Effect.Effect<Broker, unknown, Scope.Scope>
  /** As in {@link Cluster}. */
  readonly inject?: ((namespace: string, payload: string) => Effect.Effect<void, unknown>) | undefined
  readonly truncate?: ((namespace: string) => Effect.Effect<void, unknown>) | undefined
}

/** A broker under test. */
export interface BusHarness {
  readonly supports: BusSupports
  readonly cluster: Effect.Effect<BusCluster, unknown, Scope.Scope>
}
