/** The events of `bench/Message.ts` on a server with Socket.IO's API: the official one and our facade run the same program. */
import { answer, churnRooms, type Message, quiet } from "../Message.ts"

/** What clients send. */
export interface FromClient {
  readonly echo: (message: Message) => void
  readonly ask: (message: Message, reply: (value: typeof answer) => void) => void
  readonly binary: (bytes: Buffer) => void
  readonly publish: (message: Message) => void
  readonly join: (room: string) => void
  readonly room: (room: string, message: Message) => void
  readonly except: (message: Message) => void
  readonly churn: (reply: (sockets: number) => void) => void
}

/** What they are sent. */
export interface FromServer {
  readonly echo: (message: Message) => void
  readonly binary: (bytes: Buffer) => void
  readonly news: (message: Message) => void
}

interface Socket {
  on<E extends keyof FromClient>(event: E, listener: FromClient[E]): unknown
  emit<E extends "echo" | "binary">(event: E, ...args: Parameters<FromServer[E]>): unknown
  join(room: string): unknown
  leave(room: string): unknown
}

interface Broadcasting {
  emit(event: "news", message: Message): unknown
}

interface Server extends Broadcasting {
  on(event: "connection", listener: (socket: Socket) => void): unknown
  to(room: string): Broadcasting
  except(room: string): Broadcasting
}

/** Adds the listeners: all of them, or the first three. */
export const serve = (io: Server, allEvents: boolean): void => {
  const all = new Set<Socket>()
  io.on("connection", (socket) => {
    socket.on("echo", (message) => {
      socket.emit("echo", message)
    })
    socket.on("ask", (_message, reply) => reply(answer))
    socket.on("publish", (message) => {
      io.emit("news", message)
    })
    if (!allEvents) return
    socket.on("binary", (bytes) => {
      socket.emit("binary", bytes)
    })
    socket.on("join", (room) => {
      all.add(socket)
      socket.join(room)
    })
    socket.on("room", (room, message) => {
      io.to(room).emit("news", message)
    })
    socket.on("except", (message) => {
      io.except(quiet).emit("news", message)
    })
    socket.on("churn", (reply) => {
      let i = 0
      for (const each of all) {
        const room = `r${++i % churnRooms}`
        each.join(room)
        each.leave(room)
      }
      reply(i)
    })
  })
}
