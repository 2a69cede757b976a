/**
 * Acknowledgements that the client waits for.
 */
import type { ClientTimer, ClientTimerTarget } from "./ClientHost.ts"
import type { ClientDisconnectReason } from "./DisconnectReason.ts"

/** Who waits for an acknowledgement: exactly one of these is called, once, unless the wait is cancelled. */
export interface AckWaiter {
  /** Set by the machine while the acknowledgement is pending, so that cancelling finds it. Begins as `undefined`. */
  pending: PendingAck | undefined
  onAck(args: ReadonlyArray<unknown>): void
  /** The deadline has passed. */
  onTimeout(): void
  /** The socket was disconnected after the event had left: whether the server saw it is unknown. */
  onDisconnect(reason: ClientDisconnectReason): void
}

/** What a pending acknowledgement tells the socket it belongs to. */
export interface AckOwner {
  /** Its deadline has passed. */
  ackExpired(ack: PendingAck): void
}

/** An acknowledgement that has not settled. */
export class PendingAck implements ClientTimerTarget {
  readonly id: number
  readonly waiter: AckWaiter
  /** The event has not left yet, so a lost connection does not concern it. */
  buffered = false
  timer: ClientTimer = undefined
  readonly #owner: AckOwner

  constructor(id: number, waiter: AckWaiter, owner: AckOwner) {
    this.id = id
    this.waiter = waiter
    this.#owner = owner
  }

  onDeadline(): void {
    this.#owner.ackExpired(this)
  }
}
