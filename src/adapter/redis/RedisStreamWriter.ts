/**
 * A connection for writing that is made anew when it is lost. Meanwhile it is not ready, and nothing waits in it.
 */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Words } from "./RedisStreamCommands.ts"
import type { ClosableConnection, Connection, Opened } from "./RedisStreamConnections.ts"
import * as Session from "./RedisStreamSession.ts"

const away = (): Promise<never> => Promise.reject(new Error("there is no connection to Redis"))

/** Writes over whatever connection there is. */
export class Writer implements Pick<Connection, "ready" | "command" | "publish" | "subscribers" | "watch"> {
  readonly #watchers = new Set<Session.SessionSink>()
  #connection: ClosableConnection | undefined

  get ready(): boolean {
    return this.#connection?.ready === true
  }

  command(key: string, words: Words): Promise<unknown> {
    return this.#connection?.command(key, words) ?? away()
  }

  publish(channel: string, bytes: Uint8Array, sharded: boolean): Promise<unknown> {
    return this.#connection?.publish(channel, bytes, sharded) ?? away()
  }

  subscribers(channel: string, sharded: boolean): Promise<number> {
    return this.#connection?.subscribers(channel, sharded) ?? away()
  }

  watch(connected: () => void, disconnected: (cause: unknown) => void): () => void {
    const watcher = { connected, disconnected }
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Connects again and again; to be forked once. `ready` is called when it is connected, `failed` when it cannot. */
  run(
    open: Effect.Effect<Opened, unknown, Scope.Scope>,
    schedule: Schedule.Schedule<unknown, unknown>,
    observer: Session.SessionSink
  ): Effect.Effect<never> {
    const session = (up: () => void): Effect.Effect<never, unknown, Scope.Scope> =>
      Effect.gen({ self: this }, function* () {
        const { connection, lost } = yield* open
        this.#connection = connection
        up()
        return yield* Effect.ensuring(
          lost,
          Effect.sync(() => (this.#connection = undefined))
        )
      })
    return Session.keep(session, schedule, {
      connected: () => {
        observer.connected()
        for (const watcher of this.#watchers) watcher.connected()
      },
      disconnected: (cause) => {
        observer.disconnected(cause)
        for (const watcher of this.#watchers) watcher.disconnected(cause)
      }
    })
  }
}
