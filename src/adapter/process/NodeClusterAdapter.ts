/**
 * The adapter for the workers of Node's cluster: they reach each other through their primary, and nothing else is needed.
 *
 * The primary runs `ClusterPrimary`. Workers and primary of `@socket.io/cluster-adapter` may be in the same cluster.
 */
import type * as Layer from "effect/Layer"
import type { Adapter, AdapterError } from "../Adapter.ts"
import * as ClusterAdapter from "../ClusterAdapter.ts"
import * as NodeClusterBus from "./NodeClusterBus.ts"

/** How workers watch and ask each other, and how much may wait for the primary. */
export interface NodeClusterAdapterOptions
  extends ClusterAdapter.ClusterOptions, NodeClusterBus.NodeClusterBusOptions {}

/** The adapter of a worker. Fails with an `AdapterError` (`Unavailable`) where the process was not forked by a primary. */
export const layer = (options: NodeClusterAdapterOptions = {}): Layer.Layer<Adapter, AdapterError> =>
  ClusterAdapter.layer(NodeClusterBus.ofProcess(options), options)
