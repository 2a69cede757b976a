/**
 * Reads one stream for all namespaces: entry after entry, from the end that the stream has at the beginning, on a connection of its own.
 *
 * After a lost connection it goes on after the last entry it has seen. Where that can be no longer (trimmed meanwhile, or the stream was lost
 * with its server) it goes on with what there is, and says that there is a gap.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ConnectionSink, keep } from "../KeptConnection.ts"
import type { RedisStreamsSettings } from "./RedisStreamsOptions.ts"
import type { Reconnection } from "./RedisConnection.ts"
import * as Commands from "./RedisStreamCommands.ts"
import * as StreamId from "./RedisStreamId.ts"

/** A connection on which commands may block. */
export interface ReaderConnection {
  readonly command: (words: Commands.Words) => Effect.Effect<unknown, unknown>
  /** Fails when the connection is lost. */
  readonly lost: Effect.Effect<never, unknown>
}

/** Hears what a reader reads; never throws. */
export interface ReaderSink extends ConnectionSink {
  /** An entry. `false` holds it, and all behind it, until `pump` is called. */
  entry(entry: Commands.Entry): boolean
  /** The position has changed. */
  advanced(): void
  /** Entries were missed. */
  gap(): void
}

/** A reader at work. */
export interface StreamReader {
  readonly stream: string
  /** The last entry that the sink took; the end of the stream before the first. */
  readonly position: string
  /** Whether the position means something: not before the stream was reached for the first time. */
  readonly located: boolean
  readonly history: StreamId.History
  /** Offers an entry again that the sink has held. */
  pump(): void
}

/** Slack for the reply of a blocking read: past it the connection is taken for dead. Milliseconds. */
const grace = 5000

/** Whether entries after `id` are gone; undefined where that cannot be known from what the stream says. */
export const trimmedAfter = (id: string, info: Commands.StreamInfo, exists: boolean): boolean | undefined => {
  // The stream is not the one that this id is from.
  if (StreamId.isAfter(id, info.last)) return true
  if (info.maxDeleted !== undefined && StreamId.isAfter(info.maxDeleted, id)) return true
  // Trimming takes the oldest first.
  if (exists || id === info.last) return false
  if (info.first !== undefined && !StreamId.isAfter(info.first, id)) return false
  // The beginning is before everything: nothing must be gone at all.
  if (id === StreamId.beginning) return info.added === undefined ? undefined : info.added > info.length
  return undefined
}

class Reader implements StreamReader {
  readonly stream: string
  readonly history: StreamId.History
  position: string = StreamId.beginning
  readonly #settings: RedisStreamsSettings
  readonly #sink: ReaderSink
  #pending: ReadonlyArray<Commands.Entry> = []
  #next = 0
  #pumping = false
  #again = false
  #drained: (() => void) | undefined
  located = false

  constructor(stream: string, settings: RedisStreamsSettings, sink: ReaderSink) {
    this.stream = stream
    this.#settings = settings
    this.#sink = sink
    // `MAXLEN ~` lets some more stay.
    this.history = new StreamId.History(settings.maxLen + 1000)
  }

