/** Engine.IO: the upgrade from polling to WebSocket, step by step and with every wrong step. */
import * as assert from "node:assert/strict"
import { calm, type Case, engineSuite } from "../Case.ts"
import { polling, type Polling, separator, upgrade } from "../raw/Engine.ts"
import { arrived, ask } from "../raw/Http.ts"
import { pass } from "../raw/Wait.ts"
import * as Ws from "../raw/Ws.ts"
import type { EngineServer } from "../Target.ts"
import { isAlive } from "./pollingCases.ts"

const probe = (opened: Polling): Promise<Ws.Ws> =>
  Ws.open(opened.endpoint, { EIO: "4", transport: "websocket", sid: opened.sid })

type Given = { server: EngineServer; cleanup: (f: () => void) => void }

/** First frames on the second connection that are no probe. */
const wrong: ReadonlyArray<readonly [what: string, frame: string | Buffer]> = [
  ["a ping with another text", "2probing"],
  ["a ping without text", "2"],
  ["a message", "4hello"],
  ["a binary message", Buffer.from([1, 2, 3])],
  ["a pong", "3probe"],
  ["a noop", "6"],
  ["a close packet", "1"],
  ["an unreadable packet", "abc"],
  ["an empty frame", ""]
]

const cases: ReadonlyArray<Case<EngineServer>> = [
  {
    title:
      "by the book: probe answered, the pending poll released by a noop, echo over WebSocket after the upgrade packet",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      cleanup(() => ws.cut())
      const poll = opened.startPoll()
      await arrived(server.endpoint)
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      const reply = await poll.reply
      assert.deepEqual([reply.status, reply.text], [200, "6"])
      ws.send("5")
      ws.send("4hello")
      assert.equal(await ws.next(), "4hello")
      ws.send(Buffer.from([1, 2, 3]))
      assert.deepEqual(await ws.next(), Buffer.from([1, 2, 3]))
    }
  },
  {
    title: "every poll while the upgrade lasts is released",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      cleanup(() => ws.cut())
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      for (let i = 0; i < 3; i++) assert.equal((await opened.poll()).text, "6")
      ws.send("5")
      ws.send("4hello")
      assert.equal(await ws.next(), "4hello")
    }
  },
  {
    title: "after it polls and posts with the sid are refused with code 3, and the session goes on",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await upgrade(opened)
      cleanup(() => ws.cut())
      ws.send("4sync")
      assert.equal(await ws.next(), "4sync")
      for (const method of ["GET", "POST"]) {
        const reply = await ask(server.endpoint, { method, query: opened.query })
        assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, { code: 3, message: "Bad request" }])
      }
      ws.send("4still here")
      assert.equal(await ws.next(), "4still here")
    }
  },
  {
    title: "after it a second WebSocket with the sid is closed, the first keeps working",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await upgrade(opened)
      cleanup(() => ws.cut())
      ws.send("4sync")
      assert.equal(await ws.next(), "4sync")
      const second = await Ws.attempt(server.endpoint, { EIO: "4", transport: "websocket", sid: opened.sid })
      if (second._tag === "Ws") second.send("2probe")
      assert.ok(await Ws.neverUsable(second))
      ws.send("4still here")
      assert.equal(await ws.next(), "4still here")
    }
  },
  ...wrong.map(([what, frame]) => ({
    title: `${what} instead of a probe: that connection is closed, polling goes on, a later upgrade succeeds`,
    run: async ({ server, cleanup }: Given) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      ws.send(frame)
      await Ws.closing(ws)
      assert.equal(ws.inbox.size, 0)
      await isAlive(opened)
      const again = await upgrade(opened)
      cleanup(() => again.cut())
      again.send("4over WebSocket")
      assert.equal(await again.next(), "4over WebSocket")
    }
  })),
  {
    title: "a message after the probe, before the upgrade packet: that connection is closed, polling goes on",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      ws.send("4too early")
      await Ws.closing(ws)
      await isAlive(opened)
    }
  },
  {
    title: "an upgrade packet without a probe is taken",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      cleanup(() => ws.cut())
      ws.send("5")
      ws.send("4hello")
      assert.equal(await ws.next(), "4hello")
    }
  },
  {
    title: "a second probe packet on the same connection is answered again",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      cleanup(() => ws.cut())
      for (let i = 0; i < 2; i++) {
        ws.send("2probe")
        assert.equal(await ws.next(), "3probe")
      }
      ws.send("5")
      ws.send("4hello")
      assert.equal(await ws.next(), "4hello")
    }
  },
  {
    title: "a second connection while the first is probing is closed, the first completes",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const first = await probe(opened)
      cleanup(() => first.cut())
      first.send("2probe")
      assert.equal(await first.next(), "3probe")
      const second = await Ws.attempt(server.endpoint, { EIO: "4", transport: "websocket", sid: opened.sid })
      if (second._tag === "Ws") second.send("2probe")
      assert.ok(await Ws.neverUsable(second))
      first.send("5")
      first.send("4hello")
      assert.equal(await first.next(), "4hello")
    }
  },
  {
    title: "the probing connection is closed by the client: polling goes on, a later upgrade succeeds",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      for (const how of ["close", "cut"] as const) {
        const ws = await probe(opened)
        ws.send("2probe")
        assert.equal(await ws.next(), "3probe")
        if (how === "close") ws.socket.close()
        else ws.cut()
        await Ws.closing(ws)
        await arrived(server.endpoint)
        // A noop may have been due while the probe lasted; the echo must come all the same.
        await opened.post("4are you there")
        let text = ""
        while (!text.includes("4are you there")) text = (await opened.poll()).text
      }
      const again = await upgrade(opened)
      cleanup(() => again.cut())
      again.send("4over WebSocket")
      assert.equal(await again.next(), "4over WebSocket")
    }
  },
  {
    title: "the session is closed while it is probed: the probing connection is closed",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      opened.startPost("1")
      assert.equal((await server.closeOf(opened.sid)).reason, "transport close")
      await Ws.closing(ws)
    }
  },
  {
    title: "what the server sent during the probe and no poll fetched comes over WebSocket, once and in order",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      cleanup(() => ws.cut())
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      await opened.post(
        Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? `b${Buffer.from([i]).toString("base64")}` : `4${i}`)).join(
          separator
        )
      )
      ws.send("5")
      ws.send("4end")
      for (let i = 0; i < 20; i++) assert.deepEqual(await ws.next(), i % 4 === 0 ? Buffer.from([i]) : `4${i}`)
      assert.equal(await ws.next(), "4end")
    }
  },
  {
    title: "what waits comes with the upgrade itself, before anybody says more",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      cleanup(() => ws.cut())
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      await opened.post(["4one", "bAg==", "4three"].join(separator))
      ws.send("5")
      assert.deepEqual([await ws.next(), await ws.next(), await ws.next()], ["4one", Buffer.from([2]), "4three"])
    }
  },
  {
    title: "a poll aborted during the probe ends the session and the probing connection",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      cleanup(() => ws.cut())
      const poll = opened.startPoll()
      await arrived(server.endpoint)
      poll.abort()
      assert.equal((await server.closeOf(opened.sid)).reason, "transport error")
      await Ws.closing(ws)
    }
  },
  {
    title: "messages during the probe still come by poll",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      cleanup(() => ws.cut())
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      await opened.post("4by poll")
      assert.equal((await opened.poll()).text, "4by poll")
      ws.send("5")
      ws.send("4by WebSocket")
      assert.equal(await ws.next(), "4by WebSocket")
    }
  },
  {
    title: "a poll still pending when the upgrade packet comes is answered",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      cleanup(() => ws.cut())
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      assert.equal((await opened.poll()).text, "6")
      const poll = opened.startPoll()
      await arrived(server.endpoint)
      ws.send("5")
      ws.send("4hello")
      assert.equal(await ws.next(), "4hello")
      const reply = await poll.reply
      assert.equal(reply.status, 200)
      assert.ok(reply.text === "6" || reply.text === "1", reply.text)
    }
  }
]

