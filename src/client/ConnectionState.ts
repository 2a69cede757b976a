/**
 * Where the connection of a namespace stands.
 */
import type { ClientDisconnectReason } from "../protocol/DisconnectReason.ts"
import type { ConnectFailed, ConnectRefused } from "./ClientError.ts"

/** An attempt is under way: the connection is being made, or the namespace has been asked for. */
export interface Connecting {
  readonly _tag: "Connecting"
}

/** `recovered`: the server took up the previous session, so that nothing was missed. */
export interface Connected {
  readonly _tag: "Connected"
  readonly id: string
  readonly recovered: boolean
}

/** The connection is gone, or the program has left the namespace. What follows, if anything, is `Waiting` or `Connecting`. */
export interface DisconnectedState {
  readonly _tag: "Disconnected"
  readonly reason: ClientDisconnectReason
  readonly description: unknown
}

/** The next attempt, the `attempt`th since there was a connection, comes in `delay` milliseconds. `error` is why one is needed. */
export interface Waiting {
  readonly _tag: "Waiting"
  readonly attempt: number
  readonly delay: number
  readonly error: ConnectFailed
}

/** The server refused; the client does not ask again by itself. */
export interface Refused {
  readonly _tag: "Refused"
  readonly error: ConnectRefused
}

/** What to authenticate with could not be found out; the client does not try again by itself. */
export interface AuthFailed {
  readonly _tag: "AuthFailed"
  readonly error: unknown
}

/** There are no more attempts. */
export interface GaveUp {
  readonly _tag: "GaveUp"
  readonly error: ConnectFailed
}

/** The scope of the client has closed. The last state. */
export interface Closed {
  readonly _tag: "Closed"
}

/** Where the connection of a namespace stands. A client that was made and not connected yet is `Disconnected` as if by its program. */
export type ConnectionState =
  | Connecting
  | Connected
  | DisconnectedState
  | Waiting
  | Refused
  | AuthFailed
  | GaveUp
  | Closed

/** @internal */
export const connecting: ConnectionState = { _tag: "Connecting" }

/** @internal */
export const closed: ConnectionState = { _tag: "Closed" }
