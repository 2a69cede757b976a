/** The suites of clusters over the broker in memory: as it is, with latency, giving nodes their own messages back, and counting nodes. */
import * as Effect from "effect/Effect"
import * as ClusterAdapter from "../../src/adapter/ClusterAdapter.ts"
import type { ClusterOptions } from "../../src/adapter/ClusterAdapter.ts"
import * as MemoryBroker from "../../src/testing/MemoryBroker.ts"
import { clusterSuite } from "../suites/cluster/ClusterSuite.ts"
import { busSuite } from "../suites/cluster/BusSuite.ts"
import { type BusHarness, type ClusterHarness, everything } from "../suites/cluster/Harness.ts"

/** A broker in memory is never slow. */
const options: ClusterOptions = {
  heartbeatInterval: "250 millis",
  heartbeatTimeout: "3 seconds",
  discovery: "150 millis",
  requestTimeout: "1500 millis"
}

const harness = (
  kind: MemoryBroker.BrokerOptions,
  supports: ClusterHarness["supports"],
  prepare: (broker: MemoryBroker.MemoryBroker) => Effect.Effect<void> = () => Effect.void
): ClusterHarness => ({
  supports,
  cluster: Effect.gen(function* () {
    const broker = yield* MemoryBroker.make(kind)
    yield* prepare(broker)
    let nodes = 0
    const mortal = Effect.suspend(() => {
      const name = `node ${++nodes}`
      return Effect.map(broker.connect(name), (node) => ({
        adapter: ClusterAdapter.make(node, options),
        kill: broker.kill(name)
      }))
    })
    return {
      node: Effect.map(mortal, ({ adapter }) => adapter),
      mortal,
      inject: broker.inject,
      truncate: () => broker.trim(0)
    }
  })
})

clusterSuite("memory", harness({ store: true }, everything))

clusterSuite(
  "memory, far away",
  harness({ store: true }, everything, (broker) => broker.latency("3 millis"))
)

clusterSuite(
  "memory, counting nodes and giving them their own messages back",
  harness({ counts: true, echo: true }, { ...everything, recovery: false, named: false })
)

const busHarness = (kind: MemoryBroker.BrokerOptions): BusHarness => ({
  supports: { store: kind.store === true },
  cluster: Effect.map(MemoryBroker.make(kind), (broker) => {
    let nodes = 0
    return {
      broker: Effect.suspend(() => broker.connect(`node ${++nodes}`)),
      inject: broker.inject,
      truncate: () => broker.trim(0)
    }
  })
})

busSuite("memory", busHarness({ store: true }))
busSuite("memory, counting nodes and giving them their own messages back", busHarness({ counts: true, echo: true }))
