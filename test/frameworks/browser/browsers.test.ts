/** The client's files as browsers load them, against the plain server: Debian's chromium and firefox-esr. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Browser, Page } from "puppeteer-core"
import * as Certificates from "../Certificates.ts"
import { type Program, start } from "../Program.ts"
import { browsers, errorsOf, load } from "./Browsers.ts"
import * as InPage from "./InPage.ts"

const file = "test/frameworks/browser/server.ts"
const program = (options: object, port = 0): Promise<Program> =>
  start(file, { port, env: { OPTIONS: JSON.stringify(options) } })

const portOf = (url: string): number => Number(new URL(url).port)

const close = async (page: Page): Promise<void> => {
  assert.deepStrictEqual(await errorsOf(page), [])
  await page.close()
}

const suite = (launch: () => Promise<Browser>) => (): void => {
  let browser: Browser
  let server: Program
  beforeAll(async () => {
    server = await program({})
    browser = await launch()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop("SIGKILL")
  })

  it.each(["/script", "/script.min", "/esm"])(
    "a page that loads the client by %s connects, moves to a WebSocket, sends and gets binary, and has acks",
    async (path) => {
      const page = await load(browser, server.url + path)
      assert.deepStrictEqual(await page.evaluate(InPage.connect, "", {}), ["polling", "websocket"])
      assert.deepStrictEqual(await page.evaluate(InPage.binary), [
        "[object ArrayBuffer] 1,2,3",
        "[object ArrayBuffer] 4",
        ...Array.from({ length: 4 }, () => "[object ArrayBuffer] 0,1,255"),
        "é [object ArrayBuffer] 0,1,255"
      ])
      assert.deepStrictEqual(await page.evaluate(InPage.acks), [
        "by callback",
        { by: "promise" },
        "operation has timed out",
        "operation has timed out"
      ])
      assert.strictEqual((await page.evaluate(InPage.conn))["transport"], "websocket")
      await close(page)
    }
  )

  it.each(["polling", "websocket"])("a page stays on %s when told to", async (transport) => {
    const page = await load(browser, `${server.url}/script`)
    assert.deepStrictEqual(await page.evaluate(InPage.connect, "", { transports: [transport] }), [transport])
    const told = await page.evaluate(InPage.binary)
    assert.strictEqual(told.at(-1), "é [object ArrayBuffer] 0,1,255")
    assert.strictEqual((await page.evaluate(InPage.conn))["transport"], transport)
    await close(page)
  })

  it.each([
    ["/script", {}],
    ["/esm", {}],
    ["/script", { transports: ["polling"] }],
    ["/script", { transports: ["websocket"] }]
  ] as const)("a page by %s with %o is back after the server was killed and started again", async (path, options) => {
    let killed = await program({})
    try {
      const page = await load(browser, killed.url + path)
      await page.evaluate(InPage.connect, "", { reconnectionDelay: 50, reconnectionDelayMax: 200, ...options })
      await killed.stop("SIGKILL")
      assert.match(await page.evaluate(InPage.loseAndEmit), /^(?:transport (?:close|error)|already)$/)
      killed = await program({}, portOf(killed.url))
      const log = await page.evaluate(InPage.returned)
      assert.deepStrictEqual(
        log.filter((entry) => (entry as [string])[0] !== "disconnect"),
        [["connect"], ["welcome"], ["connect"], ["welcome"], ["heard", "said while away"]]
      )
      await close(page)
    } finally {
      await killed.stop("SIGKILL")
    }
  })

  it("polls over HTTP/2, and opens its WebSocket beside it", async () => {
    const certificates = Certificates.make()
    try {
      const secure = await start("examples/http2/main.ts", { env: { TLS: certificates.folder } })
      try {
        const page = await browser.newPage()
        await page.goto(secure.url)
        await page.addScriptTag({ url: `${secure.url}/socket.io/socket.io.js` })
        assert.deepStrictEqual(await page.evaluate(InPage.connect, "", {}), ["polling", "websocket"])
        assert.deepStrictEqual((await page.evaluate(InPage.acks))[1], { by: "promise" })
        assert.deepStrictEqual(await page.evaluate(InPage.protocols, "transport=polling"), ["h2"])
        await page.close()
      } finally {
        await secure.stop("SIGKILL")
      }
    } finally {
      certificates.remove()
    }
  })

  describe("a page of another origin", () => {
    it("is let in by cors, with its cookies where both ends want credentials", async () => {
      const cors = { origin: server.url, credentials: true, allowedHeaders: ["x-extra"] }
      const other = await program({ cors, cookie: { name: "affinity", path: "/", httpOnly: true, sameSite: "lax" } })
      try {
        for (const path of ["/script", "/esm"]) {
          const page = await load(browser, `${server.url}${path}?from=${other.url}`)
          const options = { withCredentials: true, extraHeaders: { "x-extra": "abc" } }
          await page.evaluate(InPage.connect, other.url, options)
          await page.evaluate(InPage.leave)
          // The second connection brings what the first was given; the header made the browser ask before.
          assert.deepStrictEqual(await page.evaluate(InPage.connect, other.url, options), ["polling", "websocket"])
          const seen = await page.evaluate(InPage.conn)
          assert.match(String(seen["cookie"]), /affinity=[\w-]{20}/)
          assert.match(String(seen["cookie"]), /visitor=42/)
          assert.strictEqual(seen["origin"], server.url)
          assert.strictEqual(seen["xdomain"], true)
          assert.strictEqual(seen["extra"], "abc")
          await page.evaluate(InPage.leave)

          await page.evaluate(InPage.connect, other.url, { transports: ["polling"] })
          assert.strictEqual((await page.evaluate(InPage.conn))["cookie"], null, "without credentials")
          await close(page)
        }
      } finally {
        await other.stop("SIGKILL")
      }
    })

    it("polls for nothing where cors does not name it", async () => {
      const other = await program({ cors: { origin: "http://127.0.0.1:1" } })
      const silent = await program({})
      try {
        const page = await load(browser, `${server.url}/script`)
        for (const { url } of [other, silent]) {
          assert.strictEqual(await page.evaluate(InPage.refused, url, {}), "xhr poll error")
        }
        await close(page)
      } finally {
        await other.stop("SIGKILL")
        await silent.stop("SIGKILL")
      }
    })

    it("credentials need an origin that is named, and the header that allows them", async () => {
      const any = await program({ cors: { origin: "*", credentials: true } })
      const none = await program({ cors: { origin: server.url } })
      try {
        const page = await load(browser, `${server.url}/script`)
        for (const { url } of [any, none]) {
          assert.strictEqual(await page.evaluate(InPage.refused, url, { withCredentials: true }), "xhr poll error")
          assert.strictEqual(await page.evaluate(InPage.refused, url, {}), "connected")
        }
        await page.close()
      } finally {
        await any.stop("SIGKILL")
        await none.stop("SIGKILL")
      }
    })

    it("opens a WebSocket whatever cors says, unless the server checks the origin", async () => {
      const cors = { origin: "http://127.0.0.1:1" }
      const open = await program({ cors })
      const checked = await program({ cors, checkOrigin: true })
      try {
        const page = await load(browser, `${server.url}/script`)
        const options = { transports: ["websocket"] }
        assert.strictEqual(await page.evaluate(InPage.refused, open.url, options), "connected")
        assert.strictEqual(await page.evaluate(InPage.refused, checked.url, options), "websocket error")
        await page.close()
        const own = await load(browser, `${checked.url}/script`)
        assert.strictEqual(await own.evaluate(InPage.refused, checked.url, options), "connected")
        await close(own)
      } finally {
        await open.stop("SIGKILL")
        await checked.stop("SIGKILL")
      }
    })
  })
}

for (const { name, installed, launch } of browsers) {
  describe.runIf(installed)(name, { timeout: 60_000 }, suite(launch))
}
