/**
 * What a client's socket keeps to have its state recovered by the server after a lost connection.
 */
import type { AuthData } from "./ClientHost.ts"

/**
 * The private id of the server's session and how far its packets were seen. Nothing sets `offset` yet: a trailing string of an event
 * is not to be taken for one (the official client does, and loses messages by it); connection state recovery is a later piece of work.
 */
export interface ClientRecovery {
  readonly pid: string
  readonly offset: string | undefined
}

/** The auth data of a CONNECT: what the program gave, whose fields never take the place of the recovery's own. */
export const connectData = (auth: AuthData, recovery: ClientRecovery | undefined): AuthData => {
  if (recovery === undefined || recovery.offset === undefined) return auth
  return { ...auth, pid: recovery.pid, offset: recovery.offset }
}

/** Whether the server took up the session that was asked for. */
export const isRecovered = (recovery: ClientRecovery | undefined, pid: unknown): boolean =>
  recovery?.offset !== undefined && recovery.pid === pid

/** What is kept of the server's answer. */
export const fromConnect = (previous: ClientRecovery | undefined, pid: unknown): ClientRecovery | undefined => {
  if (typeof pid !== "string") return undefined
  return previous?.pid === pid ? previous : { pid, offset: undefined }
}
