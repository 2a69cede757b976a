import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { BufferFull, PayloadTooLarge } from "../../src/engine/EngineError.ts"
import { FakeExchange, make, message, plain, turn, volatile } from "./Doubles.ts"

const calm = { pingInterval: "1 hour" } as const

const messageOf = (description: unknown): string => (description as Error).message

describe("polling, out", () => {
  it.effect("what is written in one turn leaves in one answer, in order, binary as base64", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session } = yield* bench.polling
      const poll = bench.get(query)
      assert.strictEqual(session.write(message("a"), plain), "sent")
      assert.strictEqual(session.write(message(new Uint8Array([1, 2, 3, 4])), plain), "sent")
      assert.isUndefined(poll.status)
      yield* turn
      assert.deepStrictEqual([poll.status, poll.text, poll.compress], [200, "4a\x1ebAQIDBA==", true])
      assert.deepStrictEqual(poll.response?.headers, {
        "Content-Type": "text/plain; charset=UTF-8",
        "Cache-Control": "no-store"
      })
    })
  )

  it.effect("without a poll it waits, volatile groups are dropped, and the next poll takes all of it at once", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session } = yield* bench.polling
      assert.strictEqual(session.write(message("a"), plain), "buffered")
      assert.strictEqual(session.write(message("lost"), volatile), "dropped")
      yield* turn
      assert.strictEqual(session.write(message("b"), { volatile: false, compress: false }), "buffered")
      assert.strictEqual(session.bufferedAmount, 4)
      assert.strictEqual(bench.drained, 0)
      const poll = bench.get(query)
      assert.strictEqual(poll.text, "4a\x1e4b")
      assert.strictEqual(bench.drained, 1)
      assert.strictEqual(session.bufferedAmount, 0)
      assert.strictEqual(bench.engine.counters.dropped, 1)
    })
  )

  it.effect("a volatile group leaves when a poll waits", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session } = yield* bench.polling
      const poll = bench.get(query)
      assert.strictEqual(session.write(message("now"), volatile), "sent")
      yield* turn
      assert.deepStrictEqual([poll.text, poll.compress], ["4now", false])
    })
  )

  it.effect("a client that does not poll: at the limit the session closes instead of going on with a gap", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, maxBufferedAmount: 10 })
      const { query, session } = yield* bench.polling
      assert.strictEqual(session.write(message("12345678"), plain), "buffered")
      assert.strictEqual(session.bufferedAmount, 9)
      // One group may go over the limit.
      assert.strictEqual(session.write(message("x".repeat(100)), plain), "buffered")
      assert.strictEqual(session.write(message("y"), plain), "full")
      assert.strictEqual(bench.engine.counters.full, 1)
      yield* turn
      assert.deepStrictEqual(bench.closed, [{ reason: "transport error", description: new BufferFull({ limit: 10 }) }])
      assert.strictEqual(bench.get(query).status, 400)
      assert.strictEqual(bench.engine.sessions.values().length, 0)
    })
  )

  it.effect("Internet Explorer is told not to suspect scripts", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query } = yield* bench.polling
      for (const agent of ["Mozilla/4.0 (compatible;MSIE 8.0)", "Mozilla/5.0 (Trident/7.0; rv:11.0)"]) {
        const post = bench.post(query, "4x", { "user-agent": agent })
        assert.strictEqual(post.response?.headers["X-XSS-Protection"], "0")
      }
      assert.isUndefined(bench.post(query, "4x", { "user-agent": "curl" }).response?.headers["X-XSS-Protection"])
    })
  )
})

