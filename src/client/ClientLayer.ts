/**
 * Clients as layers: a module of its own, so that only those who use one pay for `Layer`.
 */
import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Namespace } from "../contract/index.ts"
import { Reconnection, type ReconnectionPolicy } from "./Reconnection.ts"
import type { ConnectError, Socket } from "./Socket.ts"
import { connect, type ConnectOptions, type ContractOf } from "./SocketClient.ts"

/**
 * The client of a namespace as a service: connected when the layer has been built, disconnected when it is released.
 *
 * ```ts
 * class ChatClient extends Context.Service<ChatClient, SocketClient.Socket<typeof Chat>>()("ChatClient") {
 *   static readonly layer = SocketClient.layer(ChatClient, Chat, { url, auth })
 * }
 * ```
 */
export const layer = <I, const N extends Namespace.Any | string, E = never, R = never>(
  service: Context.Key<I, Socket<ContractOf<N>, E>>,
  namespace: N,
  options: ConnectOptions<ContractOf<N>, E, R>
): Layer.Layer<I, ConnectError<ContractOf<N>, E>, Exclude<R, Scope.Scope>> =>
  Layer.effect(service, connect<N, E, R>(namespace, options))

/** Another policy of reconnection, for the clients made under the layer. */
export const layerReconnection = (policy: ReconnectionPolicy): Layer.Layer<never> => Layer.succeed(Reconnection, policy)
