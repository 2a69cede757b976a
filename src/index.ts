/**
 * Entry `effect-socketio`: the server. Contracts are re-exported, so that a server needs one import.
 */
import "effect/schema/SchemaJITCompiler/enable"

export * from "./contract/index.ts"
export * as Adapter from "./adapter/Adapter.ts"
export * as InMemoryAdapter from "./adapter/InMemoryAdapter.ts"
export type { EngineOptions } from "./engine/EngineConfig.ts"
export { BufferFull, EngineError, PayloadTooLarge, TransportError } from "./engine/EngineError.ts"
export { EngineHost } from "./engine/EngineHost.ts"
export * as Heartbeat from "./engine/Heartbeat.ts"
export * as PollingTransport from "./engine/PollingTransport.ts"
export * as Sessions from "./engine/Sessions.ts"
export * as Transports from "./engine/Transports.ts"
export * as WebSocketTransport from "./engine/WebSocketTransport.ts"
export type { Broadcast, RemoteSocket, Reply } from "./socket/Broadcast.ts"
export * as ErrorSink from "./socket/ErrorSink.ts"
export * as Middleware from "./socket/Middleware.ts"
export type { NamespaceHandle, RoomEvent } from "./socket/NamespaceHandle.ts"
export type { OutgoingPacket, Packet } from "./socket/Packet.ts"
export type { Socket } from "./socket/Socket.ts"
export * from "./socket/SocketError.ts"
export * as SocketServer from "./socket/SocketServer.ts"
