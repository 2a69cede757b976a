/**
 * What one session has missed: the events after its place in the log, read by a consumer of their own.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AdapterError, EventData, Target } from "../Adapter.ts"
import * as ClusterCodec from "../ClusterCodec.ts"
import { MessageType } from "../ClusterMessage.ts"
import * as Consumer from "./NatsConsumer.ts"
import type { LogEntry } from "./NatsLogEntry.ts"

/** Whether an event was for a socket in these rooms; its own id is one of them. */
export const isFor = (target: Target, rooms: ReadonlySet<string>): boolean => {
  for (const room of target.except) if (rooms.has(room)) return false
  if (target.rooms.size === 0) return true
  for (const room of target.rooms) if (rooms.has(room)) return true
  return false
}

/** An event that was missed. */
export interface MissedEvent {
  readonly event: EventData
  readonly place: number
}

/** What to look for. */
export interface BacklogRequest extends Omit<Consumer.ConsumerRequest, "sink"> {
  readonly namespace: string
  readonly rooms: ReadonlySet<string>
  readonly maxMessageSize: number
  /** Told after each entry, and when reading has failed. */
  readonly onProgress: () => void
  /** Told of entries that cannot be read. */
  readonly onIgnored: () => void
}

/** A backlog as it is read. */
export interface Backlog {
  readonly missed: ReadonlyArray<MissedEvent>
  /** The places of all events that were read, also those for others, as far as `until` asks. */
  lastUpTo(place: number): number
  /** The last event that was read; 0 where there was none. */
  readonly last: number
  /** Whether everything has been read that was there at the beginning. */
  readonly complete: boolean
  /** Why reading has stopped, where it has. */
  readonly failure: unknown
}

/** Reads from a place on, until the scope closes. */
export const make = Effect.fnUntraced(function* (
  request: BacklogRequest
): Effect.fn.Return<Backlog, AdapterError, Scope.Scope> {
  const { namespace, rooms, maxMessageSize, onProgress, onIgnored } = request
  const missed: Array<MissedEvent> = []
  const places: Array<number> = []
  let complete = false
  let failure: unknown

  const onEntry = (entry: LogEntry): void => {
    places.push(entry.sequence)
    if (entry.pending === 0) complete = true
    const body = ClusterCodec.decode(entry.data, namespace, { maxSize: maxMessageSize })?.body
    if (body?.type !== MessageType.BROADCAST) onIgnored()
    else if (body.requestId === undefined && !body.flags.volatile && isFor(body.target, rooms)) {
      missed.push({ event: body.event, place: entry.sequence })
    }
    onProgress()
  }
  const consumer = yield* Consumer.make({
    ...request,
    sink: {
      onEntry,
      onBroken: (cause) => {
        failure = cause ?? new Error("broken")
        onProgress()
      },
      onForeign: onIgnored
    }
  })
  if (consumer.pending === 0) complete = true
  return {
    missed,
    lastUpTo: (place) => places.findLast((found) => found <= place) ?? 0,
    get last() {
      return places.at(-1) ?? 0
    },
    get complete() {
      return complete
    },
    get failure() {
      return failure
    }
  }
})
