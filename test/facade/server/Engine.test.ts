import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import type { IncomingMessage } from "node:http"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"
import type {
  ConnectionError,
  EngineIncomingMessage,
  EngineSocket,
  EngineTransport
} from "../../../src/facade/server.ts"
import { client, collect, next, pair, serve, ways } from "./serve.ts"

const handshake = (url: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> =>
  fetch(`${url}/socket.io/?EIO=4&transport=polling`, { method, headers })

/** What a WebSocket handshake was answered: 101, or the status of the refusal. */
const upgrade = (url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> => {
  const socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, { headers })
  onTestFinished(() => socket.terminate())
  return new Promise((resolve) => {
    socket.on("upgrade", resolve)
    socket.on("unexpected-response", (_request, response) => resolve(response))
    socket.on("error", () => {})
  })
}

describe("io.engine", () => {
  it("counts clients and knows them by id", async () => {
    const running = await serve()
    const { engine } = running.io
    assert.strictEqual(engine.clientsCount, 0)
    const [socket] = await pair(running)
    assert.strictEqual(engine.clientsCount, 1)
    assert.strictEqual(engine.clients[socket.conn.id], socket.conn)
    assert.strictEqual(engine.opts.pingInterval, 25_000)
    assert.deepStrictEqual(engine.upgrades("polling"), ["websocket"])
    assert.deepStrictEqual(engine.upgrades("websocket"), [])
  })

  it("makes ids by generateId, also later; one that fails or is taken refuses the client", async () => {
    const { io, url } = await serve()
    io.engine.generateId = (req) => `custom-${String((req as EngineIncomingMessage)._query["n"])}`
    const open = async (n: number): Promise<Response> => fetch(`${url}/socket.io/?EIO=4&transport=polling&n=${n}`)
    assert.match(await (await open(1)).text(), /"sid":"custom-1"/)
    const errors = collect(io.engine, "connection_error")
    assert.strictEqual((await open(1)).status, 400)
    io.engine.generateId = () => Promise.reject(new Error("no id"))
    assert.strictEqual((await open(2)).status, 400)
    assert.deepStrictEqual(
      errors.map(([error]) => [
        (error as ConnectionError).code,
        (error as ConnectionError).message,
        (error as ConnectionError & { context: { name: string } }).context.name
      ]),
      [
        [3, "Bad request", "ID_GENERATION_ERROR"],
        [3, "Bad request", "ID_GENERATION_ERROR"]
      ]
    )
  })

  it("tells refused requests, with code, message and context", async () => {
    const { io, url } = await serve()
    const errors = collect(io.engine, "connection_error")
    const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=unknown`)
    assert.deepStrictEqual(await response.json(), { code: 1, message: "Session ID unknown" })
    const error = errors[0]![0] as ConnectionError
    assert.strictEqual((error.req as EngineIncomingMessage)._query["sid"], "unknown")
    assert.deepStrictEqual([error.code, error.message, error.context], [1, "Session ID unknown", { sid: "unknown" }])
  })

  it("tells headers, which listeners may change", async () => {
    const { io, url } = await serve({ cookie: true })
    io.engine.on("initial_headers", (headers: Record<string, string>, req: EngineIncomingMessage) => {
      headers["X-Initial"] = String(req._query["transport"])
    })
    io.engine.on("headers", (headers: Record<string, string>) => {
      headers["X-Each"] = "yes"
    })
    const first = await handshake(url)
    assert.strictEqual(first.headers.get("x-initial"), "polling")
    assert.strictEqual(first.headers.get("x-each"), "yes")
    assert.match(first.headers.get("set-cookie") ?? "", /^io=[\w-]{20}; Path=\/; HttpOnly; SameSite=Lax$/)
    const sid = /"sid":"([^"]+)"/.exec(await first.text())![1]!
    await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body: "40" })
    const second = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`)
    assert.isNull(second.headers.get("x-initial"))
    assert.strictEqual(second.headers.get("x-each"), "yes")
    const { headers } = await upgrade(url)
    assert.deepStrictEqual([headers["x-initial"], headers["x-each"]], ["websocket", "yes"])
  })

  it("middleware sees and answers requests and upgrades, and adds headers to both", async () => {
    const { io, url } = await serve()
    const seen: Array<string> = []
    io.engine.use((req, res, next) => {
      seen.push(`${String((req as EngineIncomingMessage)._query["transport"])}`)
      res.setHeader("X-Mine", "1")
      if (req.headers["x-stop"] === "answer") {
        res.writeHead(402)
        res.end("pay")
      } else if (req.headers["x-stop"] === "error") next(new Error("no"))
      else if (req.headers["x-stop"] === "throw") throw new Error("no")
      else next()
    })
    io.engine.use(async (_req, _res, next) => {
      await Promise.resolve()
      next()
    })
    const errors = collect(io.engine, "connection_error")
    assert.strictEqual((await handshake(url)).headers.get("x-mine"), "1")
    const accepted = await upgrade(url)
    assert.deepStrictEqual([accepted.statusCode, accepted.headers["x-mine"]], [101, "1"])
    assert.strictEqual((await handshake(url, { "x-stop": "answer" })).status, 402)
    assert.strictEqual((await upgrade(url, { "x-stop": "answer" })).statusCode, 402)
    for (const stop of ["error", "throw"]) {
      assert.strictEqual((await handshake(url, { "x-stop": stop })).status, 400)
      assert.strictEqual((await upgrade(url, { "x-stop": stop })).statusCode, 400)
    }
    assert.lengthOf(errors, 4)
    assert.deepStrictEqual((errors[0]![0] as ConnectionError).context, { name: "MIDDLEWARE_FAILURE" })
    assert.deepStrictEqual([...new Set(seen)], ["polling", "websocket"])
  })
})

