/**
 * The sessions of a namespace whose sockets can be recovered: kept when a connection is lost, taken when its client comes back.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import {
  AdapterError,
  isFor,
  type RecoveryStore,
  type RestoredSession,
  type SocketSession
} from "../adapter/Adapter.ts"
import * as DisconnectReason from "../protocol/DisconnectReason.ts"
import type { Deadline, Expirable } from "../runtime/Deadlines.ts"
import * as Turn from "../runtime/Turn.ts"
import { type Delivered, RecoveringOutbox } from "./RecoveringOutbox.ts"
import type { Claim, FailureReason, MissedEvent, RecoverySettings } from "./Recovery.ts"
import * as Recovery from "./Recovery.ts"
import { report } from "./ServerCore.ts"
import type { ServerNamespace } from "./ServerNamespace.ts"
import { reliable, type ServerSocket } from "./ServerSocket.ts"
import type { Disconnected } from "./SocketError.ts"

/** A session that was taken, with what happened since. */
export interface Taken {
  readonly _tag: "Taken"
  readonly restored: RestoredSession
  /** Where its client was: what it named, or where its session began. */
  readonly from: string | undefined
  /** What is delivered here until it is connected. */
  readonly gathering: Array<Delivered>
}

/** A session that could not be taken. */
export interface NotTaken {
  readonly _tag: "NotTaken"
  readonly reason: FailureReason
}

/** What became of a claim. */
export type Outcome = Taken | NotTaken

const unavailable = Effect.fail(new AdapterError({ reason: "Timeout", operation: "restore" }))

const reasonOf = (exit: Exit.Failure<unknown, { readonly _tag: string; readonly reason: string }>): FailureReason => {
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return error?._tag === "RecoveryFailed" ? (error.reason as FailureReason) : "Unavailable"
}

/** The recovery of one namespace. */
export class NamespaceRecovery implements Turn.Flushable {
  readonly settings: RecoverySettings
  /** Whether the store leaves offsets to an adapter that delivers itself: nothing is added to events then. */
  readonly foreign: boolean
  readonly outbox: RecoveringOutbox
  readonly #namespace: ServerNamespace
  readonly #store: RecoveryStore
  /** Connected sockets by their private id: a client may come back before the loss of its connection is noticed. */
  readonly #live = new Map<string, ServerSocket>()
  /** Sessions that are being kept. */
  readonly #keeping = new Map<string, Fiber.Fiber<unknown>>()
  /** … and what is to be kept after that. */
  readonly #next = new Map<string, Effect.Effect<unknown, AdapterError>>()
  /** Answers of admissions that have not come to an end, by socket: what they gather. */
  readonly #gatherings = new Map<ServerSocket, Taken>()
  readonly #changed = new Set<ServerSocket>()
  readonly #refreshes = new Map<ServerSocket, Deadline>()
  #turn: Turn.Turn | undefined = undefined

  constructor(namespace: ServerNamespace, store: RecoveryStore, settings: RecoverySettings, foreign: boolean) {
    this.#namespace = namespace
    this.#store = store
    this.settings = settings
    this.foreign = foreign
    this.outbox = new RecoveringOutbox(namespace, store, settings)
  }

  // ---- coming back