describe("polling, in", () => {
  it.effect("packets of a body arrive in order and are answered ok", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query } = yield* bench.polling
      const post = bench.post(query, "4a\x1ebAQIDBA==\x1e4b")
      assert.deepStrictEqual([post.status, post.text], [200, "ok"])
      assert.strictEqual(post.response?.headers["Content-Type"], "text/html")
      assert.deepStrictEqual(bench.heard.map(String), ["a", String(Buffer.from([1, 2, 3, 4])), "b"])
    })
  )

  for (const body of ["abc", "", "4good\x1e", "9x", "b!!!!"]) {
    it.effect(`a body of ${JSON.stringify(body)} is answered 400 and ends the session with a parse error`, () =>
      Effect.gen(function* () {
        const bench = yield* make(calm)
        const { query } = yield* bench.polling
        const poll = bench.get(query)
        const post = bench.post(query, body)
        assert.strictEqual(post.status, 400)
        assert.strictEqual(poll.text, "1")
        assert.strictEqual(bench.closed[0]?.reason, "parse error")
        assert.strictEqual(bench.get(query).status, 400)
      })
    )
  }

  it.effect("packets up to the limit are taken, one more ends the session before any of them is delivered", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, maxPacketsPerPayload: 3 })
      const first = yield* bench.polling
      assert.strictEqual(bench.post(first.query, "4a\x1e4b\x1e4c").text, "ok")
      assert.strictEqual(bench.post(first.query, "4a\x1e4b\x1e4c\x1e4d").status, 400)
      assert.strictEqual(bench.heard.length, 3)
      assert.strictEqual(bench.closed[0]?.reason, "parse error")
    })
  )

  it.effect("a body over the limit is answered 413 and ends the session, telling limit and size", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, maxHttpBufferSize: 5 })
      const { query } = yield* bench.polling
      const exchange = new FakeExchange("POST", query)
      bench.engine.handleRequest(exchange)
      exchange.arrive({ _tag: "TooLarge", size: 6 })
      assert.deepStrictEqual([exchange.status, exchange.text], [413, undefined])
      assert.strictEqual(bench.closed[0]?.reason, "transport error")
      const description = bench.closed[0]?.description
      assert.isTrue(description instanceof PayloadTooLarge)
      assert.deepStrictEqual([(description as PayloadTooLarge).limit, (description as PayloadTooLarge).size], [5, 6])
      assert.strictEqual(messageOf(description), "payload over 5 bytes")
      assert.strictEqual(bench.engine.counters.tooLarge, 1)
    })
  )

  it.effect("octet-stream is refused: invalid content", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query } = yield* bench.polling
      const post = bench.post(query, "4x", { "content-type": "Application/Octet-Stream; x=y" })
      assert.strictEqual(post.status, 400)
      assert.strictEqual(messageOf(bench.closed[0]?.description), "invalid content")
    })
  )

  it.effect("another method is answered as Engine.IO answers it, and harms nothing", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query } = yield* bench.polling
      assert.strictEqual(bench.request("PUT", query).status, 500)
      assert.strictEqual(bench.post(query, "4x").text, "ok")
    })
  )

  it.effect("while paused a POST is not read, and one that was is not answered", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm, (session, data) => {
        if (data === "stop") session.pause()
      })
      const { query, session } = yield* bench.polling
      const first = bench.post(query, "4stop\x1e4rest")
      assert.isUndefined(first.status)
      // What was received already is delivered.
      assert.deepStrictEqual(bench.heard, ["stop", "rest"])
      session.resume()
      assert.strictEqual(first.text, "ok")
      session.pause()
      session.pause()
      const second = new FakeExchange("POST", query)
      bench.engine.handleRequest(second)
      assert.isFalse(second.reading)
      session.resume()
      session.resume()
      assert.isTrue(second.reading)
      second.arrive({ _tag: "Body", text: "4more" })
      assert.strictEqual(second.text, "ok")
      assert.deepStrictEqual(bench.heard, ["stop", "rest", "more"])
    })
  )

  it.effect("a POST that is held back is answered when the session ends", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm, (session) => session.pause())
      const { query, session } = yield* bench.polling
      const post = bench.post(query, "4x")
      assert.isUndefined(post.status)
      session.close("forced close")
      assert.strictEqual(post.text, "ok")
    })
  )
})

