/**
 * What the Socket.IO level of a server counts: plain numbers, written on the hot path and read as a snapshot.
 */

/** Totals since the server was made, but `sockets`, which is how many there are now. */
export interface Counters {
  /** Sockets connected now, over all namespaces. */
  sockets: number
  connected: number
  disconnected: number
  /** CONNECT packets answered by CONNECT_ERROR: unknown namespace, auth, middleware. */
  refused: number
  /** CONNECT packets ignored, since one for the same namespace was being admitted. */
  duplicateConnects: number
  /** Connections closed for a packet that could not be decoded or was not allowed. */
  protocolErrors: number
  eventsReceived: number
  /** Events of the contract for which nothing listened. */
  eventsUnhandled: number
  /** Events sent to one socket. */
  eventsSent: number
  broadcasts: number
  /** Sockets that broadcasts were written to. */
  deliveries: number
  /** Events not written: volatile ones, full buffers, sockets that were gone. */
  dropped: number
  acksReceived: number
  acksSent: number
  ackTimeouts: number
  /** Payloads that failed their schema, and events the contract does not have. */
  invalidPayloads: number
  /** Handlers, middleware and hooks that ended with something the contract does not declare. */
  handlerFailures: number
  /** How often a connection was paused because its handlers did not keep up. */
  pauses: number
  /** Clients that came back and were given their session. */
  recovered: number
  /** Clients that named a session and were given a new one. */
  notRecovered: number
  /** Events of the log written to clients that had missed them. */
  replayed: number
  /** Events delivered without a place in the log, since the store failed or took too long: nobody is recovered across them. */
  unstored: number
}

/** All zero. */
export const make = (): Counters => ({
  sockets: 0,
  connected: 0,
  disconnected: 0,
  refused: 0,
  duplicateConnects: 0,
  protocolErrors: 0,
  eventsReceived: 0,
  eventsUnhandled: 0,
  eventsSent: 0,
  broadcasts: 0,
  deliveries: 0,
  dropped: 0,
  acksReceived: 0,
  acksSent: 0,
  ackTimeouts: 0,
  invalidPayloads: 0,
  handlerFailures: 0,
  pauses: 0,
  recovered: 0,
  notRecovered: 0,
  replayed: 0,
  unstored: 0
})
