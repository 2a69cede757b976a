/**
 * What is known of the first request of a client: `socket.handshake`.
 */
import type { IncomingHttpHeaders } from "node:http"
import type { ServerSocket } from "../../socket/ServerSocket.ts"
import type { Unchecked } from "./TypedEvents.ts"

/** The handshake of a socket. */
export interface Handshake {
  /** With names in lower case. */
  headers: IncomingHttpHeaders
  /** When it came, as text. */
  time: string
  /** The address of the peer: of a proxy, where there is one. */
  address: string
  /** Whether it came with an Origin. */
  xdomain: boolean
  secure: boolean
  /** When it came, in epoch milliseconds. */
  issued: number
  /** Path and query. */
  url: string
  query: Record<string, string>
  /** What the client authenticates with, unchecked. */
  auth: Record<string, Unchecked>
}

/** The handshake, from the record that the engine keeps. */
export const make = (socket: ServerSocket): Handshake => {
  const { headers, address, secure, issued, url, query } = socket.connection.session.handshake
  return {
    headers: headers as IncomingHttpHeaders,
    time: String(new Date(issued)),
    address: address ?? "",
    xdomain: headers["origin"] !== undefined,
    secure,
    issued,
    url,
    query: { ...query },
    auth: { ...(socket.wireAuth as Record<string, Unchecked>) }
  }
}
