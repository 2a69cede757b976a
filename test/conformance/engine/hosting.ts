/** Engine.IO: where it listens, and beside whom. */
import * as assert from "node:assert/strict"
import { calm, type Case, engineSuite } from "../Case.ts"
import { handshakeOf, polling, websocket } from "../raw/Engine.ts"
import { ask, type Endpoint, raw } from "../raw/Http.ts"
import { pass } from "../raw/Wait.ts"
import * as Ws from "../raw/Ws.ts"
import type { EngineServer } from "../Target.ts"

const hello = { EIO: "4", transport: "polling" }

const foreign = (endpoint: Endpoint, path: string, until?: (text: string) => boolean): Promise<string> =>
  raw(endpoint, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n`, until)

const works = async (server: EngineServer, cleanup: (f: () => void) => void): Promise<void> => {
  const opened = await polling(server.endpoint)
  await opened.post("4hello")
  assert.equal((await opened.poll()).text, "4hello")
  const { ws } = await websocket(server.endpoint)
  cleanup(() => ws.cut())
  ws.send("4hello")
  assert.equal(await ws.next(), "4hello")
}

const beside: ReadonlyArray<Case<EngineServer>> = [
  {
    title: "requests elsewhere reach the host's own application",
    run: async ({ server }) => {
      const reply = await ask(server.endpoint, { path: "/other" })
      assert.deepEqual([reply.status, reply.text], [200, "other"])
      const post = await ask(server.endpoint, { method: "POST", path: "/nowhere", body: "x" })
      assert.deepEqual([post.status, post.text], [404, "not found by the host"])
    }
  },
  {
    title: "requests at the engine's path do not reach it, whatever it would answer",
    run: async ({ server, cleanup }) => {
      await works(server, cleanup)
      const refused = await ask(server.endpoint, { query: "EIO=4" })
      assert.deepEqual(JSON.parse(refused.text), { code: 0, message: "Transport unknown" })
    }
  },
  {
    title: "the path without trailing slash belongs to the host",
    run: async ({ server }) => {
      const reply = await ask(server.endpoint, { path: server.endpoint.path.slice(0, -1), query: hello })
      assert.equal(reply.status, 404)
    }
  },
  {
    title: "a path that only begins alike belongs to the host",
    run: async ({ server }) => {
      const reply = await ask(server.endpoint, { path: `${server.endpoint.path.slice(0, -1)}-x/`, query: hello })
      assert.equal(reply.status, 404)
    }
  },
  {
    title: "an upgrade elsewhere is the host's",
    run: async ({ server, cleanup }) => {
      const answer = await foreign(server.endpoint, "/other")
      assert.match(answer, /^HTTP\/1\.1 101 [^]*\r\n\r\nhello$/)
      await works(server, cleanup)
    }
  }
]

/** Suites about hosting. */
export const hostingSuites = [
  engineSuite("Engine.IO beside another application", { ...calm, beside: true }, beside),
  engineSuite("Engine.IO at another path", { ...calm, path: "/some/where/", beside: true }, [
    { title: "it works there", run: ({ server, cleanup }) => works(server, cleanup) },
    {
      title: "and not at the default path",
      run: async ({ server }) => {
        assert.equal((await ask(server.endpoint, { path: "/engine.io/", query: hello })).status, 404)
      }
    }
  ]),
  engineSuite("Engine.IO at a path given without trailing slash", { ...calm, path: "/some/where", beside: true }, [
    { title: "it works at the path with it", run: ({ server, cleanup }) => works(server, cleanup) }
  ]),
  engineSuite(
    "Engine.IO: addTrailingSlash false",
    { ...calm, path: "/engine.io", addTrailingSlash: false, beside: true },
    [
      {
        title: "the path works with and without the slash, over both transports",
        run: async ({ server, cleanup }) => {
          await works(server, cleanup)
          const path = server.endpoint.path.slice(0, -1)
          const reply = await ask(server.endpoint, { path, query: hello })
          assert.equal(reply.status, 200)
          handshakeOf(reply.text)
          const ws = await Ws.attempt(server.endpoint, { EIO: "4", transport: "websocket" }, path)
          assert.equal(ws._tag, "Ws")
          if (ws._tag === "Ws") cleanup(() => ws.cut())
        }
      }
    ]
  ),
  engineSuite(
    "Engine.IO: destroyUpgradeTimeout 100",
    { ...calm, beside: true, destroyUpgradeTimeout: 100 },
    [
      {
        title: "an upgrade elsewhere that nobody takes is ended after it",
        run: async ({ server }) => {
          const from = performance.now()
          assert.equal(await foreign(server.endpoint, "/nowhere"), "")
          const ms = performance.now() - from
          assert.ok(ms >= 95 && ms < 400, `ended after ${ms.toFixed(0)} ms`)
        }
      },
      {
        title: "one that somebody takes is left alone",
        run: async ({ server }) => {
          assert.match(await foreign(server.endpoint, "/other"), /hello$/)
        }
      }
    ],
    { timed: true }
  ),
  engineSuite(
    "Engine.IO: destroyUpgrade false",
    { ...calm, beside: true, destroyUpgrade: false, destroyUpgradeTimeout: 50 },
    [
      {
        title: "an upgrade elsewhere that nobody takes is left open",
        run: async ({ server }) => {
          const ended = foreign(server.endpoint, "/nowhere").then(
            () => "ended" as const,
            () => "open" as const
          )
          assert.equal(await Promise.race([ended, pass(250).then(() => "open" as const)]), "open")
        }
      }
    ],
    { timed: true }
  )
]
