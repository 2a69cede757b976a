/**
 * Entry `effect-socketio/facade/client`: Socket.IO's own client API, without Effect, over the same pure client machine as the Effect
 * client. In Node and in browsers; also the source of the browser bundles.
 *
 * ```ts
 * import { io } from "effect-socketio/facade/client"
 *
 * const socket = io("http://localhost:3000", { auth: { token: "abc" } })
 * socket.on("connect", () => socket.emit("hello", "world"))
 * ```
 *
 * `require("effect-socketio/facade/client")` gives `io` itself, with the others as its properties.
 */
import type { Namespace } from "../contract/index.ts"
import type { SocketOf } from "./client/ContractEvents.ts"
import { lookup, type LookupOptions } from "./client/Lookup.ts"
import { Manager } from "./client/Manager.ts"
import { Socket } from "./client/Socket.ts"

/** The revision of the Socket.IO protocol. */
export const protocol = 5

/** `io` and what hangs on it. */
export interface Io {
  (opts?: LookupOptions): Socket
  (uri?: string, opts?: LookupOptions): Socket
  /** With the events of a contract, as types only: `io<typeof Chat>("/chat")`. */
  <N extends Namespace.Any>(uri?: string, opts?: LookupOptions): SocketOf<N>
  readonly io: Io
  readonly connect: Io
  readonly lookup: Io
  readonly default: Io
  readonly Manager: typeof Manager
  readonly Socket: typeof Socket
  readonly protocol: number
}

/** Connects to a namespace of a server; see {@link LookupOptions}. */
export const io: Io = Object.assign(lookup.bind(undefined), { Manager, Socket, protocol }) as Io
Object.assign(io, { io, connect: io, lookup: io, default: io })

export { io as connect, io as default, io as lookup, io as "module.exports", Manager, Socket }
export type { AckEnvelope, EventsOf, SocketOf } from "./client/ContractEvents.ts"
export { Engine } from "./client/Engine.ts"
export type { EngineReservedEvents, HandshakeData, Packet, Transport } from "./client/Engine.ts"
export type { LookupOptions } from "./client/Lookup.ts"
export type { ManagerReservedEvents } from "./client/Manager.ts"
export type { Auth, EngineOptions, ManagerOptions, SocketOptions, TransportOptions } from "./client/Options.ts"
export type { Parser, ParserDecoder, ParserEncoder } from "./client/Parser.ts"
export type { AnyListener, SocketReservedEvents } from "./client/Socket.ts"
export { type DisconnectDescription, type ExtendedError, TransportError } from "./client/TransportError.ts"
export {
  Fetch,
  NodeXHR,
  WebSocketTransport as NodeWebSocket,
  type TransportClass,
  WebSocketTransport as WebSocket,
  WebTransport,
  XHR
} from "./client/TransportNames.ts"
export type {
  AllButLast,
  DecorateAcknowledgements,
  DefaultEventsMap,
  EventNames,
  EventParams,
  EventsMap,
  FirstArg,
  Last,
  ReservedOrUserEventNames,
  ReservedOrUserListener
} from "./client/TypedEvents.ts"
