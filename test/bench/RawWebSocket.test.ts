import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import * as Frame from "../../bench/load/Frame.ts"
import * as RawWebSocket from "../../bench/load/RawWebSocket.ts"

const sizes = [0, 1, 125, 126, 127, 65_535]

const listening = async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
  await once(server, "listening")
  return { server, port: (server.address() as AddressInfo).port }
}

describe("the generator's WebSocket client", () => {
  it("makes frames that a real server reads, of every length form and many in one write", async () => {
    const { server, port } = await listening()
    const received: Array<string> = []
    const all = new Promise<void>((resolve) => {
      server.on("connection", (socket: WebSocket) =>
        socket.on("message", (data: Buffer) => {
          if (received.push(data.toString()) === sizes.length + 3) resolve()
        })
      )
    })
    const client = await RawWebSocket.open(port, "/")
    for (const size of sizes) client.write(Frame.text("é".repeat(size >> 1) + "x".repeat(size & 1)))
    client.write(Frame.repeat(Frame.text("again"), 3))
    await all
    assert.deepStrictEqual(
      received.map((text) => Buffer.byteLength(text)),
      [...sizes, 5, 5, 5]
    )
    client.destroy()
    server.close()
  })

  it("reads frames of every length form, however the bytes are cut", async () => {
    const texts = [...sizes, 65_536, 300_000].map((size) => "y".repeat(size))
    const received: Array<string> = []
    const { server, port } = await listening()
    server.on("connection", (socket: WebSocket) => {
      for (const text of texts) socket.send(text)
    })
    const client = await RawWebSocket.open(port, "/")
    await new Promise<void>((resolve) => {
      client.onText = (buffer, start, end) => {
        if (received.push(buffer.toString("latin1", start, end)) === texts.length) resolve()
      }
    })
    assert.deepStrictEqual(received, texts)
    client.destroy()
    server.close()
  })

  it("reads a message that arrives with the answer to the upgrade", async () => {
    const http = createServer()
    http.on("upgrade", (_request, socket) => {
      socket.on("error", () => {})
      socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi", "latin1")
    })
    http.listen(0, "127.0.0.1")
    await once(http, "listening")
    const client = await RawWebSocket.open((http.address() as AddressInfo).port, "/")
    const text = await new Promise<string>((resolve) => {
      client.onText = (buffer, start, end) => resolve(buffer.toString("latin1", start, end))
    })
    assert.strictEqual(text, "hi")
    client.destroy()
    http.close()
    http.closeAllConnections()
  })

  it("rejects when the server refuses the upgrade", async () => {
    const http = createServer((_request, response) => response.writeHead(400).end())
    http.listen(0, "127.0.0.1")
    await once(http, "listening")
    const failure = await RawWebSocket.open((http.address() as AddressInfo).port, "/").then(
      () => undefined,
      (error: unknown) => error
    )
    assert.instanceOf(failure, Error)
    assert.include((failure as Error).message, "HTTP/1.1 400")
    http.close()
  })
})
