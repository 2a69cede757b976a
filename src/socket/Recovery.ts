/**
 * Connection state recovery as programs see it: its options, and what became of a client that came back.
 */
import type { EventData, SocketSession } from "../adapter/Adapter.ts"
import * as SocketPacket from "../protocol/SocketPacket.ts"

/** Checked options; times in milliseconds. */
export interface RecoverySettings {
  readonly maxDisconnectionDuration: number
  readonly skipMiddlewares: boolean
  readonly persist: "disconnect" | "always"
  readonly maxEvents: number | undefined
  readonly maxBytes: number | undefined
  readonly storeTimeout: number
}

/** Why a client that named a session did not get it. `Unavailable`: the store failed, or did not answer in time. */
export type FailureReason = "SessionUnknown" | "OffsetUnknown" | "LogTruncated" | "Unavailable"

/** A new session: the client named none. */
export interface Fresh {
  readonly _tag: "Fresh"
}

/** The same id, rooms and data as before the connection was lost; so many events were sent again. */
export interface Recovered {
  readonly _tag: "Recovered"
  readonly missed: number
}

/** A new session, since the one that the client named could not be taken up: it may have missed events. */
export interface NotRecovered {
  readonly _tag: "NotRecovered"
  readonly reason: FailureReason
}

/** What became of a client's earlier session. */
export type Recovery = Fresh | Recovered | NotRecovered

/** Of clients that name no session, and wherever recovery is off. */
export const fresh: Recovery = { _tag: "Fresh" }

/** An event of the log for a client that comes back. */
export interface MissedEvent {
  readonly event: EventData
  readonly offset: string
}

/**
 * Stands for an offset where none is known, so that a client never takes a text of the program for one. Clients name it when they come
 * back, and it says that they have seen nothing of the log.
 */
export const noOffset = "-"

/** What a client names when it comes back. */
export interface Claim {
  readonly pid: string
  readonly offset: string | undefined
  /** Its auth data without the claim. */
  readonly auth: SocketPacket.JsonObject
}

/** Ids as this server and the official one make them: other texts under that name are the program's own. */
const pidPattern = /^[A-Za-z0-9_-]{20,64}$/

/** No offset of any store is longer. */
const maxOffsetLength = 100

/** The claim in the auth data of a CONNECT; what is none stays where it is. */
export const claimOf = (sent: unknown): Claim | undefined => {
  if (!SocketPacket.isJsonObject(sent)) return undefined
  const { pid, offset, ...auth } = sent
  if (typeof pid !== "string" || !pidPattern.test(pid)) return undefined
  const named = typeof offset === "string" && offset !== noOffset && offset.length <= maxOffsetLength
  return { pid, offset: named ? offset : undefined, auth }
}

/** What a socket keeps so that it can come back. */
export class SocketRecovery {
  /** Known to the client only. */
  readonly pid: string
  /** Where the log was read from when it connected; where it begins for a client that names no offset. */
  readonly since: string | undefined
  readonly outcome: Recovery
  /** The last offset that was written to it. */
  last: string | undefined
  /** The end of the log when its connection was lost. */
  end: string | undefined = undefined
  /** The kept session that it is made of, until it is connected. */
  taken: SocketSession | undefined
  /** What it has been sent already of the events that this node is yet to deliver. */
  replayed: Set<string> | undefined = undefined
  /** Somebody else has its session now: it keeps none. */
  superseded = false

  constructor(pid: string, since: string | undefined, outcome: Recovery, taken: SocketSession | undefined) {
    this.pid = pid
    this.since = since
    this.last = since
    this.outcome = outcome
    this.taken = taken
  }

  /** The same, of a socket that connects at this place in the log. */
  startingAt(position: string | undefined): SocketRecovery {
    return new SocketRecovery(this.pid, position, this.outcome, undefined)
  }

  /** Whether an event of the log is still to be written. */
  awaits(offset: string): boolean {
    const { replayed } = this
    if (replayed === undefined) return true
    if (replayed.delete(offset)) {
      if (replayed.size === 0) this.replayed = undefined
      return false
    }
    // Events come in the order of the log: this one is behind all that were sent again.
    this.replayed = undefined
    return true
  }
}
