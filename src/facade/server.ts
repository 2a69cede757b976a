/**
 * Entry point `effect-socketio/facade`: a server with the API of the package `socket.io`.
 *
 * ```ts
 * import { Server } from "effect-socketio/facade"
 * const io = new Server(3000)
 * io.on("connection", (socket) => {
 *   socket.on("hello", (name, reply) => reply(`hello ${name}`))
 * })
 * ```
 *
 * `require("effect-socketio/facade")` gives the function that `require("socket.io")` gives: `require("effect-socketio/facade")(3000)`.
 */
import { Adapter } from "./server/Adapter.ts"
import { BroadcastOperator } from "./server/BroadcastOperator.ts"
import { Engine } from "./server/Engine.ts"
import { Namespace } from "./server/Namespace.ts"
import type { NodeServer, ServerOptions } from "./server/Options.ts"
import { ParentNamespace } from "./server/ParentNamespace.ts"
import { RemoteSocket } from "./server/RemoteSocket.ts"
import { Server } from "./server/Server.ts"
import { Socket } from "./server/Socket.ts"

export { Adapter, BroadcastOperator, Engine, Namespace, ParentNamespace, RemoteSocket, Server, Socket }
export type {
  AdapterConstructor,
  AdapterContract,
  BroadcastFlags,
  BroadcastOptions,
  PersistedSession,
  Room,
  SessionToPersist,
  SocketId
} from "./server/Adapter.ts"
export type { AnyListener } from "./server/CatchAll.ts"
export type { Client } from "./server/Client.ts"
export type { EmitEventsOf, ListenEventsOf } from "./server/Contract.ts"
export type { ConnectionError, EngineIncomingMessage } from "./server/Engine.ts"
export type { EngineSocket, EngineTransport, RawPacket, SendOptions } from "./server/EngineSocket.ts"
export type { ForeignConnection, ForeignEngine } from "./server/ForeignSession.ts"
export type { Handshake } from "./server/Handshake.ts"
export type { ExtendedError, NamespaceMiddleware, NamespaceReservedEventsMap } from "./server/Namespace.ts"
export type { AttachAppOptions, AttachOptions, EngineOptions, NodeServer, ServerOptions } from "./server/Options.ts"
export type { ParentNspNameMatchFn } from "./server/ParentNamespace.ts"
export type { OfficialDecoder, OfficialEncoder, OfficialPacket, OfficialParser } from "./server/Parser.ts"
export type { RemoteSocketDetails } from "./server/RemoteSocket.ts"
export type { ListenerFailure, ServerReservedEventsMap } from "./server/Server.ts"
export type { DisconnectReason, Event, SocketMiddleware, SocketReservedEventsMap } from "./server/Socket.ts"
export type * from "./server/TypedEvents.ts"

/** A new server, without `new`; with all classes as properties, as `require("socket.io")` has them. */
const callable = Object.assign(
  (srv?: Partial<ServerOptions> | NodeServer | number, opts?: Partial<ServerOptions>): Server => new Server(srv, opts),
  { Adapter, BroadcastOperator, Engine, Namespace, ParentNamespace, RemoteSocket, Server, Socket }
)

export { callable as "module.exports" }
