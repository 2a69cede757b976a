/**
 * The package `http-proxy` in front of three servers: sticky by a cookie, and a server behind a prefix. Run:
 *
 *   node examples/proxies/http-proxy.ts
 *
 * It listens on `PORT` or 8080; `NODES` names the servers, default 127.0.0.1:3001 to 3003.
 */
import HttpProxy from "http-proxy"
import { createServer, type IncomingMessage } from "node:http"

const port = Number(process.env["PORT"] ?? 8080)
const nodes = (process.env["NODES"] ?? "127.0.0.1:3001,127.0.0.1:3002,127.0.0.1:3003").split(",")

/** The number of the server that each request went to. */
const chosen = new WeakMap<IncomingMessage, number>()
let turn = 0

const named = (request: IncomingMessage): number | undefined => {
  const name = /(?:^|;\s*)io_node=(\d+)/.exec(request.headers.cookie ?? "")?.[1]
  return name === undefined || nodes[Number(name)] === undefined ? undefined : Number(name)
}

/** The server that the client's cookie names, else the next one; and the path without the prefix. */
const route = (request: IncomingMessage): { readonly target: string } => {
  const node = named(request) ?? turn++ % nodes.length
  chosen.set(request, node)
  // The client: io("https://example.com", { path: "/chat/socket.io/" }); the server keeps its path /socket.io/.
  if (request.url?.startsWith("/chat/") === true) request.url = request.url.slice("/chat".length)
  return { target: `http://${nodes[node]}` }
}

// Longer than pingInterval + pingTimeout (25 s + 20 s), or waiting polls are cut.
const proxy = HttpProxy.createProxyServer({ xfwd: true, proxyTimeout: 60_000 })

proxy.on("proxyRes", (answer, request) => {
  if (named(request) !== undefined) return
  const cookie = `io_node=${chosen.get(request)}; Path=/; HttpOnly; SameSite=Lax`
  answer.headers["set-cookie"] = [...(answer.headers["set-cookie"] ?? []), cookie]
})

proxy.on("error", (_error, _request, response) => {
  // A WebSocket's is its socket; both may be gone, or have been answered in part.
  if ("writeHead" in response && !response.headersSent) response.writeHead(502, { Connection: "close" })
  response.end()
})

const server = createServer((request, response) => proxy.web(request, response, route(request)))
server.on("upgrade", (request, socket, head) => {
  socket.on("error", () => socket.destroy())
  proxy.ws(request, socket, head, route(request))
})
server.listen(port, () => console.log(`proxy on http://localhost:${port}`))
