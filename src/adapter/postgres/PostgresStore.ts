/**
 * The log and the sessions of one namespace: what was missed is read from the log, whose numbers are the offsets.
 *
 * The log of a namespace is never empty: a row without a message marks where it begins, and when older rows are deleted the last of them is
 * left. So whoever names a place before the first row may have missed something that is gone, and whoever names a later one has not.
 */
import * as Effect from "effect/Effect"
import * as MsgpackDecode from "../../protocol/MsgpackDecode.ts"
import * as MsgpackEncode from "../../protocol/MsgpackEncode.ts"
import {
  AdapterError,
  type EventData,
  isFor,
  RecoveryFailed,
  type RecoveryOptions,
  type RestoredSession,
  type SocketSession
} from "../Adapter.ts"
import type { BusStore } from "../ClusterBus.ts"
import * as ClusterCodec from "../ClusterCodec.ts"
import * as ClusterFields from "../ClusterFields.ts"
import { type ClusterMessage, MessageType } from "../ClusterMessage.ts"
import type { PostgresPool, Result } from "./PostgresConnection.ts"
import * as Encoding from "./PostgresEncoding.ts"
import * as Names from "./PostgresNames.ts"
import type { PostgresSettings } from "./PostgresOptions.ts"
import { lockClass } from "./PostgresSchema.ts"

/**
 * How much longer than sessions events are kept, in milliseconds: what was written to a connection that was dead already and not known to
 * be is older than the session. Longer than Socket.IO's heartbeat takes to notice (45 seconds).
 */
export const detectionTime = 60_000

/** A private id comes from a client. */
const maxPidLength = 256

/** What a store works with. */
export interface StoreParts {
  readonly namespace: string
  /** The name of its log, and of its sessions. */
  readonly channel: string
  readonly pool: PostgresPool
  readonly settings: PostgresSettings
  readonly recovery: RecoveryOptions
  /** The last place in the log that this node has taken. */
  readonly position: () => string | undefined
  /** Told of rows of the log that cannot be read. */
  readonly ignored: () => void
}

type Missed = Array<RestoredSession["missed"][number]>

const failed = (reason: RecoveryFailed["reason"]): Effect.Effect<never, RecoveryFailed> =>
  Effect.fail(new RecoveryFailed({ reason }))

/** The bytes of a session; throws for data that has no form in msgpack. */
export const encodeSessionOrThrow = ({ sid, rooms, data, since, written }: SocketSession): Uint8Array =>
  MsgpackEncode.encodeOrThrow({ sid, rooms: [...rooms], data, since, written }, "notepack3")

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

/** Reads a session; undefined where the bytes are none. */
export const decodeSession = (bytes: unknown, pid: string): SocketSession | undefined => {
  if (!(bytes instanceof Uint8Array)) return undefined
  const decoded = MsgpackDecode.decode(bytes)
  if (decoded._tag === "MsgpackFailure" || !ClusterFields.isRecord(decoded.value)) return undefined
  const { sid, data, since, written } = decoded.value
  const rooms = ClusterFields.rooms(decoded.value["rooms"])
  if (typeof sid !== "string" || rooms === undefined) return undefined
  const session = { sid, pid, rooms, data, since: textOf(since) }
  if (!ClusterFields.isRecord(written)) return session
  return { ...session, written: { last: textOf(written["last"]), end: textOf(written["end"]) } }
}

