/** Connection state recovery, seen by the client of the Effect API: over the network in memory, and against the official server. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SocketClient from "../../src/client/index.ts"
import { Event, Namespace } from "../../src/contract/index.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { property } from "../properties.ts"
import * as Official from "./official.ts"

const Line = Namespace.make("/line", {
  fromServer: {
    got: Event.make({ args: [Schema.Int] }),
    text: Event.make({ args: [Schema.String] }),
    bare: Event.make({ args: [] }),
    ask: Event.make({ args: [], ack: Schema.Int })
  }
})
type Line = typeof Line

/** `emitted` when each socket that was not recovered was connected. */
interface Begun {
  readonly sockets: Array<Socket<Line>>
  readonly fresh: Array<number>
  emitted: number
}

const begin = (): Begun => ({ sockets: [], fresh: [], emitted: 0 })

const live = (begun: Begun) =>
  SocketServer.namespace(Line, (socket) =>
    Effect.gen(function* () {
      begun.sockets.push(socket)
      if (!socket.recovered) {
        begun.fresh.push(begun.emitted)
        yield* socket.join("a")
      }
    })
  )

const served = <A, E>(
  begun: Begun,
  effect: Effect.Effect<A, E, MemoryNetwork.MemoryNetwork | SocketServer.SocketServer | Scope.Scope>,
  options: SocketServer.Options = { connectionStateRecovery: {} }
) => Effect.provide(effect, Testing.layer(live(begun), options), { local: true })

describe("a client whose connection is lost", () => {
  for (const [way, options] of [
    ["polling", { transports: ["polling"] }],
    ["websocket", { transports: ["websocket"] }],
    ["upgrade", {}]
  ] as const) {
    it.effect(`by ${way}: is recovered, gets what it missed, and never sees an offset`, () => {
      const begun = begin()
      return Effect.gen(function* () {
        const network = yield* MemoryNetwork.MemoryNetwork
        const line = yield* SocketServer.handle(Line)
        const client = yield* MemoryNetwork.passTime()(SocketClient.connect(Line, { url: Testing.url, ...options }))
        const got: Array<unknown> = []
        yield* client.on("got", (...args) => Effect.sync(() => void got.push(args)))
        yield* client.on("text", (...args) => Effect.sync(() => void got.push(args)))
        yield* client.on("bare", (...args) => Effect.sync(() => void got.push(args)))
        const seen = yield* Effect.forkChild(Stream.runCollect(Stream.take(SocketClient.incoming(client), 8)), {
          startImmediately: true
        })
        const states = yield* Effect.forkChild(
          Stream.runCollect(
            Stream.takeUntil(SocketClient.states(client), (state) => state._tag === "Connected" && state.recovered)
          ),
          { startImmediately: true }
        )
        const { id } = client
        yield* line.emit("got", 1)
        yield* line.volatile.emit("text", "volatile")
        yield* line.emit("bare")
        yield* MemoryNetwork.adjust("1 second")
        yield* network.cut()
        yield* MemoryNetwork.adjust("100 millis")
        yield* line.to("a").emit("got", 2)
        yield* line.emit("text", "missed")
        yield* network.heal()
        yield* MemoryNetwork.adjust("30 seconds")
        assert.deepStrictEqual((yield* Fiber.join(states)).at(-1), { _tag: "Connected", id: id!, recovered: true })
        assert.isTrue(client.recovered)
        assert.strictEqual(client.id, id)
        yield* line.emit("got", 3)
        yield* line.volatile.emit("bare")
        yield* line.emit("got", 4)
        yield* MemoryNetwork.adjust("1 second")
        assert.deepStrictEqual(got, [[1], ["volatile"], [], [2], ["missed"], [3], [], [4]])
        assert.deepStrictEqual(
          (yield* Fiber.join(seen)).map(({ args }) => args),
          got
        )
        assert.strictEqual(begun.sockets.length, 2)
        assert.isTrue(begun.sockets[1]!.recovered)
      }).pipe((effect) => served(begun, effect))
    })
  }

  it.effect("that changes networks is back before the server knows of the loss", () => {
    const begun = begin()
    return Effect.gen(function* () {
      const network = yield* MemoryNetwork.MemoryNetwork
      const line = yield* SocketServer.handle(Line)
      const client = yield* MemoryNetwork.passTime()(
        SocketClient.connect(Line, { url: Testing.url, transports: ["websocket"] })
      )
      const got: Array<number> = []
      yield* client.on("got", (number) => Effect.sync(() => void got.push(number)))
      // What goes to the client is lost on the way; it gives up the connection itself, and the server does not hear of it.
      yield* network.lose()
      yield* line.emit("got", 1)
      yield* MemoryNetwork.adjust("50 seconds")
      yield* network.heal()
      yield* line.emit("got", 2)
      yield* MemoryNetwork.adjust("30 seconds")
      assert.isTrue(client.recovered)
      assert.deepStrictEqual(got, [1, 2])
    }).pipe((effect) => served(begun, effect))
  })
})

