/**
 * An event on its way in, as packet middleware and catch-all listeners see it.
 */

/** An event as the client sent it: nothing of it is decoded yet. */
export interface Packet {
  readonly event: string
  readonly args: ReadonlyArray<unknown>
  /** The id of the answer that the client waits for; keep it when you make another packet of this one. */
  readonly id: number | undefined
}

/** An event on its way out, with its encoded arguments. */
export interface OutgoingPacket {
  readonly event: string
  readonly args: ReadonlyArray<unknown>
}
