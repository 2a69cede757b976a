/**
 * The store of one namespace in JetStream: sessions in a bucket, and what they have missed in the log.
 */
import type { JetStreamClient, JetStreamManager } from "@nats-io/jetstream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import {
  type AdapterError,
  RecoveryFailed,
  type RecoveryOptions,
  type RestoredSession,
  type SocketSession
} from "../Adapter.ts"
import type { BusStore } from "../ClusterBus.ts"
import * as Backlog from "./NatsBacklog.ts"
import { unavailable } from "./NatsErrors.ts"
import * as EventHistory from "./NatsEventHistory.ts"
import type { NatsLink } from "./NatsLink.ts"
import * as Offset from "./NatsOffset.ts"
import type { NatsJetStreamSettings } from "./NatsOptions.ts"
import { headerRoom } from "./NatsParts.ts"
import * as Sessions from "./NatsSessions.ts"
import * as Streams from "./NatsStreams.ts"

/** How many places of events go with a session, for nodes that have not read them. */
const tailLength = 32

/** After a server has restarted, all its clients return at once, and each may need a consumer of its own. */
const concurrentRestores = 32

/** The log of the namespace, as this node reads it. */
export interface LogView {
  /** Whether it is being read. */
  readonly open: boolean
  readonly position: Offset.NatsOffset
  readonly history: EventHistory.EventHistory
  /** Adds who is told after each entry; call the result to remove it. */
  watch(onEntry: () => void): () => void
}

/** What the store works with. */
export interface RecoveryRequest {
  readonly link: NatsLink
  readonly client: JetStreamClient
  readonly manager: JetStreamManager
  readonly settings: NatsJetStreamSettings
  readonly recovery: RecoveryOptions
  readonly namespace: string
  /** The subject of events. */
  readonly subject: string
  readonly log: LogView
  readonly onIgnored: () => void
}

const truncated = new RecoveryFailed({ reason: "LogTruncated" })
const unknown = new RecoveryFailed({ reason: "SessionUnknown" })
const nowhere = new RecoveryFailed({ reason: "OffsetUnknown" })

