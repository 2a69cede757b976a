import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import * as http from "node:http"
import * as https from "node:https"
import type { AddressInfo } from "node:net"
import { WebSocketServer } from "ws"
import * as Group from "../../src/protocol/FrameGroup.ts"
import { CookieJar, maxCookies } from "../../src/node/CookieJar.ts"
import * as NodeClientTransport from "../../src/node/NodeClientTransport.ts"
import * as BrowserPlatform from "../../src/transport/BrowserPlatform.ts"
import type { ClientPlatform, HttpRequest, HttpResult, PlatformOptions } from "../../src/transport/ClientPlatform.ts"

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url))

/** A server on a port of its own, until the scope closes. */
const serve = (handler: http.RequestListener, secure = false): Effect.Effect<http.Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<http.Server>((resume) => {
      const server = secure
        ? https.createServer({ key: fixture("key.pem"), cert: fixture("cert.pem") }, handler)
        : http.createServer(handler)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )

const at = (server: http.Server, scheme: string): string =>
  `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`

const get = (platform: ClientPlatform, url: string, more: Partial<HttpRequest> = {}): Effect.Effect<HttpResult> =>
  Effect.callback<HttpResult>((resume) => {
    const request: HttpRequest = { method: "GET", url, headers: {}, body: undefined, withCredentials: false, ...more }
    const abort = platform.request(request, (result) => resume(Effect.succeed(result)))
    return Effect.sync(abort)
  })

const platforms: ReadonlyArray<readonly [string, (options?: PlatformOptions) => ClientPlatform]> = [
  ["Node's platform", NodeClientTransport.make],
  ["the browser's platform", BrowserPlatform.make]
]

for (const [name, make] of platforms) {
  describe(name, () => {
    it.live("sends requests with headers and body, and gives status and text", () =>
      Effect.gen(function* () {
        const server = yield* serve((request, response) => {
          const chunks: Array<Buffer> = []
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("end", () => {
            response.statusCode = request.method === "POST" ? 201 : 400
            response.end(`${String(request.headers["x-test"])} ${Buffer.concat(chunks).toString()} \u{1F600}`)
          })
        })
        const platform = make()
        const url = at(server, "http")
        assert.deepStrictEqual(
          yield* get(platform, url, {
            method: "POST",
            body: "bödy",
            headers: { "X-Test": "1", "Content-type": "text/plain" }
          }),
          { _tag: "Answer", status: 201, body: "1 bödy \u{1F600}" }
        )
        assert.deepStrictEqual(yield* get(platform, url), { _tag: "Answer", status: 400, body: "undefined  \u{1F600}" })
      })
    )

    it.live("tells when there is no answer", () =>
      Effect.gen(function* () {
        const platform = make()
        assert.strictEqual((yield* get(platform, "http://127.0.0.1:1/"))._tag, "NoAnswer")
        const cut = yield* serve((_, response) => {
          response.writeHead(200, { "content-length": "100" })
          response.write("part", () => response.destroy())
        })
        assert.strictEqual((yield* get(platform, at(cut, "http")))._tag, "NoAnswer")
        assert.strictEqual(
          (yield* get(platform, at(cut, "http"), { headers: { "bad header": "\n" } }))._tag,
          "NoAnswer"
        )
      })
    )

    it.live("says nothing of a request that was aborted", () =>
      Effect.gen(function* () {
        const closed = Promise.withResolvers<void>()
        const server = yield* serve((request) => {
          request.on("close", () => closed.resolve())
          abort()
        })
        let told = false
        const request: HttpRequest = {
          method: "GET",
          url: at(server, "http"),
          headers: {},
          body: undefined,
          withCredentials: false
        }
        const abort = make().request(request, () => {
          told = true
        })
        yield* Effect.promise(() => closed.promise)
        yield* Effect.yieldNow
        assert.isFalse(told)
      })
    )

    it.live("opens WebSockets, text and binary, and says how they close", () =>
      Effect.gen(function* () {
        const server = yield* serve(() => {})
        const sockets = new WebSocketServer({ server })
        sockets.on("connection", (socket) => {
          socket.on("message", (data, isBinary) => {
            const text = isBinary ? "" : String(data as Buffer)
            if (text === "close") socket.close(4001, "bye")
            else socket.send(data, { binary: isBinary })
          })
        })
        const received: Array<unknown> = []
        const closing = yield* Effect.callback<readonly [number, string, unknown]>((resume) => {
          const socket = make().openWebSocket(
            { url: at(server, "ws"), protocols: [], headers: {}, withCredentials: false },
            {
              onOpen: () => {
                socket.send("text")
                const group = Group.make("a", [new Uint8Array([1, 2]), new Uint8Array([3])])
                if (socket.sendGroups === undefined) {
                  socket.send(group.head)
                  for (const attachment of group.attachments!) socket.send(attachment)
                } else socket.sendGroups([group, Group.make("b")], new Set([group]))
                socket.send("close")
              },
              onFrame: (frame) => received.push(typeof frame === "string" ? frame : [...frame]),
              onClose: (code, reason, cause) => {
                socket.send("nobody hears this")
                resume(Effect.succeed([code, reason, cause] as const))
              }
            }
          )
        })
        assert.deepStrictEqual(closing, [4001, "bye", undefined])
        assert.deepStrictEqual(
          received.filter((frame) => frame !== "b"),
          ["text", "a", [1, 2], [3]]
        )
      })
    )

    it.live("tells of a WebSocket that cannot be opened", () =>
      Effect.gen(function* () {
        for (const url of ["ws://127.0.0.1:1/", "ws://127.0.0.1:1/#fragment", "nonsense"]) {
          const cause = yield* Effect.callback<unknown>((resume) => {
            const platform = make()
            const request = { url, protocols: [], headers: {}, withCredentials: false }
            platform.openWebSocket(request, {
              onOpen: () => resume(Effect.die("opened")),
              onFrame: () => {},
              onClose: (_code, _reason, cause) => resume(Effect.succeed(cause))
            })
          })
          assert.isDefined(cause, url)
        }
      })
    )
  })
}

describe("Node's platform", () => {
  it.live("keeps connections alive", () =>
    Effect.gen(function* () {
      const ports = new Set<number | undefined>()
      const server = yield* serve((request, response) => {
        ports.add(request.socket.remotePort)
        response.end("ok")
      })
      const platform = NodeClientTransport.make()
      // An answer ends before its connection is free again: the next request may need a second one, and no more.
      for (let i = 0; i < 8; i++) yield* get(platform, at(server, "http"))
      assert.isAtMost(ports.size, 2)
    })
  )

  it.live("keeps cookies for one connection, where credentials are wanted", () =>
    Effect.gen(function* () {
      const cookies: Array<string | undefined> = []
      const server = yield* serve((request, response) => {
        cookies.push(request.headers.cookie)
        response.setHeader("Set-Cookie", ["io=abc; Path=/; HttpOnly", "gone=1; Max-Age=0"])
        response.end()
      })
      const sockets = new WebSocketServer({ server })
      sockets.on("connection", (socket, request) => {
        cookies.push(request.headers.cookie)
        socket.close()
      })
      const platform = NodeClientTransport.make()
      const one = platform.connection!()
      const url = at(server, "http")
      yield* get(one, url, { withCredentials: true })
      yield* get(one, url, { withCredentials: true, headers: { Cookie: "own=1" } })
      yield* get(one, url)
      yield* get(platform.connection!(), url, { withCredentials: true })
      yield* Effect.callback<void>((resume) => {
        const request = { url: at(server, "ws"), protocols: [], headers: {}, withCredentials: true }
        one.openWebSocket(request, { onOpen: () => {}, onFrame: () => {}, onClose: () => resume(Effect.void) })
      })
      assert.deepStrictEqual(cookies, [undefined, "own=1; io=abc", undefined, undefined, "io=abc"])
    })
  )

  it.live("speaks TLS, and checks certificates unless told not to", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => response.end("secret"), true)
      const sockets = new WebSocketServer({ server })
      sockets.on("connection", (socket) => socket.close(4000, "secure"))
      const url = at(server, "https")
      const wss = (options: PlatformOptions) =>
        Effect.callback<readonly [number, string]>((resume) => {
          const request = { url: at(server, "wss"), protocols: [], headers: {}, withCredentials: false }
          NodeClientTransport.make(options).openWebSocket(request, {
            onOpen: () => {},
            onFrame: () => {},
            onClose: (code, reason) => resume(Effect.succeed([code, reason] as const))
          })
        })
      assert.strictEqual((yield* get(NodeClientTransport.make(), url))._tag, "NoAnswer")
      const trusting: ReadonlyArray<PlatformOptions> = [
        { ca: fixture("cert.pem") },
        { rejectUnauthorized: false, perMessageDeflate: false },
        { agent: new https.Agent({ ca: fixture("cert.pem") }), perMessageDeflate: {} }
      ]
      for (const options of trusting) {
        assert.deepStrictEqual(yield* get(NodeClientTransport.make(options), url), {
          _tag: "Answer",
          status: 200,
          body: "secret"
        })
        assert.deepStrictEqual(yield* wss(options), [4000, "secure"])
      }
      assert.strictEqual((yield* wss({}))[0], 1006)
    })
  )

  it.live("sends the headers of the program with the WebSocket's handshake", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => {})
      const seen = Promise.withResolvers<http.IncomingHttpHeaders>()
      const sockets = new WebSocketServer({ server })
      sockets.on("connection", (socket, request) => {
        seen.resolve(request.headers)
        socket.close()
      })
      const request = {
        url: at(server, "ws"),
        protocols: ["proto"],
        headers: { "X-Test": "1" },
        withCredentials: false
      }
      NodeClientTransport.make({ autoUnref: true }).openWebSocket(request, {
        onOpen: () => {},
        onFrame: () => {},
        onClose: () => {}
      })
      const headers = yield* Effect.promise(() => seen.promise)
      assert.strictEqual(headers["x-test"], "1")
      assert.strictEqual(headers["sec-websocket-protocol"], "proto")
      assert.include(headers["sec-websocket-extensions"], "permessage-deflate")
    })
  )

  for (const compressing of [true, false]) {
    it.live(
      `keeps the order of what is compressed and what is not: a server that ${compressing ? "compresses" : "does not"}`,
      () =>
        Effect.gen(function* () {
          const server = yield* serve(() => {})
          const sockets = new WebSocketServer({ server, perMessageDeflate: compressing && { threshold: 0 } })
          const got: Array<string> = []
          const all = Promise.withResolvers<void>()
          const texts = Array.from({ length: 60 }, (_, i) => `${i} `.padEnd(i % 3 === 0 ? 20_000 : 10, "text"))
          sockets.on("connection", (socket) =>
            socket.on("message", (data) => {
              if (got.push((data as Buffer).toString()) === texts.length) all.resolve()
            })
          )
          const opened = Promise.withResolvers<void>()
          const request = { url: at(server, "ws"), protocols: [], headers: {}, withCredentials: false }
          const socket = NodeClientTransport.make().openWebSocket(request, {
            onOpen: () => opened.resolve(),
            onFrame: () => {},
            onClose: () => {}
          })
          yield* Effect.promise(() => opened.promise)
          for (const text of texts) socket.sendGroups!([Group.make(text)], undefined)
          yield* Effect.promise(() => all.promise)
          socket.close()
          assert.deepStrictEqual(got, texts)
        })
    )
  }
})

