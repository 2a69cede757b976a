/**
 * Entry "effect-socketio/cluster": the workers of Node's cluster as the nodes of one server.
 */
export * as ClusterPrimary from "./ClusterPrimary.ts"
export * as NodeClusterAdapter from "./NodeClusterAdapter.ts"
export * as NodeClusterBus from "./NodeClusterBus.ts"
