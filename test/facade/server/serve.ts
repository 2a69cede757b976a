/** Servers, official clients and waiting, for the tests of the plain server. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { io as connect, type ManagerOptions, type Socket as ClientSocket, type SocketOptions } from "socket.io-client"
import { onTestFinished } from "vitest"
import { Server, type ServerOptions, type Socket } from "../../../src/facade/server.ts"

/** The ways to connect. */
export const ways = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] }
} satisfies Record<string, Partial<ManagerOptions>>

/** A server that runs. */
export interface Running {
  readonly io: Server
  readonly url: string
}

/** Starts a server on 127.0.0.1, until the test is finished. */
export const serve = async (options: Partial<ServerOptions> = {}): Promise<Running> => {
  const http = createServer()
  const io = new Server(http, options)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  onTestFinished(async () => {
    await io.close()
    http.closeAllConnections()
  })
  return { io, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }
}

/** An official client, until the test is finished. */
export const client = (
  url: string,
  options: Partial<ManagerOptions & SocketOptions> = ways.websocket
): ClientSocket => {
  const socket = connect(url, { forceNew: true, reconnection: false, ...options })
  onTestFinished(() => {
    socket.disconnect()
  })
  return socket
}

interface Emits {
  once(event: never, listener: never): unknown
}

/** The arguments of the next event of an emitter. */
export const next = (emitter: Emits, event: string): Promise<Array<unknown>> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited for "${event}"`)), 5000)
    emitter.once(
      event as never,
      ((...args: Array<unknown>) => {
        clearTimeout(timer)
        resolve(args)
      }) as never
    )
  })

/** A connected pair: the server's socket and the official client. */
export const pair = async (
  { io, url }: Running,
  options: Partial<ManagerOptions & SocketOptions> = ways.websocket,
  nsp = "/"
): Promise<readonly [Socket, ClientSocket]> => {
  const connected = next(io.of(nsp), "connection")
  const socket = client(url + (nsp === "/" ? "" : nsp), options)
  const welcomed = next(socket, "connect")
  const [server] = await connected
  await welcomed
  return [server as Socket, socket]
}

/** Everything that an event brought, once `count` of them have. */
export const collect = (
  emitter: { on(event: never, listener: never): unknown },
  event: string
): Array<Array<unknown>> => {
  const seen: Array<Array<unknown>> = []
  emitter.on(event as never, ((...args: Array<unknown>) => seen.push(args)) as never)
  return seen
}

/** A round trip: what was on its way before has arrived. */
export const settle = async (socket: Socket, peer: ClientSocket): Promise<void> => {
  peer.once("settle", (reply: () => void) => reply())
  await socket.timeout(5000).emitWithAck("settle")
}