describe("cookies", () => {
  const jarAt = (headers: ReadonlyArray<string>, later = 0): string | undefined => {
    let now = 1_000_000
    const jar = new CookieJar(() => now)
    jar.store(headers)
    now += later
    return jar.header()
  }

  for (const [headers, later, expected] of [
    [["a=1", "b=2; Path=/"], 0, "a=1; b=2"],
    [["a=1", "a=2"], 0, "a=2"],
    [['a="quoted"'], 0, "a=quoted"],
    [['a="'], 0, 'a="'],
    [["a=b=c"], 0, "a=b=c"],
    [["novalue", "=x", ""], 0, undefined],
    [["a=1; Max-Age=10"], 9999, "a=1"],
    [["a=1; Max-Age=10"], 10_000, undefined],
    [["a=1; MAX-AGE=x"], 0, undefined],
    [["a=1; Max-Age=-1"], 0, undefined],
    [["a=1; Expires=Thu, 01 Jan 1970 00:20:00 GMT"], 0, "a=1"],
    [["a=1; Expires=Thu, 01 Jan 1970 00:20:00 GMT"], 200_000, undefined],
    [["a=1; Expires=never"], 0, undefined],
    [["a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], 0, "a=1"],
    [["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=10; Secure"], 0, "a=1"],
    [["a=1", "a=; Max-Age=0"], 0, undefined]
  ] as const) {
    it(`${headers.join(" | ")} after ${later} ms`, () => assert.strictEqual(jarAt(headers, later), expected))
  }

  it("are bounded in number", () => {
    const jar = new CookieJar()
    jar.store(undefined)
    jar.store(Array.from({ length: maxCookies + 1 }, (_, index) => `c${index}=1`))
    jar.store(["c0=2"])
    assert.lengthOf(jar.header()!.split("; "), maxCookies)
    assert.include(jar.header(), "c0=2")
  })
})
