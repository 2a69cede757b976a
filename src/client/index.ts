/**
 * Entry `effect-socketio/client`: the client, to be imported as `import * as SocketClient from "effect-socketio/client"`.
 */
export {
  AckTimeout,
  ConnectFailed,
  ConnectRefused,
  Disconnected,
  HandlerFailed,
  InvalidPayload
} from "./ClientError.ts"
export type { AckError } from "./ClientError.ts"
export { layer, layerReconnection } from "./ClientLayer.ts"
export { type ClientReport, ErrorSink } from "./ClientReport.ts"
export { type BufferOptions, events, incoming, outgoing, states, transports } from "./ClientStreams.ts"
export type { ConnectionState } from "./ConnectionState.ts"
export { makePlatform, Platform } from "./Platform.ts"
export {
  backoff,
  type BackoffOptions,
  type Delays,
  none,
  Reconnection,
  type ReconnectionPolicy
} from "./Reconnection.ts"
export { fromSchedule } from "./ReconnectionSchedule.ts"
export type { ConnectError, Emitter, EventNameWithAck, Handler, HandlerResult, Socket } from "./Socket.ts"
export {
  type AuthInput,
  type AuthOption,
  connect,
  type ConnectionOption,
  type ConnectOptions,
  type ContractOf,
  defaultAckTimeout,
  defaultConnectTimeout,
  type EngineOptions,
  manager,
  type Manager,
  type ManagerOptions,
  type NameOption,
  type SocketOptions,
  type Untyped
} from "./SocketClient.ts"
export type { EmitOutcome, Packet } from "./SocketDriver.ts"
