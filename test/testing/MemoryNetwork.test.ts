import { assert, describe, it, layer } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Platform } from "../../src/client/Platform.ts"
import { EngineHost } from "../../src/engine/EngineHost.ts"
import type { EngineBody } from "../../src/engine/EngineRequest.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"
import { ask, bodyOf, group, listen, ok, open, serve } from "./Probe.ts"
import { property } from "../properties.ts"

/** A test on a network of its own. */
const networked = <A, E>(
  name: string,
  test: (
    network: MemoryNetwork.MemoryNetwork["Service"]
  ) => Effect.Effect<A, E, MemoryNetwork.MemoryNetwork | Scope.Scope>
): void =>
  it.effect(name, () =>
    MemoryNetwork.MemoryNetwork.use((network) => test(network)).pipe(
      Effect.scoped,
      Effect.provide(MemoryNetwork.layer, { local: true })
    )
  )

const size = (length: number): string => "a".repeat(length)

describe("requests", () => {
  networked("reach the server with method, url, lower-case headers and body, and are answered", (network) =>
    Effect.gen(function* () {
      const bodies: Array<Array<EngineBody>> = []
      const server = yield* serve({
        onRequest: (exchange) => {
          bodies.push(bodyOf(exchange, 100))
          ok(exchange, new TextEncoder().encode("fine"))
        }
      })
      const { results } = ask(network.platform(), { body: "4häh", headers: { "X-Name": "v" } })
      assert.lengthOf(server.exchanges, 0, "nothing happens inside the call")
      yield* network.settle
      const { request } = server.exchanges[0]!
      assert.strictEqual(request.method, "POST")
      assert.strictEqual(request.url, "/socket.io/?EIO=4&transport=polling")
      assert.deepInclude(request.headers, { host: "server", "x-name": "v", "content-length": "5" })
      assert.isFalse(request.secure)
      assert.deepStrictEqual(bodies, [[{ _tag: "Body", text: "4häh" }]])
      assert.deepStrictEqual(results, [{ _tag: "Answer", status: 200, body: "fine" }])
    })
  )

  networked("of other paths get 404, of hosts where nobody listens no answer", (network) =>
    Effect.gen(function* () {
      yield* serve({ onRequest: ok })
      const wrongPath = ask(network.platform(), { url: "http://server/socket.io" })
      const wrongHost = ask(network.platform(), { url: "http://nobody/socket.io/" })
      const noUrl = ask(network.platform(), { url: "not a url" })
      yield* network.settle
      assert.deepInclude(wrongPath.results[0], { _tag: "Answer", status: 404 })
      assert.strictEqual(wrongHost.results[0]?._tag, "NoAnswer")
      assert.strictEqual(noUrl.results[0]?._tag, "NoAnswer")
    })
  )

  for (const [length, expected] of [
    [10, "Body"],
    [11, "TooLarge"]
  ] as const) {
    networked(`a body of ${length} bytes at a limit of 10 is ${expected}`, (network) =>
      Effect.gen(function* () {
        const server = yield* serve()
        ask(network.platform(), { body: `é${size(length - 2)}` })
        yield* network.settle
        const [exchange] = server.exchanges
        assert.strictEqual(bodyOf(exchange!, 10)[0]?._tag, expected)
      })
    )
  }

  networked("a body on a frozen line that announces too much is refused before it arrives", (network) =>
    Effect.gen(function* () {
      const bodies: Array<Array<EngineBody>> = []
      yield* serve({ onRequest: (exchange) => bodies.push(bodyOf(exchange, 10)) })
      yield* network.bandwidth({ toServer: 1 })
      ask(network.platform(), { body: size(11) })
      yield* network.settle
      assert.deepStrictEqual(bodies, [[{ _tag: "TooLarge", size: 11 }]])
    })
  )

  networked("given up by the client: the server is told once, the client nothing more", (network) =>
    Effect.gen(function* () {
      const aborts: Array<string> = []
      const bodies: Array<Array<EngineBody>> = []
      yield* network.bandwidth({ toServer: 100 })
      const server = yield* serve({
        onRequest: (exchange) => {
          bodies.push(bodyOf(exchange, 1000))
          exchange.onAbort(() => aborts.push("aborted"))
        }
      })
      const { abort, results } = ask(network.platform())
      const post = ask(network.platform(), { body: size(50) })
      yield* network.settle
      abort()
      post.abort()
      abort()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(aborts, ["aborted", "aborted"])
      ok(server.exchanges[0]!)
      yield* network.settle
      assert.deepStrictEqual(results, [])
      assert.strictEqual((yield* network.traffic).open, 0)
    })
  )
})

