/**
 * The adapter over PostgreSQL: official nodes with `@socket.io/postgres-adapter` 0.5 and its emitter may be in the same cluster, and sockets are
 * recovered on whatever node their clients come back to.
 *
 * ```ts
 * const AdapterLive = PostgresAdapter.layerConfig({ url: Config.Redacted("DATABASE_URL") })
 * ```
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Pool, type PoolConfig } from "pg"
import type { Adapter, AdapterError } from "../Adapter.ts"
import * as ClusterAdapter from "../ClusterAdapter.ts"
import * as Bus from "./PostgresBus.ts"
import type { PostgresPool } from "./PostgresConnection.ts"
import type { PostgresOptions } from "./PostgresOptions.ts"

/** Options of the adapter: how PostgreSQL is used, and how nodes ask each other. */
export interface AdapterOptions extends Bus.BrokerOptions, ClusterAdapter.ClusterOptions {}

/** Where PostgreSQL is. */
export interface ConnectionOptions {
  /** `postgres://[user[:password]@]host[:port][/database]`. Default: what the environment of `pg` says (PGHOST, PGUSER and so on). */
  readonly url?: Redacted.Redacted<string> | undefined
  /** Further options of the pool of `pg`: TLS, names, credentials, its size (at least 3; default 10). */
  readonly client?: PoolConfig | undefined
}

/** Where PostgreSQL is, and options of the adapter. */
export interface LayerOptions extends AdapterOptions, ConnectionOptions {}

/** What can be read from a configuration. */
export interface ConfiguredOptions extends PostgresOptions {
  readonly url: Redacted.Redacted<string>
}

/** A pool of connections that ends with the scope. */
export const makePool = ({ url, client = {} }: ConnectionOptions): Effect.Effect<PostgresPool, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const config: PoolConfig = { keepAlive: true, ...client }
      if (url !== undefined) config.connectionString = Redacted.value(url)
      const pool = new Pool(config)
      // Connections that nobody uses are lost, too; the next one is made when it is needed.
      pool.on("error", () => {})
      return pool
    }),
    (pool) =>
      Effect.ignore(
        Effect.timeoutOption(
          Effect.tryPromise(() => pool.end()),
          "2 seconds"
        )
      )
  )

/** The adapter over connections of its own, to be closed with the layer. */
export const layer = (options: LayerOptions = {}): Layer.Layer<Adapter, AdapterError> =>
  ClusterAdapter.layer(
    Effect.flatMap(makePool(options), (pool) => Bus.make(pool, options)),
    options
  )

/** The same, with an url and options from the configuration; `options` are all others. */
export const layerConfig = (
  config: Config.Wrap<ConfiguredOptions>,
  options: LayerOptions = {}
): Layer.Layer<Adapter, AdapterError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(Config.unwrap(config), (configured) => layer({ ...options, ...configured })))

/** The adapter over a pool that the program has made and ends; it holds two of its connections. */
export const layerPool = (pool: PostgresPool, options: AdapterOptions = {}): Layer.Layer<Adapter, AdapterError> =>
  ClusterAdapter.layer(Bus.make(pool, options), options)
