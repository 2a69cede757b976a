/**
 * What is known of the first request of a client, in the form that Socket.IO gives it (`socket.handshake`).
 */
import type { Headers } from "../engine/EngineRequest.ts"
import type { ServerSocket } from "./ServerSocket.ts"

/** The handshake of a socket. Header names are in lower case. */
export interface Handshake {
  readonly headers: Headers
  /** When it came, as text. */
  readonly time: string
  readonly address: string | undefined
  /** Whether it came with the Origin of another host. */
  readonly xdomain: boolean
  readonly secure: boolean
  /** When it came, in epoch milliseconds. */
  readonly issued: number
  /** Path and query. */
  readonly url: string
  readonly query: Readonly<Record<string, string>>
  /** What the client authenticated with, as it came; {@link Socket} has it decoded. */
  readonly auth: unknown
}

/** The handshake of a socket, made when it is asked for. */
export const describe = (socket: ServerSocket): Handshake => {
  const { headers, address, crossOrigin, secure, issued, url, query } = socket.connection.session.handshake
  return {
    headers,
    time: new Date(issued).toString(),
    address,
    xdomain: crossOrigin,
    secure,
    issued,
    url,
    query,
    auth: socket.wireAuth
  }
}
