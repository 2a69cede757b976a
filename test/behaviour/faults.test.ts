/** What only a network that can be told what to do shows: slow readers, routers that forget, attempts that hang. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import * as SocketClient from "../../src/client/index.ts"
import { Event, Namespace } from "../../src/contract/index.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import * as Testing from "../../src/testing/Testing.ts"

const Feed = Namespace.make("/feed", {
  fromClient: { ask: Event.make({ args: [Schema.String], ack: Schema.String }) },
  fromServer: { item: Event.make({ args: [Schema.Int, Schema.String] }) }
})

interface Log {
  readonly sockets: Array<Socket<typeof Feed>>
  readonly gone: Array<string>
}

const emptyLog = (): Log => ({ sockets: [], gone: [] })

const feedLive = (log: Log, name = "server") =>
  SocketServer.namespace(
    Feed,
    Effect.fnUntraced(function* (socket) {
      log.sockets.push(socket)
      yield* socket.on("ask", (text) => Effect.succeed(`${name}: ${text}`))
      yield* socket.onDisconnect(({ reason }) => Effect.sync(() => log.gone.push(reason)))
    })
  )

const served = <A, E>(
  name: string,
  test: (
    log: Log,
    network: MemoryNetwork.MemoryNetwork["Service"]
  ) => Effect.Effect<A, E, Scope | MemoryNetwork.MemoryNetwork>,
  options?: SocketServer.Options
): void =>
  it.effect(name, () => {
    const log = emptyLog()
    return MemoryNetwork.MemoryNetwork.use((network) => test(log, network)).pipe(
      Effect.scoped,
      Effect.provide(Testing.layer(feedLive(log), options), { local: true })
    )
  })

const connect = (options: { readonly transports?: ReadonlyArray<"polling" | "websocket"> } = {}) =>
  SocketClient.connect(Feed, { url: Testing.url, forceNew: true, transports: ["websocket"], ...options })

describe("a client that does not read", () => {
  for (const transports of [["websocket"], ["polling"]] as const) {
    served(
      `over ${transports[0]}: past maxBufferedAmount it is disconnected, and never gets events with a gap between`,
      (log, network) =>
        Effect.gen(function* () {
          const client = yield* connect({ transports })
          const items: Array<number> = []
          yield* client.on("item", (index) => Effect.sync(() => void items.push(index)))
          yield* network.settle
          const socket = log.sockets[0]!
          yield* network.freeze({ direction: "toClient" })
          let taken = 0
          for (let i = 0; i < 100; i++) {
            const result = yield* socket.emit("item", i, "x".repeat(10_000))
            if (result !== "sent" && result !== "buffered") break
            taken++
            yield* network.settle
          }
          assert.isAbove(taken, 10)
          assert.isBelow(taken, 60)
          const { description, reason } = yield* socket.disconnected
          assert.strictEqual(reason, "transport error")
          assert.match(String(description), /100000 bytes \(maxBufferedAmount\)/)
          yield* network.heal()
          yield* MemoryNetwork.adjust("2 minutes")
          assert.isAtMost(items.length, taken)
          assert.deepStrictEqual(items, [...items.keys()])
          // It is back, and begins anew.
          assert.strictEqual(yield* log.sockets[1]!.emit("item", items.length, ""), "sent")
          yield* network.settle
          assert.strictEqual(items.at(-1), items.length - 1)
        }),
      { maxBufferedAmount: 100_000 }
    )
  }

  served("gets no volatile events meanwhile, and no backlog of them afterwards", (log, network) =>
    Effect.gen(function* () {
      const client = yield* connect()
      const items: Array<number> = []
      yield* client.on("item", (index) => Effect.sync(() => void items.push(index)))
      yield* network.settle
      yield* network.freeze({ direction: "toClient" })
      // Fills the window of the connection, so that more would have to wait.
      yield* log.sockets[0]!.emit("item", 0, "x".repeat(70_000))
      yield* network.settle
      for (let i = 1; i < 50; i++) {
        assert.strictEqual(yield* log.sockets[0]!.volatile.emit("item", i, "state"), "dropped")
      }
      yield* network.heal()
      yield* network.settle
      assert.strictEqual(yield* log.sockets[0]!.volatile.emit("item", 50, "state"), "sent")
      yield* network.settle
      assert.deepStrictEqual(items, [0, 50])
    })
  )
})

describe("connections that are lost without a word", () => {
  served("are noticed by both ends after the heartbeat, and the client comes back", (log, network) =>
    Effect.gen(function* () {
      const client = yield* connect()
      yield* network.settle
      yield* network.lose()
      yield* MemoryNetwork.adjust("44999 millis")
      assert.deepStrictEqual(log.gone, [])
      yield* MemoryNetwork.adjust("10 seconds")
      assert.deepStrictEqual(log.gone, ["ping timeout"])
      assert.isTrue(client.connected)
      assert.lengthOf(log.sockets, 2)
    })
  )

  served("of one client do not touch the others", (log, network) =>
    Effect.gen(function* () {
      const ada = yield* connect().pipe(MemoryNetwork.asClient("ada"))
      const bob = yield* connect().pipe(MemoryNetwork.asClient("bob"))
      yield* network.settle
      yield* network.cut({ client: "ada" })
      yield* MemoryNetwork.adjust("1 minute")
      assert.isFalse(ada.connected)
      assert.isTrue(bob.connected)
      assert.lengthOf(log.gone, 1)
      yield* network.heal({ client: "ada" })
      yield* MemoryNetwork.adjust("10 seconds")
      assert.isTrue(ada.connected)
    })
  )
})

describe("a slow line", () => {
  served("of two seconds each way keeps the connection, and answers take four", (_log, network) =>
    Effect.gen(function* () {
      const client = yield* connect().pipe(MemoryNetwork.passTime())
      yield* network.latency("2 seconds")
      const fiber = yield* Effect.forkChild(client.emitWithAck("ask", "hi"), { startImmediately: true })
      yield* MemoryNetwork.adjust("3999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* MemoryNetwork.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "server: hi")
      yield* MemoryNetwork.adjust("10 minutes")
      assert.isTrue(client.connected)
    })
  )

  served("slower than the ack deadline: the answer that comes after it is ignored", (_log, network) =>
    Effect.gen(function* () {
      const client = yield* connect()
      yield* network.latency({ toClient: "6 seconds" })
      const error = yield* Effect.flip(client.timeout("5 seconds").emitWithAck("ask", "hi")).pipe(
        MemoryNetwork.passTime()
      )
      assert.strictEqual(error._tag, "AckTimeout")
      yield* MemoryNetwork.adjust("10 seconds")
      assert.strictEqual(yield* client.emitWithAck("ask", "again").pipe(MemoryNetwork.passTime()), "server: again")
    })
  )
})

describe("an attempt to connect that hangs", () => {
  for (const transports of [["websocket"], ["polling"]] as const) {
    served(`over ${transports[0]} is given up after the connect timeout, and made again`, (log, network) =>
      Effect.gen(function* () {
        yield* network.freeze()
        const client = yield* SocketClient.connect(Feed, {
          url: Testing.url,
          transports,
          connectTimeout: "20 seconds",
          wait: false
        })
        const states: Array<string> = []
        yield* SocketClient.states(client).pipe(
          Stream.runForEach((state) => Effect.sync(() => void states.push(state._tag))),
          Effect.forkScoped({ startImmediately: true })
        )
        yield* MemoryNetwork.adjust("19999 millis")
        assert.deepStrictEqual(states, ["Connecting"])
        yield* MemoryNetwork.adjust("1 millis")
        assert.strictEqual(states.at(-1), "Waiting")
        yield* network.heal()
        yield* MemoryNetwork.adjust("30 seconds")
        assert.isTrue(client.connected)
        // What was frozen arrived too; nobody waits for it, so it must not stay as a socket.
        assert.lengthOf(log.sockets, 1)
      })
    )
  }
})

describe("several servers on one network", () => {
  it.effect("are reached by their names, and fail one by one", () =>
    Effect.gen(function* () {
      const network = yield* MemoryNetwork.MemoryNetwork
      const logs = { one: emptyLog(), two: emptyLog() }
      const start = (name: "one" | "two") =>
        Layer.build(
          SocketServer.serve(feedLive(logs[name], name)).pipe(
            Layer.provide(InMemoryAdapter.layer),
            Layer.provide(MemoryNetwork.layerHost(name))
          )
        )
      yield* start("one")
      yield* start("two")
      const one = yield* SocketClient.connect(Feed, { url: "http://one", transports: ["websocket"] })
      const two = yield* SocketClient.connect(Feed, { url: "http://two", transports: ["websocket"] })
      assert.strictEqual(yield* one.emitWithAck("ask", "who?"), "one: who?")
      assert.strictEqual(yield* two.emitWithAck("ask", "who?"), "two: who?")
      yield* network.cut({ server: "one" })
      yield* MemoryNetwork.adjust("1 minute")
      assert.isFalse(one.connected)
      assert.isTrue(two.connected)
    }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer, { local: true }))
  )
})
