/**
 * The event names that Socket.IO keeps for itself on both ends (socket.io 4.8 `RESERVED_EVENTS`).
 */
const names = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] as const

/** A name that no contract can declare and no peer can send. */
export type ReservedEventName = (typeof names)[number]

const reserved: ReadonlySet<unknown> = new Set(names)

/** Whether a name is one of Socket.IO's own. */
export const isReservedEventName = (name: unknown): boolean => reserved.has(name)
