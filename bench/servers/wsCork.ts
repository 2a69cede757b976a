/** Bare `ws` on TCP sockets that are corked at the first write of a turn and uncorked at its end: one system call a turn. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import * as Bare from "./bare.ts"
import type { Start } from "./Server.ts"

const text = { binary: false }
const bytes = { binary: true }

/** Starts it. */
export const start: Start = () =>
  new Promise((resolve) => {
    const http = createServer()
    const server = new WebSocketServer({ noServer: true })
    const raw = new WeakMap<WebSocket, Duplex>()
    let corked: Array<Duplex> = []
    const uncork = () => {
      const sockets = corked
      corked = []
      for (const socket of sockets) socket.uncork()
    }
    const send: Bare.Send = (socket, data, isBinary) => {
      const tcp = raw.get(socket)!
      // `writableCorked` is the count of corks: ours is the only one outside of ws's own `send`.
      if (tcp.writableCorked === 0) {
        tcp.cork()
        if (corked.push(tcp) === 1) setImmediate(uncork)
      }
      socket.send(data, isBinary ? bytes : text)
    }
    http.on("upgrade", (request, tcp, head) => {
      server.handleUpgrade(request, tcp, head, (socket) => {
        raw.set(socket, tcp)
        Bare.serve(socket, server.clients, send)
      })
    })
    http.listen(0, "127.0.0.1", () => resolve({ port: (http.address() as AddressInfo).port }))
  })
