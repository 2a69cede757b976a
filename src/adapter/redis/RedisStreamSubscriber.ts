/**
 * Channels that are heard whatever becomes of the connection: on one of its own, made anew by a schedule when it is lost.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { ClosableConnection, Opened } from "./RedisStreamConnections.ts"
import * as Session from "./RedisStreamSession.ts"

type Listener = (bytes: Uint8Array) => void

/** A channel, and whether it has been heard. */
interface Channel {
  readonly listener: Listener
  readonly active: Deferred.Deferred<void, unknown>
}

/** The channels of a server. */
export class Subscriber {
  readonly #sharded: boolean
  readonly #sink: Session.SessionSink
  readonly #channels = new Map<string, Channel>()
  #connection: ClosableConnection | undefined

  constructor(sharded: boolean, sink: Session.SessionSink) {
    this.#sharded = sharded
    this.#sink = sink
  }

  /**
   * Hears a channel until the scope closes; completes when the subscription is active. While the connection is away it waits; it fails
   * when Redis refuses. A channel has one listener.
   */
  subscribe(name: string, listener: Listener): Effect.Effect<void, unknown, Scope.Scope> {
    const add = Effect.sync(() => {
      const channel: Channel = { listener, active: Deferred.makeUnsafe<void, unknown>() }
      this.#channels.set(name, channel)
      const connection = this.#connection
      if (connection !== undefined) {
        connection.subscribe(name, this.#sharded, listener).then(
          () => Deferred.doneUnsafe(channel.active, Effect.void),
          // Of a connection that is lost the next one takes care.
          (cause) => {
            if (this.#connection === connection && connection.ready)
              Deferred.doneUnsafe(channel.active, Effect.fail(cause))
          }
        )
      }
      return channel
    })
    const remove = Effect.suspend(() => {
      this.#channels.delete(name)
      const connection = this.#connection
      if (connection === undefined) return Effect.void
      // Whoever counts nodes counts subscribers: the goodbye is waited for.
      const goodbye = Effect.tryPromise(() => connection.unsubscribe(name, this.#sharded))
      return Effect.ignore(Effect.timeoutOption(goodbye, "1 second"))
    })
    return Effect.flatMap(
      Effect.acquireRelease(add, () => remove),
      ({ active }) => Deferred.await(active)
    )
  }

  /** Connects again and again; to be forked once. */
  run(
    open: Effect.Effect<Opened, unknown, Scope.Scope>,
    schedule: Schedule.Schedule<unknown, unknown>
  ): Effect.Effect<never> {
    const session = (up: () => void): Effect.Effect<never, unknown, Scope.Scope> =>
      Effect.gen({ self: this }, function* () {
        const { connection, lost } = yield* open
        this.#connection = connection
        const working = Effect.gen({ self: this }, function* () {
          yield* Effect.raceFirst(this.#resubscribe(connection), lost)
          up()
          return yield* lost
        })
        return yield* Effect.ensuring(
          working,
          Effect.sync(() => (this.#connection = undefined))
        )
      })
    return Session.keep(session, schedule, this.#sink)
  }

  readonly #resubscribe = (connection: ClosableConnection): Effect.Effect<unknown, unknown> =>
    Effect.tryPromise({
      try: () =>
        Promise.all(
          Array.from(this.#channels, async ([name, { listener, active }]) => {
            await connection.subscribe(name, this.#sharded, listener)
            Deferred.doneUnsafe(active, Effect.void)
          })
        ),
      catch: (cause) => cause
    })
}
