/**
 * A log outside of the server, as a test wants it: slow, refusing, or shared by several servers.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import {
  Adapter,
  type EventData,
  isFor,
  type LocalSockets,
  type NamespaceAdapter,
  RecoveryFailed,
  type SocketSession,
  type Target
} from "../../src/adapter/Adapter.ts"

/** How the log behaves. */
export interface LogOptions {
  /** Whether the test says when an event is stored; else it is at once. */
  readonly manual?: boolean
  /** Whether there may be other nodes. */
  readonly remote?: boolean
  /** Events whose first argument it does not take. */
  readonly refuse?: (argument: unknown) => boolean
}

/** A log with its sessions, and the layer of an adapter for it. */
export const makeLog = (options: LogOptions = {}) => {
  const entries: Array<{ readonly target: Target; readonly data: EventData["data"] }> = []
  const waiting: Array<() => void> = []
  const sessions = new Map<string, SocketSession>()
  const nodes = new Set<LocalSockets>()
  /** The last event that was stored, and who waits for which. */
  let delivered = 0
  const catchingUp: Array<{ readonly place: number; readonly resume: () => void }> = []
  const log = {
    sessions,
    /** How many times a session was kept. */
    persisted: 0,
    /** The offsets that were named. */
    asked: [] as Array<string | undefined>,
    /** Comes before. */
    persisting: Effect.void as Effect.Effect<void>,
    restoring: Effect.void as Effect.Effect<void>,
    /** The store says what became of the nth event. */
    complete: (index: number): void => waiting[index]!(),
    layer: Layer.succeed(Adapter, {
      name: "log",
      make: (own) =>
        Effect.gen(function* () {
          nodes.add(own)
          yield* Effect.addFinalizer(() => Effect.sync(() => nodes.delete(own)))
          const others = (): Array<LocalSockets> => Array.from(nodes).filter((node) => node !== own)
          const adapter: NamespaceAdapter = {
            remote: options.remote === true,
            publish: (target, event, flags) => others().forEach((node) => node.deliver(target, event, flags)),
            publishWithAcks: () => Stream.empty,
            join: () => Effect.void,
            leave: () => Effect.void,
            disconnect: (target, close) =>
              Effect.sync(() => others().forEach((node) => node.disconnect(target, close))),
            fetchSockets: () => Effect.succeed([]),
            serverSideEmit: () => Effect.void,
            serverSideEmitWithAck: () => Stream.empty,
            serverCount: Effect.sync(() => nodes.size),
            roomCreated: () => {},
            roomDeleted: () => {},
            subscribed: () => Effect.void,
            recovery: {
              append(target, event, flags, done) {
                if (options.refuse?.(event.data[1]) === true) return done(undefined)
                // As a broker keeps it: a copy.
                entries.push({ target, data: structuredClone(event.data) as EventData["data"] })
                const offset = String(entries.length)
                const settle = (): void => {
                  delivered = Number(offset)
                  done(offset)
                  for (const node of others()) node.deliver(target, { data: event.data }, flags, offset)
                  for (const waiter of catchingUp.splice(0)) {
                    if (waiter.place <= delivered) waiter.resume()
                    else catchingUp.push(waiter)
                  }
                }
                if (options.manual === true) waiting.push(settle)
                else settle()
              },
              position: undefined,
              persist: (session) =>
                Effect.andThen(
                  log.persisting,
                  Effect.sync(() => {
                    log.persisted++
                    sessions.set(session.pid, session)
                  })
                ),
              restore: (pid, offset) =>
                Effect.andThen(
                  Effect.andThen(
                    log.restoring,
                    Effect.callback<void>((resume) => {
                      const place = Number(offset ?? sessions.get(pid)?.since ?? 0)
                      if (place <= delivered || place > entries.length) resume(Effect.void)
                      else catchingUp.push({ place, resume: () => resume(Effect.void) })
                    })
                  ),
                  Effect.suspend(() => {
                    log.asked.push(offset)
                    const session = sessions.get(pid)
                    sessions.delete(pid)
                    if (session === undefined) return Effect.fail(new RecoveryFailed({ reason: "SessionUnknown" }))
                    const from = Number(offset ?? session.since ?? 0)
                    const missed = entries.flatMap(({ data, target }, index) =>
                      index >= from && isFor(target, session.rooms)
                        ? [{ event: { data }, offset: String(index + 1) }]
                        : []
                    )
                    return Effect.succeed({ session, missed })
                  })
                )
            }
          }
          return adapter
        })
    })
  }
  return log
}