/** The store; the bucket is made where there is none. */
export const make = Effect.fnUntraced(function* (request: RecoveryRequest): Effect.fn.Return<BusStore, AdapterError> {
  const { link, client, manager, settings, recovery, namespace, subject, log, onIgnored } = request
  const { maxDisconnectionDuration } = recovery
  yield* Streams.ensureBucket(manager, settings, maxDisconnectionDuration)
  const sessions = Sessions.make({
    client,
    manager,
    bucket: Streams.bucketOf(settings, maxDisconnectionDuration),
    namespace,
    maxSize: () => link.maxPayload - headerRoom,
    timeout: settings.publishTimeout
  })

  const turns = yield* Semaphore.make(concurrentRestores)

  const ready = (operation: string): Effect.Effect<void, AdapterError> =>
    Effect.suspend(() => (link.ready && log.open ? Effect.void : Effect.fail(unavailable(operation))))

  const persist = (session: SocketSession): Effect.Effect<void, AdapterError> =>
    Effect.andThen(
      ready("persist"),
      Effect.suspend(() => {
        const { epoch, sequence } = log.position
        return sessions.keep({ session, epoch, tail: log.history.tail(tailLength, sequence) })
      })
    )

  /** Whether nothing after the place can have been cut off. `first` is the first place that is left. */
  const isWhole = (place: number, first: number, kept: Sessions.KeptSession): boolean => {
    let from = place
    if (from + 1 >= first) return true
    const before = EventHistory.following(kept.tail, from)
    if (before._tag === "At") return before.place >= first
    if (before._tag === "After") from = before.position
    if (from + 1 >= first) return true
    const here = EventHistory.following(log.history.all(log.position.sequence), from)
    if (here._tag === "At") return here.place >= first
    return here._tag === "After" && here.position + 1 >= first
  }

  /** Whether this node has read past the place, and no event after it. */
  const isUpToDate = ({ epoch, sequence }: Offset.NatsOffset): boolean =>
    epoch === log.position.epoch &&
    sequence <= log.position.sequence &&
    EventHistory.following(log.history.all(log.position.sequence), sequence)._tag === "After"

  const take = (found: Sessions.FoundSession): Effect.Effect<void, RecoveryFailed | AdapterError> =>
    Effect.flatMap(found.take, (taken) => (taken ? Effect.void : Effect.fail(unknown)))

  /** What was missed, up to what this node has delivered at the moment when this completes. */
  const read = Effect.fnUntraced(function* (
    { epoch, sequence: from }: Offset.NatsOffset,
    found: Sessions.FoundSession,
    isTaken: boolean
  ): Effect.fn.Return<RestoredSession, RecoveryFailed | AdapterError, Scope.Scope> {
    const { session } = found
    const start = Math.min(from, log.position.sequence)
    // What this node has read before is among what there is at the beginning, or gone.
    const readBefore = log.history.lastEvent
    const progress: { tell: () => void } = { tell: () => {} }
    const backlog = yield* Backlog.make({
      connection: link.connection,
      manager,
      stream: settings.stream,
      filter: subject,
      from: start + 1,
      idleHeartbeat: settings.idleHeartbeat,
      namespace,
      rooms: new Set([...session.rooms, session.sid]),
      maxMessageSize: settings.maxMessageSize,
      onProgress: () => progress.tell(),
      onIgnored
    })
    /** Whether all was read that this node has delivered, and this node has delivered all that the session has had before. */
    const isSettled = (): boolean => {
      const { lastEvent } = log.history
      const read = backlog.complete && (lastEvent <= readBefore || backlog.last >= lastEvent)
      return read && backlog.lastUpTo(from) <= log.position.sequence
    }
    /** How reading has ended, once it has. */
    const verdict = (): Effect.Effect<void, RecoveryFailed | AdapterError> | undefined => {
      if (log.position.epoch !== epoch) return Effect.fail(nowhere)
      if (backlog.missed.length > settings.maxMissed) return Effect.fail(truncated)
      if (backlog.failure !== undefined) return Effect.fail(unavailable("restore", backlog.failure))
      return isSettled() ? Effect.void : undefined
    }
    const nextVerdict = Effect.callback<void, RecoveryFailed | AdapterError>((resume) => {
      const check = (): void => {
        const ended = verdict()
        if (ended === undefined) return
        leave()
        resume(ended)
      }
      const unwatch = log.watch(check)
      const leave = (): void => {
        progress.tell = () => {}
        unwatch()
      }
      progress.tell = check
      return Effect.sync(leave)
    })
    const settled = Effect.suspend(() => verdict() ?? nextVerdict).pipe(
      Effect.timeoutOrElse({
        duration: settings.publishTimeout,
        orElse: () => Effect.fail(unavailable("restore", new Error("the log could not be read in time")))
      })
    )
    yield* settled
    // After the log was read: what has been cut off until now may have been cut off while it was read.
    const state = yield* Streams.currentLog(manager, settings)
    if (state?.epoch !== epoch || from > state.last) return yield* nowhere
    if (!isWhole(from, state.first, found)) return yield* truncated
    if (!isTaken) yield* take(found)
    // What has been delivered here meanwhile, the session has missed, too.
    yield* settled
    const until = log.position.sequence
    const missed = backlog.missed
      .filter(({ place }) => place > from && place <= until)
      .map(({ event, place }) => ({ event, offset: Offset.format({ epoch, sequence: place }) }))
    return { session, missed }
  })

  const restore = Effect.fnUntraced(function* (
    pid: string,
    offset: string | undefined
  ): Effect.fn.Return<RestoredSession, RecoveryFailed | AdapterError> {
    const named = offset === undefined ? undefined : Offset.parse(offset)
    // Before the session is looked for: whoever names nonsense may try again.
    if (offset !== undefined && named === undefined) return yield* nowhere
    yield* ready("restore")
    const found = yield* sessions.find(pid)
    if (found === undefined) return yield* unknown
    const { since } = found.session
    const place = named ?? (since === undefined ? undefined : Offset.parse(since))
    if (place === undefined || place.epoch !== log.position.epoch || found.epoch !== place.epoch) return yield* nowhere
    const nothingMissed = isUpToDate(place)
    if (nothingMissed) {
      yield* take(found)
      if (isUpToDate(place)) return { session: found.session, missed: [] }
    }
    return yield* Effect.scoped(read(place, found, nothingMissed))
  })

  return {
    get position() {
      const { lastEvent, beginning } = log.history
      return Offset.format({ epoch: log.position.epoch, sequence: Math.max(lastEvent, beginning) })
    },
    persist,
    restore: (pid, offset) => Semaphore.withPermit(turns, restore(pid, offset))
  }
})
