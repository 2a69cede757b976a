/**
 * Entry "effect-socketio/facade/postgres-adapter": `createAdapter` as `@socket.io/postgres-adapter` has it.
 *
 * ```ts
 * import { createAdapter } from "effect-socketio/facade/postgres-adapter"
 *
 * const io = new Server({ adapter: createAdapter(pool), connectionStateRecovery: {} })
 * ```
 */
import type * as Layer from "effect/Layer"
import type { Adapter, AdapterError } from "../../adapter/Adapter.ts"
import * as ClusterAdapter from "../../adapter/ClusterAdapter.ts"
import * as Bus from "../../adapter/postgres/PostgresBus.ts"
import type { PostgresPool } from "../../adapter/postgres/PostgresConnection.ts"
import type { PostgresOptions } from "../../adapter/postgres/PostgresOptions.ts"

export type { PostgresPool } from "../../adapter/postgres/PostgresConnection.ts"

/** The options of the official package, and our own bounds. */
export interface PostgresAdapterOptions extends PostgresOptions {
  /** Told of what goes wrong aside: lost connections, old rows that cannot be deleted. Default: nobody is. */
  readonly errorHandler?: ((error: Error) => void) | undefined
  /** How often a server says that it is there, in milliseconds. Default 5,000. */
  readonly heartbeatInterval?: number | undefined
  /** After how much silence a server is taken for gone, in milliseconds. Default 10,000. */
  readonly heartbeatTimeout?: number | undefined
}

/**
 * The adapter over PostgreSQL, for the option `adapter` and for `io.adapter()`. The pool is one of `pg` 8 with at least 3 connections, of
 * which two are held; it stays yours, and yours to end. Servers with the official package may be in the same cluster.
 */
export const createAdapter = (
  pool: PostgresPool,
  opts: PostgresAdapterOptions = {}
): Layer.Layer<Adapter, AdapterError> => {
  const { errorHandler, heartbeatInterval, heartbeatTimeout, ...options } = opts
  const onError = (error: unknown): void => errorHandler?.(error instanceof Error ? error : new Error(String(error)))
  // As with the official package, a server may start before its database.
  const broker = Bus.make(pool, { ...options, onError, whenUnreachable: "wait" })
  return ClusterAdapter.layer(broker, { heartbeatInterval, heartbeatTimeout })
}

const requirable = { createAdapter }

export { requirable as "module.exports" }
