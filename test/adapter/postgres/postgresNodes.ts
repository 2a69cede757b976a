/** Nodes on a PostgreSQL server of the test: ours and official ones. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Pool } from "pg"
import type { Adapter } from "../../../src/adapter/Adapter.ts"
import * as ClusterAdapter from "../../../src/adapter/ClusterAdapter.ts"
import type { Broker } from "../../../src/adapter/ClusterBus.ts"
import * as PostgresAdapter from "../../../src/adapter/postgres/PostgresAdapter.ts"
import * as Bus from "../../../src/adapter/postgres/PostgresBus.ts"
import type { PostgresPool } from "../../../src/adapter/postgres/PostgresConnection.ts"

let prefixes = 0

/** A keyspace of its own: the beginning of its channels. */
export const freshPrefix = (): string => `test${process.pid}.${++prefixes}`

/** A pool that ends with the scope, closing its connections at once. */
export const pool = (url: string, max = 5): Effect.Effect<Pool, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const pool = new Pool({ connectionString: url, max })
      pool.on("error", () => {})
      return pool
    }),
    (pool) => Effect.promise(() => pool.end().catch(() => {}))
  )

/** A broker with a pool of its own. */
export const broker = (url: string, options: Bus.BrokerOptions): Effect.Effect<Broker, unknown, Scope.Scope> =>
  Effect.flatMap(PostgresAdapter.makePool({ client: { connectionString: url, max: 4 } }), (pool) =>
    Bus.make(pool, options)
  )

/** A node with a pool of its own. */
export const node = (
  url: string,
  options: Bus.BrokerOptions & ClusterAdapter.ClusterOptions
): Effect.Effect<Adapter["Service"], unknown, Scope.Scope> =>
  Effect.map(broker(url, options), (broker) => ClusterAdapter.make(broker, options))

/** A pool whose connections can be cut for good, as those of a process that was killed. */
export const mortalPool = (
  url: string
): Effect.Effect<{ pool: PostgresPool; kill: Effect.Effect<void> }, never, Scope.Scope> =>
  Effect.map(pool(url), (pool) => {
    let dead = false
    const refuse = <A>(live: () => Promise<A>): Promise<A> =>
      dead ? Promise.reject(new Error("this process is dead")) : live()
    return {
      pool: {
        connect: () => refuse(() => pool.connect()),
        query: (text, values) => refuse(() => pool.query(text, values))
      },
      kill: Effect.sync(() => {
        dead = true
        const clients = (
          pool as unknown as { _clients: ReadonlyArray<{ connection: { stream: { destroy(): void } } }> }
        )._clients
        for (const { connection } of clients) connection.stream.destroy()
      })
    }
  })