describe("WebSockets", () => {
  networked("carry text and binary frames both ways, in order, each frame of a group a message", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      assert.strictEqual(client.opens, 0)
      yield* network.settle
      assert.strictEqual(client.opens, 1)
      const bytes = new Uint8Array([1, 2, 3])
      client.socket.send("a")
      client.socket.send(bytes)
      bytes[0] = 9
      const [end] = server.ends
      end!.socket.send([group("b", [new Uint8Array([4]), new Uint8Array([5])]), group("c")], false)
      assert.deepStrictEqual(client.frames, [])
      yield* network.settle
      assert.deepStrictEqual(end!.frames, ["a", new Uint8Array([1, 2, 3])])
      assert.deepStrictEqual(client.frames, ["b", new Uint8Array([4]), new Uint8Array([5]), "c"])
    })
  )

  networked("keep what comes before the server listens", (network) =>
    Effect.gen(function* () {
      const sockets: Array<Parameters<typeof listen>[0]> = []
      yield* serve({ onUpgrade: (upgrade) => upgrade.accept({}, (socket) => sockets.push(socket)) })
      const client = open(network.platform())
      yield* network.settle
      client.socket.send("early")
      client.socket.close()
      yield* network.settle
      const end = listen(sockets[0]!)
      assert.deepStrictEqual(end.frames, ["early"])
      assert.deepStrictEqual(end.closes, [[1005, ""]])
    })
  )

  for (const [frame, fits] of [
    [size(8), true],
    [size(9), false],
    ["é".repeat(4), true],
    ["é".repeat(4) + "a", false],
    [new Uint8Array(8), true],
    [new Uint8Array(9), false]
  ] as const) {
    networked(
      `${typeof frame} of ${frame.length} units at a limit of 8 bytes ${fits ? "passes" : "closes with 1009"}`,
      (network) =>
        Effect.gen(function* () {
          const server = yield* serve({ maxPayload: 8 })
          const client = open(network.platform())
          yield* network.settle
          client.socket.send(frame)
          yield* network.settle
          const [end] = server.ends
          assert.lengthOf(end!.frames, fits ? 1 : 0)
          assert.deepStrictEqual(end!.closes, fits ? [] : [[1009, ""]])
          assert.deepStrictEqual(client.closes, fits ? [] : [[1009, ""]])
          assert.strictEqual((yield* network.traffic).open, fits ? 1 : 0)
        })
    )
  }

  networked("closed by the server after what it sent: both ends are told once", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      yield* network.settle
      const [end] = server.ends
      end!.socket.send([group("last")], false)
      end!.socket.close(1000, "bye")
      end!.socket.close(1001, "again")
      end!.socket.send([group("too late")], false)
      yield* network.settle
      assert.deepStrictEqual(client.frames, ["last"])
      assert.deepStrictEqual(client.closes, [[1000, "bye"]])
      assert.deepStrictEqual(end!.closes, [[1000, "bye"]])
      assert.strictEqual((yield* network.traffic).open, 0)
    })
  )

  networked("closed by both ends at once: both ends are told once", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      yield* network.settle
      server.ends[0]!.socket.close(1000, "")
      client.socket.close()
      yield* network.settle
      assert.lengthOf(client.closes, 1)
      assert.lengthOf(server.ends[0]!.closes, 1)
      assert.strictEqual((yield* network.traffic).open, 0)
    })
  )

  networked("terminated: both ends are told 1006, later than the call", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      yield* network.settle
      server.ends[0]!.socket.terminate()
      assert.lengthOf(server.ends[0]!.closes, 0)
      yield* network.settle
      assert.deepStrictEqual(server.ends[0]!.closes, [[1006, ""]])
      assert.deepStrictEqual(client.closes, [[1006, ""]])
    })
  )

  networked("whose close frame is never answered are dropped after 30 seconds", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      open(network.platform())
      yield* network.settle
      yield* network.freeze()
      server.ends[0]!.socket.close(1000, "")
      yield* TestClock.adjust("29999 millis")
      assert.lengthOf(server.ends[0]!.closes, 0)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(server.ends[0]!.closes, [[1006, ""]])
    })
  )

  networked("refused by the server fail without having opened", (network) =>
    Effect.gen(function* () {
      yield* serve({ onUpgrade: (upgrade) => upgrade.reject({ status: 403, headers: {}, body: "" }) })
      const client = open(network.platform())
      const other = open(network.platform(), "ws://server/elsewhere")
      const nobody = open(network.platform(), "ws://nobody/socket.io/")
      yield* network.settle
      for (const end of [client, other, nobody]) {
        assert.strictEqual(end.opens, 0)
        assert.deepStrictEqual(end.closes, [[1006, ""]])
      }
      assert.include(String(client.causes[0]), "403")
      assert.strictEqual((yield* network.traffic).open, 0)
    })
  )

  networked("given up before they open are closed at both ends", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      yield* network.latency("10 millis")
      const client = open(network.platform())
      yield* TestClock.adjust("15 millis")
      client.socket.close()
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(client.opens, 0)
      assert.deepStrictEqual(client.closes, [[1006, ""]])
      assert.lengthOf(server.ends[0]!.closes, 1)
    })
  )
})