/** Emits some events, then something happens to the network, then time passes. */
const Step = Schema.Struct({
  emits: Schema.Literals([0, 1, 1, 2, 5]),
  fault: Schema.Literals(["none", "none", "cut", "cut", "reset", "freeze", "lose", "heal", "heal", "heal", "slow"]),
  wait: Schema.Literals([0, 0, 1, 20, 120, 1500, 6000, 50_000, 100_000])
})

const steps = Arbitrary.schema(Schema.Array(Step).check(Schema.isMinLength(10), Schema.isMaxLength(25)))

const act = (
  network: MemoryNetwork.MemoryNetwork["Service"],
  fault: (typeof Step.Type)["fault"]
): Effect.Effect<void> => {
  switch (fault) {
    case "none":
      return Effect.void
    case "cut":
      return network.cut()
    case "reset":
      return network.reset()
    case "freeze":
      return network.freeze()
    case "lose":
      return network.lose()
    case "heal":
      return network.heal()
    case "slow":
      return network.latency({ toServer: "300 millis", toClient: "150 millis" })
  }
}

for (const [way, options] of [
  ["polling", { transports: ["polling"] }],
  ["websocket", { transports: ["websocket"] }]
] as const) {
  describe(`over ${way}, whatever the network does`, () => {
    let recovered = 0

    it.effect.prop(
      "every event arrives once and in order, or the client is told that it begins anew",
      { steps },
      ({ steps }) => {
        const begun = begin()
        return Effect.gen(function* () {
          const network = yield* MemoryNetwork.MemoryNetwork
          const line = yield* SocketServer.handle(Line)
          const client = yield* SocketClient.connect(Line, { url: Testing.url, ...options, wait: false })
          /** What arrived in each life of the client: the numbers, and which life it was. */
          const lives: Array<Array<number>> = []
          yield* client.on("got", (number) => Effect.sync(() => void lives.at(-1)!.push(number)))
          yield* client.on("text", () => Effect.void)
          const watching = yield* Effect.forkChild(
            Stream.runForEach(SocketClient.states(client), (state) =>
              Effect.sync(() => {
                if (state._tag === "Connected" && !state.recovered) lives.push([])
                if (state._tag === "Connected" && state.recovered) recovered++
              })
            ),
            { startImmediately: true }
          )
          for (const step of steps) {
            for (let i = 0; i < step.emits; i++) {
              begun.emitted++
              const to = i % 2 === 0 ? line : line.to("a")
              yield* to.emit("got", begun.emitted)
              yield* line.volatile.emit("text", String(begun.emitted))
            }
            yield* act(network, step.fault)
            yield* MemoryNetwork.adjust(step.wait)
          }
          yield* network.heal()
          yield* MemoryNetwork.adjust("3 minutes")
          begun.emitted++
          yield* line.emit("got", begun.emitted)
          yield* MemoryNetwork.adjust("1 second")
          for (const numbers of lives) {
            if (numbers.length === 0) continue
            // A life begins when the server has let the client in: from then on nothing is missing.
            assert.include(begun.fresh, numbers[0]! - 1, JSON.stringify(lives))
            assert.deepStrictEqual(
              numbers,
              numbers.map((_, index) => numbers[0]! + index)
            )
          }
          assert.strictEqual(lives.at(-1)!.at(-1), begun.emitted)
          yield* Fiber.interrupt(watching)
        }).pipe((effect) => served(begun, effect), Effect.scoped)
      },
      { arbitrary: property(25) }
    )

    it("… and often it goes on", () => assert.isAbove(recovered, 10))
  })
}

describe("against the official server with recovery", () => {
  it.live("is recovered and gets what it missed; a contract does without the offset behind the arguments", () =>
    Effect.gen(function* () {
      const { io, url } = yield* Official.start({ connectionStateRecovery: {} }, () => {})
      const line = io.of("/line")
      const client = yield* SocketClient.connect(Line, { url, transports: ["websocket"], autoConnect: false })
      const got: Array<unknown> = []
      const done = yield* Deferred.make<void>()
      yield* client.on("got", (...args) => Effect.sync(() => void got.push(args)))
      yield* client.on("text", (...args) =>
        Effect.andThen(
          Effect.sync(() => void got.push(args)),
          args[0] === "last" ? Deferred.succeed(done, undefined) : Effect.void
        )
      )
      const first = yield* Deferred.make<void>()
      yield* client.on("bare", () => Effect.asVoid(Deferred.succeed(first, undefined)))
      yield* client.connect
      const { id } = client
      line.emit("got", 1)
      line.emit("bare")
      yield* Deferred.await(first)
      const back = yield* Effect.forkChild(
        Stream.runHead(
          Stream.filter(SocketClient.states(client), (state) => state._tag === "Connected" && state.recovered)
        ),
        { startImmediately: true }
      )
      const [server] = [...line.sockets.values()]
      const gone = new Promise((resolve) => server!.once("disconnect", resolve))
      server!.conn.close()
      yield* Effect.promise(() => gone)
      line.emit("got", 2)
      line.emit("text", "missed")
      yield* Fiber.join(back)
      assert.isTrue(client.recovered)
      assert.strictEqual(client.id, id)
      line.emit("text", "last")
      yield* Deferred.await(done)
      assert.deepStrictEqual(got, [[1], [2], ["missed"], ["last"]])
    })
  )
})
