/** µWebSockets.js itself, its binary: the example, and what a host has to do besides. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { request } from "node:http"
import { converse, libraries, next, open, routes } from "../Conversation.ts"
import { type Program, start } from "../Program.ts"
import { fetchGreeting, suite } from "../Suite.ts"
import * as Native from "./Native.ts"

const handshake = "EIO=4&transport=polling"

const withNative = (node: string) => (): void => {
  suite({
    name: "the example",
    file: Native.bundle("examples/uws/main.ts"),
    options: () => ({ command: [node] }),
    greeting: fetchGreeting
  })

  describe("with middleware, CORS and limits", () => {
    let program: Program
    let base: string
    beforeAll(async () => {
      program = await start(Native.bundle("test/frameworks/uws/server.ts"), { command: [node] })
      base = `${program.url}/chat/?${handshake}`
    }, 30_000)
    afterAll(() => program?.stop("SIGKILL"))

    const sidOf = async (response: Response): Promise<string> => {
      const { sid } = JSON.parse((await response.text()).slice(1)) as { readonly sid: string }
      return sid
    }

    it.each(libraries)("$name talks, whatever middleware is before it", async (library) => {
      for (const route of routes) await converse(library, program.url, route, { path: "/chat" })
    })

    it("the request can be read after it is over", async () => {
      for (const route of routes) {
        const socket = await open(libraries[0]!, program.url, route, { path: "/chat", query: { who: "ada" } })
        const seen: Readonly<Record<string, unknown>> = await socket.timeout(5000).emitWithAck("conn")
        assert.strictEqual(seen["address"], "127.0.0.1")
        assert.strictEqual(seen["secure"], false)
        assert.include(String(seen["url"]), "who=ada")
        assert.strictEqual(seen["session"], true)
        socket.disconnect()
      }
    })

    it("the first answer has the headers of middleware, CORS, hooks, and the cookies of both session and engine", async () => {
      const response = await fetch(base, { headers: { origin: "http://allowed.example" } })
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers.get("access-control-allow-origin"), "http://allowed.example")
      assert.strictEqual(response.headers.get("access-control-allow-credentials"), "true")
      assert.strictEqual(response.headers.get("x-middleware"), "was here")
      assert.strictEqual(response.headers.get("x-initial"), "yes")
      const cookies = response.headers.getSetCookie().map((cookie) => cookie.split("=")[0])
      assert.sameMembers(cookies, ["connect.sid", "io"])
    })

    it("the answer to an upgrade has them, too", async () => {
      const headers = await new Promise<NodeJS.Dict<string | Array<string>>>((resolve, reject) => {
        const outgoing = request(`${program.url}/chat/?EIO=4&transport=websocket`, {
          headers: {
            Connection: "Upgrade",
            Upgrade: "websocket",
            Origin: "http://allowed.example",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": Buffer.alloc(16).toString("base64")
          }
        })
        outgoing.on("upgrade", (response, socket) => {
          socket.destroy()
          resolve(response.headers)
        })
        outgoing.on("error", reject).end()
      })
      assert.strictEqual(headers["access-control-allow-origin"], "http://allowed.example")
      assert.strictEqual(headers["x-middleware"], "was here")
      assert.strictEqual(headers["x-initial"], "yes")
      assert.match(String(headers["set-cookie"]), /^connect\.sid=/)
    })

    it("a preflight is answered by cors", async () => {
      const response = await fetch(base, {
        method: "OPTIONS",
        headers: { origin: "http://allowed.example", "access-control-request-method": "POST" }
      })
      assert.strictEqual(response.status, 204)
      assert.strictEqual(response.headers.get("access-control-allow-methods"), "GET,HEAD,PUT,PATCH,POST,DELETE")
    })

    it("middleware can answer by itself, and refuse", async () => {
      const answered = await fetch(`${base}&teapot`)
      assert.deepStrictEqual([answered.status, await answered.text()], [418, "a teapot"])
      const refused = await fetch(`${base}&broken`)
      assert.deepStrictEqual([refused.status, await refused.text()], [400, '{"code":3,"message":"Bad request"}'])
    })

    it("allowRequest refuses over both transports", async () => {
      const response = await fetch(base, { headers: { "x-refuse": "1" } })
      assert.deepStrictEqual([response.status, await response.text()], [403, '{"code":4,"message":"not you"}'])
      const options = { path: "/chat", extraHeaders: { "x-refuse": "1" } }
      for (const route of routes) {
        const error = await open(libraries[1]!, program.url, route, options).then(
          () => "connected",
          (failed: Error) => failed.message
        )
        assert.strictEqual(error, route.name === "websocket" ? "websocket error" : "xhr poll error")
      }
    })

    it.each([
      ["the limit is taken", 500_000, 200],
      ["a byte more is not, announced", 500_001, 413]
    ])("a body: %s", async (_title, size, status) => {
      const sid = await sidOf(await fetch(base))
      const body = `4${"x".repeat(size - 1)}`
      assert.strictEqual((await fetch(`${base}&sid=${sid}`, { method: "POST", body })).status, status)
    })

    it("a body that is too large without announcing it is not taken", async () => {
      const sid = await sidOf(await fetch(base))
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const outgoing = request(`${base}&sid=${sid}`, { method: "POST" }, (response) => resolve(response.statusCode))
        outgoing.on("error", reject)
        outgoing.write("4")
        outgoing.end("x".repeat(500_000))
      })
      // This µWebSockets.js does not read chunked bodies at all.
      assert.oneOf(status, [400, 413, 501])
    })

    it("a message over the limit closes the WebSocket, one at the limit does not", async () => {
      const socket = await open(libraries[0]!, program.url, routes[1]!, { path: "/chat" })
      // What is around it, the engine's type included.
      const fits = "x".repeat(500_000 - '420["echo",""]'.length)
      assert.strictEqual(await socket.timeout(5000).emitWithAck("echo", fits), fits)
      const left = next<[string]>(socket, "disconnect")
      socket.emit("echo", `${fits}xx`, () => {})
      assert.match((await left)[0], /^transport (?:close|error)$/)
    })

    it("what does not fit into the socket's buffers comes all the same, in order", async () => {
      const socket = await open(libraries[0]!, program.url, routes[1]!, { path: "/chat" })
      const numbers: Array<number> = []
      socket.on("flooded", (number: number) => numbers.push(number))
      await socket.timeout(10_000).emitWithAck("flood", 2000)
      assert.deepStrictEqual(
        numbers,
        Array.from({ length: 2000 }, (_, index) => index)
      )
      socket.disconnect()
    })

    it("a client that goes away while its poll waits is noticed", async () => {
      const sid = await sidOf(await fetch(base))
      const cancel = new AbortController()
      // The first poll gets nothing: nobody has joined a namespace.
      const poll = fetch(`${base}&sid=${sid}`, { signal: cancel.signal }).catch(() => "cancelled")
      await fetch(`${base}&sid=${sid}`, { method: "POST", body: "40" })
      await poll
      const second = fetch(`${base}&sid=${sid}`, { signal: cancel.signal }).catch(() => "cancelled")
      setTimeout(() => cancel.abort(), 100)
      assert.strictEqual(await second, "cancelled")
      let status = 200
      for (let attempt = 0; attempt < 50 && status === 200; attempt++) {
        status = (await fetch(`${base}&sid=${sid}`, { method: "POST", body: "3" })).status
      }
      assert.strictEqual(status, 400)
    })

    it("serves the client's files", async () => {
      const response = await fetch(`${program.url}/chat/socket.io.esm.min.js`)
      assert.strictEqual(response.status, 200)
      assert.include(await response.text(), "export")
      const etag = response.headers.get("etag") ?? ""
      const again = await fetch(`${program.url}/chat/socket.io.esm.min.js`, { headers: { "if-none-match": etag } })
      assert.strictEqual(again.status, 304)
    })
  })
}

describe.runIf(Native.node !== undefined)("µWebSockets.js", withNative(Native.node ?? ""))