/** The statements with the names of the tables in them. */
const statementsOf = ({ logTableName, sessionTableName }: PostgresSettings) => {
  const log = Names.table(logTableName)
  const sessions = Names.table(sessionTableName)
  const literal = `'${log.replaceAll("'", "''")}'`
  return {
    begin:
      `WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(${lockClass}, ${literal}::regclass::oid::int)) ` +
      `INSERT INTO ${log} (channel) SELECT $1 FROM turn WHERE NOT EXISTS (SELECT FROM ${log} WHERE channel = $1)`,
    end: `SELECT max(id)::text AS id FROM ${log} WHERE channel = $1`,
    persist:
      `INSERT INTO ${sessions} (channel, pid, payload, expires_at) VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond') ` +
      `ON CONFLICT (channel, pid) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
    take: `DELETE FROM ${sessions} WHERE channel = $1 AND pid = $2 RETURNING payload, expires_at > clock_timestamp() AS alive`,
    // The first row is at or before the place that is named: without it something may be gone.
    missed:
      `SELECT id::text AS place, payload FROM ${log} WHERE channel = $1 AND id <= $3 ` +
      `AND id >= (SELECT max(id) FROM ${log} WHERE channel = $1 AND id <= $2) ORDER BY id LIMIT $4`,
    expireSessions: `DELETE FROM ${sessions} WHERE channel = $1 AND expires_at < clock_timestamp()`,
    expireLog:
      `DELETE FROM ${log} WHERE channel = $1 AND id < ` +
      `(SELECT max(id) FROM ${log} WHERE channel = $1 AND created_at < clock_timestamp() - $2 * interval '1 millisecond')`
  }
}

/** The store of a namespace. */
export class Store implements BusStore {
  readonly #parts: StoreParts
  readonly #statements: ReturnType<typeof statementsOf>
  /** What this node has taken while sessions are restored, in order. */
  #recent: Array<{ readonly message: ClusterMessage; readonly offset: string }> = []
  #restoring = 0
  readonly #watchers = new Set<() => void>()

  constructor(parts: StoreParts) {
    this.#parts = parts
    this.#statements = statementsOf(parts.settings)
  }

  get position(): string | undefined {
    return this.#parts.position()
  }

  /** Makes sure that the log of the namespace has a beginning, and gives its end. */
  readonly begin: Effect.Effect<string | undefined, AdapterError> = Effect.suspend(() => {
    const { channel } = this.#parts
    const { begin, end } = this.#statements
    return Effect.andThen(
      this.#query("open", begin, [channel]),
      Effect.map(this.#query("open", end, [channel]), ({ rows }) => textOf(rows[0]?.["id"]))
    )
  })

  /** Deletes what is too old. */
  readonly expire: Effect.Effect<void, AdapterError> = Effect.suspend(() => {
    const { channel, recovery } = this.#parts
    const { expireLog, expireSessions } = this.#statements
    const age = recovery.maxDisconnectionDuration + detectionTime
    return Effect.andThen(
      this.#query("expire", expireSessions, [channel]),
      Effect.asVoid(this.#query("expire", expireLog, [channel, age]))
    )
  })

  /** This node has taken an event of the log, from others or its own. */
  taken(message: ClusterMessage, offset: string): void {
    if (this.#restoring > 0) this.#recent.push({ message, offset })
  }

  /** The position has changed. */
  moved(): void {
    for (const watcher of Array.from(this.#watchers)) watcher()
  }

  persist(session: SocketSession): Effect.Effect<void, AdapterError> {
    return Effect.suspend(() => {
      const { channel, recovery } = this.#parts
      let bytes: Uint8Array
      try {
        bytes = encodeSessionOrThrow(session)
      } catch (cause) {
        return Effect.fail(new AdapterError({ reason: "Rejected", operation: "persist", cause }))
      }
      const values = [channel, session.pid, bytes, recovery.maxDisconnectionDuration]
      return Effect.asVoid(this.#query("persist", this.#statements.persist, values))
    })
  }

  restore(pid: string, offset: string | undefined): Effect.Effect<RestoredSession, RecoveryFailed | AdapterError> {
    return Effect.gen({ self: this }, function* () {
      const { channel } = this.#parts
      // Before the session is taken: whoever names nonsense may try again.
      if (offset !== undefined && !Encoding.isRowId(offset)) return yield* failed("OffsetUnknown")
      if (pid.length > maxPidLength || !Names.isText(pid)) return yield* failed("SessionUnknown")
      const { rows } = yield* this.#query("restore", this.#statements.take, [channel, pid])
      const session = rows[0]?.["alive"] === true ? decodeSession(rows[0]["payload"], pid) : undefined
      if (session === undefined) return yield* failed("SessionUnknown")
      const named = offset ?? session.since
      if (named === undefined || !Encoding.isRowId(named)) return yield* failed("OffsetUnknown")
      // Whoever has all that was written has missed nothing before the connection was lost, however long ago the last event was.
      const { written } = session
      const end = written?.last === named && Encoding.isRowId(written.end) ? written.end : undefined
      const from = end !== undefined && BigInt(end) > BigInt(named) ? end : named
      yield* this.#reach(from)
      return { session, missed: yield* this.#missed(session, from) }
    })
  }

  /** Waits until this node has taken what the client has already seen elsewhere: it would be delivered again else. */
  #reach(place: string): Effect.Effect<void, RecoveryFailed | AdapterError> {
    const reached = (): boolean => BigInt(this.position ?? "0") >= BigInt(place)
    return Effect.gen({ self: this }, function* () {
      if (reached()) return
      const { rows } = yield* this.#query("restore", this.#statements.end, [this.#parts.channel])
      const last = textOf(rows[0]?.["id"])
      if (last === undefined || BigInt(last) < BigInt(place)) return yield* failed("OffsetUnknown")
      const waiting = Effect.callback<void>((resume) => {
        const watcher = (): void => {
          if (reached()) resume(Effect.void)
        }
        this.#watchers.add(watcher)
        watcher()
        return Effect.sync(() => this.#watchers.delete(watcher))
      })
      const duration = this.#parts.settings.answerTimeout
      const orElse = (): Effect.Effect<never, AdapterError> =>
        Effect.fail(new AdapterError({ reason: "Unavailable", operation: "restore" }))
      yield* Effect.timeoutOrElse(waiting, { duration, orElse })
    })
  }

  /** What was for the session after a place, up to what this node has taken at the moment this completes. */
  #missed(session: SocketSession, from: string): Effect.Effect<Missed, RecoveryFailed | AdapterError> {
    const { channel, settings } = this.#parts
    const { maxMissed } = settings
    return Effect.acquireUseRelease(
      Effect.sync(() => {
        this.#restoring++
        return { begin: this.#recent.length, until: this.position ?? from }
      }),
      ({ begin, until }) =>
        Effect.flatMap(
          // One row more than is allowed, and the one before the first.
          this.#query("restore", this.#statements.missed, [channel, from, until, maxMissed + 2]),
          ({ rows }) => {
            if (rows.length === 0 || rows.length > maxMissed + 1) return failed("LogTruncated")
            const missed: Missed = []
            for (const row of rows.slice(1)) this.#logged(row, session, missed)
            for (const { message, offset } of this.#recent.slice(begin)) add(message, offset, session, missed)
            return Effect.succeed(missed)
          }
        ),
      () =>
        Effect.sync(() => {
          if (--this.#restoring === 0) this.#recent = []
        })
    )
  }

  #logged(row: Result["rows"][number], session: SocketSession, missed: Missed): void {
    const { place: id, payload } = row
    if (!Encoding.isRowId(id) || payload === null) return
    const { namespace, settings, ignored } = this.#parts
    const message =
      payload instanceof Uint8Array
        ? ClusterCodec.decode(payload, namespace, { maxSize: settings.maxMessageSize })
        : undefined
    if (message === undefined) ignored()
    else add(message, id, session, missed)
  }

  #query(operation: string, text: string, values: Array<unknown>): Effect.Effect<Result, AdapterError> {
    const { pool, settings } = this.#parts
    const asking = Effect.tryPromise({
      try: () => pool.query(text, values),
      catch: (cause) => new AdapterError({ reason: "Unavailable", operation, cause })
    })
    return Effect.timeoutOrElse(asking, {
      duration: settings.answerTimeout,
      orElse: () => Effect.fail(new AdapterError({ reason: "Unavailable", operation }))
    })
  }
}

const add = ({ body }: ClusterMessage, offset: string, session: SocketSession, missed: Missed): void => {
  if (body.type !== MessageType.BROADCAST || !isFor(body.target, session.rooms)) return
  const event: EventData = body.event
  missed.push({ event, offset })
}
