import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as RawHttp from "../../bench/load/RawHttp.ts"

describe("the generator's HTTP client", () => {
  it("reads answers with a length and in chunks, and goes on when the server has dropped the idle connection", async () => {
    const sockets = new Set<Socket>()
    const http = createServer((request, response) => {
      sockets.add(request.socket)
      if (request.url === "/chunks") {
        response.write("a")
        response.end("b")
      } else {
        request.setEncoding("utf8")
        let body = ""
        request.on("data", (chunk: string) => (body += chunk))
        request.on("end", () => response.end(`${request.method} ${body}`))
      }
    })
    http.listen(0, "127.0.0.1")
    await once(http, "listening")
    const client = RawHttp.make((http.address() as AddressInfo).port)
    assert.strictEqual(await client.request("GET", "/chunks"), "ab")
    assert.strictEqual(await client.request("POST", "/", "body"), "POST body")
    const [first] = sockets
    const dropped = once(first!, "close")
    http.closeIdleConnections()
    await dropped
    assert.strictEqual(await client.request("POST", "/", "again"), "POST again")
    assert.strictEqual(sockets.size, 2)
    client.destroy()
    http.close()
    http.closeAllConnections()
  })
})