describe("latency and bandwidth", () => {
  networked("delay each direction by its own", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      yield* network.settle
      yield* network.latency({ toServer: "10 millis", toClient: "20 millis" })
      const [end] = server.ends
      client.socket.send("up")
      end!.socket.send([group("down")], false)
      yield* TestClock.adjust("9 millis")
      assert.deepStrictEqual(end!.frames, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(end!.frames, ["up"])
      yield* TestClock.adjust("9 millis")
      assert.deepStrictEqual(client.frames, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(client.frames, ["down"])
    })
  )

  networked("never let a later frame overtake an earlier one", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      yield* network.settle
      yield* network.latency("50 millis")
      client.socket.send("slow")
      yield* network.latency("1 millis")
      client.socket.send("fast")
      yield* TestClock.adjust("49 millis")
      assert.deepStrictEqual(server.ends[0]!.frames, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(server.ends[0]!.frames, ["slow", "fast"])
    })
  )

  networked("a line of 1000 bytes a second takes half a second for 500 bytes, and one after the other", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      yield* network.settle
      yield* network.bandwidth({ toServer: 1000 })
      client.socket.send(size(500))
      client.socket.send(size(250))
      yield* TestClock.adjust("499 millis")
      assert.lengthOf(server.ends[0]!.frames, 0)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(server.ends[0]!.frames, 1)
      yield* TestClock.adjust("249 millis")
      assert.lengthOf(server.ends[0]!.frames, 1)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(server.ends[0]!.frames, 2)
    })
  )

  it.effect.prop(
    "whatever the line does, every frame arrives once and in order",
    {
      steps: Arbitrary.schema(
        Schema.Array(
          Schema.Union([
            Schema.Struct({ send: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 })) }),
            Schema.Struct({ wait: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 })) }),
            Schema.Struct({ latency: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 })) }),
            Schema.Struct({ bandwidth: Schema.Literals([1000, 1_000_000, 1e12]) }),
            Schema.Struct({ frozen: Schema.Boolean }),
            Schema.Struct({ paused: Schema.Boolean })
          ])
        )
      )
    },
    ({ steps }) =>
      Effect.gen(function* () {
        const network = yield* MemoryNetwork.MemoryNetwork
        const server = yield* serve()
        const client = open(network.platform())
        yield* network.settle
        const { frames, socket } = server.ends[0]!
        let sent = 0
        for (const step of steps) {
          if ("send" in step) {
            sent++
            client.socket.send(`${sent}:${size(step.send)}`)
          } else if ("wait" in step) yield* TestClock.adjust(step.wait)
          else if ("latency" in step) yield* network.latency(step.latency)
          else if ("bandwidth" in step) yield* network.bandwidth(step.bandwidth)
          else if ("frozen" in step) yield* step.frozen ? network.freeze() : network.heal()
          else if (step.paused) socket.pause()
          else socket.resume()
        }
        yield* network.heal()
        socket.resume()
        yield* TestClock.adjust("1 day")
        assert.deepStrictEqual(
          frames.map((frame) => (typeof frame === "string" ? frame.split(":")[0] : "")),
          Array.from({ length: sent }, (_, index) => String(index + 1))
        )
        assert.strictEqual(client.socket.bufferedAmount, 0)
      }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer, { local: true })),
    { arbitrary: property(40) }
  )
})

