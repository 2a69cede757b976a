/**
 * What primary and workers tell each other for sticky balancing, and the line in front of each connection between them.
 *
 * Workers say where they can be reached; requests travel over connections of their own, and WebSockets of a plain server as handles.
 */

/** Marks these messages among all others of a program. */
export const messageSource = "effect-socketio:sticky"

/** A worker's message to the primary. */
export type WorkerMessage =
  /** It takes requests at this socket (or pipe) from now on. */
  | { readonly source: typeof messageSource; readonly type: "ready"; readonly path: string }
  /** It takes no new sessions any more; those it has it keeps. */
  | { readonly source: typeof messageSource; readonly type: "leaving" }
  /** A connection that was handed over has ended. */
  | { readonly source: typeof messageSource; readonly type: "closed" }

/** The primary's message to a worker, together with the handle of a client's connection. */
export interface HandOver {
  readonly source: typeof messageSource
  readonly type: "connection"
  /** What has been read of it: a whole request head, one character a byte, so that every serialization carries it. */
  readonly read: string
}

const isOurs = (
  value: unknown
): value is { readonly type?: unknown; readonly path?: unknown; readonly read?: unknown } =>
  typeof value === "object" && value !== null && (value as { readonly source?: unknown }).source === messageSource

/** The message of a worker, if it is one. */
export const workerMessage = (value: unknown): WorkerMessage | undefined => {
  if (!isOurs(value)) return undefined
  const { type, path } = value
  if (type === "ready")
    return typeof path === "string" && path !== "" ? { source: messageSource, type, path } : undefined
  return type === "leaving" || type === "closed" ? { source: messageSource, type } : undefined
}

/** The handing over of a connection, if it is one. */
export const handOver = (value: unknown): HandOver | undefined => {
  if (!isOurs(value)) return undefined
  const { type, read } = value
  return type === "connection" && typeof read === "string" ? { source: messageSource, type, read } : undefined
}

/** Who is at the other end of a connection that the primary passes on. */
export interface Peer {
  readonly address: string | undefined
  readonly port: number | undefined
  /** Whether it came over TLS. */
  readonly encrypted: boolean
}

/** The longest line that names a peer, in bytes. */
export const maxPeerLine = 512

/** The line in front of a connection between primary and worker. */
export const peerLine = ({ address, port, encrypted }: Peer): string =>
  `${JSON.stringify([address ?? null, port ?? null, encrypted])}\n`

/** The peer that a line names, without its end. */
export const parsePeer = (line: string): Peer | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    if (!Array.isArray(value)) return undefined
    const [address, port, encrypted] = value as ReadonlyArray<unknown>
    return {
      address: typeof address === "string" ? address : undefined,
      port: typeof port === "number" ? port : undefined,
      encrypted: encrypted === true
    }
  } catch {
    return undefined
  }
}
