/**
 * The suites of clusters and brokers over a real PostgreSQL.
 */
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll } from "vitest"
import * as ClusterAdapter from "../../../src/adapter/ClusterAdapter.ts"
import * as Bus from "../../../src/adapter/postgres/PostgresBus.ts"
import * as Postgres from "../../brokers/Postgres.ts"
import { busSuite } from "../../suites/cluster/BusSuite.ts"
import { clusterSuite } from "../../suites/cluster/ClusterSuite.ts"
import { everything, suiteOptions } from "../../suites/cluster/Harness.ts"
import * as Nodes from "./postgresNodes.ts"

describe.skipIf(!Postgres.available)(`PostgreSQL (${Postgres.hint})`, () => {
  let server: Postgres.PostgresServer
  beforeAll(async () => {
    server = await Postgres.start()
  }, 60_000)
  afterAll(() => server?.close())

  /** What the suites do beside the adapter, over a connection of their own. */
  const aside = (channelPrefix: string) =>
    Effect.map(Nodes.pool(server.url, 2), (pool) => ({
      inject: (namespace: string, payload: string) =>
        Effect.promise(() => pool.query("SELECT pg_notify($1, $2)", [`${channelPrefix}#${namespace}`, payload])),
      truncate: (namespace: string) =>
        Effect.promise(() =>
          pool.query(
            "WITH mark AS (INSERT INTO socket_io_log (channel) VALUES ($1) RETURNING id) DELETE FROM socket_io_log USING mark WHERE channel = $1 AND socket_io_log.id < mark.id",
            [`${channelPrefix}#${namespace}`]
          )
        )
    }))

  busSuite("PostgreSQL", {
    supports: { store: true, addressed: false },
    cluster: Effect.gen(function* () {
      const channelPrefix = Nodes.freshPrefix()
      const { inject, truncate } = yield* aside(channelPrefix)
      return { broker: Nodes.broker(server.url, { channelPrefix }), inject, truncate }
    })
  })

  clusterSuite("PostgreSQL", {
    supports: everything,
    cluster: Effect.gen(function* () {
      const options = { ...suiteOptions, channelPrefix: Nodes.freshPrefix() }
      const { inject, truncate } = yield* aside(options.channelPrefix)
      return {
        node: Nodes.node(server.url, options),
        mortal: Effect.gen(function* () {
          const { pool, kill } = yield* Nodes.mortalPool(server.url)
          const broker = yield* Bus.make(pool, options)
          return { adapter: ClusterAdapter.make(broker, options), kill }
        }),
        inject,
        truncate
      }
    })
  })
})
