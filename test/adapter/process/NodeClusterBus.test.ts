/** The bus of workers and the routing of their primary: all that adapters have in common, and what is theirs alone. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as ClusterAdapter from "../../../src/adapter/ClusterAdapter.ts"
import type { BusSink, Published } from "../../../src/adapter/ClusterBus.ts"
import { type ClusterMessage, MessageType } from "../../../src/adapter/ClusterMessage.ts"
import { ClusterRouter, type RouterPeer } from "../../../src/adapter/process/ClusterRouter.ts"
import type { AdapterMessage } from "../../../src/adapter/process/ClusterSource.ts"
import { toPlain } from "../../../src/adapter/process/PlainValue.ts"
import * as NodeClusterBus from "../../../src/adapter/process/NodeClusterBus.ts"
import { busSuite } from "../../suites/cluster/BusSuite.ts"
import { clusterSuite } from "../../suites/cluster/ClusterSuite.ts"
import { suiteOptions } from "../../suites/cluster/Harness.ts"
import * as Machine from "./Machine.ts"

const brokerOf = (worker: Machine.Worker) => NodeClusterBus.make(worker.channel)

clusterSuite("Node cluster", {
  supports: { recovery: false, named: true, order: true, binary: true },
  cluster: Effect.sync(() => {
    const machine = Machine.make()
    const adapterOf = (worker: Machine.Worker) =>
      Effect.map(brokerOf(worker), (broker) => ClusterAdapter.make(broker, suiteOptions))
    return {
      node: Effect.suspend(() => adapterOf(machine.worker())),
      mortal: Effect.suspend(() => {
        const worker = machine.worker()
        return Effect.map(adapterOf(worker), (adapter) => ({ adapter, kill: Effect.sync(() => worker.kill(false)) }))
      }),
      inject: (namespace, payload) => Effect.sync(() => machine.inject(namespace, payload))
    }
  })
})

busSuite("Node cluster", {
  supports: { store: false },
  cluster: Effect.sync(() => {
    const machine = Machine.make()
    return {
      broker: Effect.suspend(() => brokerOf(machine.worker())),
      inject: (namespace, payload) => Effect.sync(() => machine.inject(namespace, payload))
    }
  })
})

const message = (data: ReadonlyArray<unknown>): ClusterMessage => ({
  uid: "0011223344556677",
  nsp: "/",
  body: {
    type: MessageType.SERVER_SIDE_EMIT,
    event: { data: data as [string, ...Array<unknown>] },
    requestId: undefined
  }
})

const request = (sink: BusSink) => ({ namespace: "/", uid: "0011223344556677", recovery: undefined, sink })

const quiet: BusSink = { onMessage() {} }

describe("the bus of a worker", () => {
  it.effect("what cannot be copied is rejected, and the bus goes on", () =>
    Effect.gen(function* () {
      const machine = Machine.make()
      const bus = yield* (yield* brokerOf(machine.worker())).open(request(quiet))
      const results: Array<Published["_tag"]> = []
      const cycle: Array<unknown> = []
      cycle.push(cycle)
      for (const value of [cycle, 5n, 1]) bus.publish(message(["x", value]), ({ _tag }) => results.push(_tag))
      assert.deepStrictEqual(results, ["Failed", "Failed", "Published"])
    })
  )

  it("values are as JSON has them, and binary stays", () => {
    const bytes = new Uint8Array([1])
    class Money {
      readonly amount = 3
      toJSON() {
        return { amount: this.amount, at: new Date(0) }
      }
    }
    const hostile: unknown = JSON.parse('{"__proto__":{"polluted":true}}')
    assert.deepStrictEqual(toPlain([new Money(), [bytes, () => {}, undefined], new Map([[1, 2]]), hostile]), [
      { amount: 3, at: "1970-01-01T00:00:00.000Z" },
      [bytes, undefined, undefined],
      {},
      hostile
    ])
  })

  it.effect("without a primary everything fails at once, and health says so", () =>
    Effect.gen(function* () {
      const worker = Machine.make().worker()
      const broker = yield* brokerOf(worker)
      const bus = yield* broker.open(request(quiet))
      const health = yield* Effect.forkScoped(Stream.runCollect(Stream.take(broker.health, 2)), {
        startImmediately: true
      })
      worker.kill(true)
      assert.deepStrictEqual(
        (yield* Fiber.join(health)).map(({ _tag }) => _tag),
        ["Connected", "Disconnected"]
      )
      let result: Published | undefined
      bus.publish(message(["x"]), (published) => {
        result = published
      })
      assert.strictEqual(result?._tag === "Failed" ? result.error.reason : undefined, "Unavailable")
    })
  )

  it.effect("messages for a primary that does not read are bounded", () =>
    Effect.gen(function* () {
      const { channel } = Machine.make().worker()
      const broker = yield* NodeClusterBus.make(
        { connected: true, send() {}, listen: (onMessage, onEnd) => channel.listen(onMessage, onEnd) },
        // The first one names the node.
        { maxPending: 3 }
      )
      const bus = yield* broker.open(request(quiet))
      const results: Array<Published["_tag"]> = []
      for (let n = 0; n < 3; n++) bus.publish(message(["x", n]), ({ _tag }) => results.push(_tag))
      assert.deepStrictEqual(results, ["Published", "Published", "Failed"])
    })
  )

  it.live("a process that nobody has forked has no bus", () =>
    Effect.gen(function* () {
      const { send } = process
      // Also where the tests themselves run in a forked process.
      Reflect.set(process, "send", undefined)
      yield* Effect.addFinalizer(() => Effect.sync(() => Reflect.set(process, "send", send)))
      const error = yield* Effect.flip(NodeClusterBus.ofProcess())
      assert.strictEqual(error.reason, "Unavailable")
    })
  )
})

describe("the routing of the primary", () => {
  const setup = (count: number) => {
    const got: Array<Array<AdapterMessage>> = []
    const peers: Array<RouterPeer> = []
    for (let n = 0; n < count; n++) {
      const inbox: Array<AdapterMessage> = []
      got.push(inbox)
      peers.push({ send: (message) => inbox.push(message) })
    }
    return { router: new ClusterRouter(() => peers), peers, got }
  }
  const source = "_sio_adapter"

  it("answers go to the one that asked, whatever their type, and to nobody if it is gone", () => {
    const { router, peers, got } = setup(3)
    router.receive(peers[0]!, { source, type: 7, uid: "asker", nsp: "/" })
    for (const type of [8, 10, 11, 12])
      router.receive(peers[1]!, { source, type, uid: "b", nsp: "/", requesterUid: "asker" })
    assert.deepStrictEqual(
      got.map((inbox) => inbox.map(({ type }) => type)),
      [[8, 10, 11, 12], [7], [7]]
    )
    router.receive(peers[1]!, { source, type: 8, uid: "b", nsp: "/", requesterUid: "nobody" })
    assert.strictEqual(router.counters.ignored, 1)
  })

  it("the nodes of a worker that dies say goodbye through the primary; those that have said it themselves do not again", () => {
    const { router, peers, got } = setup(2)
    for (const uid of ["a", "b", "c"]) router.receive(peers[0]!, { source, type: 1, uid, nsp: `/${uid}` })
    router.receive(peers[0]!, { source, type: 13, uid: "b", nsp: "/b" })
    assert.strictEqual(router.size, 2)
    got[1]!.length = 0
    router.gone(peers[0]!)
    assert.deepStrictEqual(got[1], [
      { type: 13, uid: "a", nsp: "/a", source },
      { type: 13, uid: "c", nsp: "/c", source }
    ])
    assert.strictEqual(router.size, 0)
    router.gone(peers[0]!)
    assert.lengthOf(got[1]!, 2)
  })

  it("emitters are no nodes, and endless uids are not remembered", () => {
    const { router, peers } = setup(1)
    router.receive(peers[0]!, { source, type: 3, uid: "emitter", nsp: "/" })
    router.receive(peers[0]!, { source, type: 3, uid: "x".repeat(257), nsp: "/" })
    assert.strictEqual(router.size, 0)
  })
})