describe("faults", () => {
  networked("a frozen line tells nobody, holds what is sent, and delivers it when healed", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      yield* network.settle
      const [end] = server.ends
      yield* network.freeze({ direction: "toClient" })
      end!.socket.send([group("1"), group("2")], false)
      client.socket.send("up")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(client.frames, [])
      assert.deepStrictEqual(end!.frames, ["up"])
      assert.deepStrictEqual([...client.closes, ...end!.closes], [])
      yield* network.heal()
      yield* network.settle
      assert.deepStrictEqual(client.frames, ["1", "2"])
    })
  )

  networked("a reader that does not read lets the window fill, then bufferedAmount grows until it reads", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      yield* network.settle
      const [end] = server.ends
      yield* network.freeze({ direction: "toClient" })
      end!.socket.send([group(size(65_536))], false)
      assert.strictEqual(end!.socket.bufferedAmount, 0)
      end!.socket.send([group("a")], false)
      assert.strictEqual(end!.socket.bufferedAmount, 1)
      end!.socket.send([group(size(1000))], false)
      assert.strictEqual(end!.socket.bufferedAmount, 1001)
      assert.strictEqual(end!.drains, 0)
      yield* network.heal()
      yield* network.settle
      assert.strictEqual(end!.socket.bufferedAmount, 0)
      assert.strictEqual(end!.drains, 1)
      assert.lengthOf(client.frames, 3)
    })
  )

  networked("a server that pauses reading makes its client wait, not lose", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      yield* network.settle
      const [end] = server.ends
      end!.socket.pause()
      for (let i = 0; i < 3; i++) client.socket.send(size(65_536))
      yield* network.settle
      assert.lengthOf(end!.frames, 0)
      assert.strictEqual(client.socket.bufferedAmount, 2 * 65_536)
      end!.socket.resume()
      yield* network.settle
      assert.lengthOf(end!.frames, 3)
      assert.strictEqual(client.socket.bufferedAmount, 0)
    })
  )

  networked("a cut tells both ends of WebSockets and requests, and refuses until healed", (network) =>
    Effect.gen(function* () {
      const aborts: Array<string> = []
      const server = yield* serve({ onRequest: (exchange) => exchange.onAbort(() => aborts.push("aborted")) })
      const client = open(network.platform())
      const poll = ask(network.platform())
      yield* network.settle
      yield* network.cut()
      assert.lengthOf(client.closes, 0, "the news takes its time")
      yield* network.settle
      assert.deepStrictEqual(client.closes, [[1006, ""]])
      assert.deepStrictEqual(server.ends[0]!.closes, [[1006, ""]])
      assert.strictEqual(poll.results[0]?._tag, "NoAnswer")
      assert.deepStrictEqual(aborts, ["aborted"])
      const refused = ask(network.platform())
      const refusedSocket = open(network.platform())
      yield* network.settle
      assert.strictEqual(refused.results[0]?._tag, "NoAnswer")
      assert.deepStrictEqual(refusedSocket.closes, [[1006, ""]])
      assert.lengthOf(server.exchanges, 1)
      yield* network.heal()
      ask(network.platform())
      yield* network.settle
      assert.lengthOf(server.exchanges, 2)
      const { open: connections, refused: count, reset } = yield* network.traffic
      assert.deepStrictEqual([connections, count, reset], [1, 2, 2])
    })
  )

  networked("a reset lets new connections in", (network) =>
    Effect.gen(function* () {
      yield* serve()
      const client = open(network.platform())
      yield* network.settle
      yield* network.reset()
      const next = open(network.platform())
      yield* network.settle
      assert.lengthOf(client.closes, 1)
      assert.strictEqual(next.opens, 1)
    })
  )

  networked("lost connections are silent for ever, even when cut or closed; new ones work", (network) =>
    Effect.gen(function* () {
      const server = yield* serve()
      const client = open(network.platform())
      const poll = ask(network.platform())
      yield* network.settle
      yield* network.lose()
      client.socket.send("gone")
      server.ends[0]!.socket.send([group(size(70_000))], false)
      ok(server.exchanges[0]!)
      yield* network.cut()
      yield* network.heal()
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(client.frames, [])
      assert.deepStrictEqual(server.ends[0]!.frames, [])
      assert.deepStrictEqual(poll.results, [])
      assert.deepStrictEqual(client.closes, [])
      assert.isAbove(server.ends[0]!.socket.bufferedAmount, 0, "nobody acknowledges the bytes")
      const next = open(network.platform())
      yield* network.settle
      assert.strictEqual(next.opens, 1)
    })
  )

  networked("meet only the clients and servers they are for", (network) =>
    Effect.gen(function* () {
      const one = yield* serve({ name: "one", onRequest: ok })
      const two = yield* serve({ name: "two:8080", onRequest: ok })
      const url = { one: "ws://one/socket.io/", two: "ws://two:8080/socket.io/" }
      const ends = {
        aliceOne: open(network.platform("alice"), url.one),
        bobOne: open(network.platform("bob"), url.one),
        aliceTwo: open(network.platform("alice"), url.two)
      }
      yield* network.settle
      yield* network.cut({ server: "one", client: "alice" })
      yield* network.freeze({ server: "two:8080" })
      ends.aliceTwo.socket.send("frozen")
      ends.bobOne.socket.send("fine")
      yield* network.settle
      assert.lengthOf(ends.aliceOne.closes, 1)
      assert.lengthOf(ends.bobOne.closes, 0)
      assert.deepStrictEqual(one.ends[1]!.frames, ["fine"])
      assert.deepStrictEqual(two.ends[0]!.frames, [])
      yield* network.heal({ client: "alice" })
      const again = ask(network.platform("alice"), { url: "http://one/socket.io/" })
      yield* network.settle
      assert.strictEqual(again.results[0]?._tag, "Answer", "healed for alice")
      assert.deepStrictEqual(two.ends[0]!.frames, [], "the other server's line was not part of it")
      yield* network.heal()
      yield* network.settle
      assert.deepStrictEqual(two.ends[0]!.frames, ["frozen"])
    })
  )

  networked("a line that was frozen when a request came lets it through later", (network) =>
    Effect.gen(function* () {
      yield* serve({ onRequest: ok })
      yield* network.freeze()
      const { results } = ask(network.platform())
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(results, [])
      yield* network.heal()
      yield* network.settle
      assert.strictEqual(results[0]?._tag, "Answer")
    })
  )
})

