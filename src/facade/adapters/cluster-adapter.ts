/**
 * Entry "effect-socketio/facade/cluster-adapter": `createAdapter` and `setupPrimary` as `@socket.io/cluster-adapter` has them.
 *
 * ```ts
 * import { createAdapter, setupPrimary } from "effect-socketio/facade/cluster-adapter"
 *
 * if (cluster.isPrimary) {
 *   setupPrimary()
 *   cluster.fork()
 *   cluster.fork()
 * } else {
 *   const io = new Server(httpServer, { adapter: createAdapter() })
 * }
 * ```
 */
import type * as Layer from "effect/Layer"
import type { Adapter, AdapterError } from "../../adapter/Adapter.ts"
import * as ClusterPrimary from "../../adapter/process/ClusterPrimary.ts"
import * as NodeClusterAdapter from "../../adapter/process/NodeClusterAdapter.ts"

/** The options of the official package, in milliseconds. */
export interface ClusterAdapterOptions {
  /** How often a worker says that it is there. Default 5000. */
  readonly heartbeatInterval?: number
  /** After how much silence a worker is taken for gone; our primary tells of its end at once. Default 10000. */
  readonly heartbeatTimeout?: number
}

/** The adapter for workers, for the option `adapter` and for `io.adapter()`. */
export const createAdapter = (opts: ClusterAdapterOptions = {}): Layer.Layer<Adapter, AdapterError> =>
  NodeClusterAdapter.layer(opts)

/**
 * Makes the primary pass on the messages of its workers. Workers that are forked from then on exchange binary too: no
 * `cluster.setupPrimary({ serialization: "advanced" })` is needed. Throws in a worker.
 */
export const setupPrimary = (): void => {
  ClusterPrimary.makeUnsafe()
}
