/** CORS, the session cookie and who is let in: every option, as the headers that a browser would judge by. */
import { assert, describe, it } from "@effect/vitest"
import type { AddressInfo } from "node:net"
import { Server, type ServerOptions } from "../../src/facade/server.ts"
import { libraries, open, routes } from "./Conversation.ts"

const path = "/socket.io/?EIO=4&transport=polling"
const origin = "http://page.example"

const withServer = async (
  options: Partial<ServerOptions>,
  use: (url: string, io: Server) => Promise<void>
): Promise<void> => {
  const io = new Server(0, options)
  try {
    await use(`http://127.0.0.1:${(io.httpServer.address() as AddressInfo).port}`, io)
  } finally {
    await io.close()
  }
}

const get = (url: string, headers: Record<string, string> = { origin }): Promise<Response> =>
  fetch(url + path, { headers })

const preflight = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url + path, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", ...headers } })

const allowed = (response: Response): string | null => response.headers.get("access-control-allow-origin")

describe("cors", () => {
  it("nothing is allowed by default", () =>
    withServer({}, async (url) => {
      assert.isNull(allowed(await get(url)))
      assert.strictEqual((await preflight(url)).status, 400)
    }))

  it.each<[string, ServerOptions["cors"], string | null]>([
    ["any", { origin: "*" }, "*"],
    ["a name", { origin }, origin],
    ["another name, which the browser compares", { origin: "http://other.example" }, "http://other.example"],
    ["a list", { origin: ["http://other.example", origin] }, origin],
    ["a list without it", { origin: ["http://other.example"] }, null],
    ["a pattern", { origin: /page\.example$/ }, origin],
    ["a list of patterns", { origin: [/other/, /page/] }, origin],
    ["true: whoever asks", { origin: true }, origin],
    ["false: nobody", { origin: false }, null],
    ["a function", { origin: (asked, done) => done(null, asked === origin) }, origin],
    ["options by request", (request, done) => done(null, { origin: request.headers.origin === origin }), origin]
  ])("origin: %s", (_title, cors, expected) =>
    withServer({ cors: cors! }, async (url) => {
      const response = await get(url)
      assert.strictEqual(response.status, 200)
      assert.strictEqual(allowed(response), expected)
    })
  )

  it("a function that fails refuses the request", () =>
    withServer({ cors: { origin: (_asked, done) => done(new Error("no")) } }, async (url) => {
      assert.strictEqual((await get(url)).status, 400)
    }))

  it("credentials and exposedHeaders are on every answer", () =>
    withServer({ cors: { origin, credentials: true, exposedHeaders: ["x-a", "x-b"] } }, async (url) => {
      const { headers } = await get(url)
      assert.strictEqual(headers.get("access-control-allow-credentials"), "true")
      assert.strictEqual(headers.get("access-control-expose-headers"), "x-a,x-b")
      assert.include(headers.get("vary") ?? "", "Origin")
    }))

  it("a preflight: methods, the headers asked for, no age, 204", () =>
    withServer({ cors: { origin } }, async (url) => {
      const response = await preflight(url, { "access-control-request-headers": "x-own" })
      assert.strictEqual(response.status, 204)
      assert.strictEqual(response.headers.get("access-control-allow-methods"), "GET,HEAD,PUT,PATCH,POST,DELETE")
      assert.strictEqual(response.headers.get("access-control-allow-headers"), "x-own")
      assert.isNull(response.headers.get("access-control-max-age"))
    }))

  it("a preflight: methods, allowedHeaders, maxAge and optionsSuccessStatus as given", () => {
    const cors = { origin, methods: ["GET", "POST"], allowedHeaders: ["x-1"], maxAge: 600, optionsSuccessStatus: 200 }
    return withServer({ cors }, async (url) => {
      const response = await preflight(url, { "access-control-request-headers": "x-own" })
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers.get("access-control-allow-methods"), "GET,POST")
      assert.strictEqual(response.headers.get("access-control-allow-headers"), "x-1")
      assert.strictEqual(response.headers.get("access-control-max-age"), "600")
    })
  })

  it("preflightContinue leaves the answer to what comes next", () =>
    withServer({ cors: { origin, preflightContinue: true } }, async (url, io) => {
      io.engine.use((request, response, next) => {
        if (request.method !== "OPTIONS") return next()
        response.statusCode = 202
        response.end("mine")
      })
      const response = await preflight(url)
      assert.deepStrictEqual([response.status, await response.text(), allowed(response)], [202, "mine", origin])
    }))

  it("refusals carry the headers, so that pages can read why", () =>
    withServer({ cors: { origin }, allowRequest: (_request, done) => done("full", false) }, async (url) => {
      const response = await get(url)
      assert.deepStrictEqual([response.status, allowed(response)], [403, origin])
      assert.deepStrictEqual(await response.json(), { code: 4, message: "full" })
    }))
})

describe("checkOrigin", () => {
  const dial = (url: string, from: string | undefined, route: (typeof routes)[number]): Promise<string> =>
    open(libraries[0]!, url, route, from === undefined ? {} : { extraHeaders: { origin: from } }).then(
      (socket) => {
        socket.disconnect()
        return "connected"
      },
      (error: Error) => error.message
    )

  it.each(routes)("refuses origins that cors does not allow, over $name", (route) =>
    withServer({ cors: { origin: [origin] }, checkOrigin: true }, async (url) => {
      assert.strictEqual(await dial(url, origin, route), "connected")
      assert.strictEqual(await dial(url, undefined, route), "connected", "no browser")
      assert.strictEqual(await dial(url, url, route), "connected", "the server's own page")
      for (const evil of ["http://evil.example", "null", `${origin}.evil.example`]) {
        assert.match(await dial(url, evil, route), /^(?:xhr poll|websocket) error$/)
      }
    })
  )

  it("without it a WebSocket is let in from everywhere, as by Socket.IO", () =>
    withServer({ cors: { origin: [origin] } }, async (url) => {
      assert.strictEqual(await dial(url, "http://evil.example", routes[1]!), "connected")
    }))
})

describe("the session cookie", () => {
  it.each<[string, ServerOptions["cookie"], RegExp | null]>([
    ["none by default", undefined, null],
    ["by true", true, /^io=[\w-]{20}; Path=\/; HttpOnly; SameSite=Lax$/],
    [
      "with every option",
      { name: "sticky", path: "/x", domain: "a.example", maxAge: 60, httpOnly: false, secure: true, sameSite: "none" },
      /^sticky=[\w-]{20}; Max-Age=60; Domain=a\.example; Path=\/x; Secure; SameSite=None$/
    ]
  ])("%s", (_title, cookie, expected) =>
    withServer(cookie === undefined ? {} : { cookie }, async (url) => {
      const response = await get(url)
      const [header = null] = response.headers.getSetCookie()
      if (expected === null) return assert.isNull(header)
      assert.match(header ?? "", expected)
      const { sid } = JSON.parse((await response.text()).slice(1)) as { readonly sid: string }
      assert.include(header, `=${sid};`)
      const later = await fetch(`${url}${path}&sid=${sid}`, { method: "POST", body: "40" })
      assert.deepStrictEqual(later.headers.getSetCookie(), [], "only the first answer has it")
    })
  )

  it("stands beside the cookies of middleware", () =>
    withServer({ cookie: true }, async (url, io) => {
      io.engine.use((_request, response, next) => {
        response.setHeader("Set-Cookie", "own=1")
        next()
      })
      const names = (await get(url)).headers.getSetCookie().map((header) => header.split("=")[0])
      assert.sameMembers(names, ["own", "io"])
    }))
})
