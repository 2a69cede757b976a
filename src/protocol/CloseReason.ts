/**
 * Why an Engine.IO connection ended, in the words that Socket.IO shows to its users on both sides.
 */

/** The transport failed: a socket error, a refused write, a frame over the limit. */
export const transportError = "transport error"

/** The transport went away: the peer closed it, or a request was cut off. */
export const transportClose = "transport close"

/** This side ended the connection. */
export const forcedClose = "forced close"

/** No ping (client) or no pong (server) arrived in time. */
export const pingTimeout = "ping timeout"

/** A frame or packet of the peer could not be decoded. */
export const parseError = "parse error"

/** All close reasons. */
export const all = [transportError, transportClose, forcedClose, pingTimeout, parseError] as const

/** Why an Engine.IO connection ended. */
export type CloseReason = (typeof all)[number]

/** Whether the text is one of the close reasons. */
export const isCloseReason = (reason: string): reason is CloseReason => (all as ReadonlyArray<string>).includes(reason)
