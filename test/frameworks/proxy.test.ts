/** `http-proxy` in front, as the documentation has it. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import httpProxy from "http-proxy"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { converse, libraries, next, open, routes } from "./Conversation.ts"
import { type Program, start } from "./Program.ts"

describe("http-proxy in front", () => {
  let program: Program
  let front: Server
  let url: string
  const proxy = httpProxy.createProxyServer({ ws: true, xfwd: true })
  // A server that has gone answers nothing; the client comes back by itself.
  proxy.on("error", (_error, _request, response) => {
    if ("writeHead" in response) response.writeHead(502).end()
    else response.destroy()
  })

  beforeAll(async () => {
    program = await start("examples/http/main.ts")
    front = createServer((request, response) => proxy.web(request, response, { target: program.url }))
    front.on("upgrade", (request, socket, head) => proxy.ws(request, socket, head, { target: program.url }))
    await new Promise<void>((resolve) => {
      front.listen(0, "127.0.0.1", resolve)
    })
    url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  }, 30_000)
  afterAll(async () => {
    front?.close()
    front?.closeAllConnections()
    await program?.stop("SIGKILL")
  })

  for (const library of libraries) {
    for (const route of routes) {
      it(`${library.name} talks over ${route.name}`, () => converse(library, url, route))
    }
  }

  it("a client behind it is back after the server was killed and started again", async () => {
    const socket = await open(libraries[0]!, url, routes[2]!)
    socket.io.reconnection(true)
    socket.io.reconnectionDelay(50)
    const left = next(socket, "disconnect")
    await program.stop("SIGKILL")
    await left
    const back = next(socket, "connect")
    program = await start("examples/http/main.ts", { port: Number(new URL(program.url).port) })
    await back
    assert.strictEqual(await socket.timeout(5000).emitWithAck("echo", "back"), "back")
    socket.disconnect()
  })
})
