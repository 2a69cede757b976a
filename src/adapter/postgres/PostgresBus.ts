/**
 * The broker over PostgreSQL, with the wire of `@socket.io/postgres-adapter` 0.5: one channel for each namespace, and tables for what is too
 * large for a notification or is to be kept.
 *
 * Two connections are held all the time: one listens, and fetches rows in the order of their notifications; one publishes. Sessions, the log
 * and the deletion of old rows use further connections of the pool for a moment.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ConnectionSink } from "../KeptConnection.ts"
import * as Deadlines from "../../runtime/Deadlines.ts"
import { type AdapterCounters, AdapterError } from "../Adapter.ts"
import type { Broker, BusRequest, ClusterBus } from "../ClusterBus.ts"
import * as Connection from "./PostgresConnection.ts"
import * as Health from "./PostgresHealth.ts"
import { Listener } from "./PostgresListener.ts"
import * as Names from "./PostgresNames.ts"
import { PostgresNamespace } from "./PostgresNamespace.ts"
import * as Options from "./PostgresOptions.ts"
import { Publisher } from "./PostgresPublisher.ts"
import * as Schema from "./PostgresSchema.ts"
import * as Statements from "./PostgresStatements.ts"
import { Store } from "./PostgresStore.ts"

/** How the broker is reached. */
export interface BrokerOptions extends Options.PostgresOptions {
  /** When to connect again after an attempt has failed. Default: after 100 ms, each time twice as long, 5 seconds at most, with jitter. */
  readonly reconnection?: Connection.Reconnection | undefined
  /** When PostgreSQL cannot be reached at the beginning: `fail` with `Unavailable`, or `wait` for it. Default `fail`. */
  readonly whenUnreachable?: "fail" | "wait" | undefined
  /** Told of what goes wrong aside: lost connections, old rows that cannot be deleted. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The names of the tables in a list, missing ones only. */
const missingTables = (pool: Connection.PostgresPool, names: ReadonlyArray<string>): Promise<boolean> =>
  pool
    .query("SELECT bool_or(to_regclass(name) IS NULL) AS missing FROM unnest($1::text[]) AS t(name)", [
      names.map(Names.table)
    ])
    .then(({ rows }) => rows[0]?.["missing"] === true)

/** The broker over a pool, which stays the caller's; it lets go of its connections with the scope. */
export const make = Effect.fnUntraced(function* (
  pool: Connection.PostgresPool,
  options: BrokerOptions = {}
): Effect.fn.Return<Broker, AdapterError, Scope.Scope> {
  const settings = Options.settings(options)
  const { answerTimeout, cleanupInterval, tableName, logTableName, sessionTableName } = settings
  const reconnection = options.reconnection ?? Connection.defaultReconnection
  const onError = (error: unknown): void => options.onError?.(error)
  const scope = yield* Effect.scope
  const deadlines = yield* Deadlines.make
  const counters: AdapterCounters = { published: 0, received: 0, publishFailures: 0, ignored: 0, gaps: 0 }
  const health = yield* Health.make
  const listener = new Listener(settings)
  const publisher = new Publisher(settings, Statements.make(settings), deadlines)
  const gap = (): void => {
    counters.gaps++
    health.gap()
  }

  const ensure = (statements: ReadonlyArray<string>, tables: ReadonlyArray<string>): Effect.Effect<void, unknown> =>
    Effect.timeoutOrElse(
      Effect.tryPromise({
        try: async () => {
          if (await missingTables(pool, tables)) await pool.query(Schema.transaction(statements))
        },
        catch: (cause) => cause
      }),
      { duration: answerTimeout, orElse: () => Effect.fail(new Error("PostgreSQL does not answer")) }
    )

  // ---- connections

  let ended = false
  const ready = yield* Deferred.make<void, AdapterError>()
  const connecting = new Set(["listener", "publisher"])
  const sinkOf = (name: string, connectedAgain: () => void): ConnectionSink => {
    let before = false
    return {
      connected: () => {
        health.up(name)
        if (before) connectedAgain()
        before = true
        connecting.delete(name)
        if (connecting.size === 0) Deferred.doneUnsafe(ready, Effect.void)
      },
      disconnected: (cause) => {
        if (ended) return
        health.down(name, cause)
        onError(cause)
        if (options.whenUnreachable === "wait") return
        const error = new AdapterError({ reason: "Unavailable", operation: "connect", cause })
        Deferred.doneUnsafe(ready, Effect.fail(error))
      }
    }
  }
  const open = Connection.open(pool, answerTimeout)
  // A server that came back may be another one, without our tables.
  const openWithTables = Effect.tap(open, () =>
    settings.createTables ? ensure([Schema.attachments(settings)], [tableName]) : Effect.void
  )
  const ignored = (): void => {}
  yield* Effect.forkScoped(listener.run(openWithTables, reconnection, sinkOf("listener", gap)), {
    startImmediately: true
  })
  yield* Effect.forkScoped(publisher.run(open, reconnection, sinkOf("publisher", ignored)), {
    startImmediately: true
  })
  yield* Effect.addFinalizer(() => Effect.sync(() => (ended = true)))
  if (options.whenUnreachable !== "wait") yield* Deferred.await(ready)

  // ---- what is too old

  const attached = Names.table(tableName)
  const expireAttachments = Effect.tryPromise({
    try: () =>
      pool.query(`DELETE FROM ${attached} WHERE created_at < now() - $1 * interval '1 millisecond'`, [cleanupInterval]),
    catch: (cause) => cause
  })
  const regularly = (expire: Effect.Effect<unknown, unknown>): Effect.Effect<never> =>
    Effect.forever(
      Effect.andThen(
        Effect.sleep(cleanupInterval),
        Effect.catch(expire, (error) => Effect.sync(() => onError(error)))
      )
    )
  yield* Effect.forkIn(regularly(expireAttachments), scope)

  // ---- namespaces

  const openBus = Effect.fnUntraced(function* (
    request: BusRequest
  ): Effect.fn.Return<ClusterBus, AdapterError, Scope.Scope> {
    const { namespace: name, recovery } = request
    const channel = yield* Names.channelOf(settings.channelPrefix, name)
    const namespace = new PostgresNamespace(request, {
      channel,
      settings,
      counters,
      deadlines,
      publisher,
      listener,
      gap
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => namespace.close()))
    yield* listener.listen(channel, namespace)
    if (recovery === undefined) return namespace
    if (settings.createTables) {
      yield* Effect.mapError(
        ensure(Schema.store(settings), [logTableName, sessionTableName]),
        (cause) => new AdapterError({ reason: "Rejected", operation: "open", cause })
      )
    }
    const store = new Store({
      namespace: name,
      channel,
      pool,
      settings,
      recovery,
      position: () => namespace.inbox.position,
      ignored: () => void counters.ignored++
    })
    namespace.begin(store, yield* store.begin)
    yield* Effect.forkScoped(regularly(store.expire))
    return namespace
  })

  return { name: "postgres", health: health.changes, counters, open: openBus }
})
