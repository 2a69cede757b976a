import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { EngineClientOptions } from "../../src/transport/EngineClientOptions.ts"
import type { Frame } from "../../src/protocol/FrameGroup.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import { message, reliably, startClient, startServer } from "./EnginePair.ts"
import { property } from "../properties.ts"

const networked = <A, E>(
  name: string,
  test: (network: MemoryNetwork.MemoryNetwork["Service"]) => Effect.Effect<A, E, MemoryNetwork.MemoryNetwork | Scope>
): void =>
  it.effect(name, () =>
    MemoryNetwork.MemoryNetwork.use(test).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer, { local: true }))
  )

const ways: ReadonlyArray<readonly [name: string, options: Partial<EngineClientOptions>]> = [
  ["polling", { transports: ["polling"] }],
  ["websocket", { transports: ["websocket"] }],
  ["upgrade", {}]
]

/** Binary as plain bytes, whichever class carries it. */
const plain = (frames: ReadonlyArray<Frame> | undefined): ReadonlyArray<unknown> =>
  (frames ?? []).map((frame) => (typeof frame === "string" ? frame : [...frame]))

const numbers = (count: number): Array<Frame> => Array.from({ length: count }, (_, index) => String(index))

for (const [way, options] of ways) {
  const transport = way === "polling" ? "polling" : "websocket"
  describe(`the engines over ${way}`, () => {
    networked("open and echo text and binary in order", (network) =>
      Effect.gen(function* () {
        const server = yield* startServer({}, (session, data) => session.write(message(data), reliably))
        const client = yield* startClient(options)
        yield* network.settle
        assert.strictEqual(client.opens, 1)
        const sent = ["a", "", new Uint8Array([0, 1, 255]), "ü\ud83d\ude00", new Uint8Array(0), "z"]
        for (const data of sent) client.engine.write(message(data))
        yield* network.settle
        assert.deepStrictEqual(plain(server.sessions[0]?.messages), plain(sent))
        assert.deepStrictEqual(plain(client.messages), plain(sent))
        assert.strictEqual(client.engine.transportName, transport)
        assert.strictEqual(server.sessions[0]?.session.transportName, transport)
        assert.deepStrictEqual([...client.closed, ...(server.sessions[0]?.closed ?? [])], [])
      })
    )

    networked("live through an hour of silence by their heartbeat", (network) =>
      Effect.gen(function* () {
        const server = yield* startServer()
        const client = yield* startClient(options)
        yield* network.latency("100 millis")
        yield* TestClock.adjust("1 hour")
        client.engine.write(message("still here"))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(server.sessions[0]?.messages, ["still here"])
        assert.lengthOf(server.sessions, 1)
      })
    )

    networked("the server ends a session whose client fell silent: ping interval and ping timeout later", (network) =>
      Effect.gen(function* () {
        const server = yield* startServer({ pingInterval: "25 seconds", pingTimeout: "20 seconds" })
        yield* startClient(options)
        yield* network.settle
        yield* network.freeze()
        yield* TestClock.adjust("44999 millis")
        assert.lengthOf(server.sessions[0]!.closed, 0)
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(
          server.sessions[0]!.closed.map(({ reason }) => reason),
          ["ping timeout"]
        )
      })
    )

    networked("the client ends a session whose server fell silent", (network) =>
      Effect.gen(function* () {
        yield* startServer({ pingInterval: "25 seconds", pingTimeout: "20 seconds" })
        const client = yield* startClient(options)
        yield* network.settle
        yield* network.freeze()
        yield* TestClock.adjust("44999 millis")
        assert.deepStrictEqual(client.closed, [])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(client.closed, ["ping timeout"])
      })
    )

    networked("a cut is noticed by both ends", (network) =>
      Effect.gen(function* () {
        const server = yield* startServer()
        const client = yield* startClient(options)
        yield* network.settle
        yield* network.cut()
        yield* TestClock.adjust("1 minute")
        assert.lengthOf(client.closed, 1)
        assert.include(["transport error", "transport close"], client.closed[0])
        assert.lengthOf(server.sessions[0]!.closed, 1)
        assert.include(["transport error", "transport close"], server.sessions[0]!.closed[0]?.reason)
        assert.strictEqual(server.engine.clientsCount, 0)
      })
    )

    networked("the client's close reaches the server after what it wrote", (network) =>
      Effect.gen(function* () {
        const server = yield* startServer()
        const client = yield* startClient(options)
        yield* network.settle
        client.engine.write(message("last words"))
        client.engine.close()
        yield* network.settle
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(server.sessions[0]?.messages, ["last words"])
        assert.deepStrictEqual(
          server.sessions[0]?.closed.map(({ reason }) => reason),
          ["transport close"]
        )
        assert.deepStrictEqual(client.closed, ["forced close"])
      })
    )

    networked("the server's close reaches the client after what it wrote", (network) =>
      Effect.gen(function* () {
        const server = yield* startServer()
        const client = yield* startClient(options)
        yield* network.settle
        const { session } = server.sessions[0]!
        session.write(message("last words"), reliably)
        session.close("forced close")
        yield* network.settle
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(client.messages, ["last words"])
        assert.deepStrictEqual(client.closed, ["transport close"])
        assert.strictEqual((yield* network.traffic).open, 0)
      })
    )

    it.effect.prop(
      "lose, double and reorder nothing, whatever the latency and the pace of both ends",
      {
        toServer: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 })),
        toClient: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 })),
        pace: Arbitrary.schema(
          Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 25 }))).check(Schema.isMaxLength(60))
        )
      },
      ({ pace, toClient, toServer }) =>
        Effect.gen(function* () {
          const network = yield* MemoryNetwork.MemoryNetwork
          yield* network.latency({ toServer, toClient })
          const server = yield* startServer({}, (session, data) => session.write(message(data), reliably))
          const client = yield* startClient(options)
          let sent = 0
          for (const pause of pace) {
            yield* TestClock.adjust(pause)
            client.engine.write(message(String(sent++)))
            client.engine.write(message(String(sent++)))
          }
          yield* MemoryNetwork.adjust("10 seconds")
          assert.deepStrictEqual(server.sessions[0]?.messages, numbers(sent))
          assert.deepStrictEqual(client.messages, numbers(sent))
          assert.strictEqual(client.engine.transportName, transport)
          assert.strictEqual(server.sessions[0]?.session.transportName, transport)
        }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer, { local: true })),
      { arbitrary: property(100) }
    )
  })
}

