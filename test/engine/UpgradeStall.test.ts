/**
 * The stall of an upgrade: a poll that reached the server behind the probe hung until the next release (up to 100 ms), and with it all
 * that the client wrote. Nothing in this file needs time, so no clock moves: a stall is a test that hangs or fails.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Socket } from "engine.io-client"
import type * as EngineConfig from "../../src/engine/EngineConfig.ts"
import { type EngineHandler, EngineHost } from "../../src/engine/EngineHost.ts"
import * as EngineServer from "../../src/engine/EngineServer.ts"
import type { WebSocketLike } from "../../src/engine/WebSocketLike.ts"
import * as NodeEngine from "../../src/node/NodeEngine.ts"
import { type Bench, make, message, plain, turn } from "./Doubles.ts"

const calm: EngineConfig.EngineOptions = { pingInterval: "1 hour" }

const probing = (bench: Bench) =>
  Effect.gen(function* () {
    const { query, session, sid } = yield* bench.polling
    return { query, session, socket: bench.upgrade(`EIO=4&transport=websocket&sid=${sid}`).socket }
  })

describe("an upgrade does not stall", () => {
  it.effect("when a poll comes right behind the probe: released at once, with a noop", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, socket } = yield* probing(bench)
      socket.receive("2probe")
      const poll = bench.get(query)
      assert.deepStrictEqual([poll.status, poll.text], [200, "6"])
    })
  )

  it.effect(
    "when the answer to the waiting poll overtakes the answer to the probe, and the client polls once more",
    () =>
      Effect.gen(function* () {
        const bench = yield* make(calm)
        const { query, socket } = yield* probing(bench)
        const waiting = bench.get(query)
        socket.receive("2probe")
        assert.strictEqual(waiting.text, "6")
        assert.strictEqual(bench.get(query).text, "6")
      })
  )

  it.effect("when a poll took what was buffered: the one after it is still released at once", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session, socket } = yield* probing(bench)
      socket.receive("2probe")
      session.write(message("a"), plain)
      session.write(message("b"), plain)
      assert.strictEqual(bench.get(query).text, "4a\x1e4b")
      assert.strictEqual(bench.get(query).text, "6")
      session.write(message("c"), plain)
      socket.receive("5")
      yield* turn
      assert.deepStrictEqual(socket.take(), ["3probe", "4c"])
    })
  )

  it.effect("and a client that only ever polls does not spin: two polls at once, then one each 100 ms", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, upgradeTimeout: "1 second" })
      const { query, socket } = yield* probing(bench)
      socket.receive("2probe")
      let answered = 0
      let poll = bench.get(query)
      for (let millisecond = 0; millisecond < 990; millisecond++) {
        while (poll.status !== undefined) {
          answered++
          poll = bench.get(query)
        }
        yield* TestClock.adjust(1)
      }
      assert.strictEqual(answered, 2 + 9)
    })
  )

  it.effect("and polls hang as ever before the probe asks and after it was given up", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session, socket } = yield* probing(bench)
      const before = bench.get(query)
      assert.isUndefined(before.status)
      socket.receive("2probe")
      socket.handlers?.onClose(1006, "", new Error("reset"))
      const after = bench.get(query)
      assert.isUndefined(after.status)
      session.write(message("late"), plain)
      yield* turn
      assert.strictEqual(after.text, "4late")
    })
  )

  it.effect("of an official client whose poll overtakes the answer to the probe: the server's clock stands still", () =>
    Effect.gen(function* () {
      const { engine, overtaken, port } = yield* serveWithLateProbes
      for (const writes of [false, true]) {
        for (let round = 0; round < 10; round++) {
          const heard = yield* upgrade(port, writes)
          assert.strictEqual(heard.at(-1), "last")
          assert.deepStrictEqual(
            heard.slice(0, -1),
            Array.from({ length: heard.length - 1 }, (_, index) => String(index))
          )
        }
      }
      assert.deepStrictEqual([engine.counters.upgraded, engine.counters.upgradesFailed], [20, 0])
      assert.isAtLeast(overtaken(), 20)
    }).pipe(Effect.scoped, Effect.provide(NodeEngine.layer({ port: 0, host: "127.0.0.1" })))
  )
})

/** An echo whose "3probe" leaves only when the client has polled once more: what otherwise happens now and then happens always. */
const serveWithLateProbes = Effect.gen(function* () {
  let late: Array<() => void> = []
  let overtaken = 0
  const slowed = (socket: WebSocketLike): WebSocketLike => ({
    get bufferedAmount() {
      return socket.bufferedAmount
    },
    listen: (handlers) => socket.listen(handlers),
    send(groups, compress) {
      if (groups[0]?.head === "3probe") late.push(() => socket.send(groups, compress))
      else socket.send(groups, compress)
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate()
  })
  const engine = yield* EngineServer.make(calm, (session) => ({
    onMessage: (data) => void session.write(message(String(data)), plain),
    onDrain() {},
    onClose() {}
  }))
  const host = yield* EngineHost
  const handler: EngineHandler = {
    handleRequest(exchange) {
      if (exchange.request.method !== "GET" || late.length === 0) return engine.handleRequest(exchange)
      overtaken++
      for (const send of late) send()
      late = []
      // The answer to the probe is on its way before that to the poll.
      setImmediate(() => engine.handleRequest(exchange))
    },
    handleUpgrade: (exchange) =>
      engine.handleUpgrade({
        request: exchange.request,
        accept: (headers, ready) => exchange.accept(headers, (socket) => ready(slowed(socket))),
        reject: (response) => exchange.reject(response)
      })
  }
  yield* host.serve(handler, { path: "/engine.io/", addTrailingSlash: true, maxPayload: 1_000_000 })
  return { engine, overtaken: () => overtaken, port: (yield* host.address)?.port ?? 0 }
})

/** What an official client hears until it has upgraded; if it `writes`, question and answer follow each other all the way. */
const upgrade = (port: number, writes: boolean): Effect.Effect<ReadonlyArray<string>> =>
  Effect.callback((resume) => {
    const client = new Socket(`http://127.0.0.1:${port}`, { path: "/engine.io/" })
    const heard: Array<string> = []
    let sent = 0
    let upgraded = false
    client.on("open", () => {
      if (writes) client.send(String(sent++))
    })
    client.on("upgrade", () => {
      upgraded = true
      client.send("last")
    })
    client.on("message", (data: string) => {
      heard.push(data)
      if (!upgraded) client.send(String(sent++))
      if (data !== "last") return
      client.close()
      resume(Effect.succeed(heard))
    })
    return Effect.sync(() => void client.close())
  })
