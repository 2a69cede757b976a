/** Engine.IO: the heartbeat, at 300 ms between pings and 200 ms for the answer. */
import * as assert from "node:assert/strict"
import { brisk, type Case, engineSuite } from "../Case.ts"
import { polling, upgrade, websocket } from "../raw/Engine.ts"
import { ask } from "../raw/Http.ts"
import { pass, within } from "../raw/Wait.ts"
import * as Ws from "../raw/Ws.ts"
import type { EngineServer } from "../Target.ts"

const { pingInterval, pingTimeout } = brisk

/** Timers fire late, never early; but a case begins to measure only when it has heard of what started the server's timer. */
const slackBefore = 40
const slackAfter = 120
const about = (ms: number, expected: number, what: string): void =>
  assert.ok(
    ms >= expected - slackBefore && ms <= expected + slackAfter,
    `${what}: ${ms.toFixed(0)} ms instead of ${expected}`
  )

type Given = { server: EngineServer; cleanup: (f: () => void) => void }

const cases: ReadonlyArray<Case<EngineServer>> = [
  {
    title: "over WebSocket: a ping every pingInterval, three times",
    run: async ({ server, cleanup }) => {
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      for (let i = 0; i < 3; i++) {
        const from = performance.now()
        assert.equal(await ws.next(), "2")
        about(performance.now() - from, pingInterval, `ping ${i}`)
        ws.send("3")
      }
    }
  },
  {
    title: "over polling: a ping every pingInterval, three times",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      for (let i = 0; i < 3; i++) {
        const from = performance.now()
        assert.equal((await opened.poll()).text, "2")
        about(performance.now() - from, pingInterval, `ping ${i}`)
        assert.equal((await opened.post("3")).text, "ok")
      }
    }
  },
  {
    title: "after an upgrade: pings come over WebSocket, three times",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await upgrade(opened)
      cleanup(() => ws.cut())
      for (let i = 0; i < 3; i++) {
        assert.equal(await ws.next(), "2")
        ws.send("3")
      }
      ws.send("4still here")
      assert.equal(await ws.next(), "4still here")
    }
  },
  {
    title: "over WebSocket: no pong, closed after pingInterval + pingTimeout with a ping timeout",
    run: async ({ server, cleanup }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      const from = performance.now()
      assert.equal(await ws.next(), "2")
      await Ws.closing(ws)
      const { reason, at } = await server.closeOf(sid)
      assert.equal(reason, "ping timeout")
      about(at - from, pingInterval + pingTimeout, "closed")
    }
  },
  {
    title: "over polling: no pong, gone after pingInterval + pingTimeout with a ping timeout",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const from = performance.now()
      const { reason, at } = await server.closeOf(opened.sid)
      assert.equal(reason, "ping timeout")
      about(at - from, pingInterval + pingTimeout, "closed")
      assert.equal((await opened.poll()).status, 400)
    }
  },
  {
    title: "over polling: a poll sent pingInterval + pingTimeout after the handshake without pong is 400",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      // A little is granted to two timers of the server that each fire up to a millisecond late, and to the scheduler.
      await pass(pingInterval + pingTimeout + 15)
      const reply = await ask(server.endpoint, { query: opened.query })
      assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, { code: 1, message: "Session ID unknown" }])
    }
  },
  {
    title: "over polling: the pending poll is released with a close packet when the pong does not come",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      assert.equal((await opened.poll()).text, "2")
      const poll = await opened.poll()
      assert.deepEqual([poll.status, poll.text], [200, "1"])
    }
  },
  {
    title: "a pong starts the interval anew",
    run: async ({ server, cleanup }) => {
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      assert.equal(await ws.next(), "2")
      await pass(100)
      ws.send("3")
      const from = performance.now()
      assert.equal(await ws.next(), "2")
      about(performance.now() - from, pingInterval, "the next ping")
    }
  },
  {
    title: "pongs that nobody asked for do not put off the next ping",
    run: async ({ server, cleanup }) => {
      const { ws } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      const from = performance.now()
      for (let i = 0; i < 2; i++) {
        await pass(100)
        ws.send("3")
      }
      assert.equal(await ws.next(), "2")
      about(performance.now() - from, pingInterval, "the ping")
    },
    official: {
      because: "every pong starts the ping interval anew, so that a client that sends pongs by itself is never asked",
      instead: async ({ server, cleanup }) => {
        const { ws } = await websocket(server.endpoint)
        cleanup(() => ws.cut())
        const from = performance.now()
        await pass(150)
        ws.send("3")
        assert.equal(await ws.next(), "2")
        const ms = performance.now() - from
        assert.ok(ms >= pingInterval + 140, `pinged after ${ms.toFixed(0)} ms`)
      }
    }
  },
  {
    title: "a message while the pong is awaited extends the deadline once",
    run: async ({ server, cleanup }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      assert.equal(await ws.next(), "2")
      await pass(100)
      const from = performance.now()
      ws.send("4busy")
      assert.equal(await ws.next(), "4busy")
      await pass(100)
      ws.send("4busy again")
      await Ws.closing(ws)
      const { reason, at } = await server.closeOf(sid)
      assert.equal(reason, "ping timeout")
      about(at - from, pingTimeout, "closed after the first message")
    }
  },
  {
    title: "messages do not replace the pong",
    run: async ({ server, cleanup }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      const chatter = setInterval(() => {
        if (ws.socket.readyState === ws.socket.OPEN) ws.send("4x")
      }, 20)
      cleanup(() => clearInterval(chatter))
      await Ws.closing(ws)
      assert.equal((await server.closeOf(sid)).reason, "ping timeout")
    }
  },
  {
    title: "a pong in time keeps a session alive for many intervals, also with an upgrade in the middle",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      assert.equal((await opened.poll()).text, "2")
      await opened.post("3")
      const ws = await upgrade(opened)
      cleanup(() => ws.cut())
      for (let i = 0; i < 4; i++) {
        assert.equal(await ws.next(), "2")
        ws.send("3")
      }
      ws.send("4still here")
      assert.equal(await ws.next(), "4still here")
    }
  },
  {
    title: "a session that dies while it is probed takes the probe's connection with it",
    run: async ({ server, cleanup }: Given) => {
      const opened = await polling(server.endpoint)
      const ws = await Ws.open(server.endpoint, { EIO: "4", transport: "websocket", sid: opened.sid })
      cleanup(() => ws.cut())
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      await Ws.closing(ws)
      assert.equal((await server.closeOf(opened.sid)).reason, "ping timeout")
    }
  },
  {
    title: "fifty sessions are pinged each on its own, and those that answer stay",
    run: async ({ server, cleanup }: Given) => {
      const opened = await Promise.all(Array.from({ length: 50 }, () => websocket(server.endpoint)))
      cleanup(() => opened.forEach(({ ws }) => ws.cut()))
      await Promise.all(
        opened.map(async ({ ws, sid }, i) => {
          for (let round = 0; round < 2; round++) {
            assert.equal(await ws.next(), "2")
            if (i % 2 === 0) ws.send("3")
            else break
          }
          if (i % 2 === 0) {
            ws.send("4still here")
            assert.equal(await ws.next(), "4still here")
          } else
            assert.equal((await within(server.closeOf(sid), "the silent half to be closed")).reason, "ping timeout")
        })
      )
    }
  }
]

/** Suites about heartbeats. */
export const heartbeatSuites = [
  engineSuite("Engine.IO heartbeat", { pingInterval, pingTimeout }, cases, { timed: true })
]
