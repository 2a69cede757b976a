/**
 * What drives the sockets of a namespace by plain callbacks, in place of middleware, connection handler and event handlers: the seam to
 * the facade, whose programs are listeners and not Effects.
 */
import type { WireRefusal } from "../contract/index.ts"
import type { ServerSocket } from "./ServerSocket.ts"
import type { Disconnected } from "./SocketError.ts"

/** Synchronous, and it never throws: who implements it contains what its own users do. */
export interface Receiver {
  /**
   * Decides about a client; `done` is called at most once, now or later, with a refusal or with nothing. Either `connected` follows, and at
   * the end `disconnecting` and `disconnected`, or `dropped`.
   */
  admit(socket: ServerSocket, done: (refusal: WireRefusal | undefined) => void): void
  /** It will not be connected: it was refused, or the client has gone meanwhile. */
  dropped(socket: ServerSocket): void
  /** The client has been told that it is connected. */
  connected(socket: ServerSocket): void
  /** An event: its name and arguments as they came, which the receiver may keep and change, and the id of the wanted answer. */
  event(socket: ServerSocket, data: ReadonlyArray<unknown>, id: number | undefined): void
  /** The socket leaves, and is still in its rooms. */
  disconnecting(socket: ServerSocket, disconnected: Disconnected): void
  /** It has left. */
  disconnected(socket: ServerSocket, disconnected: Disconnected): void
}