describe("options of the engine", () => {
  it("allowRequest decides, at once or later, with a message of its own", async () => {
    const { url } = await serve({
      allowRequest: (req, fn) => {
        if (req.headers["x-key"] === "k") setTimeout(() => fn(null, true), 5)
        else fn(req.headers["x-key"] === undefined ? "no key" : null, false)
      }
    })
    assert.strictEqual((await handshake(url, { "x-key": "k" })).status, 200)
    const refused = await handshake(url)
    assert.deepStrictEqual([refused.status, await refused.json()], [403, { code: 4, message: "no key" }])
    assert.deepStrictEqual(await (await handshake(url, { "x-key": "other" })).json(), { code: 4, message: "Forbidden" })
  })

  it("cors answers preflights and adds its headers, by every way to say the origin", async () => {
    const origin = "https://example.com"
    for (const allowed of [
      origin,
      [origin],
      /example\.com$/,
      true,
      (_origin: string | undefined, callback: (err: Error | null, origin?: boolean) => void) => callback(null, true)
    ]) {
      const { url } = await serve({ cors: { origin: allowed, credentials: true, methods: ["GET", "POST"], maxAge: 5 } })
      const response = await handshake(url, { origin })
      assert.strictEqual(response.headers.get("access-control-allow-origin"), origin)
      assert.strictEqual(response.headers.get("access-control-allow-credentials"), "true")
      const preflight = await handshake(
        url,
        { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-a" },
        "OPTIONS"
      )
      assert.strictEqual(preflight.status, 204)
      assert.strictEqual(preflight.headers.get("access-control-allow-methods"), "GET,POST")
      assert.strictEqual(preflight.headers.get("access-control-allow-headers"), "x-a")
      assert.strictEqual(preflight.headers.get("access-control-max-age"), "5")
    }
    const { url } = await serve()
    assert.isNull((await handshake(url, { origin })).headers.get("access-control-allow-origin"))
  })

  it("checkOrigin keeps browsers of other sites from opening WebSockets; without it they may, as in Socket.IO", async () => {
    const cors = { origin: ["https://example.com", /\.example\.com$/] }
    const open = await serve({ cors })
    assert.strictEqual((await upgrade(open.url, { origin: "https://evil.com" })).statusCode, 101)
    const { url } = await serve({ cors, checkOrigin: true })
    assert.strictEqual((await upgrade(url, { origin: "https://evil.com" })).statusCode, 400)
    assert.strictEqual((await upgrade(url, { origin: "https://a.example.com" })).statusCode, 101)
    assert.strictEqual((await upgrade(url, { origin: url })).statusCode, 101)
    assert.strictEqual((await upgrade(url)).statusCode, 101)
    assert.strictEqual((await handshake(url, { origin: "https://evil.com" })).status, 400)
  })

  it("transports, allowUpgrades and addTrailingSlash", async () => {
    const { url } = await serve({ transports: ["websocket"] })
    assert.deepStrictEqual(await (await handshake(url)).json(), { code: 0, message: "Transport unknown" })
    assert.strictEqual((await upgrade(url)).statusCode, 101)
    const fixed = await serve({ allowUpgrades: false, addTrailingSlash: false })
    const response = await fetch(`${fixed.url}/socket.io?EIO=4&transport=polling`)
    assert.match(await response.text(), /"upgrades":\[\]/)
    assert.deepStrictEqual(fixed.io.engine.upgrades("polling"), [])
  })

  it("maxHttpBufferSize at the limit and one over it", async () => {
    const running = await serve({ maxHttpBufferSize: 1000 })
    const [socket, peer] = await pair(running)
    // 42["x","…"] and the digit of the message.
    const text = (size: number): string => "a".repeat(size - `42["x",""]`.length)
    const heard = next(socket, "x")
    peer.emit("x", text(1000))
    await heard
    const gone = next(socket, "disconnect")
    peer.emit("x", text(1001))
    assert.strictEqual((await gone)[0], "transport error")
  })

  it("those that are not supported are warned of", async () => {
    const warned = next(process, "warning")
    await serve({ allowEIO3: true })
    assert.match(((await warned)[0] as Error).message, /Socket\.IO 2/)
  })
})

describe("socket.conn", () => {
  it("is an engine socket, with the events of an upgrade", async () => {
    const running = await serve()
    const names: Array<string> = []
    const upgraded = new Promise<EngineTransport>((resolve) => {
      running.io.engine.on("connection", (conn: EngineSocket) => {
        names.push(conn.transport.name)
        conn.on("upgrading", (transport: EngineTransport) => names.push(transport.name))
        conn.once("upgrade", resolve)
      })
    })
    const [socket] = await pair(running, ways.upgrade)
    const transport = await upgraded
    assert.strictEqual(transport.name, "websocket")
    assert.deepStrictEqual(names, ["polling", "websocket"])
    const { conn } = socket
    assert.strictEqual(conn.transport.name, "websocket")
    assert.isTrue(conn.upgraded)
    assert.strictEqual(conn.readyState, "open")
    assert.strictEqual(conn.protocol, 4)
    assert.match(conn.remoteAddress, /127\.0\.0\.1/)
    assert.notStrictEqual(conn.id, socket.id)
    assert.strictEqual(socket.client.conn, conn)
    assert.strictEqual(socket.client.id, conn.id)
  })

  it("tells packets in and out, drains, and its end after the sockets", async () => {
    const running = await serve()
    const [socket, peer] = await pair(running)
    const { conn } = socket
    const seen: Array<unknown> = []
    conn.on("packet", ({ type, data }: { type: string; data: string }) => seen.push(["in", type, data]))
    conn.on("packetCreate", ({ type, data }: { type: string; data: unknown }) => seen.push(["out", type, data]))
    conn.on("data", (data: string) => seen.push(["data", data]))
    const drained = next(conn, "drain")
    const heard = next(socket, "x")
    peer.emit("x")
    await heard
    socket.emit("y", Buffer.from("z"))
    assert.lengthOf(conn.writeBuffer, 2)
    await drained
    assert.lengthOf(conn.writeBuffer, 0)
    assert.deepStrictEqual(seen, [
      ["in", "message", '2["x"]'],
      ["data", '2["x"]'],
      ["out", "message", '51-["y",{"_placeholder":true,"num":0}]'],
      ["out", "message", Buffer.from("z")]
    ])
    const ends: Array<string> = []
    socket.on("disconnect", () => ends.push("socket"))
    const closed = next(conn, "close")
    conn.on("close", () => ends.push("conn"))
    peer.io.engine.close()
    assert.strictEqual((await closed)[0], "transport close")
    assert.deepStrictEqual(ends, ["socket", "conn"])
    assert.strictEqual(conn.readyState, "closed")
  })

  it("the request is kept, and can be dropped", async () => {
    const running = await serve()
    const [socket] = await pair(running, { ...ways.websocket, extraHeaders: { "x-a": "1" } })
    assert.strictEqual(socket.request.headers["x-a"], "1")
    assert.strictEqual(socket.conn.request, socket.request)
    assert.strictEqual((socket.request as EngineIncomingMessage)._query["EIO"], "4")
    socket.conn.request = null
    assert.isUndefined(socket.request)
    assert.strictEqual(socket.handshake.headers["x-a"], "1")
    const dropped = await serve({ keepRequest: false })
    const [other] = await pair(dropped)
    assert.isUndefined(other.request)
  })
})

describe("the handshake", () => {
  it("has headers, address, query and auth of the first request", async () => {
    const running = await serve()
    const before = Date.now()
    const [socket] = await pair(running, {
      ...ways.websocket,
      query: { a: "b" },
      auth: { token: "t" },
      extraHeaders: { origin: "https://example.com" }
    })
    const { handshake } = socket
    assert.strictEqual(socket.handshake, handshake)
    assert.deepStrictEqual(handshake.auth, { token: "t" })
    assert.strictEqual(handshake.query["a"], "b")
    assert.isTrue(handshake.xdomain)
    assert.isFalse(handshake.secure)
    assert.match(handshake.address, /127\.0\.0\.1/)
    assert.match(handshake.url, /^\/socket\.io\/\?/)
    assert.isAtLeast(handshake.issued, before)
    assert.strictEqual(new Date(handshake.time).getTime(), Math.floor(handshake.issued / 1000) * 1000)
    assert.isFalse(socket.recovered)
  })

  it("without auth it is an object of its own", async () => {
    const running = await serve()
    const [one] = await pair(running)
    const [two] = await pair(running)
    one.handshake.auth["x"] = 1
    assert.deepStrictEqual(two.handshake.auth, {})
  })
})

describe("the client's files", () => {
  // `npm run bundle` makes them.
  const built = existsSync(new URL("../../../dist/client/socket.io.js", import.meta.url))

  it.skipIf(!built)("come with ETag and version, 304, and compression", async () => {
    const { url } = await serve({ cors: { origin: "https://example.com" } })
    const first = await fetch(`${url}/socket.io/socket.io.js`, { headers: { "accept-encoding": "identity" } })
    assert.strictEqual(first.status, 200)
    assert.strictEqual(first.headers.get("content-type"), "application/javascript; charset=utf-8")
    assert.strictEqual(first.headers.get("cache-control"), "public, max-age=0")
    assert.strictEqual(first.headers.get("access-control-allow-origin"), "https://example.com")
    const etag = first.headers.get("etag")!
    assert.match(etag, /^"\d+\.\d+\.\d+"$/)
    const text = await first.text()
    for (const tag of [etag, `W/${etag}`]) {
      const again = await fetch(`${url}/socket.io/socket.io.js`, { headers: { "if-none-match": tag } })
      assert.strictEqual(again.status, 304)
    }
    for (const encoding of ["br", "gzip", "deflate"]) {
      const encoded = await fetch(`${url}/socket.io/socket.io.js`, { headers: { "accept-encoding": encoding } })
      assert.strictEqual(encoded.headers.get("content-encoding"), encoding)
      assert.strictEqual(await encoded.text(), text)
    }
    const map = await fetch(`${url}/socket.io/socket.io.min.js.map`)
    assert.strictEqual(map.headers.get("content-type"), "application/json; charset=utf-8")
    await map.json()
  })

  it("are not served where the server was told so, nor under other names", async () => {
    const { io, url } = await serve({ serveClient: false })
    assert.strictEqual((await fetch(`${url}/socket.io/socket.io.js`)).status, 400)
    io.serveClient(true)
    assert.strictEqual((await fetch(`${url}/socket.io/package.json`)).status, 400)
  })
})

describe("a WebSocket client that is not Socket.IO's", () => {
  it("is not counted once it has gone", async () => {
    const { io, url } = await serve()
    const peer = client(url, ways.websocket)
    await next(peer, "connect")
    peer.disconnect()
    await next(io.engine.clients[Object.keys(io.engine.clients)[0]!]!, "close")
    assert.strictEqual(io.engine.clientsCount, 0)
  })
})
