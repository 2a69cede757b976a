import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import type * as EngineConfig from "../../src/engine/EngineConfig.ts"
import { type Bench, type FakeExchange, make, message, plain, turn } from "./Doubles.ts"

const calm: EngineConfig.EngineOptions = { pingInterval: "1 hour" }

const probing = (bench: Bench) =>
  Effect.gen(function* () {
    const { query, session, sid } = yield* bench.polling
    const upgrade = bench.upgrade(`EIO=4&transport=websocket&sid=${sid}`)
    return { query, session, sid, socket: upgrade.socket }
  })

describe("upgrade", () => {
  it.effect("probe, answer, release of the waiting poll, switch", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session, sid, socket } = yield* probing(bench)
      const events: Array<string> = []
      session.observe({
        upgrading: (name) => events.push(`upgrading ${name}`),
        upgrade: (name) => events.push(`upgrade ${name}`)
      })
      const poll = bench.get(query)
      assert.isUndefined(poll.status)
      socket.receive("2probe")
      assert.deepStrictEqual(socket.take(), ["3probe"])
      assert.deepStrictEqual([poll.status, poll.text], [200, "6"])
      assert.strictEqual(session.transportName, "polling")
      assert.isFalse(session.upgraded)
      socket.receive("5")
      assert.strictEqual(session.transportName, "websocket")
      assert.isTrue(session.upgraded)
      assert.deepStrictEqual(events, ["upgrading websocket", "upgrade websocket"])
      session.write(message("by websocket"), plain)
      yield* turn
      assert.deepStrictEqual(socket.take(), ["4by websocket"])
      socket.receive("4hello")
      assert.deepStrictEqual(bench.heard, ["hello"])
      assert.strictEqual(bench.get(query).status, 400)
      const second = bench.upgrade(`EIO=4&transport=websocket&sid=${sid}`)
      assert.deepStrictEqual(second.socket.ended, { code: 1005 })
      assert.isUndefined(socket.ended)
      assert.deepStrictEqual(
        [bench.engine.counters.upgradesStarted, bench.engine.counters.upgraded, bench.engine.counters.upgradesFailed],
        [1, 1, 0]
      )
    })
  )

  it.effect("polls of a client that does not pause are released every 100 ms, from the third on", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, socket } = yield* probing(bench)
      socket.receive("2probe")
      assert.strictEqual(bench.get(query).text, "6")
      assert.strictEqual(bench.get(query).text, "6")
      const poll = bench.get(query)
      yield* TestClock.adjust(99)
      assert.isUndefined(poll.status)
      yield* TestClock.adjust(1)
      assert.strictEqual(poll.text, "6")
      const next = bench.get(query)
      yield* TestClock.adjust(100)
      assert.strictEqual(next.text, "6")
    })
  )

  it.effect("messages go on by polling until the client switches, and release the poll themselves", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session, socket } = yield* probing(bench)
      const poll = bench.get(query)
      session.write(message("a"), plain)
      socket.receive("2probe")
      assert.strictEqual(poll.text, "4a")
      session.write(message("b"), plain)
      yield* turn
      assert.deepStrictEqual(socket.take(), ["3probe"])
      socket.receive("5")
      yield* turn
      assert.deepStrictEqual(socket.take(), ["4b"])
    })
  )

  it.effect("a poll that the client left waiting when it switched is answered", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, socket } = yield* probing(bench)
      socket.receive("2probe")
      const poll = bench.get(query)
      socket.receive("5")
      assert.strictEqual(poll.text, "6")
      poll.abort()
      assert.deepStrictEqual(bench.closed, [])
    })
  )

  it.effect("frames right behind the switch reach the session", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { socket } = yield* probing(bench)
      socket.receive("2probe", "5", "4a", "4b")
      assert.deepStrictEqual(bench.heard, ["a", "b"])
    })
  )

  it.effect("one that takes too long is dropped, polling goes on, and it may be tried again", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, upgradeTimeout: "2 seconds" })
      const { query, session, sid, socket } = yield* probing(bench)
      socket.receive("2probe")
      yield* TestClock.adjust(1999)
      assert.isUndefined(socket.ended)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(socket.ended, { code: 1005 })
      session.write(message("still here"), plain)
      assert.strictEqual(bench.get(query).text, "4still here")
      socket.receive("5")
      assert.strictEqual(session.transportName, "polling")
      const again = bench.upgrade(`EIO=4&transport=websocket&sid=${sid}`)
      again.socket.receive("2probe", "5")
      assert.strictEqual(session.transportName, "websocket")
      assert.strictEqual(bench.engine.counters.upgradesFailed, 1)
    })
  )

  for (const wrong of ["2", "2other", "4early", "3probe", "x", "", new Uint8Array([1])]) {
    it.effect(`a probe that says ${JSON.stringify(wrong)} is dropped and polling goes on`, () =>
      Effect.gen(function* () {
        const bench = yield* make(calm)
        const { query, session, socket } = yield* probing(bench)
        socket.receive(wrong)
        assert.deepStrictEqual(socket.ended, { code: 1005 })
        assert.deepStrictEqual(bench.heard, [])
        session.write(message("still here"), plain)
        assert.strictEqual(bench.get(query).text, "4still here")
      })
    )
  }

  it.effect("a probe that goes away leaves the session as it was", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session, socket } = yield* probing(bench)
      socket.receive("2probe")
      socket.handlers?.onClose(1006, "", new Error("reset"))
      assert.deepStrictEqual(bench.closed, [])
      session.write(message("still here"), plain)
      assert.strictEqual(bench.get(query).text, "4still here")
      assert.strictEqual(bench.engine.deadlines.size, 1)
    })
  )

  it.effect("a second probe beside the first is turned away", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { session, sid, socket } = yield* probing(bench)
      const second = bench.upgrade(`EIO=4&transport=websocket&sid=${sid}`)
      assert.deepStrictEqual(second.socket.ended, { code: 1005 })
      socket.receive("2probe", "5")
      assert.strictEqual(session.transportName, "websocket")
    })
  )

  it.effect("the end of the session ends the probe", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { session, socket } = yield* probing(bench)
      socket.receive("2probe")
      session.close("ping timeout")
      assert.deepStrictEqual(socket.ended, { code: 1005 })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(bench.engine.deadlines.size, 0)
      assert.strictEqual(bench.closed.length, 1)
    })
  )

  it.effect(
    "a session closed between the probe's answer and the switch: the client hears everything by WebSocket",
    () =>
      Effect.gen(function* () {
        const bench = yield* make(calm)
        const { query, session, socket } = yield* probing(bench)
        socket.receive("2probe")
        assert.deepStrictEqual(socket.take(), ["3probe"])
        session.write(message("goodbye"), plain)
        session.close("forced close")
        yield* turn
        assert.isUndefined(socket.ended)
        socket.receive("5")
        assert.deepStrictEqual(socket.take(), ["4goodbye"])
        assert.deepStrictEqual(socket.ended, { code: 1005 })
        assert.strictEqual(bench.get(query).status, 400)
        assert.strictEqual(bench.engine.deadlines.size, 0)
        assert.strictEqual(bench.closed.length, 1)
      })
  )

  it.effect(
    "a session closed between the probe's answer and the next poll: the client hears everything by polling",
    () =>
      Effect.gen(function* () {
        const bench = yield* make(calm)
        const { query, session, socket } = yield* probing(bench)
        socket.receive("2probe")
        session.write(message("goodbye"), plain)
        session.close("forced close")
        yield* turn
        assert.strictEqual(bench.get(query).text, "4goodbye")
        assert.strictEqual(bench.get(query).text, "1")
        assert.deepStrictEqual(socket.ended, { code: 1005 })
        assert.strictEqual(bench.engine.deadlines.size, 0)
      })
  )

  for (const ending of ["says something else", "goes away", "stays silent"] as const) {
    it.effect(`a probe that ${ending} after the session has been closed leaves nothing behind`, () =>
      Effect.gen(function* () {
        const bench = yield* make(calm)
        const { query, session, socket } = yield* probing(bench)
        socket.receive("2probe")
        session.write(message("goodbye"), plain)
        session.close("forced close")
        yield* turn
        if (ending === "says something else") socket.receive("4hello")
        if (ending === "goes away") socket.handlers?.onClose(1006, "", new Error("reset"))
        if (ending !== "stays silent") assert.strictEqual(bench.get(query).text, "4goodbye")
        yield* TestClock.adjust("1 minute")
        if (ending !== "goes away") assert.isDefined(socket.ended)
        assert.strictEqual(bench.engine.deadlines.size, 0)
        assert.strictEqual(bench.get(query).status, 400)
      })
    )
  }

  it.effect("heartbeats go on after an upgrade that came between ping and pong", () =>
    Effect.gen(function* () {
      const bench = yield* make({ pingInterval: 300, pingTimeout: 200 })
      const { query, socket } = yield* probing(bench)
      yield* TestClock.adjust(300)
      assert.strictEqual(bench.get(query).text, "2")
      socket.receive("2probe", "5", "3")
      socket.take()
      yield* TestClock.adjust(300)
      yield* turn
      assert.deepStrictEqual(socket.take(), ["2"])
      yield* TestClock.adjust(200)
      assert.strictEqual(bench.closed[0]?.reason, "ping timeout")
    })
  )

  it.effect("a session that is paused pauses its new transport too", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { session, socket } = yield* probing(bench)
      session.pause()
      socket.receive("2probe", "5")
      assert.isTrue(socket.paused)
      session.resume()
      assert.isFalse(socket.paused)
    })
  )

  it.effect("nothing is lost, doubled or reordered in either direction, wherever in the traffic it happens", () =>
    Effect.gen(function* () {
      for (let run = 0; run < 40; run++) {
        const bench = yield* make(calm)
        const { query, session, socket } = yield* probing(bench)
        const received: Array<string> = []
        const read = (text: string | undefined): void => {
          for (const packet of (text ?? "").split("\x1e")) if (packet.startsWith("4")) received.push(packet.slice(1))
        }
        let poll: FakeExchange | undefined = undefined
        let phase: "before" | "probed" | "switched" = "before"
        let down = 0
        let up = 0
        const total = 60
        const probeAt = yield* Random.nextIntBetween(0, 40)
        for (let step = 0; down < total || up < total || phase !== "switched"; step++) {
          const dice = yield* Random.nextIntBetween(0, 6)
          if (dice < 2 && down < total) session.write(message(`d${down++}`), plain)
          if (dice === 2 && up < total) {
            if (phase === "switched") socket.receive(`4u${up++}`)
            else bench.post(query, [`4u${up++}`, ...(up < total ? [`4u${up++}`] : [])].join("\x1e"))
          }
          if (dice === 3) yield* turn
          if (dice === 4) yield* TestClock.adjust(50)
          const answered: FakeExchange | undefined = poll
          if (answered?.status !== undefined) {
            read(answered.text)
            poll = undefined
          }
          // The client polls again at once, unless it has paused.
          if (poll === undefined && phase === "before" && dice !== 5) poll = bench.get(query)
          if (step === probeAt) {
            socket.receive("2probe")
            phase = "probed"
          }
          if (phase === "probed" && poll === undefined) {
            socket.receive("5")
            phase = "switched"
          }
        }
        yield* turn
        yield* turn
        for (const frame of socket.sent)
          if (typeof frame === "string" && frame.startsWith("4")) received.push(frame.slice(1))
        assert.deepStrictEqual(
          received,
          Array.from({ length: total }, (_, i) => `d${i}`)
        )
        assert.deepStrictEqual(
          bench.heard,
          Array.from({ length: total }, (_, i) => `u${i}`)
        )
      }
    }).pipe(Random.withSeed("upgrade"))
  )
})

describe("allowUpgrades and transports", () => {
  it.effect("the open packet offers what the server has", () =>
    Effect.gen(function* () {
      const offers = (options: EngineConfig.EngineOptions) =>
        Effect.gen(function* () {
          const bench = yield* make(options)
          const text = bench.get("EIO=4&transport=polling").text ?? ""
          return (JSON.parse(text.slice(1)) as { readonly upgrades: unknown }).upgrades
        })
      assert.deepStrictEqual(yield* offers({}), ["websocket"])
      assert.deepStrictEqual(yield* offers({ allowUpgrades: false }), [])
      assert.deepStrictEqual(yield* offers({ transports: ["polling"] }), [])
    })
  )
})
