/**
 * The one connection that listens, for all channels: made again when it is lost, and asked now and then whether it is still there.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ConnectionSink, keep } from "../KeptConnection.ts"
import { AdapterError } from "../Adapter.ts"
import type * as Connection from "./PostgresConnection.ts"
import * as Names from "./PostgresNames.ts"
import type { PostgresSettings } from "./PostgresOptions.ts"

/** Hears a channel; never throws. */
export interface Hearer {
  onNotification(payload: string | undefined): void
  /** The connection is gone; nothing comes until `onListening`. */
  onLost(): void
  /** The channel is heard, for the first time or again: then what came between was missed. */
  onListening(again: boolean): void
}

interface Channel {
  readonly name: string
  readonly hearer: Hearer
  readonly active: Deferred.Deferred<void, unknown>
  /** Whether it has been heard before. */
  heard: boolean
}

const unavailable = (operation: string, cause: unknown): AdapterError =>
  new AdapterError({ reason: "Unavailable", operation, cause })

/** The channels of a server. */
export class Listener {
  readonly #settings: PostgresSettings
  readonly #channels = new Map<string, Set<Channel>>()
  #connected: Connection.Connected | undefined

  constructor(settings: PostgresSettings) {
    this.#settings = settings
  }

  get ready(): boolean {
    return this.#connected !== undefined
  }

  /** Asks over the connection that listens, so that nothing but that connection has to be there. Rejects while there is none. */
  query(text: string, values: Array<unknown>): Promise<Connection.Result> {
    const connected = this.#connected
    return connected === undefined
      ? Promise.reject(new Error("there is no connection to PostgreSQL"))
      : connected.query(text, values)
  }

  /** Hears a channel until the scope closes; completes when it is heard. While the connection is away it waits. */
  listen(name: string, hearer: Hearer): Effect.Effect<void, AdapterError, Scope.Scope> {
    const add = Effect.sync(() => {
      const channel: Channel = { name, hearer, active: Deferred.makeUnsafe<void, unknown>(), heard: false }
      const channels = this.#channels.get(name)
      if (channels === undefined) this.#channels.set(name, new Set([channel]))
      else channels.add(channel)
      const connected = this.#connected
      if (connected !== undefined) {
        connected.query(`LISTEN ${Names.quoted(name)}`).then(
          () => {
            if (this.#connected === connected) this.#listening(channel)
          },
          (cause) => {
            // Of a connection that is lost the next one takes care.
            if (this.#connected === connected) Deferred.doneUnsafe(channel.active, Effect.fail(cause))
          }
        )
      }
      return channel
    })
    const remove = (channel: Channel): Effect.Effect<void> =>
      Effect.suspend(() => {
        const channels = this.#channels.get(name)
        channels?.delete(channel)
        if (channels?.size !== 0) return Effect.void
        this.#channels.delete(name)
        const connected = this.#connected
        if (connected === undefined) return Effect.void
        // Nobody waits for it: whatever still comes has no hearer.
        connected.query(`UNLISTEN ${Names.quoted(name)}`).catch(() => {})
        return Effect.void
      })
    return Effect.flatMap(Effect.acquireRelease(add, remove), ({ active }) =>
      Effect.mapError(Deferred.await(active), (cause) => unavailable("listen", cause))
    )
  }

  /** Listens over one connection after the other; to be forked once. */
  run(
    open: Effect.Effect<Connection.Connected, unknown, Scope.Scope>,
    schedule: Connection.Reconnection,
    sink: ConnectionSink
  ): Effect.Effect<never> {
    const { answerTimeout, probeInterval } = this.#settings
    const session = (up: () => void): Effect.Effect<never, unknown, Scope.Scope> =>
      Effect.gen({ self: this }, function* () {
        const connected = yield* open
        const { client, lost } = connected
        const answer = (text: string): Effect.Effect<unknown, unknown> =>
          Effect.timeoutOrElse(Effect.tryPromise({ try: () => connected.query(text), catch: (cause) => cause }), {
            duration: answerTimeout,
            orElse: () => Effect.fail(new Error("PostgreSQL does not answer"))
          })
        const work = Effect.gen({ self: this }, function* () {
          client.on("notification", ({ channel, payload }) => {
            if (this.#connected !== connected) return
            for (const { hearer } of this.#channels.get(channel) ?? []) hearer.onNotification(payload)
          })
          this.#connected = connected
          const channels = this.#all()
          if (channels.length > 0) {
            yield* answer(channels.map(({ name }) => `LISTEN ${Names.quoted(name)}`).join("; "))
          }
          for (const channel of channels) this.#listening(channel)
          up()
          return yield* Effect.forever(Effect.andThen(Effect.sleep(probeInterval), answer("SELECT 1")))
        })
        return yield* Effect.ensuring(
          Effect.raceFirst(work, lost),
          Effect.sync(() => this.#lost())
        )
      })
    return keep(session, schedule, sink)
  }

  #all(): ReadonlyArray<Channel> {
    return Array.from(this.#channels.values(), (channels) => Array.from(channels)).flat()
  }

  #listening(channel: Channel): void {
    if (this.#channels.get(channel.name)?.has(channel) !== true) return
    const again = channel.heard
    channel.heard = true
    channel.hearer.onListening(again)
    Deferred.doneUnsafe(channel.active, Effect.void)
  }

  #lost(): void {
    if (this.#connected === undefined) return
    this.#connected = undefined
    for (const { hearer } of this.#all()) hearer.onLost()
  }
}
