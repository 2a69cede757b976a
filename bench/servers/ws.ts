/** Bare `ws`: one system call a message. */
import { WebSocketServer } from "ws"
import type { AddressInfo } from "node:net"
import * as Bare from "./bare.ts"
import type { Start } from "./Server.ts"

const text = { binary: false }
const bytes = { binary: true }

/** Starts it. */
export const start: Start = () =>
  new Promise((resolve) => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
    server.on("connection", (socket) =>
      Bare.serve(socket, server.clients, (to, data, isBinary) => to.send(data, isBinary ? bytes : text))
    )
    server.on("listening", () => resolve({ port: (server.address() as AddressInfo).port }))
  })