describe("polling, mistakes of the client", () => {
  it.effect("a second poll: the first gets 1, the second 400, the session is dead", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query } = yield* bench.polling
      const first = bench.get(query)
      const second = bench.get(query)
      assert.deepStrictEqual([first.status, first.text, second.status], [200, "1", 400])
      assert.strictEqual(bench.closed[0]?.reason, "transport error")
      assert.strictEqual(messageOf(bench.closed[0]?.description), "overlap from client")
    })
  )

  it.effect("a second POST while the first is read: 400, the session is dead", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query } = yield* bench.polling
      const first = new FakeExchange("POST", query)
      bench.engine.handleRequest(first)
      const second = bench.post(query, "4b")
      assert.strictEqual(second.status, 400)
      assert.strictEqual(messageOf(bench.closed[0]?.description), "data request overlap from client")
      first.arrive({ _tag: "Body", text: "4a" })
      assert.deepStrictEqual(bench.heard, [])
    })
  )

  it.effect("an aborted poll ends the session; one that was answered does not", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session } = yield* bench.polling
      const answered = bench.get(query)
      session.write(message("x"), plain)
      yield* turn
      answered.abort()
      assert.deepStrictEqual(bench.closed, [])
      bench.get(query).abort()
      assert.strictEqual(bench.closed[0]?.reason, "transport error")
      assert.strictEqual(messageOf(bench.closed[0]?.description), "poll connection closed prematurely")
      assert.strictEqual(bench.get(query).status, 400)
    })
  )

  it.effect("an aborted POST ends the session", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query } = yield* bench.polling
      const exchange = new FakeExchange("POST", query)
      bench.engine.handleRequest(exchange)
      exchange.arrive({ _tag: "Aborted" })
      assert.strictEqual(messageOf(bench.closed[0]?.description), "data request connection closed prematurely")
    })
  )
})

describe("polling, the end", () => {
  it.effect("a close packet of the client: the waiting poll gets 6, the POST ok, then the session is unknown", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query } = yield* bench.polling
      const poll = bench.get(query)
      const post = bench.post(query, "1")
      assert.deepStrictEqual([poll.text, post.text], ["6", "ok"])
      assert.deepStrictEqual(bench.closed, [{ reason: "transport close", description: undefined }])
      assert.strictEqual(bench.get(query).text, `{"code":1,"message":"Session ID unknown"}`)
    })
  )

  it.effect("closed by us with a poll waiting: it gets what was written, and the next poll the close packet", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session } = yield* bench.polling
      const poll = bench.get(query)
      session.write(message("bye"), plain)
      session.close("forced close", "because")
      assert.strictEqual(poll.text, "4bye")
      assert.deepStrictEqual(bench.closed, [{ reason: "forced close", description: "because" }])
      assert.strictEqual(session.write(message("late"), plain), "dropped")
      session.close("forced close")
      assert.strictEqual(bench.closed.length, 1)
      assert.strictEqual(bench.get(query).text, "1")
      assert.strictEqual(bench.get(query).status, 400)
    })
  )

  it.effect("closed by us without a poll: the next one gets what was written, the one after it the close packet", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session } = yield* bench.polling
      session.write(message("bye"), plain)
      session.close("forced close")
      assert.strictEqual(bench.engine.clientsCount, 0)
      assert.strictEqual(bench.engine.sessions.count, 0)
      assert.strictEqual(bench.engine.sessions.values().length, 1)
      assert.strictEqual(bench.post(query, "4ignored").text, "ok")
      assert.deepStrictEqual(bench.heard, [])
      assert.strictEqual(bench.get(query).text, "4bye")
      assert.strictEqual(bench.get(query).text, "1")
      assert.strictEqual(bench.engine.sessions.values().length, 0)
      assert.strictEqual(bench.engine.deadlines.size, 0)
    })
  )

  it.effect("closed by us and nobody comes to be told: forgotten after 30 seconds", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { query, session } = yield* bench.polling
      session.close("forced close")
      yield* TestClock.adjust(29_999)
      assert.strictEqual(bench.engine.sessions.values().length, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(bench.engine.sessions.values().length, 0)
      assert.strictEqual(bench.get(query).status, 400)
    })
  )

  it.effect("an upgrade of a session that is closing is turned away", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { session, sid } = yield* bench.polling
      session.close("forced close")
      const { socket } = bench.upgrade(`EIO=4&transport=websocket&sid=${sid}`)
      assert.deepStrictEqual(socket.ended, { code: 1005 })
    })
  )
})
