import { assert, describe, it } from "@effect/vitest"
import * as engineIo from "engine.io"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"
import { Server, type ForeignEngine } from "../../../src/facade/server.ts"
import { next, pair, type Running, ways } from "./serve.ts"

const start = async (bind: (io: Server, engine: engineIo.Server) => void): Promise<Running> => {
  const http = createServer()
  const engine = engineIo.attach(http, { path: "/socket.io" })
  const io = new Server()
  bind(io, engine)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    await io.close()
    engine.close()
    http.close()
    http.closeAllConnections()
  })
  return { io, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }
}

describe("the engine of the package engine.io under our server", () => {
  for (const [way, options] of Object.entries(ways)) {
    it(`bound, over ${way}`, async () => {
      const running = await start((io, engine) => io.bind(engine as unknown as ForeignEngine))
      const [socket, peer] = await pair(running, options)
      const heard = next(socket, "x")
      peer.emit("x", 1, Buffer.from("z"))
      assert.deepStrictEqual(await heard, [1, Buffer.from("z")])
      peer.on("ask", (bytes: Buffer, reply: (bytes: Buffer) => void) => reply(bytes))
      assert.deepStrictEqual(await socket.emitWithAck("ask", Buffer.from("y")), Buffer.from("y"))
      assert.include(["polling", "websocket"], socket.conn.transport.name)
      assert.strictEqual(socket.handshake.query["EIO"], "4")
      assert.isDefined(socket.request)
      const gone = next(peer, "disconnect")
      socket.disconnect(true)
      assert.strictEqual((await gone)[0], "io server disconnect")
    })
  }

  it("handed over one by one", async () => {
    const running = await start((io, engine) => engine.on("connection", (conn) => io.onconnection(conn)))
    const [socket, peer] = await pair(running)
    const gone = next(socket, "disconnect")
    peer.io.engine.close()
    assert.strictEqual((await gone)[0], "transport close")
    assert.strictEqual(running.io.sockets.sockets.size, 0)
  })
})
