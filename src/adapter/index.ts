/**
 * Entry "effect-socketio/adapter": what adapters are made of, for those who write one, and the adapter over any broker.
 */
export * as Adapter from "./Adapter.ts"
export * as ClusterAdapter from "./ClusterAdapter.ts"
export * as ClusterBus from "./ClusterBus.ts"
export * as ClusterCodec from "./ClusterCodec.ts"
export * as ClusterMessage from "./ClusterMessage.ts"
export * as InMemoryAdapter from "./InMemoryAdapter.ts"
