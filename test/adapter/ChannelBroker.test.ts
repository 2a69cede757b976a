/** The broker that docs/adapters.md shows: the same as in examples/broker, and it passes the suites. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeBroker } from "../../examples/broker/channels.ts"
import * as ClusterAdapter from "../../src/adapter/ClusterAdapter.ts"
import type { Broker } from "../../src/adapter/ClusterBus.ts"
import { busSuite } from "../suites/cluster/BusSuite.ts"
import { clusterSuite } from "../suites/cluster/ClusterSuite.ts"
import { everything, type Mortal } from "../suites/cluster/Harness.ts"

const root = join(import.meta.dirname, "../..")

it("the documentation shows the example", () => {
  const code = readFileSync(join(root, "examples/broker/channels.ts"), "utf8")
  const [, ...lines] = code.split("\n")
  assert.include(readFileSync(join(root, "docs/adapters.md"), "utf8"), lines.join("\n"))
})

let clusters = 0
const name = Effect.sync(() => `test ${process.pid} ${++clusters}`)

const options: ClusterAdapter.ClusterOptions = {
  heartbeatInterval: "250 millis",
  heartbeatTimeout: "3 seconds",
  discovery: "150 millis",
  requestTimeout: "1500 millis"
}

const inject =
  (name: string) =>
  (namespace: string, payload: string): Effect.Effect<void> =>
    Effect.sync(() => {
      const channel = new BroadcastChannel(`${name}#${namespace}`)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- channels have no origin
      channel.postMessage({ to: undefined, payload })
      channel.close()
    })

/** A node whose thread stands still for ever once it is killed: it hears nothing and says nothing. */
const mortal = (name: string): Mortal => {
  const broker = makeBroker(name)
  let dead = false
  const open: Broker["open"] = (request) =>
    Effect.map(
      broker.open({
        ...request,
        sink: { onMessage: (message, offset) => (dead ? undefined : request.sink.onMessage(message, offset)) }
      }),
      (bus) => ({
        ...bus,
        publish: (message, done) => (dead ? undefined : bus.publish(message, done)),
        publishTo: (uid, message, done) => (dead ? undefined : bus.publishTo(uid, message, done))
      })
    )
  return {
    adapter: ClusterAdapter.make({ ...broker, open }, options),
    kill: Effect.sync(() => {
      dead = true
    })
  }
}

busSuite("threads of one process", {
  supports: { store: false },
  cluster: Effect.map(name, (name) => ({ broker: Effect.sync(() => makeBroker(name)), inject: inject(name) }))
})

clusterSuite("threads of one process", {
  supports: { ...everything, recovery: false },
  cluster: Effect.map(name, (name) => ({
    node: Effect.sync(() => ClusterAdapter.make(makeBroker(name), options)),
    mortal: Effect.sync(() => mortal(name)),
    inject: inject(name)
  }))
})
