/**
 * Why a socket of a namespace was disconnected, as `disconnect` handlers of Socket.IO see it. Besides its own reasons each side
 * passes on the close reason of the connection below.
 */
import * as CloseReason from "./CloseReason.ts"

/** Server: the whole server is closing. */
export const serverShuttingDown = "server shutting down"

/** Server: this server ended the connection under the socket (`disconnect(true)`). */
export const forcedServerClose = "forced server close"

/** Server: the client left the namespace. */
export const clientNamespaceDisconnect = "client namespace disconnect"

/** Server: this server disconnected the socket from the namespace. */
export const serverNamespaceDisconnect = "server namespace disconnect"

/** Client: the server disconnected the socket. */
export const ioServerDisconnect = "io server disconnect"

/** Client: the program called `disconnect`. */
export const ioClientDisconnect = "io client disconnect"

/** All reasons a server's socket can have. */
export const allServer = [
  ...CloseReason.all,
  serverShuttingDown,
  forcedServerClose,
  clientNamespaceDisconnect,
  serverNamespaceDisconnect
] as const

/** All reasons a client's socket can have. */
export const allClient = [...CloseReason.all, ioServerDisconnect, ioClientDisconnect] as const

/** Why a server's socket was disconnected. */
export type ServerDisconnectReason = (typeof allServer)[number]

/** Why a client's socket was disconnected. */
export type ClientDisconnectReason = (typeof allClient)[number]

/** Why a socket was disconnected, on either side. */
export type DisconnectReason = ServerDisconnectReason | ClientDisconnectReason

/** The reason of a server's sockets when their connection closes, with `shuttingDown` while the server closes all of them. */
export const serverFromCloseReason = (reason: CloseReason.CloseReason, shuttingDown = false): ServerDisconnectReason =>
  shuttingDown ? serverShuttingDown : reason

/** The reason of a client's sockets when their connection closes. */
export const clientFromCloseReason = (reason: CloseReason.CloseReason): ClientDisconnectReason => reason

/**
 * Whether a client reconnects by itself: after everything but a disconnect that one of the programs asked for. Not asked for
 * a close that the client's own `close` caused, which stops reconnection by itself.
 */
export const reconnects = (reason: ClientDisconnectReason): boolean =>
  reason !== ioServerDisconnect && reason !== ioClientDisconnect

/**
 * Whether a server keeps the session of the socket for connection state recovery: after every loss of the connection, but not
 * when one side left the namespace on purpose, nor after garbage.
 */
export const keepsSession = (reason: ServerDisconnectReason): boolean =>
  reason !== CloseReason.parseError && reason !== clientNamespaceDisconnect && reason !== serverNamespaceDisconnect
