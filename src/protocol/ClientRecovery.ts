/**
 * What a client's socket keeps to have its state recovered by the server after a lost connection.
 *
 * Servers that recover send a private id with the answer to CONNECT, and the place of each event in their log, its offset, as a text behind the
 * arguments. Official servers say no more than that: any text at the end of an event may be an offset, and stays among the arguments, as in
 * the official client. Servers of this library say with the answer that events have a place for it of their own: it is taken out.
 */
import type { AuthData } from "./ClientHost.ts"

/** The private id of the server's session and how far its events were seen. */
export interface ClientRecovery {
  readonly pid: string
  /** Changes with every event. */
  offset: string | undefined
  /** Whether the last text of an event is its offset and nothing else. */
  readonly ownSlot: boolean
}

/** The auth data of a CONNECT: what the program gave, whose fields never take the place of the recovery's own. */
export const connectData = (auth: AuthData, recovery: ClientRecovery | undefined): AuthData => {
  if (recovery === undefined) return auth
  const { pid, offset } = recovery
  return offset === undefined ? { ...auth, pid } : { ...auth, pid, offset }
}

/** Whether the server took up the session that was asked for. */
export const isRecovered = (recovery: ClientRecovery | undefined, pid: unknown): boolean =>
  recovery !== undefined && recovery.pid === pid

/** What is kept of the server's answer. Its `offset` is where events begin: a text, or `null` where none is known. */
export const fromConnect = (
  previous: ClientRecovery | undefined,
  answer: { readonly pid?: unknown; readonly offset?: unknown }
): ClientRecovery | undefined => {
  const { pid, offset } = answer
  if (typeof pid !== "string") return undefined
  const begin = typeof offset === "string" ? offset : undefined
  const seen = previous?.pid === pid ? previous.offset : undefined
  return { pid, offset: seen ?? begin, ownSlot: offset !== undefined }
}

/** Takes note of an event that wants no answer. Gives what the program is told of it. */
export const take = (recovery: ClientRecovery, data: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const last = data[data.length - 1]
  // The name of an event is no argument.
  if (typeof last !== "string" || data.length === 1) return data
  recovery.offset = last
  return recovery.ownSlot ? data.slice(0, -1) : data
}
