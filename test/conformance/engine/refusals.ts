/** Engine.IO: every refusal of the error table (codes 0-5), by HTTP and by WebSocket upgrade. */
import * as assert from "node:assert/strict"
import { calm, type Case, engineSuite } from "../Case.ts"
import { polling, websocket } from "../raw/Engine.ts"
import { ask, type Query, raw } from "../raw/Http.ts"
import * as Ws from "../raw/Ws.ts"
import type { EngineServer } from "../Target.ts"

const messages = [
  "Transport unknown",
  "Session ID unknown",
  "Bad handshake method",
  "Bad request",
  "Forbidden",
  "Unsupported protocol version"
] as const

const refusal = (code: number) => ({ code, message: messages[code] })

const nobody = "AAAAAAAAAAAAAAAAAAAA"

/** A query that is refused alike by HTTP and by upgrade. */
const both: ReadonlyArray<readonly [what: string, query: Query, code: number]> = [
  ["a missing transport", { EIO: "4" }, 0],
  ["an unknown transport", { EIO: "4", transport: "carrier-pigeon" }, 0],
  ["an empty transport", { EIO: "4", transport: "" }, 0],
  ["transport=__proto__", { EIO: "4", transport: "__proto__" }, 0],
  ["transport=constructor", { EIO: "4", transport: "constructor" }, 0],
  ["transport=webtransport over HTTP", { EIO: "4", transport: "webtransport" }, 0],
  ["transport=Polling (case matters)", { EIO: "4", transport: "Polling" }, 0],
  ["an empty query", "", 0]
]

const versions: ReadonlyArray<readonly [what: string, version: string]> = [
  ["a missing EIO", ""],
  ["EIO=3", "EIO=3&"],
  ["EIO=2", "EIO=2&"],
  ["EIO=5", "EIO=5&"],
  ["EIO=04", "EIO=04&"],
  ["EIO=4.0", "EIO=4.0&"],
  ["EIO=abc", "EIO=abc&"],
  ["an empty EIO", "EIO=&"]
]

const sids: ReadonlyArray<readonly [what: string, sid: string]> = [
  ["an unknown sid", nobody],
  ["sid=__proto__", "__proto__"],
  ["sid=constructor", "constructor"],
  ["sid=toString", "toString"],
  ["a sid of 8,000 characters", "x".repeat(8_000)],
  ["a sid of control characters", "\u0000\r\n\u001b"],
  ["a sid that is not in ASCII", "sïd-💥"]
]

const byHttp: ReadonlyArray<Case<EngineServer>> = [
  ...both.map(([what, query, code]) => ({
    title: `${what}: 400, code ${code}`,
    run: async ({ server }: { server: EngineServer }) => {
      const reply = await ask(server.endpoint, { query })
      assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, refusal(code)])
      assert.match(String(reply.headers["content-type"]), /^application\/json/)
    }
  })),
  ...versions.map(([what, version]) => ({
    title: `${what}: 400, code 5`,
    run: async ({ server }: { server: EngineServer }) => {
      const reply = await ask(server.endpoint, { query: `${version}transport=polling` })
      assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, refusal(5)])
    }
  })),
  ...sids.flatMap(([what, sid]) =>
    ["GET", "POST"].map((method) => ({
      title: `${method} with ${what}: 400, code 1`,
      run: async ({ server }: { server: EngineServer }) => {
        const reply = await ask(server.endpoint, {
          method,
          query: { EIO: "4", transport: "polling", sid },
          ...(method === "POST" ? { body: "4x" } : {})
        })
        assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, refusal(1)])
      }
    }))
  ),
  ...["POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) => ({
    title: `${method} without sid: 400, code 2`,
    run: async ({ server }: { server: EngineServer }) => {
      const reply = await ask(server.endpoint, { method, query: { EIO: "4", transport: "polling" } })
      assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, refusal(2)])
    }
  })),
  {
    title: "HEAD without sid: 400 without a body",
    run: async ({ server }) => {
      const reply = await ask(server.endpoint, { method: "HEAD", query: { EIO: "4", transport: "polling" } })
      assert.deepEqual([reply.status, reply.text], [400, ""])
    }
  },
  {
    title: "a handshake with transport=websocket by plain GET: 400, code 3",
    run: async ({ server }) => {
      const reply = await ask(server.endpoint, { query: { EIO: "4", transport: "websocket" } })
      assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, refusal(3)])
    }
  },
  {
    title: "a GET with transport=websocket and the sid of a polling session: 400, code 3; the session goes on",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const reply = await ask(server.endpoint, { query: { ...opened.query, transport: "websocket" } })
      assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, refusal(3)])
      await opened.post("4still here")
      assert.equal((await opened.poll()).text, "4still here")
    }
  },
  ...["GET", "POST"].map((method) => ({
    title: `a ${method} with transport=polling and the sid of a WebSocket session: 400, code 3; the session goes on`,
    run: async ({ server, cleanup }: { server: EngineServer; cleanup: (f: () => void) => void }) => {
      const { ws, sid } = await websocket(server.endpoint)
      cleanup(() => ws.cut())
      const reply = await ask(server.endpoint, { method, query: { EIO: "4", transport: "polling", sid } })
      assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, refusal(3)])
      ws.send("4still here")
      assert.equal(await ws.next(), "4still here")
    }
  })),
  {
    title: "another protocol version with the sid of a session: 400, code 3; the session goes on",
    run: async ({ server }) => {
      const opened = await polling(server.endpoint)
      const reply = await ask(server.endpoint, { query: { ...opened.query, EIO: "3" } })
      assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, refusal(3)])
      await opened.post("4still here")
      assert.equal((await opened.poll()).text, "4still here")
    }
  },
  {
    title: "a query that is not valid percent-encoding does no harm",
    run: async ({ server }) => {
      const reply = await ask(server.endpoint, { query: "EIO=4&transport=polling&sid=%E0%A4%A&x=%" })
      assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, refusal(1)])
    }
  },
  {
    title: "an Origin header of bytes that no header may hold: 400",
    run: async ({ server }) => {
      const answer = await raw(
        server.endpoint,
        `GET ${server.endpoint.path}?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: a\x01b\r\n\r\n`
      )
      assert.match(answer, /^HTTP\/1\.1 400 /)
    }
  }
]

