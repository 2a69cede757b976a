/**
 * Entry "effect-socketio/testing": a network in memory, so that tests run the real server and the real client in virtual time.
 */
export * as MemoryBroker from "./MemoryBroker.ts"
export * as MemoryNetwork from "./MemoryNetwork.ts"
export * as Testing from "./Testing.ts"
