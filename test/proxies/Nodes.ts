/** The servers behind the proxies. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Server } from "../../src/facade/server.ts"

/** A running server. */
export interface Node {
  readonly port: number
  readonly close: () => Promise<void>
}

/** A server that says its number to everybody, and gives back what it is sent. It sets the cookie `io`. */
export const startNode = async (node: number): Promise<Node> => {
  const http = createServer()
  const io = new Server(http, { cookie: true })
  io.on("connection", (socket) => {
    const { address, headers, url } = socket.handshake
    socket.emit("hello", { node, address, forwardedFor: headers["x-forwarded-for"], url })
    socket.on("echo", (value: unknown, done: (value: unknown) => void) => done(value))
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return {
    port: (http.address() as AddressInfo).port,
    close: async () => {
      await io.close()
      http.closeAllConnections()
    }
  }
}
