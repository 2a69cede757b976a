/**
 * The connection to NATS: whether what is published would leave, and who is told when it is lost and back.
 *
 * The client reconnects by itself and subscribes again. What it is given meanwhile it keeps, and throws away when it dials, so nothing is given
 * to it while it is not connected.
 */
import { connect, type NatsConnection, type NodeConnectionOptions, type Status } from "@nats-io/transport-node"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { AdapterError } from "../Adapter.ts"

/** Hears of the connection; never throws. */
export interface LinkListener {
  onLost(cause: unknown): void
  /** Connected again, and subscribed again. */
  onBack(): void
}

/** A connection that is watched. */
export interface NatsLink {
  readonly connection: NatsConnection
  /** Whether a message would leave now. */
  readonly ready: boolean
  /** Completes when a message would leave. */
  readonly whenReady: Effect.Effect<void>
  /** The largest payload that the server takes, headers included, in bytes. */
  readonly maxPayload: number
  /** Adds a listener; call the result to remove it. */
  listen(listener: LinkListener): () => void
}

/** Exponential from 100 milliseconds to 2 seconds, spread by a fifth, without end. */
export const defaultReconnection: Schedule.Schedule<unknown> = Schedule.min([
  Schedule.exponential("100 millis"),
  Schedule.spaced("2 seconds")
]).pipe(Schedule.jittered)

/** What servers of NATS allow where none has said yet. */
const usualMaxPayload = 1024 * 1024

/** How long the last messages may take to leave. */
const farewell = "500 millis"

type Statuses = AsyncIterable<Status> & { readonly stop?: () => void }

/** Watches a connection until the scope closes; it belongs to whoever made it. */
export const watch = Effect.fnUntraced(function* (
  connection: NatsConnection
): Effect.fn.Return<NatsLink, never, Scope.Scope> {
  const listeners = new Set<LinkListener>()
  let ready = !connection.isClosed()
  let maxPayload = connection.info?.max_payload ?? usualMaxPayload
  let lastError: unknown
  let open = true

  const lost = (cause: unknown): void => {
    if (!open || !ready) return
    ready = false
    for (const listener of Array.from(listeners)) listener.onLost(cause)
  }
  const back = (): void => {
    if (!open || ready) return
    ready = true
    maxPayload = connection.info?.max_payload ?? maxPayload
    for (const listener of Array.from(listeners)) listener.onBack()
  }
  const onStatus = (status: Status): void => {
    switch (status.type) {
      case "error":
        lastError = status.error
        return
      case "disconnect":
        return lost(lastError ?? new Error(`disconnected from ${status.server}`))
      case "reconnect":
        lastError = undefined
        return back()
      case "close":
        return lost(lastError ?? new Error("the connection was closed"))
    }
  }
  const statuses: Statuses = connection.status()
  const follow = async (): Promise<void> => {
    for await (const status of statuses) onStatus(status)
  }
  // Ends when the connection closes or the iterator is stopped, and has nothing to fail with.
  void follow().catch(lost)
  void connection.closed().then((cause) => lost(cause ?? new Error("the connection was closed")))
  const listen = (listener: LinkListener): (() => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      open = false
      ready = false
      listeners.clear()
      statuses.stop?.()
    })
  )
  return {
    connection,
    get ready() {
      return ready && !connection.isClosed() && !connection.isDraining()
    },
    get maxPayload() {
      return maxPayload
    },
    whenReady: Effect.callback<void>((resume) => {
      if (ready) return resume(Effect.void)
      const unlisten = listen({
        onLost: () => {},
        onBack: () => {
          unlisten()
          resume(Effect.void)
        }
      })
      return Effect.sync(unlisten)
    }),
    listen
  }
})

/** A schedule, asked for one delay after the other by a client that cannot wait for the answer. */
class Delays {
  readonly #clock: Clock.Clock
  readonly #begin: () => Step
  #step: Step | undefined
  #current = 0
  #dialled = true
  /** Whether the first connection waits, too; else it is only tried once. */
  #active: boolean
  /** Told when the schedule has come to its end. */
  onEnd: () => void = () => {}

  constructor(schedule: Schedule.Schedule<unknown>, clock: Clock.Clock, active: boolean) {
    this.#active = active
    this.#clock = clock
    this.#begin = () => Effect.runSync(Schedule.toStep(schedule))
  }

  /** The client is about to dial. */
  dialled(): void {
    this.#dialled = true
  }

  /** Begins from the start: the last attempt succeeded. */
  reset(): void {
    this.#active = true
    this.#step = undefined
  }

  /** The client asks several times for each attempt; only the first time after an attempt the schedule goes on. */
  readonly delay = (): number => {
    if (!this.#active) return 0
    if (!this.#dialled) return this.#current
    this.#dialled = false
    this.#step ??= this.#begin()
    const exit = Effect.runSyncExit(this.#step(this.#clock.currentTimeMillisUnsafe(), undefined))
    if (Exit.isSuccess(exit)) this.#current = Duration.toMillis(exit.value[1])
    else this.onEnd()
    return this.#current
  }
}

type Step = Effect.Success<ReturnType<typeof Schedule.toStep<unknown, unknown, never, never>>>

/** How to connect: the client's own options, and the delays between attempts. */
export interface ConnectOptions extends Omit<
  NodeConnectionOptions,
  | "reconnect"
  | "maxReconnectAttempts"
  | "reconnectDelayHandler"
  | "reconnectJitter"
  | "reconnectJitterTLS"
  | "reconnectTimeWait"
> {
  /** Delays between attempts to reconnect; when it ends, the connection stays closed. Default: exponential from 100 milliseconds to 2 seconds. */
  readonly reconnection?: Schedule.Schedule<unknown> | undefined
}

/** Connects, and watches the connection; it closes with the scope. Fails with `Unavailable` when the first attempt fails. */
export const make = Effect.fnUntraced(function* (
  options: ConnectOptions
): Effect.fn.Return<NatsLink, AdapterError, Scope.Scope> {
  const { reconnection = defaultReconnection, reconnectToServer, ...native } = options
  const delays = new Delays(reconnection, yield* Clock.Clock, options.waitOnFirstConnect === true)
  const connection = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: () =>
        connect({
          // Nobody needs what he has published himself, and traces of stacks for each request cost more than the request.
          noEcho: true,
          noAsyncTraces: true,
          ...native,
          reconnect: true,
          maxReconnectAttempts: -1,
          reconnectDelayHandler: delays.delay,
          reconnectToServer: (pool, info) => {
            delays.dialled()
            return reconnectToServer?.(pool, info) ?? null
          }
        }),
      catch: (cause) => new AdapterError({ reason: "Unavailable", operation: "connect", cause })
    }),
    (connection) =>
      // What was published last, such as the goodbye of this node, is still with the client.
      Effect.tryPromise(() => connection.flush()).pipe(
        Effect.timeoutOption(farewell),
        Effect.ignore,
        Effect.andThen(Effect.promise(() => connection.close().catch(() => {})))
      )
  )
  delays.reset()
  delays.onEnd = () => void connection.close().catch(() => {})
  const link = yield* watch(connection)
  link.listen({ onLost: () => {}, onBack: () => delays.reset() })
  return link
})
