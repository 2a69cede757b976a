/**
 * The end of the log, for one namespace of one node: everything that is written from now on, in order, also what was written while the
 * connection was lost.
 */
import type { JetStreamManager } from "@nats-io/jetstream"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { AdapterError } from "../Adapter.ts"
import * as Consumer from "./NatsConsumer.ts"
import { unavailable } from "./NatsErrors.ts"
import type { NatsLink } from "./NatsLink.ts"
import type { LogEntry } from "./NatsLogEntry.ts"
import type { NatsOffset } from "./NatsOffset.ts"
import type { NatsJetStreamSettings } from "./NatsOptions.ts"
import * as Streams from "./NatsStreams.ts"

/** Hears what is in the log; never throws. */
export interface LogReaderSink {
  /** Reading begins after this place; told once, before everything else. */
  onStart(position: NatsOffset): void
  /** An entry at this place. */
  onEntry(entry: LogEntry, position: NatsOffset): void
  /** The log is being read, from now on or again. */
  onOpen(): void
  /** Reading has stopped; it is tried again. */
  onBroken(cause: unknown): void
  /** Entries that had not been read are gone, and reading goes on after this place; `newLog` when the stream was made anew. */
  onGap(position: NatsOffset, newLog: boolean): void
  /** Something came that no consumer delivers. */
  onForeign(): void
}

/** What to read. */
export interface LogReaderRequest {
  readonly link: NatsLink
  readonly manager: JetStreamManager
  readonly settings: NatsJetStreamSettings
  readonly filter: string
  /** How long sessions are kept in milliseconds; 0 without recovery. */
  readonly recoveryMillis: number
  readonly retry: Schedule.Schedule<unknown>
  readonly sink: LogReaderSink
}

/** Reads one namespace. */
export interface LogReader {
  /** The last entry that was read, or the end of the log when reading began. */
  readonly position: NatsOffset
  /** Looks whether the log is still being delivered, and begins again if it is not known. */
  readonly renew: () => void
}

/** Begins at the end of the log and reads until the scope closes. Fails when the log can neither be found nor made. */
export const make = Effect.fnUntraced(function* (
  request: LogReaderRequest
): Effect.fn.Return<LogReader, AdapterError, Scope.Scope> {
  const { link, manager, settings, filter, recoveryMillis, retry, sink } = request
  const outer = yield* Effect.scope
  const initial = yield* Streams.ensureLog(manager, settings, recoveryMillis)
  let position: NatsOffset = { epoch: initial.epoch, sequence: initial.last }
  let broken = Deferred.makeUnsafe<unknown>()
  let reading = Scope.forkUnsafe(outer)

  const stop = (cause: unknown): void => {
    Deferred.doneUnsafe(broken, Effect.succeed(cause))
  }

  /** One consumer, from the position on. */
  const begin = Effect.gen(function* () {
    const over = broken
    yield* Consumer.make({
      connection: link.connection,
      manager,
      stream: settings.stream,
      filter,
      from: position.sequence + 1,
      idleHeartbeat: settings.idleHeartbeat,
      sink: {
        onEntry: (entry) => {
          // A server that was restored from an older copy of the stream.
          if (entry.sequence <= position.sequence) return
          position = { epoch: position.epoch, sequence: entry.sequence }
          sink.onEntry(entry, position)
        },
        onBroken: (cause) => Deferred.doneUnsafe(over, Effect.succeed(cause)),
        onForeign: sink.onForeign
      }
    }).pipe(Scope.provide(reading))
  })

  const beginAgain = Effect.gen(function* () {
    const now = yield* Streams.ensureLog(manager, settings, recoveryMillis)
    if (now.epoch !== position.epoch || now.last < position.sequence) {
      // Another stream by that name, or the same without its end: all that is in it is new.
      position = { epoch: now.epoch, sequence: now.epoch === position.epoch ? now.last : now.first - 1 }
      sink.onGap(position, true)
    } else if (now.first > position.sequence + 1) {
      position = { epoch: now.epoch, sequence: now.first - 1 }
      sink.onGap(position, false)
    }
    yield* begin
  })

  const unlisten = link.listen({ onLost: stop, onBack: () => {} })
  yield* Effect.addFinalizer(() => Effect.sync(unlisten))
  sink.onStart(position)
  yield* begin
  sink.onOpen()

  const keep = Effect.gen(function* () {
    for (;;) {
      sink.onBroken(yield* Deferred.await(broken))
      const attempt = Effect.suspend(() => {
        const last = reading
        broken = Deferred.makeUnsafe<unknown>()
        reading = Scope.forkUnsafe(outer)
        const over = broken
        // Requests that were lost with the connection would only time out.
        const lostAgain = Effect.flatMap(Deferred.await(over), (cause) => Effect.fail(unavailable("read", cause)))
        return Scope.close(last, Exit.void).pipe(
          Effect.andThen(link.whenReady),
          Effect.andThen(Effect.raceFirst(beginAgain, lostAgain))
        )
      })
      yield* Effect.retry(attempt, retry)
      sink.onOpen()
    }
  })
  yield* Effect.forkScoped(keep, { startImmediately: true })
  return {
    get position() {
      return position
    },
    renew: () => stop(new Error("a message was not confirmed"))
  }
})