describe("settle", () => {
  networked("waits for cascades of any length, across fibers and the network", (network) =>
    Effect.gen(function* () {
      const rounds = 200
      yield* serve({ onRequest: ok })
      const queue = yield* Queue.unbounded<number>()
      let reached = 0
      const fiber = yield* Effect.forkChild(
        Effect.gen(function* () {
          for (;;) {
            const round = yield* Queue.take(queue)
            reached = round
            if (round === rounds) return
            network.platform().request(
              {
                method: "GET",
                url: "http://server/socket.io/",
                headers: {},
                body: undefined,
                withCredentials: false
              },
              () => Queue.offerUnsafe(queue, round + 1)
            )
          }
        })
      )
      yield* Queue.offer(queue, 1)
      yield* network.settle
      assert.strictEqual(reached, rounds)
      yield* Fiber.join(fiber)
    })
  )

  networked("does not wait for the clock", (network) =>
    Effect.gen(function* () {
      yield* serve({ onRequest: ok })
      yield* network.latency("1 hour")
      const { results } = ask(network.platform())
      yield* network.settle
      assert.deepStrictEqual(results, [])
      assert.isAbove((yield* network.traffic).inFlight, 0)
    })
  )

  networked("is reached by TestClock.adjust alone for what the clock set off", (network) =>
    Effect.gen(function* () {
      const server = yield* serve({ onRequest: ok })
      const results: Array<string> = []
      yield* Effect.forkChild(
        Effect.gen(function* () {
          yield* Effect.sleep("5 seconds")
          for (let i = 0; i < 20; i++) {
            yield* Effect.callback<void>((resume) => {
              network.platform().request(
                {
                  method: "GET",
                  url: "http://server/socket.io/",
                  headers: {},
                  body: undefined,
                  withCredentials: false
                },
                (result) => {
                  results.push(result._tag)
                  resume(Effect.void)
                }
              )
            })
          }
        })
      )
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(results, 20)
      assert.lengthOf(server.exchanges, 20)
    })
  )
})

