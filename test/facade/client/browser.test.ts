/** The browser bundles in Chromium, against the official server. */
import { existsSync } from "node:fs"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it, onTestFinished } from "vitest"
import * as msgpackParser from "socket.io-msgpack-parser"
import { bundleAll } from "../../../scripts/bundle.ts"
import type { Io, Socket } from "../../../src/facade/client.ts"
import { official, type Running } from "./servers.ts"

const executablePath = process.env["CHROMIUM"] || "/usr/bin/chromium"
const installed = existsSync(executablePath)
if (!installed) console.log(`no chromium at ${executablePath}: the client's bundles are not tried in a browser`)

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

interface PageGlobal {
  io: Io
  socket: Socket
  log: Array<unknown>
}

/** The official server with a page at /page/<bundle>, which has `io` in its window. */
const serve = async (file: string, port = 0): Promise<Running> => {
  const code = (await bundleAll()).find((each) => each.file === file)?.code ?? ""
  const loading = file.includes("esm")
    ? `<script type="module">import { io } from "/page/bundle.js"; window.io = io</script>`
    : `<script src="/page/bundle.js"></script>`
  const setup: Parameters<typeof official>[0] = (io) => {
    io.on("connection", (socket) => socket.emit("early", Buffer.from([1, 2]), { deep: [Buffer.from([3])] }))
  }
  const parser = file.includes("msgpack") ? { parser: msgpackParser } : {}
  const server = await official(setup, { ...parser, pingInterval: 1000, serveClient: false }, port)
  server.http.on("request", (request, response) => {
    if (request.url === "/page/bundle.js") {
      response.writeHead(200, { "Content-Type": "text/javascript; charset=utf-8" }).end(code)
    } else if (request.url === "/page/") {
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(`<!doctype html>${loading}`)
    }
  })
  return server
}

describe.runIf(installed)("in a browser", { timeout: 15_000 }, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: flags })
  }, 60_000)
  afterAll(() => browser?.close())

  const open = async (server: Running): Promise<{ readonly page: Page; readonly errors: Array<string> }> => {
    const page = await browser.newPage()
    onTestFinished(() => page.close())
    const errors: Array<string> = []
    page.on("pageerror", (error) => errors.push(error.message))
    await page.goto(`${server.url}/page/`)
    await page.evaluate(async () => {
      const scope = globalThis as unknown as PageGlobal
      const log: Array<unknown> = []
      const tell = (value: unknown): unknown =>
        value instanceof ArrayBuffer ? `ArrayBuffer ${[...new Uint8Array(value)].join()}` : value
      const socket = scope.io({ reconnectionDelay: 50, reconnectionDelayMax: 100 })
      scope.socket = socket
      scope.log = log
      socket.on("early", (a, b) => void log.push(["early", tell(a), tell(b.deep[0])]))
      socket.on("said", (value) => void log.push(["said", tell(value)]))
      socket.on("disconnect", (reason, description) => {
        const text = typeof description === "object" && "description" in description ? description.description : ""
        log.push(["disconnect", reason, text])
      })
      await new Promise<void>((resolve) => void socket.once("connect", resolve))
      if (socket.io.engine.transport.name !== "websocket") {
        await new Promise<void>((resolve) => void socket.io.engine.once("upgrade", () => resolve()))
      }
    })
    return { page, errors }
  }

  for (const file of ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"]) {
    it(`${file}: upgrade, binary as ArrayBuffer, acks, reconnection`, async () => {
      const server = await serve(file)
      const { errors, page } = await open(server)
      const told = await page.evaluate(async () => {
        const { log, socket } = globalThis as unknown as PageGlobal
        const echo = async (value: unknown): Promise<unknown> => {
          const answer = await socket.timeout(5000).emitWithAck("echo", value)
          return answer instanceof ArrayBuffer ? [...new Uint8Array(answer)] : answer
        }
        const answers = [
          await echo("ñ 💩"),
          await echo(new Uint8Array([1, 2, 3]).subarray(1)),
          await echo(new Uint8Array([4]).buffer),
          await echo(new File(["A"], "a.txt"))
        ]
        socket
          .emit("say", 1)
          .emit("say", new Blob(["B"]))
          .emit("say", 2)
        await socket.timeout(5000).emitWithAck("echo")
        const late = await socket
          .timeout(50)
          .emitWithAck("never")
          .catch((error: Error) => error.message)
        return { answers, late, log: [...log], transport: socket.io.engine.transport.name }
      })
      assert.deepStrictEqual(told, {
        answers: ["ñ 💩", [2, 3], [4], [65]],
        late: "operation has timed out",
        log: [
          ["early", "ArrayBuffer 1,2", "ArrayBuffer 3"],
          ["said", 1],
          ["said", "ArrayBuffer 66"],
          ["said", 2]
        ],
        transport: "websocket"
      })
      await page.evaluate(() => {
        const { log, socket } = globalThis as unknown as PageGlobal
        socket.once("disconnect", () => {
          log.length = 0
          socket.emit("say", "while away")
        })
      })
      await server.stop()
      await serve(file, server.port)
      const back = await page.evaluate(async () => {
        const { log, socket } = globalThis as unknown as PageGlobal
        if (!socket.connected) await new Promise<void>((resolve) => void socket.once("connect", resolve))
        await socket.timeout(5000).emitWithAck("echo")
        return log
      })
      assert.deepStrictEqual(back, [
        ["early", "ArrayBuffer 1,2", "ArrayBuffer 3"],
        ["said", "while away"]
      ])
      assert.deepStrictEqual(errors, [])
    })
  }

  it("the loss and return of the network are noticed at once", async () => {
    const server = await serve("socket.io.min.js")
    const { page } = await open(server)
    const log = await page.evaluate(async () => {
      const { log, socket } = globalThis as unknown as PageGlobal
      socket.io.reconnectionDelay(600_000).reconnectionDelayMax(600_000)
      dispatchEvent(new Event("offline"))
      const before = socket.connected
      const connected = new Promise<void>((resolve) => void socket.once("connect", resolve))
      dispatchEvent(new Event("online"))
      await connected
      return [before, log.find((entry) => Array.isArray(entry) && entry[0] === "disconnect")]
    })
    assert.deepStrictEqual(log, [false, ["disconnect", "transport close", "network connection lost"]])
  })

  it("a listener that throws is an error of the page, and the connection goes on", async () => {
    const server = await serve("socket.io.js")
    const { errors, page } = await open(server)
    const answer = await page.evaluate(async () => {
      const { socket } = globalThis as unknown as PageGlobal
      socket.on("said", () => {
        throw new Error("in a listener")
      })
      socket.emit("say", 1)
      return socket.timeout(5000).emitWithAck("echo", "still here")
    })
    assert.strictEqual(answer, "still here")
    assert.deepStrictEqual(errors, ["in a listener"])
  })
})
