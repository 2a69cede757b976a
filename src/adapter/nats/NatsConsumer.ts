/**
 * One reading of the log: from a place on, in order, until something is missing.
 *
 * The server pushes; it keeps the consumer in memory and forgets it soon after nobody listens. Nothing is acknowledged: whoever misses
 * something makes a new consumer that begins after the last entry it had.
 */
import { AckPolicy, DeliverPolicy, type JetStreamManager, ReplayPolicy } from "@nats-io/jetstream"
import { createInbox, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AdapterError } from "../Adapter.ts"
import { unavailable } from "./NatsErrors.ts"
import * as LogEntry from "./NatsLogEntry.ts"

/** Hears what a consumer delivers; never throws. */
export interface ConsumerSink {
  onEntry(entry: LogEntry.LogEntry): void
  /** Nothing more will come. */
  onBroken(cause: unknown): void
  /** Something came that no consumer delivers. */
  onForeign(): void
}

/** What to read. */
export interface ConsumerRequest {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly stream: string
  /** The subjects, by one pattern. */
  readonly filter: string
  /** The first place, from 1. */
  readonly from: number
  /** How often the server says that it is there, in milliseconds. */
  readonly idleHeartbeat: number
  readonly sink: ConsumerSink
}

/** A reading under way. */
export interface Consumer {
  /** How many entries there were to deliver at the beginning. */
  readonly pending: number
}

const nanosPerMilli = 1_000_000

class Reading {
  readonly #connection: NatsConnection
  readonly #sink: ConsumerSink
  #delivery = 0
  /** Whether the server was heard since it was last asked. */
  #heard = true
  #over = false

  constructor({ connection, sink }: ConsumerRequest) {
    this.#connection = connection
    this.#sink = sink
  }

  onSignal(signal: LogEntry.LogSignal | undefined): void {
    if (this.#over) return
    if (signal === undefined) return this.#sink.onForeign()
    this.#heard = true
    switch (signal._tag) {
      case "Entry":
        if (signal.delivery !== this.#delivery + 1) return this.end(new Error("an entry was lost on the way"))
        this.#delivery = signal.delivery
        return this.#sink.onEntry(signal)
      case "Heartbeat":
        if (signal.delivery !== undefined && signal.delivery > this.#delivery) {
          return this.end(new Error("an entry was lost on the way"))
        }
        if (signal.answerTo !== undefined) this.#answer(signal.answerTo)
        return
      case "FlowControl":
        return this.#answer(signal.answerTo)
      case "Ended":
        return this.end(new Error(signal.reason))
    }
  }

  /** Whether the server was silent since the last call. */
  silent(): boolean {
    const heard = this.#heard
    this.#heard = false
    return !heard
  }

  end(cause: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#sink.onBroken(cause)
  }

  /** Nothing is told any more. */
  leave(): void {
    this.#over = true
  }

  #answer(subject: string): void {
    try {
      this.#connection.publish(subject)
    } catch (cause) {
      this.end(cause)
    }
  }
}

/** Reads until the scope closes. Entries may come before this completes. */
export const make = Effect.fnUntraced(function* (
  request: ConsumerRequest
): Effect.fn.Return<Consumer, AdapterError, Scope.Scope> {
  const { connection, manager, stream, filter, from, idleHeartbeat } = request
  const reading = new Reading(request)
  const inbox = createInbox()
  const created: { name?: string } = {}
  yield* Effect.acquireRelease(
    Effect.try({
      try: () =>
        connection.subscribe(inbox, {
          callback: (error, message) => {
            if (error === null) reading.onSignal(LogEntry.read(message))
            else reading.end(error)
          }
        }),
      catch: (cause) => unavailable("read", cause)
    }),
    (subscription) =>
      Effect.sync(() => {
        reading.leave()
        subscription.unsubscribe()
        // The server forgets it soon anyway; nobody waits for the answer.
        if (created.name === undefined || connection.isClosed()) return
        manager.consumers.delete(stream, created.name).catch(() => {})
      })
  )
  const info = yield* Effect.tryPromise({
    try: () =>
      manager.consumers.add(stream, {
        deliver_subject: inbox,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: Math.max(from, 1),
        filter_subject: filter,
        ack_policy: AckPolicy.None,
        replay_policy: ReplayPolicy.Instant,
        max_deliver: 1,
        flow_control: true,
        idle_heartbeat: idleHeartbeat * nanosPerMilli,
        inactive_threshold: Math.max(idleHeartbeat * 5, 5000) * nanosPerMilli,
        mem_storage: true,
        num_replicas: 1
      }),
    catch: (cause) => unavailable("read", cause)
  })
  created.name = info.name
  const watch = Effect.gen(function* () {
    for (;;) {
      yield* Effect.sleep(idleHeartbeat * 3)
      if (reading.silent()) return reading.end(new Error("the server was silent"))
    }
  })
  yield* Effect.forkScoped(watch, { startImmediately: true })
  return { pending: info.num_pending }
})