  pump(): void {
    // An entry may release what another one waits for: one loop at a time.
    if (this.#pumping) {
      this.#again = true
      return
    }
    this.#pumping = true
    do {
      this.#again = false
      while (this.#next < this.#pending.length) {
        const entry = this.#pending[this.#next]!
        const before = this.position
        // Whoever asks while it is delivered is behind it.
        this.position = entry.id
        if (!this.#sink.entry(entry)) {
          this.position = before
          break
        }
        this.#next++
        this.#moveTo(entry.id)
      }
    } while (this.#again)
    this.#pumping = false
    if (this.#next < this.#pending.length) return
    this.#pending = []
    this.#next = 0
    const drained = this.#drained
    this.#drained = undefined
    drained?.()
  }

  /** Reads for ever. */
  run(
    connect: Effect.Effect<ReaderConnection, unknown, Scope.Scope>,
    schedule: Reconnection,
    ready: Deferred.Deferred<void>
  ): Effect.Effect<never> {
    const session = (up: () => void): Effect.Effect<never, Error, Scope.Scope> =>
      Effect.gen({ self: this }, function* () {
        const connection = yield* connect
        const reading = Effect.gen({ self: this }, function* () {
          yield* this.#resume(connection)
          up()
          Deferred.doneUnsafe(ready, Effect.void)
          while (true) yield* this.#readOn(connection)
        })
        return yield* Effect.raceFirst(reading, connection.lost)
      }).pipe(Effect.mapError((cause) => (cause instanceof Error ? cause : new Error("disconnected", { cause }))))
    return keep(session, schedule, this.#sink)
  }

  #moveTo(id: string): void {
    const parsed = StreamId.parse(id)
    if (parsed !== undefined) this.history.push(parsed)
    this.position = id
    this.#sink.advanced()
  }

  /** Finds out where to go on. */
  readonly #resume = (connection: ReaderConnection): Effect.Effect<void, unknown> =>
    Effect.gen({ self: this }, function* () {
      const info = yield* infoOf(connection, this.stream)
      if (!this.located) {
        this.located = true
        this.position = info.last
        return
      }
      if (StreamId.isAfter(this.position, info.last)) {
        // The server has lost the stream: what there is now is all new.
        this.history.clear()
        this.position = StreamId.beginning
        return this.#sink.gap()
      }
      yield* this.#checkGap(connection, this.position, info)
    })

  readonly #checkGap = (
    connection: ReaderConnection,
    from: string,
    known?: Commands.StreamInfo
  ): Effect.Effect<void, unknown> =>
    Effect.gen({ self: this }, function* () {
      const exists =
        Commands.entriesOf(yield* connection.command(Commands.range(this.stream, from, from, 1))).length > 0
      if (exists) return
      const info = known ?? (yield* infoOf(connection, this.stream))
      if (trimmedAfter(from, info, false) === false) return
      this.history.clear()
      this.#sink.gap()
    })

  readonly #readOn = (connection: ReaderConnection): Effect.Effect<void, unknown> =>
    Effect.gen({ self: this }, function* () {
      const { readCount, blockTimeInMs } = this.#settings
      const from = this.position
      const reply = yield* connection.command(Commands.readAfter(this.stream, from, readCount, blockTimeInMs)).pipe(
        Effect.timeoutOrElse({
          duration: blockTimeInMs + grace,
          orElse: () => Effect.fail(new Error(`no reply to a blocking read of "${this.stream}"`))
        })
      )
      const entries = Commands.entriesRead(reply)
      if (entries.length === 0) return
      // Who reads as much as it asked for is behind, perhaps so far that the stream was trimmed under it.
      if (entries.length >= readCount) yield* this.#checkGap(connection, from)
      yield* this.#deliver(entries)
    })

  readonly #deliver = (entries: ReadonlyArray<Commands.Entry>): Effect.Effect<void> =>
    Effect.callback<void>((resume) => {
      this.#pending = entries
      this.#next = 0
      this.#drained = () => resume(Effect.void)
      this.pump()
      // The next connection reads again what was held.
      return Effect.sync(() => {
        this.#pending = []
        this.#drained = undefined
      })
    })
}

/** What a stream says about itself; an empty one where there is none. */
export const infoOf = (
  connection: Pick<ReaderConnection, "command">,
  stream: string
): Effect.Effect<Commands.StreamInfo, unknown> =>
  connection.command(Commands.info(stream)).pipe(
    Effect.map((reply) => Commands.infoOf(reply) ?? Commands.emptyInfo),
    Effect.catch((error) => (Commands.isNoSuchKey(error) ? Effect.succeed(Commands.emptyInfo) : Effect.fail(error)))
  )

/** A reader, and the work that it does for ever. */
export interface Started {
  readonly reader: StreamReader
  /** Reads; to be forked once. */
  readonly run: Effect.Effect<never>
  /** Completes when the reader knows where the stream ends. */
  readonly ready: Effect.Effect<void>
}

/**
 * A reader. `connect` makes a connection that ends with its scope; it is called again when the connection is lost, and by the schedule after a
 * failure.
 */
export const make = (
  stream: string,
  connect: Effect.Effect<ReaderConnection, unknown, Scope.Scope>,
  settings: RedisStreamsSettings,
  schedule: Reconnection,
  sink: ReaderSink
): Started => {
  const reader = new Reader(stream, settings, sink)
  const ready = Deferred.makeUnsafe<void>()
  return { reader, run: reader.run(connect, schedule, ready), ready: Deferred.await(ready) }
}
