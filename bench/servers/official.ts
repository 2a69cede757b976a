/** The official server with its defaults. */
import type { AddressInfo } from "node:net"
import { createServer } from "node:http"
import { Server } from "socket.io"
import { answer, type Message } from "../Message.ts"
import type { Start } from "./Server.ts"

interface FromClient {
  readonly echo: (message: Message) => void
  readonly ask: (message: Message, reply: (value: typeof answer) => void) => void
  readonly publish: (message: Message) => void
}

interface FromServer {
  readonly echo: (message: Message) => void
  readonly news: (message: Message) => void
}

/** Starts it. */
export const start: Start = () =>
  new Promise((resolve) => {
    const http = createServer()
    const io = new Server<FromClient, FromServer>(http)
    io.on("connection", (socket) => {
      socket.on("echo", (message) => {
        socket.emit("echo", message)
      })
      socket.on("ask", (_message, reply) => reply(answer))
      socket.on("publish", (message) => {
        io.emit("news", message)
      })
    })
    http.listen(0, "127.0.0.1", () => resolve({ port: (http.address() as AddressInfo).port }))
  })