describe("the upgrade", () => {
  networked(
    "needs no time where the network needs none, with nothing, with questions and with answers under way",
    (network) =>
      Effect.gen(function* () {
        const server = yield* startServer({}, (session, data) => session.write(message(data), reliably))
        for (const written of [0, 1, 30]) {
          const client = yield* startClient()
          for (const data of numbers(written)) client.engine.write(message(data))
          server.sessions.at(-1)?.session.write(message("hello"), reliably)
          yield* network.settle
          assert.deepStrictEqual(client.upgrades, ["websocket"])
          assert.deepStrictEqual(server.sessions.at(-1)!.upgrades, ["websocket"])
        }
      })
  )

  it.effect.prop(
    "takes a few round trips, whatever is written meanwhile, also on a WebSocket twice as slow: no 100 ms on top",
    {
      http: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
      slowness: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 })),
      at: Arbitrary.schema(
        Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 }))).check(Schema.isMaxLength(8))
      )
    },
    ({ at, http, slowness }) =>
      Effect.gen(function* () {
        const network = yield* MemoryNetwork.MemoryNetwork
        const webSocket = Math.floor(http * slowness)
        yield* network.latency({ toServer: http, toClient: http }, { over: "http" })
        yield* network.latency({ toServer: webSocket, toClient: webSocket }, { over: "websocket" })
        yield* startServer({}, (session, data) => session.write(message(data), reliably))
        const client = yield* startClient()
        let sent = 0
        // Two ways each: handshake, opening the WebSocket, the probe, and what the pause waits for (a poll or a post).
        const atMost = 4 * http + 4 * webSocket
        for (let millisecond = 0; millisecond <= atMost; millisecond++) {
          for (const due of at) if (due === millisecond) client.engine.write(message(String(sent++)))
          yield* MemoryNetwork.adjust(1)
          if (client.upgrades.length > 0) break
        }
        assert.deepStrictEqual(client.upgrades, ["websocket"])
      }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer, { local: true })),
    { arbitrary: property(100) }
  )

  networked("under load in both directions loses, doubles and reorders nothing", (network) =>
    Effect.gen(function* () {
      yield* network.latency({ toServer: "7 millis", toClient: "11 millis" })
      const server = yield* startServer()
      const client = yield* startClient()
      let sent = 0
      for (let millisecond = 0; millisecond < 300; millisecond++) {
        const session = server.sessions[0]?.session
        if (client.opens > 0 && session !== undefined) {
          client.engine.write(message(String(sent)))
          session.write(message(String(sent)), reliably)
          sent++
        }
        yield* TestClock.adjust(1)
      }
      yield* TestClock.adjust("1 second")
      assert.isAbove(sent, 200)
      assert.deepStrictEqual(client.upgrades, ["websocket"])
      assert.deepStrictEqual(server.sessions[0]!.upgrades, ["websocket"])
      assert.deepStrictEqual(server.sessions[0]!.messages, numbers(sent))
      assert.deepStrictEqual(client.messages, numbers(sent))
    })
  )

  networked("that hangs leaves the session on polling, and works when it is tried by the next one", (network) =>
    Effect.gen(function* () {
      const server = yield* startServer({ upgradeTimeout: "10 seconds" }, (session, data) =>
        session.write(message(data), reliably)
      )
      yield* network.freeze({ over: "websocket" })
      const client = yield* startClient()
      yield* network.settle
      assert.strictEqual(client.opens, 1)
      for (const data of numbers(30)) {
        client.engine.write(message(data))
        yield* MemoryNetwork.adjust("1 second")
      }
      assert.deepStrictEqual(client.messages, numbers(30))
      assert.deepStrictEqual([...client.upgrades, ...server.sessions[0]!.upgrades], [])
      yield* network.heal()
      const next = yield* startClient()
      yield* network.settle
      assert.deepStrictEqual(next.upgrades, ["websocket"])
    })
  )

  networked("whose probe is answered but that never comes: given up after its timeout, nothing is lost", (network) =>
    Effect.gen(function* () {
      const server = yield* startServer({ upgradeTimeout: "10 seconds" }, (session, data) =>
        session.write(message(data), reliably)
      )
      yield* network.latency({ toServer: "5 millis" }, { over: "websocket" })
      const client = yield* startClient()
      // The WebSocket is there after 5 ms, its probe after 10; the answer then never comes.
      yield* MemoryNetwork.adjust("7 millis")
      yield* network.freeze({ over: "websocket", direction: "toClient" })
      for (const data of numbers(30)) {
        client.engine.write(message(data))
        yield* MemoryNetwork.adjust("1 second")
      }
      assert.deepStrictEqual(client.messages, numbers(30))
      assert.deepStrictEqual(server.sessions[0]!.messages, numbers(30))
      assert.deepStrictEqual(server.sessions[0]!.upgrades, [])
      assert.strictEqual(client.engine.transportName, "polling")
      assert.deepStrictEqual(client.closed, [])
    })
  )

  networked("through a proxy that refuses WebSockets: the session stays on polling and works", (network) =>
    Effect.gen(function* () {
      yield* startServer({}, (session, data) => session.write(message(data), reliably))
      yield* network.refuse({ over: "websocket" })
      const client = yield* startClient()
      yield* network.settle
      client.engine.write(message("hello"))
      yield* MemoryNetwork.adjust("1 minute")
      assert.deepStrictEqual(client.messages, ["hello"])
      assert.strictEqual(client.engine.transportName, "polling")
      assert.lengthOf(client.upgradeErrors, 1)
    })
  )

  networked("is not tried when the server does not offer it", (network) =>
    Effect.gen(function* () {
      yield* startServer({ allowUpgrades: false })
      const client = yield* startClient()
      yield* network.settle
      assert.strictEqual(client.engine.transportName, "polling")
      assert.strictEqual((yield* network.traffic).webSockets, 0)
    })
  )
})
