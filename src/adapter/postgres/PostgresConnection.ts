/**
 * Connections to PostgreSQL: what is needed of the client `pg`, and connections that are made again when they are lost.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/** Rows by the names of their columns. */
export interface Result {
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>
}

/** What arrives on a channel that is listened to. */
export interface Notification {
  readonly channel: string
  readonly payload?: string | undefined
}

/** A connection that was taken out of a pool. */
export interface PostgresClient {
  query(text: string, values?: Array<unknown>): Promise<Result>
  on(event: "notification", listener: (message: Notification) => void): unknown
  on(event: "error", listener: (error: Error) => void): unknown
  on(event: "end", listener: () => void): unknown
  /** Gives it back; `true` closes it. */
  release(destroy?: boolean): void
}

/** A `Pool` of `pg` 8. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
  query(text: string, values?: Array<unknown>): Promise<Result>
}

/** When to connect again after an attempt has failed. */
export type Reconnection = Schedule.Schedule<unknown, unknown>

/** The default: exponential from 100 ms to 5 s, with jitter. */
export const defaultReconnection: Reconnection = Schedule.jittered(
  Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])
)

/** A connection at work. */
export interface Connected {
  readonly client: PostgresClient
  /** Asks, when all that was asked before is answered: the client wants one question at a time. */
  query(text: string, values?: Array<unknown>): Promise<Result>
  /** Fails when the connection is lost. */
  readonly lost: Effect.Effect<never, unknown>
  /** Takes the connection for lost. */
  lose(cause: unknown): void
}

const connect = (pool: PostgresPool): Effect.Effect<PostgresClient, unknown> =>
  Effect.callback((resume) => {
    let wanted = true
    pool.connect().then(
      (client) => {
        if (wanted) return resume(Effect.succeed(client))
        client.release(true)
      },
      (cause) => resume(Effect.fail(cause))
    )
    return Effect.sync(() => (wanted = false))
  })

/** Takes a connection out of the pool; it is closed with the scope. Fails when that takes longer than `timeout` milliseconds. */
export const open = (pool: PostgresPool, timeout: number): Effect.Effect<Connected, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const opened = yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const client = yield* restore(
          Effect.timeoutOrElse(connect(pool), {
            duration: timeout,
            orElse: () => Effect.fail(new Error("no connection to PostgreSQL in time"))
          })
        )
        yield* Effect.addFinalizer(() => Effect.sync(() => client.release(true)))
        return client
      })
    )
    let cause: { readonly error: unknown } | undefined
    let wake: ((cause: unknown) => void) | undefined
    const lose = (error: unknown): void => {
      if (cause !== undefined) return
      cause = { error }
      wake?.(error)
    }
    // The listener for errors stays: without one the process would end by what happens after the release.
    opened.on("error", lose)
    opened.on("end", () => lose(new Error("the connection to PostgreSQL was closed")))
    const lost = Effect.callback<never, unknown>((resume) => {
      if (cause !== undefined) return resume(Effect.fail(cause.error))
      wake = (error) => resume(Effect.fail(error))
    })
    let before: Promise<unknown> = Promise.resolve()
    const query = (text: string, values?: Array<unknown>): Promise<Result> => {
      const asked = before.then(() => opened.query(text, values))
      before = asked.catch(() => {})
      return asked
    }
    return { client: opened, query, lost, lose }
  })
