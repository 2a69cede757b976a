import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { type RawData, WebSocketServer } from "ws"
import type { AddressInfo } from "node:net"
import * as Frame from "../../bench/load/Frame.ts"
import * as RawWebSocket from "../../bench/load/RawWebSocket.ts"
import { partOf } from "../../bench/Scenario.ts"

describe("frames of the generator", () => {
  it("carry binary of every length form there and back", async () => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
    await once(server, "listening")
    server.on("connection", (socket) =>
      socket.on("message", (data: RawData, isBinary) => socket.send(data as Buffer, { binary: isBinary }))
    )
    const client = await RawWebSocket.open((server.address() as AddressInfo).port, "/")
    for (const size of [0, 125, 126, 65_535, 65_536, 100_000]) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => index)
      const received = new Promise<Buffer>((resolve) => {
        client.onBinary = (buffer, start, end) => resolve(Buffer.from(buffer.subarray(start, end)))
      })
      client.write(Frame.binary(bytes))
      assert.isTrue((await received).equals(Buffer.from(bytes)), `${size}`)
    }
    client.destroy()
    server.close()
  })
})

describe("shares of several generator processes", () => {
  it("add up to the whole", () => {
    for (const count of [1, 2, 3]) {
      const parts = Array.from({ length: count }, (_, index) => partOf(500, { index, count }))
      assert.strictEqual(
        parts.reduce((sum, part) => sum + part, 0),
        500
      )
    }
  })
})
