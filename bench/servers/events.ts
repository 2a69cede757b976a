/** The events of `bench/Message.ts` on a server with Socket.IO's API: the official one and our facade run the same program. */
import { answer, type Message } from "../Message.ts"

/** What clients send. */
export interface FromClient {
  readonly echo: (message: Message) => void
  readonly ask: (message: Message, reply: (value: typeof answer) => void) => void
  readonly publish: (message: Message) => void
}

/** What they are sent. */
export interface FromServer {
  readonly echo: (message: Message) => void
  readonly news: (message: Message) => void
}

interface Socket {
  on<E extends keyof FromClient>(event: E, listener: FromClient[E]): unknown
  emit(event: "echo", message: Message): unknown
}

interface Server {
  on(event: "connection", listener: (socket: Socket) => void): unknown
  emit(event: "news", message: Message): unknown
}

/** Adds the listeners. */
export const serve = (io: Server): void => {
  io.on("connection", (socket) => {
    socket.on("echo", (message) => {
      socket.emit("echo", message)
    })
    socket.on("ask", (_message, reply) => reply(answer))
    socket.on("publish", (message) => {
      io.emit("news", message)
    })
  })
}
