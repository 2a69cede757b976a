/**
 * Connections of our own to Redis, made with the package `redis`: where it is, when to try again, and what happens when it is not there.
 */
import * as Config from "effect/Config"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { RedisClientOptions } from "redis"
import { AdapterError } from "../Adapter.ts"
import * as RedisClient from "./RedisClient.ts"

/** When to try again: the input is why the attempt is needed. */
export type Reconnection = Schedule.Schedule<unknown, Error>

/** Where Redis is, and how to stay connected. */
export interface ConnectionOptions {
  /** `redis[s]://[[username][:password]@][host][:port][/db]`. Default "redis://localhost:6379". */
  readonly url?: string | undefined
  /** Further options of the client of `redis`: TLS, names, credentials. */
  readonly client?: RedisClientOptions | undefined
  /**
   * When to try again after a connection is lost or could not be made; after a connection it starts afresh, and when it ends the adapter
   * stays disconnected. Its steps must be synchronous. Default: from 100 ms on, doubled each time up to 5 seconds, ±20 %.
   */
  readonly reconnection?: Reconnection | undefined
  /** When Redis cannot be reached at the beginning: `fail` with `Unavailable` (default), or `wait` for it. */
  readonly whenUnreachable?: "fail" | "wait" | undefined
}

/** What can be read from a configuration. */
export interface ConnectionConfig {
  readonly url: string
}

/** The longest pause of {@link defaultReconnection}. */
const longestPause = Duration.seconds(5)

/** From 100 ms on, doubled each time up to 5 seconds, ±20 %. */
export const defaultReconnection: Reconnection = Schedule.exponential("100 millis").pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, longestPause))),
  Schedule.jittered
)

const unavailable = (cause: unknown): AdapterError =>
  new AdapterError({ reason: "Unavailable", operation: "connect", cause })

/** A schedule as clients of `redis` want it: a pause in milliseconds, or why there is none. */
const strategyOf = (
  schedule: Reconnection,
  context: Context.Context<never>
): ((retries: number, cause: Error) => number | Error) => {
  const clock = Context.get(context, Clock.Clock)
  const begin = () => Effect.runSyncWith(context)(Schedule.toStep(schedule))
  let step = begin()
  return (retries, cause) => {
    if (retries === 0) step = begin()
    const exit = Effect.runSyncExitWith(context)(step(clock.currentTimeMillisUnsafe(), cause))
    return Exit.isSuccess(exit) ? Duration.toMillis(exit.value[1]) : new Error("the schedule has ended", { cause })
  }
}

/**
 * A client that reconnects, for as long as the scope is open. Fails with `Unavailable` where Redis cannot be reached at first, unless it is to
 * wait for that.
 */
export const acquire = (
  options: ConnectionOptions = {}
): Effect.Effect<RedisClient.RedisClient, AdapterError, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    // Programs that bring clients of ioredis need not have this package.
    const { createClient } = yield* Effect.tryPromise({ try: () => import("redis"), catch: unavailable })
    const strategy = strategyOf(options.reconnection ?? defaultReconnection, context)
    let connected = options.whenUnreachable === "wait"
    const reconnectStrategy = (retries: number, cause: Error): number | Error =>
      connected ? strategy(retries, cause) : cause
    const socket = { ...options.client?.socket, reconnectStrategy } as NonNullable<RedisClientOptions["socket"]>
    const merged: RedisClientOptions = { ...options.client, socket }
    if (options.url !== undefined) merged.url = options.url
    const client = yield* Effect.acquireRelease(
      Effect.try({
        try: () => {
          const client = createClient(merged)
          // Without a listener an error ends the process; what it means is told by the health of the adapter.
          client.on("error", () => {})
          return client
        },
        catch: unavailable
      }),
      (client) =>
        Effect.sync(() => {
          if (client.isOpen) client.destroy()
        })
    )
    yield* Effect.tryPromise({ try: () => client.connect(), catch: unavailable })
    connected = true
    return RedisClient.from(client)
  })

/** Two clients, one to publish and one to hear. */
export const acquirePair = (
  options: ConnectionOptions = {}
): Effect.Effect<
  { readonly publisher: RedisClient.RedisClient; readonly subscriber: RedisClient.RedisClient },
  AdapterError,
  Scope.Scope
> =>
  Effect.all(
    { publisher: acquire(options), subscriber: acquire(options) },
    // Each waits for the same server.
    { concurrency: "unbounded" }
  )

/** Options with what a configuration says. */
export const configured = <A extends object, O extends object>(
  config: Config.Wrap<A>,
  options: O
): Effect.Effect<O & A, Config.ConfigError> =>
  Effect.map(Config.unwrap(config), (values): O & A => ({ ...options, ...(values as A) }))