const byUpgrade: ReadonlyArray<Case<EngineServer>> = [
  ...both
    .filter(([, query]) => query !== "")
    .map(([what, query, code]) => ({
      title: `upgrade with ${what}: refused with 400 and the message of code ${code}`,
      run: async ({ server }: { server: EngineServer }) => {
        const refused = await Ws.attempt(server.endpoint, query)
        assert.equal(refused._tag, "Refused")
        assert.equal(refused.status, 400)
        assert.ok(refused.body.includes(String(messages[code])), refused.body)
      }
    })),
  ...versions.map(([what, version]) => ({
    title: `upgrade with ${what}: no session`,
    run: async ({ server }: { server: EngineServer }) => {
      assert.ok(await Ws.neverUsable(await Ws.attempt(server.endpoint, `${version}transport=websocket`)))
    }
  })),
  ...sids.map(([what, sid]) => ({
    title: `upgrade with ${what}: refused with 400 and the message of code 1`,
    run: async ({ server }: { server: EngineServer }) => {
      const refused = await Ws.attempt(server.endpoint, { EIO: "4", transport: "websocket", sid })
      assert.equal(refused._tag, "Refused")
      assert.equal(refused.status, 400)
      assert.ok(refused.body.includes("Session ID unknown"), refused.body)
    }
  })),
  {
    title: "upgrade with transport=polling: no session",
    run: async ({ server }) => {
      assert.ok(await Ws.neverUsable(await Ws.attempt(server.endpoint, { EIO: "4", transport: "polling" })))
    }
  },
  {
    title: "upgrade without the WebSocket headers: refused, the server goes on",
    run: async ({ server }) => {
      const answer = await raw(
        server.endpoint,
        `GET ${server.endpoint.path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
      )
      assert.match(answer, /^HTTP\/1\.1 400 /)
      await polling(server.endpoint)
    }
  },
  {
    title: "upgrade to another protocol at the engine's path: no session, the connection is closed",
    run: async ({ server }) => {
      const answer = await raw(
        server.endpoint,
        `GET ${server.endpoint.path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tls\r\n\r\n`
      )
      assert.match(answer, /^HTTP\/1\.1 4\d\d /)
    }
  },
  {
    title: "a WebSocket of version 12: refused",
    run: async ({ server }) => {
      const answer = await raw(
        server.endpoint,
        `GET ${server.endpoint.path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 12\r\n\r\n`
      )
      assert.match(answer, /^HTTP\/1\.1 (400|426) /)
    }
  },
  {
    title: "a client that vanishes during the upgrade does no harm",
    run: async ({ server }) => {
      for (let i = 0; i < 5; i++) {
        await raw(
          server.endpoint,
          `GET ${server.endpoint.path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
            `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
          () => true
        )
      }
      await polling(server.endpoint)
    }
  }
]

/** Suites about refusals. */
export const refusalSuites = [
  engineSuite("Engine.IO refusals by HTTP", calm, byHttp),
  engineSuite("Engine.IO refusals by WebSocket upgrade", calm, byUpgrade),
  engineSuite("Engine.IO refusals: allowRequest", { ...calm, refusable: true }, [
    {
      title: "a refused handshake: 403, code 4, the refusal's message",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: { EIO: "4", transport: "polling", refuse: "no entry" } })
        assert.deepEqual([reply.status, JSON.parse(reply.text)], [403, { code: 4, message: "no entry" }])
      }
    },
    {
      title: "a refused handshake without a message: 403, code 4, Forbidden",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: { EIO: "4", transport: "polling", refuse: "" } })
        assert.deepEqual([reply.status, JSON.parse(reply.text)], [403, { code: 4, message: "Forbidden" }])
      }
    },
    {
      title: "a refused WebSocket handshake: 403 with the refusal's message",
      run: async ({ server }) => {
        const refused = await Ws.attempt(server.endpoint, { EIO: "4", transport: "websocket", refuse: "no entry" })
        assert.equal(refused._tag, "Refused")
        assert.equal(refused.status, 403)
        assert.ok(refused.body.includes("no entry"), refused.body)
      },
      official: {
        because: "T16: a refused upgrade is always answered with 400 Bad Request, whatever the error code",
        instead: async ({ server }) => {
          const refused = await Ws.attempt(server.endpoint, { EIO: "4", transport: "websocket", refuse: "no entry" })
          assert.equal(refused._tag, "Refused")
          assert.deepEqual([refused.status, refused.body], [400, "no entry"])
        }
      }
    },
    {
      title: "an accepted handshake works, and later requests of the session are not asked again",
      run: async ({ server }) => {
        const opened = await polling(server.endpoint)
        const reply = await ask(server.endpoint, {
          method: "POST",
          query: { ...opened.query, refuse: "late" },
          body: "4x"
        })
        assert.deepEqual([reply.status, reply.text], [200, "ok"])
        assert.equal((await opened.poll()).text, "4x")
      }
    }
  ])
]
