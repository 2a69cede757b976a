/** Engine.IO: the handshake over both transports, and the options that show in it. */
import * as assert from "node:assert/strict"
import { calm, engineSuite } from "../Case.ts"
import { handshakeOf, polling, separator, session, transports, websocket } from "../raw/Engine.ts"
import { ask } from "../raw/Http.ts"

const hello = { EIO: "4", transport: "polling" }

/** Suites about the handshake. */
export const handshakeSuites = [
  engineSuite("Engine.IO handshake", calm, [
    {
      title: "over polling: 200, an open packet with exactly the five documented keys",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: hello })
        assert.equal(reply.status, 200)
        assert.match(String(reply.headers["content-type"]), /^text\/plain; ?charset=utf-8$/i)
        const handshake = handshakeOf(reply.text)
        assert.deepEqual(Object.keys(handshake), ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"])
        assert.deepEqual(handshake.upgrades, ["websocket"])
        assert.equal(handshake.pingInterval, 25_000)
        assert.equal(handshake.pingTimeout, 20_000)
        assert.equal(handshake.maxPayload, 1_000_000)
      }
    },
    {
      title: "over WebSocket: the first frame is the open packet, with no upgrades",
      run: async ({ server, cleanup }) => {
        const { ws, handshake } = await websocket(server.endpoint)
        cleanup(() => ws.cut())
        assert.deepEqual(Object.keys(handshake), ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"])
        assert.deepEqual(handshake.upgrades, [])
        assert.equal(handshake.maxPayload, 1_000_000)
      }
    },
    {
      title: "session ids are 20 URL-safe characters, and no two are equal",
      run: async ({ server }) => {
        const sids = await Promise.all(Array.from({ length: 40 }, async () => (await polling(server.endpoint)).sid))
        for (const sid of sids) assert.match(sid, /^[A-Za-z0-9_-]{20}$/)
        assert.equal(new Set(sids).size, sids.length)
      }
    },
    {
      title: "polling responses are not to be cached",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: hello })
        assert.equal(reply.headers["cache-control"], "no-store")
      }
    },
    {
      title: "an Internet Explorer user agent gets X-XSS-Protection: 0, another one does not",
      run: async ({ server }) => {
        const agent = "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko"
        const old = await ask(server.endpoint, { query: hello, headers: { "user-agent": agent } })
        assert.equal(old.headers["x-xss-protection"], "0")
        const other = await ask(server.endpoint, { query: hello, headers: { "user-agent": "Mozilla/5.0" } })
        assert.equal(other.headers["x-xss-protection"], undefined)
      }
    },
    {
      title: "unknown query parameters, a cache buster and b64=1 change nothing",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: "EIO=4&transport=polling&t=abc&b64=1&x=%00&y" })
        assert.equal(reply.status, 200)
        assert.deepEqual(handshakeOf(reply.text).upgrades, ["websocket"])
      }
    },
    {
      title: "of a query parameter given twice the last one counts",
      run: async ({ server }) => {
        const last = await ask(server.endpoint, { query: "EIO=3&EIO=4&transport=websocket&transport=polling" })
        assert.equal(last.status, 200)
        const first = await ask(server.endpoint, { query: "EIO=4&transport=polling&transport=nonsense" })
        assert.equal(first.status, 400)
        assert.deepEqual(JSON.parse(first.text), { code: 0, message: "Transport unknown" })
      }
    },
    {
      title: "an empty sid parameter is a handshake",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: { ...hello, sid: "" } })
        assert.equal(reply.status, 200)
        handshakeOf(reply.text)
      }
    },
    {
      title: "percent-encoded parameter names and values are decoded",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: "%45IO=%34&transport=p%6Flling" })
        assert.equal(reply.status, 200)
      }
    },
    {
      title: "no cookie unless asked for",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: hello })
        assert.equal(reply.headers["set-cookie"], undefined)
      }
    }
  ]),

  engineSuite("Engine.IO handshake: allowUpgrades false", { ...calm, allowUpgrades: false }, [
    {
      title: "no upgrades are offered",
      run: async ({ server }) => {
        assert.deepEqual((await polling(server.endpoint)).handshake.upgrades, [])
      }
    }
  ]),

  engineSuite("Engine.IO handshake: polling only", { ...calm, transports: ["polling"] }, [
    {
      title: "no upgrades are offered",
      run: async ({ server }) => {
        assert.deepEqual((await polling(server.endpoint)).handshake.upgrades, [])
      }
    },
    {
      title: "transport=websocket is unknown (code 0)",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: { EIO: "4", transport: "websocket" } })
        assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, { code: 0, message: "Transport unknown" }])
      }
    }
  ]),

  engineSuite("Engine.IO handshake: WebSocket only", { ...calm, transports: ["websocket"] }, [
    {
      title: "transport=polling is unknown (code 0)",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: hello })
        assert.deepEqual([reply.status, JSON.parse(reply.text)], [400, { code: 0, message: "Transport unknown" }])
      }
    },
    {
      title: "a WebSocket session works",
      run: async ({ server, cleanup }) => {
        const { ws } = await websocket(server.endpoint)
        cleanup(() => ws.cut())
        ws.send("4hello")
        assert.equal(await ws.next(), "4hello")
      }
    }
  ]),

  engineSuite(
    "Engine.IO handshake: options on the wire",
    { ...calm, pingInterval: 12_345, pingTimeout: 6_789, maxHttpBufferSize: 4_321 },
    [
      {
        title: "pingInterval, pingTimeout and maxPayload are those of the server, over both transports",
        run: async ({ server, cleanup }) => {
          for (const transport of ["polling", "websocket"] as const) {
            const opened = await session(server.endpoint, transport)
            cleanup(() => opened.leave())
            const { pingInterval, pingTimeout, maxPayload } = opened.handshake
            assert.deepEqual(
              { pingInterval, pingTimeout, maxPayload },
              { pingInterval: 12_345, pingTimeout: 6_789, maxPayload: 4_321 }
            )
          }
        }
      }
    ]
  ),

  engineSuite("Engine.IO handshake: cookie", { ...calm, cookie: true }, [
    {
      title: "the handshake response sets io=<sid>; Path=/; HttpOnly; SameSite=Lax, later responses do not",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: hello })
        const { sid } = handshakeOf(reply.text)
        assert.deepEqual(reply.headers["set-cookie"], [`io=${sid}; Path=/; HttpOnly; SameSite=Lax`])
        const post = await ask(server.endpoint, { method: "POST", query: { ...hello, sid }, body: "4x" })
        const poll = await ask(server.endpoint, { query: { ...hello, sid } })
        assert.equal(post.headers["set-cookie"], undefined)
        assert.equal(poll.headers["set-cookie"], undefined)
      }
    }
  ]),

  engineSuite("Engine.IO handshake: initial packet", { ...calm, initialPacket: "welcome" }, [
    {
      title: "over polling it comes in the handshake response",
      run: async ({ server }) => {
        const reply = await ask(server.endpoint, { query: hello })
        const packets = reply.text.split(separator)
        handshakeOf(packets[0])
        assert.deepEqual(packets.slice(1), ["4welcome"])
      }
    },
    ...transports
      .filter((transport) => transport !== "upgrade")
      .map((transport) => ({
        title: `it is the first message over ${transport}`,
        run: async ({
          server,
          cleanup
        }: {
          server: { endpoint: { port: number; path: string } }
          cleanup: (f: () => void) => void
        }) => {
          const opened = await session(server.endpoint, transport)
          cleanup(() => opened.leave())
          assert.equal(await opened.next(), "4welcome")
        }
      }))
  ])
]
