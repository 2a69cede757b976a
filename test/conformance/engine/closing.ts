/** Engine.IO: who closes, and how the other side sees it. */
import * as assert from "node:assert/strict"
import { calm, type Case, engineSuite } from "../Case.ts"
import { polling, separator, upgrade, websocket } from "../raw/Engine.ts"
import { arrived } from "../raw/Http.ts"
import * as Ws from "../raw/Ws.ts"
import type { EngineServer } from "../Target.ts"
import { isGone } from "./pollingCases.ts"

const cases: ReadonlyArray<Case<EngineServer>> = [
  {
    title: "the client posts a close packet: the pending poll gets a noop, the session is gone with a transport close",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const poll = opened.startPoll()
      await arrived(server.endpoint)
      opened.startPost("1")
      const reply = await poll.reply
      assert.deepEqual([reply.status, reply.text], [200, "6"])
      assert.equal((await server.closeOf(opened.sid)).reason, "transport close")
      await isGone(opened)
    }
  },
  {
    title: "the client posts a close packet with no poll pending: the session is gone",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      opened.startPost("1")
      assert.equal((await server.closeOf(opened.sid)).reason, "transport close")
      await isGone(opened)
    }
  },
  {
    title: "the server closes while a poll is pending: it gets a close packet, the session is gone with a forced close",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const poll = opened.startPoll()
      await arrived(server.endpoint)
      opened.startPost("4close")
      const reply = await poll.reply
      assert.deepEqual([reply.status, reply.text.split(separator).at(-1)], [200, "1"])
      assert.equal((await server.closeOf(opened.sid)).reason, "forced close")
      await isGone(opened)
    }
  },
  ...[false, true].map((pending) => ({
    title: `the server closes with ${pending ? "a poll" : "no poll"} pending: what it has sent comes first, the close packet in the poll after it`,
    run: async ({ server }: { server: EngineServer }) => {
      const opened = await polling(server.endpoint)
      const poll = pending ? opened.startPoll() : undefined
      if (pending) await arrived(server.endpoint)
      opened.startPost(["4before", "4close"].join(separator))
      if (!pending) await arrived(server.endpoint)
      const reply = await (poll ?? opened.startPoll()).reply
      // Not in one payload: the official client obeys a close packet at once, but hands out messages in a later turn. A DISCONNECT in front
      // of it would be lost, and who was sent away would come back as if the connection had been lost.
      assert.deepEqual([reply.status, reply.text], [200, "4before"])
      const last = await opened.poll()
      assert.deepEqual([last.status, last.text.split(separator).filter((packet) => packet !== "6")], [200, ["1"]])
      assert.equal((await server.closeOf(opened.sid)).reason, "forced close")
      await isGone(opened)
    }
  })),
  {
    title:
      "the server closes a WebSocket session: close frame without code, forced close; what was sent before arrives",
    run: async ({ server }) => {
      const { ws, sid } = await websocket(server.endpoint)
      ws.send("4before")
      ws.send("4close")
      assert.equal(await ws.next(), "4before")
      assert.equal((await Ws.closing(ws)).code, 1005)
      assert.equal((await server.closeOf(sid)).reason, "forced close")
    }
  },
  {
    title: "the server closes an upgraded session: forced close",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const ws = await upgrade(opened)
      ws.send("4close")
      assert.equal((await Ws.closing(ws)).code, 1005)
      assert.equal((await server.closeOf(opened.sid)).reason, "forced close")
      await isGone(opened)
    }
  },
  {
    title: "the server closes while the transport is probed: both connections end",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const ws = await Ws.open(server.endpoint, { EIO: "4", transport: "websocket", sid: opened.sid })
      ws.send("2probe")
      assert.equal(await ws.next(), "3probe")
      opened.startPost("4close")
      for (;;) {
        const reply = await opened.poll()
        if (reply.text.split(separator).includes("1") || reply.status !== 200) break
      }
      assert.equal((await server.closeOf(opened.sid)).reason, "forced close")
      await Ws.closing(ws)
    }
  }
]

/** Suites about closing. */
export const closingSuites = [engineSuite("Engine.IO closing", calm, cases)]
