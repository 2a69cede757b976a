/**
 * What goes to the peer in one piece: the frames of one packet, in order.
 *
 * A binary event travels as a text frame followed by its attachments; no other packet may come between them. A group is
 * therefore the unit that sessions buffer and transports send.
 */

/** One WebSocket message, or one element of a polling payload. Text frames start with the Engine.IO packet type. */
export type Frame = string | Uint8Array

/**
 * The frames of one packet, immutable once sent: a broadcast hands the same group to every session.
 *
 * `prepared` belongs to the transports: the first one that sends the group may leave its wire form there (for WebSocket the
 * finished RFC 6455 frames), so that the others need not build it again.
 */
export interface FrameGroup {
  readonly head: Frame
  readonly attachments: ReadonlyArray<Uint8Array> | undefined
  prepared: unknown
}

/** A group of one or more frames. */
export const make = (head: Frame, attachments?: ReadonlyArray<Uint8Array>): FrameGroup => ({
  head,
  attachments: attachments !== undefined && attachments.length > 0 ? attachments : undefined,
  prepared: undefined
})
