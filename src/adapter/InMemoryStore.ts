/**
 * The log and the sessions of a namespace whose server is alone: both are lost with the process.
 *
 * Offsets are the numbers of the events, in the order in which they were emitted. Whether a client has missed something is decided by its
 * place in the log, not by finding the event that it names: that one may be gone, and a client that was idle has seen none at all.
 */
import * as Effect from "effect/Effect"
import type { Deadline, Deadlines, Expirable } from "../runtime/Deadlines.ts"
import {
  type BroadcastFlags,
  type EventData,
  isFor,
  RecoveryFailed,
  type RecoveryOptions,
  type RecoveryStore,
  type RestoredSession,
  type SocketSession,
  type Target
} from "./Adapter.ts"

/** How many events are kept where nothing else is said. */
export const defaultMaxEvents = 100_000

/** How many bytes of events are kept where nothing else is said: 64 MiB. */
export const defaultMaxBytes = 64 * 1024 * 1024

/**
 * How much longer than sessions events are kept, in milliseconds: what was written to a connection that was dead already and not known to
 * be is older than the session. Longer than Socket.IO's heartbeat takes to notice (45 seconds).
 */
export const detectionTime = 60_000

/** An event in the log. */
interface Entry {
  readonly target: Target
  readonly event: EventData
  bytes: number
}

interface Kept {
  readonly session: SocketSession
  readonly due: number
}

/** Offsets are what `position` says: digits, and few enough to be exact. */
const offsetPattern = /^\d{1,15}$/

/** The events before this place in the array are gone; it is cut when as many are gone as are left. */
const smallestCut = 1024

const sizeOf = ({ frames }: EventData): number => {
  if (frames === undefined) return 0
  let bytes = frames.head.length
  if (frames.attachments !== undefined) for (const attachment of frames.attachments) bytes += attachment.byteLength
  return bytes
}

/** The store of one namespace. Memory is freed by a deadline that is set while there is anything to free. */
export class InMemoryStore implements RecoveryStore, Expirable {
  readonly #deadlines: Deadlines
  readonly #window: number
  readonly #maxEvents: number
  readonly #maxBytes: number
  #entries: Array<Entry> = []
  /** Where the log begins in the array. */
  #head = 0
  /** The number of the first event that is still there. */
  #first = 1
  #bytes = 0
  readonly #sessions = new Map<string, Kept>()
  #sweep: Deadline | undefined = undefined
  /** How far the log had come at each sweep, which dates its events without a look at the clock for each. */
  readonly #marks: Array<{ readonly at: number; readonly last: number }> = []

  constructor(deadlines: Deadlines, options: RecoveryOptions) {
    this.#deadlines = deadlines
    this.#window = options.maxDisconnectionDuration
    this.#maxEvents = options.maxEvents ?? defaultMaxEvents
    this.#maxBytes = options.maxBytes ?? defaultMaxBytes
  }

  /** How many events are kept. */
  get size(): number {
    return this.#entries.length - this.#head
  }

  /** How many bytes they had when they were delivered. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many sessions are kept. */
  get sessions(): number {
    return this.#sessions.size
  }

  get #last(): number {
    return this.#first + this.size - 1
  }

  get position(): string {
    return String(this.#last)
  }

  append(target: Target, event: EventData, _flags: BroadcastFlags, done: (offset: string | undefined) => void): void {
    const entry: Entry = { target, event, bytes: 0 }
    this.#entries.push(entry)
    this.#arm()
    const number = this.#last
    done(String(number))
    // Whoever is told may append more, and so push this one out again.
    if (number >= this.#first) {
      entry.bytes = sizeOf(event)
      this.#bytes += entry.bytes
    }
    while (this.size > this.#maxEvents || (this.#bytes > this.#maxBytes && this.size > 0)) this.#drop()
  }

  persist(session: SocketSession): Effect.Effect<void> {
    return Effect.sync(() => {
      this.#sessions.delete(session.pid)
      this.#sessions.set(session.pid, { session, due: this.#deadlines.now() + this.#window })
      this.#arm()
    })
  }

  restore(pid: string, offset: string | undefined): Effect.Effect<RestoredSession, RecoveryFailed> {
    return Effect.suspend(() => {
      const kept = this.#sessions.get(pid)
      if (kept === undefined || kept.due <= this.#deadlines.now()) {
        this.#sessions.delete(pid)
        return failed("SessionUnknown")
      }
      const { session } = kept
      const { since, written } = session
      const named = offset ?? since
      if (named === undefined || !offsetPattern.test(named) || Number(named) > this.#last) {
        return failed("OffsetUnknown")
      }
      // Whoever has all that was written has missed nothing before the connection was lost, however long ago the last event was.
      const end = written !== undefined && written.last === named ? written.end : undefined
      const from = Number(end ?? named)
      this.#sessions.delete(pid)
      if (from < this.#first - 1) return failed("LogTruncated")
      const missed: Array<RestoredSession["missed"][number]> = []
      for (let number = from + 1; number <= this.#last; number++) {
        const { event, target } = this.#entries[this.#head + number - this.#first]!
        if (isFor(target, session.rooms)) missed.push({ event, offset: String(number) })
      }
      return Effect.succeed({ session, missed })
    })
  }

  /** What is too old goes. */
  onDeadline(): void {
    this.#sweep = undefined
    const now = this.#deadlines.now()
    // Both are in the order of time.
    for (const [pid, { due }] of this.#sessions) {
      if (due > now) break
      this.#sessions.delete(pid)
    }
    this.#marks.push({ at: now, last: this.#last })
    const oldest = now - this.#window - detectionTime
    for (let mark = this.#marks[0]; mark !== undefined && mark.at <= oldest; mark = this.#marks[0]) {
      while (this.size > 0 && this.#first <= mark.last) this.#drop()
      this.#marks.shift()
    }
    if (this.size === 0) this.#marks.length = 0
    this.#arm()
  }

  #arm(): void {
    if (this.#sweep !== undefined || (this.size === 0 && this.#sessions.size === 0)) return
    this.#sweep = this.#deadlines.set(Math.max(this.#window / 4, 1), this)
  }

  #drop(): void {
    this.#bytes -= this.#entries[this.#head]!.bytes
    this.#head++
    this.#first++
    if (this.#head < smallestCut || this.#head < this.size) return
    this.#entries = this.#entries.slice(this.#head)
    this.#head = 0
  }
}

const failed = (reason: RecoveryFailed["reason"]): Effect.Effect<never, RecoveryFailed> =>
  Effect.fail(new RecoveryFailed({ reason }))
