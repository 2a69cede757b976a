/** The suite of clusters over NATS, core and JetStream, on one server; each test has a prefix and a stream of its own. */
import { afterAll, beforeAll } from "@effect/vitest"
import { jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as ClusterAdapter from "../../../src/adapter/ClusterAdapter.ts"
import type { Broker } from "../../../src/adapter/ClusterBus.ts"
import * as NatsBus from "../../../src/adapter/nats/NatsBus.ts"
import * as NatsJetStreamBus from "../../../src/adapter/nats/NatsJetStreamBus.ts"
import * as NatsLink from "../../../src/adapter/nats/NatsLink.ts"
import * as Subjects from "../../../src/adapter/nats/NatsSubjects.ts"
import * as Nats from "../../brokers/Nats.ts"
import { busSuite } from "../../suites/cluster/BusSuite.ts"
import { clusterSuite } from "../../suites/cluster/ClusterSuite.ts"
import {
  type BusHarness,
  type Cluster,
  type ClusterHarness,
  everything,
  suiteOptions
} from "../../suites/cluster/Harness.ts"

if (Nats.available) {
  const scope = Scope.makeUnsafe()
  let server: Nats.NatsServer | undefined
  beforeAll(async () => {
    server = await Effect.runPromise(Nats.make({ jetStream: true }).pipe(Scope.provide(scope)))
  }, 60_000)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 60_000)

  const url = Effect.suspend(() =>
    server === undefined ? Effect.die(new Error("no server")) : Effect.succeed(server.url)
  )
  /** A connection for what no adapter does. */
  const outside = Effect.flatMap(url, (servers) =>
    Effect.acquireRelease(
      Effect.promise(() => connect({ servers })),
      (connection) => Effect.promise(() => connection.close())
    )
  )
  const inject = (subject: string, payload: string): Effect.Effect<void> =>
    Effect.scoped(
      Effect.flatMap(outside, (connection) => {
        connection.publish(subject, payload)
        return Effect.promise(() => connection.flush())
      })
    )

  let clusters = 0
  const fresh = Effect.sync(() => `test-${++clusters}`)
  const token = (namespace: string): string => Subjects.token(namespace) ?? ""

  type Make = (link: NatsLink.NatsLink) => Effect.Effect<Broker, unknown, Scope.Scope>
  const linked = Effect.flatMap(url, (servers) => NatsLink.make({ servers }))

  const clusterOf = (make: Make): Pick<Cluster, "node" | "mortal"> => {
    const mortal = Effect.gen(function* () {
      const link = yield* linked
      const adapter = ClusterAdapter.make(yield* make(link), suiteOptions)
      // As when the process is gone: what was not sent is lost, and nobody is told.
      return { adapter, kill: Effect.promise(() => link.connection.close()) }
    })
    return { node: Effect.map(mortal, ({ adapter }) => adapter), mortal }
  }

  const core = Effect.map(fresh, (prefix) => ({
    make: (link: NatsLink.NatsLink) => NatsBus.make(link, { prefix }),
    inject: (namespace: string, payload: string) => inject(`${prefix}.${token(namespace)}`, payload)
  }))

  const stored = Effect.map(fresh, (prefix) => ({
    make: (link: NatsLink.NatsLink) =>
      NatsJetStreamBus.make(link, {
        prefix,
        stream: prefix,
        bucket: prefix,
        storage: "memory",
        maxBytes: 32 * 1024 * 1024
      }),
    inject: (namespace: string, payload: string) => inject(`${prefix}.log.${token(namespace)}.event`, payload),
    truncate: () =>
      Effect.scoped(
        Effect.flatMap(outside, (connection) =>
          Effect.promise(async () => {
            const manager = await jetstreamManager(connection)
            await manager.streams.purge(prefix)
          })
        )
      )
  }))

  const cluster: ClusterHarness["cluster"] = Effect.map(core, ({ make, inject }) => ({ ...clusterOf(make), inject }))
  clusterSuite("NATS", { supports: { ...everything, recovery: false }, cluster })

  const storing: ClusterHarness["cluster"] = Effect.map(stored, ({ make, ...outside }) => ({
    ...clusterOf(make),
    ...outside
  }))
  clusterSuite("NATS JetStream", { supports: everything, cluster: storing })

  const buses = (
    place: Effect.Effect<{ readonly make: Make } & Omit<Cluster, "node" | "mortal">>
  ): BusHarness["cluster"] =>
    Effect.map(place, ({ make, ...outside }) => ({ broker: Effect.flatMap(linked, make), ...outside }))
  busSuite("NATS", { supports: { store: false }, cluster: buses(core) })
  busSuite("NATS JetStream", { supports: { store: true }, cluster: buses(stored) })
}