const impatient: ReadonlyArray<Case<EngineServer>> = [
  {
    title: "a connection that sends nothing is closed after upgradeTimeout, polling goes on",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      const from = performance.now()
      await Ws.closing(ws)
      const ms = performance.now() - from
      assert.ok(ms >= 190 && ms < 400, `closed after ${ms.toFixed(0)} ms`)
      await isAlive(opened)
    }
  },
  {
    title: "a probe without upgrade packet is closed after upgradeTimeout, polling goes on, a later upgrade succeeds",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await probe(opened)
      const from = performance.now()
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      await Ws.closing(ws)
      const ms = performance.now() - from
      assert.ok(ms >= 190 && ms < 400, `closed after ${ms.toFixed(0)} ms`)
      await isAlive(opened)
      const again = await upgrade(opened)
      cleanup(() => again.cut())
      again.send("4over WebSocket")
      assert.equal(await again.next(), "4over WebSocket")
    }
  },
  {
    title: "an upgrade in time is not undone by the timeout",
    run: async ({ server, cleanup }) => {
      const opened = await polling(server.endpoint)
      const ws = await upgrade(opened)
      cleanup(() => ws.cut())
      await pass(300)
      ws.send("4still here")
      assert.equal(await ws.next(), "4still here")
    }
  }
]

/** Suites about the upgrade. */
export const upgradeSuites = [
  engineSuite("Engine.IO upgrade", calm, cases),
  engineSuite("Engine.IO upgrade: upgradeTimeout 200", { ...calm, upgradeTimeout: 200 }, impatient, { timed: true })
]
