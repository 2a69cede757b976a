/** Engine.IO: maxHttpBufferSize at the limit and one byte over it. */
import * as assert from "node:assert/strict"
import { calm, type Case, engineSuite } from "../Case.ts"
import { polling, websocket } from "../raw/Engine.ts"
import { ask, exchange, outcome } from "../raw/Http.ts"
import * as Ws from "../raw/Ws.ts"
import type { EngineServer } from "../Target.ts"
import { isAlive, isGone } from "./pollingCases.ts"

const small = 1_000

const casesFor = (limit: number): ReadonlyArray<Case<EngineServer>> => [
  {
    title: `a POST of ${limit} bytes is taken`,
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      assert.equal(opened.handshake.maxPayload, limit)
      const payload = `4${"x".repeat(limit - 1)}`
      const post = await opened.post(payload)
      assert.deepEqual([post.status, post.text], [200, "ok"])
      assert.ok((await opened.poll()).text === payload, "the payload came back changed")
    }
  },
  {
    title: `a POST of ${limit + 1} bytes: 413 with an empty body`,
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const post = await opened.post(`4${"x".repeat(limit)}`)
      assert.deepEqual([post.status, post.text], [413, ""])
    }
  },
  {
    title: `a POST of ${limit + 1} bytes without content length: 413`,
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const post = exchange(server.endpoint, {
        method: "POST",
        query: opened.query,
        headers: { "content-type": "text/plain", "transfer-encoding": "chunked" },
        keepOpen: true
      })
      for (let sent = 0; sent <= limit; sent += 100)
        post.request.write(sent === 0 ? `4${"x".repeat(99)}` : "x".repeat(100))
      post.request.end()
      const how = await outcome(post.reply)
      assert.equal(how, 413)
    }
  },
  {
    title: "the limit counts bytes, not characters",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const euros = Math.floor((limit - 1) / 3)
      const rest = limit - 1 - euros * 3
      const fits = `4${"€".repeat(euros)}${"x".repeat(rest)}`
      assert.equal(Buffer.byteLength(fits), limit)
      assert.equal((await opened.post(fits)).text, "ok")
      assert.ok((await opened.poll()).text === fits, "the payload came back changed")
      assert.equal((await opened.post(`${fits}x`)).status, 413)
    }
  },
  ...(["text", "binary"] as const).flatMap((kind) => [
    {
      title: `a ${kind} WebSocket message of ${limit} bytes is taken`,
      run: async ({ server, cleanup }: { server: EngineServer; cleanup: (f: () => void) => void }) => {
        const { ws } = await websocket(server.endpoint)
        cleanup(() => ws.cut())
        const frame = kind === "text" ? `4${"x".repeat(limit - 1)}` : Buffer.alloc(limit, 7)
        ws.send(frame)
        const back = await ws.next()
        assert.ok(
          typeof back === "string" ? back === frame : back.equals(frame as Buffer),
          "the message came back changed"
        )
      }
    },
    {
      title: `a ${kind} WebSocket message of ${limit + 1} bytes: closed with 1009, the session with a transport error`,
      run: async ({ server, cleanup }: { server: EngineServer; cleanup: (f: () => void) => void }) => {
        const { ws, sid } = await websocket(server.endpoint)
        cleanup(() => ws.cut())
        ws.send(kind === "text" ? `4${"x".repeat(limit)}` : Buffer.alloc(limit + 1, 7))
        assert.equal((await Ws.closing(ws)).code, 1009)
        assert.equal((await server.closeOf(sid)).reason, "transport error")
      }
    }
  ]),
  {
    title: "fragments add up: closed with 1009",
    run: async ({ server, cleanup }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      const half = Math.ceil(limit / 2)
      ws.socket.send(`4${"x".repeat(half)}`, { fin: false })
      ws.socket.send("x".repeat(half), { fin: true })
      assert.equal((await Ws.closing(ws)).code, 1009)
      assert.equal((await server.closeOf(sid)).reason, "transport error")
    }
  }
]

/** Suites about the payload limit. */
export const limitSuites = [
  engineSuite("Engine.IO limits: maxHttpBufferSize 1000", { ...calm, maxHttpBufferSize: small }, [
    ...casesFor(small),
    {
      title: "the limit is for what the client sends, not for what the server sends",
      run: async ({ server }) => {
        const opened = await polling(server.endpoint)
        for (let i = 0; i < 3; i++) await opened.post(`4${"y".repeat(small - 1)}`)
        const poll = await opened.poll()
        assert.equal(poll.text.length, 3 * small + 2)
      }
    },
    {
      title: "a POST over the limit ends the session with a transport error, so that nothing is lost unnoticed",
      run: async ({ server }) => {
        const opened = await polling(server.endpoint)
        assert.equal((await opened.post(`4${"x".repeat(small)}`)).status, 413)
        assert.equal((await server.closeOf(opened.sid)).reason, "transport error")
        await isGone(opened)
      },
      official: {
        because:
          "after the 413 the session goes on without the packets of that POST; only a client that gives up by itself notices",
        instead: async ({ server }) => {
          const opened = await polling(server.endpoint)
          assert.equal((await opened.post(`4${"x".repeat(small)}`)).status, 413)
          await isAlive(opened)
        }
      }
    },
    {
      title: "an announced length over the limit is refused without waiting for the body",
      run: async ({ server, cleanup }) => {
        const opened = await polling(server.endpoint)
        const post = exchange(server.endpoint, {
          method: "POST",
          query: opened.query,
          headers: { "content-type": "text/plain", "content-length": small + 1 },
          keepOpen: true
        })
        cleanup(() => post.abort())
        assert.equal(await outcome(post.reply), 413)
      },
      official: {
        because: "the bytes are counted as they come; an announced length is not looked at",
        instead: async ({ server, cleanup }) => {
          const opened = await polling(server.endpoint)
          const post = exchange(server.endpoint, {
            method: "POST",
            query: opened.query,
            headers: { "content-type": "text/plain", "content-length": small + 1 },
            body: "4",
            keepOpen: true
          })
          cleanup(() => post.abort())
          // Refused handshakes are answered meanwhile, the POST is not.
          for (let i = 0; i < 5; i++) await ask(server.endpoint, { query: "EIO=4&transport=none" })
          post.request.write("x".repeat(small))
          assert.equal(await outcome(post.reply), 413)
        }
      }
    }
  ]),
  engineSuite("Engine.IO limits: the default of 1e6", calm, casesFor(1_000_000))
]
