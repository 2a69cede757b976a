import { assert, describe, it } from "vitest"
import * as client from "../../../src/facade/client.ts"
import { next, official, socketOf } from "./servers.ts"

describe("socket.io.engine", () => {
  it("tells of the handshake, the upgrade, packets and its end", async () => {
    const { url } = await official(() => undefined, { pingInterval: 40 })
    const socket = socketOf(url, { autoConnect: false })
    socket.connect()
    const { engine } = socket.io
    const calls: Array<unknown> = []
    assert.deepStrictEqual([engine.readyState, engine.transport.name, engine.id], ["opening", "polling", undefined])
    for (const name of ["open", "upgrading", "upgrade", "drain", "flush", "heartbeat", "ping", "pong"] as const) {
      engine.on(name, () => void calls.push(name))
    }
    engine.on("handshake", (data) => void calls.push(data.upgrades, data.sid === engine.id))
    engine.on("packet", ({ type, data }) => void calls.push(`in ${type} ${typeof data}`))
    engine.on("packetCreate", ({ type, data }) => void calls.push(`out ${type} ${data}`))
    engine.on("close", (reason) => void calls.push(reason))
    const [upgraded] = await next(engine, "upgrade")
    assert.strictEqual((upgraded as client.Transport).name, "websocket")
    await next(engine, "ping")
    assert.strictEqual(engine.transport.writable, true)
    assert.strictEqual(engine.readyState, "open")
    const messages: Array<unknown> = []
    engine.on("message", (message) => void messages.push(message))
    engine.on("data", (data) => void messages.push(data))
    socket.emit("say", "a", new Uint8Array([1]))
    assert.lengthOf(engine.writeBuffer, 2)
    await next(socket, "said")
    const text = '51-["said","a",{"_placeholder":true,"num":0}]'
    assert.deepStrictEqual(messages, [text, text, Buffer.from([1]), Buffer.from([1])])
    socket.disconnect()
    assert.deepStrictEqual([engine.readyState, engine.transport.name, engine.id], ["closed", "", undefined])
    for (const expected of [
      "open",
      "upgrading",
      "upgrade",
      "drain",
      "flush",
      "heartbeat",
      "ping",
      "pong",
      "in open string",
      "in message string",
      "in message object",
      "in ping undefined",
      "out message 0",
      "out pong undefined",
      "forced close"
    ]) {
      assert.include(calls, expected)
    }
    assert.deepInclude(calls, ["websocket"])
    assert.isFalse(calls.includes(false))
  })

  it("closed by hand, the manager connects again", async () => {
    const { url } = await official()
    const socket = socketOf(url)
    await next(socket, "connect")
    const { engine } = socket.io
    const reason = next(socket, "disconnect")
    const again = next(socket, "connect")
    assert.strictEqual(engine.close(), engine)
    assert.deepStrictEqual(await reason, ["forced close", undefined])
    await again
    assert.notStrictEqual(socket.io.engine, engine)
  })

  it("writes messages of one's own", async () => {
    const { url } = await official()
    const socket = socketOf(url, { transports: ["websocket"] })
    await next(socket, "connect")
    const said = next(socket, "said")
    await new Promise<void>((resolve) => {
      socket.io.engine.write('2["say",1]', {}, resolve)
    })
    assert.deepStrictEqual(await said, [1])
    const bytes = next(socket, "said")
    socket.io.engine.send('51-["say",{"_placeholder":true,"num":0}]').send(new Uint8Array([1, 2]).buffer)
    assert.deepStrictEqual(await bytes, [Buffer.from([1, 2])])
  })

  it("tells of failures as errors with a description", async () => {
    const { url, http } = await official()
    for (const [transport, message] of [
      ["polling", "xhr poll error"],
      ["websocket", "websocket error"]
    ] as const) {
      const socket = socketOf(url, { path: "/elsewhere", transports: [transport], reconnection: false })
      http.removeAllListeners("request").on("request", (_, response) => response.writeHead(404).end())
      http.removeAllListeners("upgrade").on("upgrade", (_, upgrade) => upgrade.end("HTTP/1.1 404 Not Found\r\n\r\n"))
      const [error] = (await next(socket, "connect_error")) as [client.TransportError]
      assert.instanceOf(error, client.TransportError)
      assert.strictEqual(error.message, message)
      assert.strictEqual(error.type, "TransportError")
      if (transport === "polling") assert.strictEqual(error.description, 404)
      else assert.instanceOf(error.description, Error)
      assert.isDefined(error.context)
    }
  })

  it("the end of a connection is described", async () => {
    const { url, io } = await official()
    const socket = socketOf(url, { transports: ["websocket"], reconnection: false })
    await next(socket, "connect")
    io.engine.close()
    const [reason, description] = await next(socket, "disconnect")
    assert.strictEqual(reason, "transport close")
    assert.strictEqual((description as { readonly description: string }).description, "websocket connection closed")
  })

  it("what the server sends and nobody can read is a parse error, with the error", async () => {
    const { url, io } = await official()
    const socket = socketOf(url, { reconnection: false })
    await next(socket, "connect")
    for (const { conn } of io.sockets.sockets.values()) conn.write("9")
    const [reason, error] = await next(socket, "disconnect")
    assert.strictEqual(reason, "parse error")
    assert.instanceOf(error, Error)
  })
})