describe("hosts", () => {
  networked("stop listening when their scope closes; open connections go on", (network) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const server = yield* serve().pipe(Scope.provide(scope))
      const client = open(network.platform())
      yield* network.settle
      yield* Scope.close(scope, Exit.void)
      client.socket.send("still here")
      const refused = ask(network.platform())
      yield* network.settle
      assert.deepStrictEqual(server.ends[0]!.frames, ["still here"])
      assert.strictEqual(refused.results[0]?._tag, "NoAnswer")
    })
  )

  layer(MemoryNetwork.layerHost("elsewhere").pipe(Layer.provideMerge(MemoryNetwork.layer)))("as a layer", (it) => {
    it.effect("gives a host without an address", () =>
      Effect.gen(function* () {
        const host = yield* EngineHost
        assert.isUndefined(yield* host.address)
      })
    )
  })
})

describe("passTime", () => {
  networked("lets as much time pass as the effect needs, and gives what it gives", () =>
    Effect.gen(function* () {
      const before = yield* Clock.currentTimeMillis
      const value = yield* Effect.as(Effect.sleep("95 millis"), "done").pipe(MemoryNetwork.passTime())
      assert.strictEqual(value, "done")
      assert.strictEqual((yield* Clock.currentTimeMillis) - before, 100)
    })
  )

  networked("passes failures on, and no time for what ends at once", () =>
    Effect.gen(function* () {
      const before = yield* Clock.currentTimeMillis
      const error = yield* Effect.flip(Effect.fail("no").pipe(MemoryNetwork.passTime()))
      assert.strictEqual(error, "no")
      assert.strictEqual(yield* Clock.currentTimeMillis, before)
    })
  )

  networked("does not wait for ever, and interrupts what it gave up", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const hanging = Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
      const exit = yield* Effect.exit(hanging.pipe(MemoryNetwork.passTime({ step: "1 second", atMost: "5 seconds" })))
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(Exit.isFailure(exit) ? exit.cause : ""), "5000 ms")
      assert.strictEqual(interrupted, 1)
    })
  )
})

describe("asClient", () => {
  networked("gives clients a name that faults can mean", (network) =>
    Effect.gen(function* () {
      yield* serve()
      const ada = yield* Effect.map(Platform, (platform) => open(platform)).pipe(MemoryNetwork.asClient("ada"))
      const other = open(yield* Platform)
      yield* network.settle
      yield* network.cut({ client: "ada" })
      yield* network.settle
      assert.lengthOf(ada.closes, 1)
      assert.lengthOf(other.closes, 0)
    })
  )
})
