/**
 * Tests of a Socket.IO program in virtual time: the real server and the real client, over a network in memory. A ping timeout of 45
 * seconds, an upgrade and a reconnection take milliseconds, and the same happens every time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as SocketClient from "effect-socketio/client"
import { MemoryNetwork, Testing } from "effect-socketio/testing"
import { Counter, counterLive } from "./counter.ts"

describe("the counter", () => {
  it.effect("counts, and tells the others", () =>
    Effect.gen(function* () {
      const ada = yield* SocketClient.connect(Counter, { url: Testing.url, forceNew: true })
      const bob = yield* SocketClient.connect(Counter, { url: Testing.url, forceNew: true })
      const heard = yield* SocketClient.events(bob, "total").pipe(
        Stream.take(2),
        Stream.runCollect,
        Effect.forkChild({ startImmediately: true })
      )
      assert.strictEqual(yield* ada.emitWithAck("add", 2).pipe(MemoryNetwork.passTime()), 2)
      assert.deepStrictEqual(yield* Fiber.join(heard), [[0], [2]])
    }).pipe(Effect.scoped, Effect.provide(Testing.layer(counterLive())))
  )

  it.effect("upgrades from polling to a WebSocket, and loses nothing on the way", () =>
    Effect.gen(function* () {
      const network = yield* MemoryNetwork.MemoryNetwork
      yield* network.latency("20 millis")
      const counter = yield* SocketClient.connect(Counter, { url: Testing.url }).pipe(MemoryNetwork.passTime())
      assert.strictEqual(counter.transport, "polling")

      const answers = yield* Effect.forEach(
        Array.from({ length: 100 }, () => 1),
        (amount, index) => Effect.andThen(Effect.sleep(index * 3), counter.emitWithAck("add", amount)),
        { concurrency: "unbounded" }
      ).pipe(MemoryNetwork.passTime())

      assert.deepStrictEqual(
        answers,
        Array.from({ length: 100 }, (_, index) => index + 1)
      )
      assert.strictEqual(counter.transport, "websocket")
      assert.strictEqual((yield* network.traffic).webSockets, 1)
    }).pipe(Effect.scoped, Effect.provide(Testing.layer(counterLive())))
  )

  it.effect("works on polling where a proxy refuses WebSockets", () =>
    Effect.gen(function* () {
      const network = yield* MemoryNetwork.MemoryNetwork
      yield* network.refuse({ over: "websocket" })
      const counter = yield* SocketClient.connect(Counter, { url: Testing.url })
      yield* MemoryNetwork.adjust("1 minute")
      assert.strictEqual(counter.transport, "polling")
      assert.strictEqual(yield* counter.emitWithAck("add", 1), 1)
    }).pipe(Effect.scoped, Effect.provide(Testing.layer(counterLive())))
  )

  it.effect("notices a dead connection after ping interval and ping timeout, at both ends", () => {
    const gone: Array<string> = []
    return Effect.gen(function* () {
      const network = yield* MemoryNetwork.MemoryNetwork
      const counter = yield* SocketClient.connect(Counter, { url: Testing.url, transports: ["websocket"] })

      // Somebody pulls the plug of a router: nothing passes any more, and nobody is told.
      yield* network.freeze()
      yield* MemoryNetwork.adjust("44999 millis")
      assert.isTrue(counter.connected)
      assert.deepStrictEqual(gone, [])

      yield* MemoryNetwork.adjust("1 millis")
      assert.isFalse(counter.connected)
      assert.deepStrictEqual(gone, ["ping timeout"])
    }).pipe(
      Effect.scoped,
      Effect.provide(
        Testing.layer(
          counterLive((reason) => gone.push(reason)),
          { pingInterval: "25 seconds", pingTimeout: "20 seconds" }
        )
      )
    )
  })

  it.effect("reconnects with growing delays, and sends what was kept meanwhile", () =>
    Effect.gen(function* () {
      const network = yield* MemoryNetwork.MemoryNetwork
      const counter = yield* SocketClient.connect(Counter, { url: Testing.url, transports: ["websocket"] })
      const delays: Array<number> = []
      yield* SocketClient.states(counter).pipe(
        Stream.runForEach((state) => Effect.sync(() => state._tag === "Waiting" && delays.push(state.delay))),
        Effect.forkScoped({ startImmediately: true })
      )
      assert.strictEqual(yield* counter.emitWithAck("add", 1), 1)

      yield* network.cut()
      yield* network.settle
      assert.isFalse(counter.connected)
      const kept = yield* Effect.forkChild(counter.timeout("1 minute").emitWithAck("add", 41), {
        startImmediately: true
      })
      yield* MemoryNetwork.adjust("10 seconds")
      assert.deepStrictEqual(delays.slice(0, 4), [1000, 2000, 4000, 5000])

      yield* network.heal()
      yield* MemoryNetwork.adjust("5 seconds")
      assert.isTrue(counter.connected)
      assert.strictEqual(yield* Fiber.join(kept), 42)
    }).pipe(
      // Without jitter the delays are known.
      Effect.provideService(SocketClient.Reconnection, SocketClient.backoff({ randomizationFactor: 0 })),
      Effect.scoped,
      Effect.provide(Testing.layer(counterLive()))
    )
  )

  it.effect("tells a caller at once when the connection goes, without waiting for its deadline", () =>
    Effect.gen(function* () {
      const network = yield* MemoryNetwork.MemoryNetwork
      const counter = yield* SocketClient.connect(Counter, { url: Testing.url, transports: ["websocket"] })
      yield* network.freeze({ direction: "toClient" })
      const answer = yield* Effect.forkChild(Effect.exit(counter.timeout("1 hour").emitWithAck("add", 1)), {
        startImmediately: true
      })
      yield* network.settle
      yield* network.reset()
      yield* network.settle
      const exit = yield* Fiber.join(answer)
      assert.isTrue(
        Exit.isFailure(exit) && exit.cause.reasons.some((r) => r._tag === "Fail" && r.error._tag === "Disconnected")
      )
    }).pipe(Effect.scoped, Effect.provide(Testing.layer(counterLive())))
  )
})