describe("transports", () => {
  const { Fetch, NodeWebSocket, NodeXHR, WebSocket, WebTransport, XHR } = client

  it("given as classes, or by names that this client does not have", async () => {
    const { url } = await official()
    for (const [options, name] of [
      [{ transports: [WebSocket, XHR] }, "websocket"],
      [{ transports: [NodeWebSocket] }, "websocket"],
      [{ transportImplementations: [Fetch, WebSocket], upgrade: false }, "polling"],
      [{ transports: [NodeXHR] }, "polling"],
      [{ transports: [WebTransport, WebSocket] }, "websocket"],
      [{ transports: ["webtransport", "websocket"] }, "websocket"]
    ] as const) {
      const socket = socketOf(url, { ...options })
      await next(socket, "connect")
      assert.strictEqual(socket.io.engine.transport.name, name)
    }
  })

  it("none at all", async () => {
    const { url } = await official()
    const [error] = await next(socketOf(url, { transports: ["webtransport"], reconnection: false }), "connect_error")
    assert.strictEqual((error as Error).message, "No transports available")
  })

  it("tryAllTransports goes on with the next", async () => {
    const { url } = await official(() => undefined, { transports: ["websocket"] })
    const failed = socketOf(url, { reconnection: false })
    await next(failed, "connect_error")
    const socket = socketOf(url, { tryAllTransports: true })
    await next(socket, "connect")
    assert.strictEqual(socket.io.engine.transport.name, "websocket")
  })

  it("rememberUpgrade begins with the WebSocket that worked", async () => {
    const { url } = await official()
    const socket = socketOf(url, { rememberUpgrade: true })
    await next(socket, "connect")
    // Unless another connection of this process has left that memory already.
    if (socket.io.engine.transport.name === "polling") await next(socket.io.engine, "upgrade")
    const again = next(socket, "connect")
    socket.io.engine.close()
    assert.strictEqual(socket.io.engine.readyState, "closed")
    await again
    assert.strictEqual(socket.io.engine.transport.name, "websocket")
  })

  it("options of one transport are used by it alone", async () => {
    const seen: Array<unknown> = []
    const { url } = await official((io) => {
      io.engine.on("initial_headers", () => undefined)
      io.engine.on("headers", (_: unknown, request: { headers: Record<string, string>; url: string }) => {
        const { searchParams } = new URL(request.url, "http://localhost")
        seen.push([searchParams.get("transport"), request.headers["x-mine"], searchParams.has("t")])
      })
    })
    const transportOptions = {
      polling: { extraHeaders: { "X-Mine": "polling" }, timestampRequests: false },
      websocket: { timestampRequests: true }
    }
    const socket = socketOf(url, { extraHeaders: { "X-Mine": "all" }, transportOptions })
    await next(socket, "connect")
    await next(socket.io.engine, "upgrade")
    assert.deepInclude(seen, ["polling", "polling", false])
    assert.deepInclude(seen, ["websocket", "all", true])
    assert.isFalse(seen.some((each) => JSON.stringify(each) === JSON.stringify(["polling", "all", true])))
  })

  it("with autoUnref, subprotocols, cookies and timers of the past", async () => {
    const protocols: Array<string | undefined> = []
    const cookies: Array<string | undefined> = []
    const { url, http } = await official(() => undefined, { cookie: true })
    http.on("upgrade", ({ headers }) => {
      protocols.push(headers["sec-websocket-protocol"])
      cookies.push(headers.cookie)
    })
    const socket = socketOf(url, { autoUnref: true, useNativeTimers: true, withCredentials: true, protocols: "chat" })
    await next(socket, "connect")
    await next(socket.io.engine, "upgrade")
    assert.deepStrictEqual(protocols, ["chat"])
    assert.match(cookies[0] ?? "", /^io=/)
  })
})
