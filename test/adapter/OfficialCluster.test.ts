/** Official servers and ours in one cluster: the package `socket.io-adapter` over the broker in memory, by JSON. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Server } from "socket.io"
import {
  ClusterAdapterWithHeartbeat as OfficialAdapter,
  type ClusterMessage as OfficialMessage,
  type ClusterResponse as OfficialResponse
} from "socket.io-adapter"
import * as ClusterAdapter from "../../src/adapter/ClusterAdapter.ts"
import type { ClusterBus } from "../../src/adapter/ClusterBus.ts"
import { fromWire, isResponse, toWire } from "../../src/adapter/ClusterMessage.ts"
import * as MemoryBroker from "../../src/testing/MemoryBroker.ts"
import * as Nodes from "../suites/cluster/Nodes.ts"
import { until, untilEqual } from "../suites/cluster/Waiting.ts"

const nsp = "/chat"

/** What the official adapter does with a bus: hands over what its base class says, and tells it what comes. */
const officialServer = (broker: MemoryBroker.MemoryBroker, name: string) =>
  Effect.gen(function* () {
    const node = yield* broker.connect(name)
    const open: { bus?: ClusterBus } = {}
    const send = (message: object): void => {
      const wire = fromWire(JSON.parse(JSON.stringify(message)), nsp)
      if (wire !== undefined) open.bus?.publish(wire, () => {})
    }
    class Official extends OfficialAdapter {
      get id(): string {
        return this.uid
      }
      hear(message: OfficialMessage): void {
        this.onMessage(message)
      }
      answered(response: OfficialResponse): void {
        this.onResponse(response)
      }
      override doPublish(message: OfficialMessage): Promise<string> {
        if (message.nsp === nsp) send(message)
        return Promise.resolve("")
      }
      override doPublishResponse(requester: string, response: OfficialResponse): Promise<void> {
        const wire = fromWire(JSON.parse(JSON.stringify(response)), nsp)
        if (wire !== undefined) open.bus?.publishTo(requester, wire, () => {})
        return Promise.resolve()
      }
    }
    const io = new Server({ adapter: Official as never, cleanupEmptyChildNamespaces: false })
    const chat = io.of(nsp)
    const adapter = chat.adapter as unknown as Official
    open.bus = yield* node.open({
      namespace: nsp,
      uid: adapter.id,
      recovery: undefined,
      sink: {
        onMessage: (message) => {
          const wire: unknown = JSON.parse(JSON.stringify(toWire(message)))
          if (isResponse(message)) adapter.answered(wire as OfficialResponse)
          else adapter.hear(wire as OfficialMessage)
        }
      }
    })
    adapter.init()
    yield* Effect.addFinalizer(() => Effect.sync(() => chat.adapter.close()))
    return chat
  })

const setup = Effect.gen(function* () {
  const broker = yield* MemoryBroker.make()
  const official = yield* officialServer(broker, "official")
  const ours = yield* Nodes.over(
    ClusterAdapter.make(yield* broker.connect("ours"), { discovery: "100 millis", requestTimeout: "10 seconds" })
  )
  yield* untilEqual("both know each other", ours.chat.serverCount, 2)
  yield* untilEqual(
    "both know each other",
    Effect.promise(() => official.adapter.serverCount()),
    2
  )
  return { broker, official, ours, client: ours.client() }
})

describe("a cluster of official servers and ours", () => {
  it.live("official broadcasts reach our sockets: rooms, exceptions, flags", () =>
    Effect.gen(function* () {
      const { official, client } = yield* setup
      yield* client.join("r")
      official.emit("said", { text: "all" })
      official.to("r").emit("said", "room")
      official.to("elsewhere").emit("said", "not here")
      official.except("r").emit("said", "not here")
      official.volatile.compress(false).emit("said", "flags")
      yield* until("three events", () => client.heard().length === 3)
      assert.deepStrictEqual(client.heard(), [{ text: "all" }, "room", "flags"])
    })
  )

  it.live("official servers move, fetch and disconnect our sockets", () =>
    Effect.gen(function* () {
      const { official, ours, client } = yield* setup
      official.socketsJoin("x")
      const [socket] = yield* Effect.promise(() => official.in("x").fetchSockets())
      assert.strictEqual(socket?.id, client.id)
      assert.deepStrictEqual(socket?.data, { name: "someone" })
      assert.sameMembers(Array.from(socket?.rooms ?? []), [client.id, "x"])
      assert.isString(socket?.handshake.address)
      socket?.leave("x")
      assert.deepStrictEqual(yield* Effect.promise(() => official.in("x").fetchSockets()), [])
      official.disconnectSockets(true)
      yield* until("the socket has gone", () => ours.server.server.core.counters.sockets === 0)
    })
  )

  it.live("official questions are answered by our sockets and our servers", () =>
    Effect.gen(function* () {
      const { official, ours, client } = yield* setup
      const asked = yield* Effect.forkChild(
        Effect.promise(() => official.timeout(10_000).emitWithAck("vote")),
        { startImmediately: true }
      )
      yield* client.vote(true)
      assert.deepStrictEqual(yield* Fiber.join(asked), [true])
      yield* ours.chat.onServerSide("load", () => Effect.succeed(0.5))
      const answers = (yield* Effect.promise(() => official.serverSideEmitWithAck("load"))) as Array<unknown>
      assert.deepStrictEqual(answers, [{ ok: true, value: 0.5 }])
      const seen: Array<unknown> = []
      yield* ours.chat.onServerSide("reload", (n) => Effect.sync(() => void seen.push(n)))
      official.serverSideEmit("reload", 7)
      yield* until("the event", () => seen.length === 1)
      assert.deepStrictEqual(seen, [7])
    })
  )

  it.live("our questions are answered by official servers", () =>
    Effect.gen(function* () {
      const { official, ours, client } = yield* setup
      const sockets = yield* ours.chat.fetchSockets()
      assert.deepStrictEqual(
        sockets.map(({ id }) => id),
        [client.id]
      )
      const seen: Array<unknown> = []
      official.on("reload" as never, ((n: unknown) => seen.push(n)) as never)
      official.on("load" as never, ((answer: (value: unknown) => void) => answer({ ok: true, value: 0.25 })) as never)
      yield* ours.chat.serverSideEmit("reload", 3)
      const answers = yield* Stream.runCollect(ours.chat.serverSideEmitWithAck({ timeout: "10 seconds" }, "load"))
      assert.deepStrictEqual([seen, answers], [[3], [0.25]])
      // An official server without sockets says so, and is not waited for.
      assert.deepStrictEqual(yield* Stream.runCollect(ours.chat.except(client.id).emitWithAck("vote")), [])
    })
  )

  it.live("a goodbye is understood by both", () =>
    Effect.gen(function* () {
      const { broker, official, ours } = yield* setup
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Nodes.over(ClusterAdapter.make(yield* broker.connect("more")))
          yield* untilEqual(
            "three servers",
            Effect.promise(() => official.adapter.serverCount()),
            3
          )
        })
      )
      yield* untilEqual(
        "two servers",
        Effect.promise(() => official.adapter.serverCount()),
        2
      )
      official.adapter.close()
      yield* untilEqual("one server", ours.chat.serverCount, 1)
    })
  )
})