  /** Takes the session of a claim, and tells. Gives a way to stop: the session is put back then. */
  take(claim: Claim, done: (outcome: Outcome) => void): () => void {
    const live = this.#live.get(claim.pid)
    if (live !== undefined) live.supersede("transport close", true)
    // From before the log is read, so that nothing can slip through between the two.
    const gathering = this.outbox.gather()
    const { pid, offset } = claim
    const kept = Effect.suspend(() => {
      const keeping = this.#keeping.get(pid)
      return keeping === undefined ? Effect.void : Fiber.await(keeping)
    })
    const restoring = Effect.andThen(
      kept,
      Effect.suspend(() => this.#store.restore(pid, offset))
    ).pipe(Effect.timeoutOrElse({ duration: this.settings.storeTimeout, orElse: () => unavailable }))
    let stopped = false
    const settle = (exit: Exit.Exit<RestoredSession, { readonly _tag: string; readonly reason: string }>): void => {
      const outcome = this.#outcome(exit, offset, gathering)
      if (outcome._tag === "NotTaken") this.outbox.stopGathering(gathering)
      if (!stopped) return done(outcome)
      if (outcome._tag === "Taken") this.putBack(outcome)
    }
    const fiber = Effect.runForkWith(this.#namespace.definition.context)(restoring)
    const exit = fiber.pollUnsafe()
    if (exit === undefined) fiber.addObserver(settle)
    else settle(exit)
    return () => {
      stopped = true
    }
  }

  #outcome(
    exit: Exit.Exit<RestoredSession, { readonly _tag: string; readonly reason: string }>,
    offset: string | undefined,
    gathering: Array<Delivered>
  ): Outcome {
    if (Exit.isFailure(exit)) {
      const reason = reasonOf(exit)
      if (reason === "Unavailable") this.#reportFailure(exit.cause)
      return { _tag: "NotTaken", reason }
    }
    const { session } = exit.value
    if (session.sid === "") return { _tag: "NotTaken", reason: "SessionUnknown" }
    const from = offset ?? session.since
    if (this.outbox.holes.isBehind(from)) return { _tag: "NotTaken", reason: "LogTruncated" }
    return { _tag: "Taken", restored: exit.value, from, gathering }
  }

  /** Nobody became of it: another attempt of the client may. */
  putBack(taken: Taken): void {
    this.outbox.stopGathering(taken.gathering)
    this.#keep(taken.restored.session)
  }

  /** Gives a socket that is being let in what it was, or what it needs to come back itself. */
  prepare(socket: ServerSocket, outcome: Outcome | undefined): void {
    if (outcome?._tag === "Taken") {
      const { session, missed } = outcome.restored
      socket.session = new Recovery.SocketRecovery(
        session.pid,
        outcome.from,
        { _tag: "Recovered", missed: missed.length },
        session
      )
      this.#gatherings.set(socket, outcome)
      socket.memberships = new Set([socket.id, ...session.rooms])
      return
    }
    if (outcome !== undefined) this.#namespace.core.counters.notRecovered++
    const result: Recovery.Recovery =
      outcome === undefined ? Recovery.fresh : { _tag: "NotRecovered", reason: outcome.reason }
    socket.session = new Recovery.SocketRecovery(this.#namespace.core.makeId(), undefined, result, undefined)
  }

  /** It will not be connected. */
  dropped(socket: ServerSocket): void {
    const taken = this.#gatherings.get(socket)
    this.#gatherings.delete(socket)
    if (taken === undefined) return
    this.putBack(taken)
  }

  /** What the client is told with its id. A client of ours learns by `offset` that it is the last text of each event, and where the log is. */
  answer(socket: ServerSocket): Readonly<Record<string, string | null>> {
    const { session, id } = socket
    if (session === undefined) return { sid: id }
    if (this.foreign) return { sid: id, pid: session.pid }
    if (session.taken === undefined) socket.session = session.startingAt(this.outbox.position)
    return { sid: id, pid: session.pid, offset: socket.session!.since ?? null }
  }

  /** It was told that it is connected: what it missed follows, before anything else. */
  connected(socket: ServerSocket): void {
    const { session } = socket
    if (session === undefined) return
    this.#live.set(session.pid, socket)
    const taken = this.#gatherings.get(socket)
    this.#gatherings.delete(socket)
    if (taken !== undefined) {
      session.taken = undefined
      this.#namespace.core.counters.recovered++
      this.outbox.stopGathering(taken.gathering)
      this.#replay(socket, session, taken)
    }
    if (this.settings.persist !== "always") return
    this.changed(socket)
    const { adapter } = this.#namespace
    if (taken === undefined || adapter?.remote !== true) return
    // It may seem alive on another node. Left, not closed: a closed one would keep its session once more.
    this.#run(adapter.disconnect({ rooms: new Set([socket.id]), except: new Set() }, false))
  }

  #replay(socket: ServerSocket, session: Recovery.SocketRecovery, { from, restored, gathering }: Taken): void {
    const seen = new Set(restored.missed.map(({ offset }) => offset))
    const rooms = Array.from(this.#namespace.rooms.of(socket))
    for (const missed of restored.missed) this.#write(socket, session, missed)
    // A client that comes from a node ahead of this one has seen the first of what this one has delivered meanwhile.
    const unseen = gathering.slice(gathering.findLastIndex(({ offset }) => offset === from) + 1)
    for (const delivered of unseen) {
      // This node has it behind it: it will not come once more.
      if (seen.delete(delivered.offset)) continue
      if (isFor(delivered.target, rooms)) this.#write(socket, session, delivered)
    }
    const last = restored.missed.at(-1)?.offset
    // The log can be ahead of what this node has delivered.
    if (seen.size > 0 && last !== this.outbox.position && seen.has(last!)) session.replayed = seen
  }

  #write(socket: ServerSocket, session: Recovery.SocketRecovery, { event, offset }: MissedEvent): void {
    let group = event.frames
    try {
      group ??= this.#namespace.encode([...event.data, offset], undefined)
    } catch {
      // The facade throws to programs that emit; nobody emits here.
      group = undefined
    }
    if (socket.write(group, reliable) === "dropped") return
    session.last = offset
    this.#namespace.core.counters.replayed++
  }

  // ---- going

  /** The connection begins to end: nothing is written to the socket from here on. */
  leaving({ session }: ServerSocket): void {
    if (session !== undefined) session.end = this.outbox.position
  }

  /** The socket goes, and is still in its rooms. */
  lost(socket: ServerSocket, { reason }: Disconnected): void {
    const { session } = socket
    if (session === undefined) return
    if (this.#live.get(session.pid) === socket) this.#live.delete(session.pid)
    this.#stopRefreshing(socket)
    if (session.superseded) return
    if (DisconnectReason.keepsSession(reason)) return this.#keep(this.#sessionOf(socket, session))
    if (this.settings.persist === "always") this.#forget(session.pid)
  }

  /** Its rooms or data are not what was kept of it. */
  changed(socket: ServerSocket): void {
    if (this.settings.persist !== "always" || !socket.connected || socket.session === undefined) return
    this.#changed.add(socket)
    if (this.#changed.size > 1) return
    ;(this.#turn ??= Turn.makeUnsafe(this.#namespace.definition.context)).schedule(this)
  }

  flush(): void {
    for (const socket of this.#changed) {
      this.#changed.delete(socket)
      if (!socket.connected || socket.session === undefined) continue
      this.#keep(this.#sessionOf(socket, socket.session))
      this.#stopRefreshing(socket)
      // Stores forget what is not renewed.
      const refresh: Expirable = { onDeadline: () => this.changed(socket) }
      const { deadlines } = this.#namespace.core
      this.#refreshes.set(socket, deadlines.set(Math.max(this.settings.maxDisconnectionDuration / 2, 1), refresh))
    }
  }

  #stopRefreshing(socket: ServerSocket): void {
    const refresh = this.#refreshes.get(socket)
    if (refresh === undefined) return
    this.#refreshes.delete(socket)
    this.#namespace.core.deadlines.cancel(refresh)
  }

  #sessionOf(socket: ServerSocket, session: Recovery.SocketRecovery): SocketSession {
    return {
      sid: socket.id,
      pid: session.pid,
      rooms: Array.from(this.#namespace.rooms.of(socket)),
      data: this.#namespace.wireData(socket),
      since: session.since,
      // Of a socket that is still there nothing can be said: it goes on.
      written: session.end === undefined ? undefined : { last: session.last, end: session.end }
    }
  }

  #keep(session: SocketSession): void {
    this.#inOrder(
      session.pid,
      Effect.suspend(() => this.#store.persist(session))
    )
  }

  /** A session that is kept while its socket is there, and is over now. Stores have no other word for it than one that nobody can take up. */
  #forget(pid: string): void {
    const over: SocketSession = { sid: "", pid, rooms: [], data: {}, since: undefined }
    this.#inOrder(
      pid,
      Effect.suspend(() => this.#store.persist(over))
    )
  }

  /** One after the other for each session; of what waits only the last counts. */
  #inOrder(pid: string, effect: Effect.Effect<unknown, AdapterError>): void {
    if (this.#keeping.has(pid)) {
      this.#next.set(pid, effect)
      return
    }
    const all = Effect.gen({ self: this }, function* () {
      let current: Effect.Effect<unknown, AdapterError> | undefined = effect
      while (current !== undefined) {
        yield* Effect.exit(this.#guarded(current))
        current = this.#next.get(pid)
        this.#next.delete(pid)
      }
      this.#keeping.delete(pid)
    })
    const fiber = this.#namespace.run(all)
    if (fiber !== undefined) this.#keeping.set(pid, fiber)
  }

  #guarded(effect: Effect.Effect<unknown, AdapterError>): Effect.Effect<void> {
    return effect.pipe(
      Effect.timeoutOrElse({ duration: this.settings.storeTimeout, orElse: () => unavailable }),
      Effect.catchCause((cause) => Effect.sync(() => this.#reportFailure(cause))),
      Effect.asVoid
    )
  }

  #run(effect: Effect.Effect<unknown, AdapterError>): void {
    this.#namespace.run(this.#guarded(effect))
  }

  #reportFailure(cause: Cause.Cause<unknown>): void {
    report(this.#namespace.definition.context, {
      cause,
      stage: "adapter",
      event: undefined,
      socketId: undefined,
      namespace: this.#namespace.name
    })
  }
}
