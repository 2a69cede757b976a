/** What every target's server stands on: an http.Server on a free port, with another application beside when a suite asks for it. */
import * as Http from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { EngineOptions } from "../Target.ts"

/**
 * Adds the other application of {@link EngineOptions.beside}: like an Express application it answers every request that reaches it,
 * `/other` with 200 and the rest with 404, and it accepts upgrades at `/other`.
 */
export const addOther = (server: Http.Server): void => {
  server.on("request", (request, response) => {
    if (request.url?.startsWith("/other") === true) response.end("other")
    else response.writeHead(404).end("not found by the host")
  })
  server.on("upgrade", (request: Http.IncomingMessage, socket: Duplex) => {
    if (request.url?.startsWith("/other") === true) {
      socket.on("error", () => undefined)
      socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\nhello")
    }
  })
}

const connections = new WeakMap<Http.Server, Set<Socket>>()

/** An http.Server for `options`, not yet listening. */
export const host = (options: EngineOptions): Http.Server => {
  const server = Http.createServer()
  const open = new Set<Socket>()
  connections.set(server, open)
  server.on("connection", (socket) => {
    open.add(socket)
    socket.on("close", () => open.delete(socket))
  })
  if (options.beside === true) addOther(server)
  return server
}

/** Cuts every connection, upgraded ones too, so that closing the server does not wait for them. */
export const cut = (server: Http.Server): void => {
  for (const socket of connections.get(server) ?? []) socket.destroy()
}

/** Listens on a free port of 127.0.0.1 and gives it. */
export const listen = (server: Http.Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port))
  })

/** Stops listening and cuts what is left. */
export const shut = (server: Http.Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    cut(server)
  })

/** Path as clients ask for it, with the trailing slash. */
export const slashed = (path: string): string => `${path.replace(/\/$/, "")}/`

/** Starts a server for each distinct set of options, once. */
export const once = <Options, Server>(start: (options: Options) => Promise<Server>) => {
  const started = new Map<string, Promise<Server>>()
  return (options: Options): Promise<Server> => {
    const key = JSON.stringify(options)
    const server = started.get(key) ?? start(options)
    started.set(key, server)
    return server
  }
}
