/**
 * The log and the sessions of one namespace in memory: what a broker that stores has to do, in its plainest form.
 */
import * as Effect from "effect/Effect"
import {
  type EventData,
  RecoveryFailed,
  type RestoredSession,
  type SocketSession,
  type Target
} from "../adapter/Adapter.ts"

/** An event in the log. */
interface Entry {
  readonly place: number
  readonly target: Target
  readonly event: EventData
}

interface Kept {
  readonly session: SocketSession
  readonly until: number
}

/** Whether a socket in these rooms is meant. */
const isFor = ({ rooms, except }: Target, joined: ReadonlySet<string>): boolean => {
  for (const room of except) if (joined.has(room)) return false
  if (rooms.size === 0) return true
  for (const room of rooms) if (joined.has(room)) return true
  return false
}

const placeOf = (offset: string): number | undefined => (/^[1-9]\d{0,14}$/.test(offset) ? Number(offset) : undefined)

/** Events in order, the last `maxLength` of them, and sessions by private id. Offsets are numbers from 1, as text. */
export class BrokerLog {
  readonly #maxLength: number
  readonly #sessions = new Map<string, Kept>()
  #entries: Array<Entry> = []
  #last = 0

  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  /** The last place; `undefined` for an empty log. */
  get end(): string | undefined {
    return this.#last === 0 ? undefined : String(this.#last)
  }

  /** Appends an event and gives its place. */
  append(target: Target, event: EventData): string {
    this.#entries.push({ place: ++this.#last, target, event })
    if (this.#entries.length > this.#maxLength) this.trim(this.#maxLength)
    return String(this.#last)
  }

  /** Forgets all but the last `keep` events. */
  trim(keep: number): void {
    this.#entries = keep === 0 ? [] : this.#entries.slice(-keep)
  }

  /** Keeps a session for so many milliseconds. */
  persist(session: SocketSession, now: number, millis: number): void {
    for (const [pid, { until }] of this.#sessions) if (until <= now) this.#sessions.delete(pid)
    this.#sessions.set(session.pid, { session, until: now + millis })
  }

  /** Where the client of a session was, if that is a place in this log. */
  placeOf(pid: string, offset: string | undefined): number | undefined {
    const from = offset ?? this.#sessions.get(pid)?.session.since
    const place = from === undefined ? undefined : placeOf(from)
    return place === undefined || place > this.#last ? undefined : place
  }

  /** Takes a session and what it missed. */
  restore(pid: string, offset: string | undefined, now: number): Effect.Effect<RestoredSession, RecoveryFailed> {
    const kept = this.#sessions.get(pid)
    this.#sessions.delete(pid)
    if (kept === undefined || kept.until <= now) return Effect.fail(new RecoveryFailed({ reason: "SessionUnknown" }))
    const { session } = kept
    const from = offset ?? session.since
    // A socket that came when the log was empty has missed everything since the beginning.
    const place = from === undefined ? 0 : placeOf(from)
    if (place === undefined || place > this.#last) return Effect.fail(new RecoveryFailed({ reason: "OffsetUnknown" }))
    const first = this.#entries[0]?.place ?? this.#last + 1
    if (place + 1 < first) return Effect.fail(new RecoveryFailed({ reason: "LogTruncated" }))
    const joined = new Set(session.rooms)
    const missed = this.#entries
      .filter((entry) => entry.place > place && isFor(entry.target, joined))
      .map((entry) => ({ event: entry.event, offset: String(entry.place) }))
    return Effect.succeed({ session, missed })
  }
}
