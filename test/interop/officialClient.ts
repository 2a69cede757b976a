/** socket.io-client 4.8.4 as a driver. */
import { Manager, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client"
import * as msgpack from "socket.io-msgpack-parser"
import { Inbox } from "../conformance/raw/Wait.ts"
import {
  type Auth,
  type Client,
  type ClientDriver,
  type ClientSocket,
  type ConnectError,
  withBuffers
} from "./Client.ts"

const over = (socket: Socket): ClientSocket => {
  const connects = new Inbox<string>()
  const disconnects = new Inbox<string>()
  const refusals = new Inbox<ConnectError>()
  const events = new Map<string, Inbox<ReadonlyArray<unknown>>>()
  const inbox = (event: string): Inbox<ReadonlyArray<unknown>> => {
    const existing = events.get(event)
    if (existing !== undefined) return existing
    const created = new Inbox<ReadonlyArray<unknown>>()
    events.set(event, created)
    return created
  }
  socket.on("connect", () => connects.push(socket.id ?? ""))
  socket.on("disconnect", (reason) => disconnects.push(reason))
  socket.on("connect_error", (error: Error & { readonly data?: unknown }) =>
    refusals.push({ message: error.message, data: error.data })
  )
  socket.onAny((event: string, ...args: Array<unknown>) => {
    if (typeof args.at(-1) === "function") return
    inbox(event).push(withBuffers(args) as ReadonlyArray<unknown>)
  })
  return {
    get connected() {
      return socket.connected
    },
    get id() {
      return socket.id
    },
    connects: () => connects.next("connect"),
    disconnects: () => disconnects.next("disconnect"),
    refusals: () => refusals.next("connect_error"),
    next: (event) => inbox(event).next(`the event ${event}`),
    answer: (event, reply) => {
      socket.on(event, (...args: Array<unknown>) => {
        const ack = args.pop()
        if (typeof ack === "function") ack(reply(...(withBuffers(args) as Array<unknown>)))
      })
    },
    emit: (event, ...args) => {
      socket.emit(event, ...args)
    },
    emitVolatile: (event, ...args) => {
      socket.volatile.emit(event, ...args)
    },
    ask: async (timeout, event, ...args) =>
      withBuffers(await (timeout === undefined ? socket : socket.timeout(timeout)).emitWithAck(event, ...args)),
    connect: () => {
      socket.connect()
    },
    disconnect: () => {
      socket.disconnect()
    }
  }
}

const withCallback = (auth: Auth) => (typeof auth === "function" ? (cb: (data: object) => void) => cb(auth()) : auth)

/** The official client. */
export const officialClient: ClientDriver = {
  name: "official client",
  official: true,
  open: (options) => {
    const settings: Partial<ManagerOptions> = {
      path: options.endpoint.path,
      transports: [...options.transports],
      reconnection: options.reconnection ?? true,
      reconnectionDelay: options.reconnectionDelay ?? 20,
      reconnectionDelayMax: options.reconnectionDelay ?? 20,
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
      ...(options.query === undefined ? {} : { query: { ...options.query } }),
      ...(options.msgpack === true ? { parser: msgpack } : {})
    }
    const manager = new Manager(`http://127.0.0.1:${options.endpoint.port}`, { ...settings, autoConnect: false })
    const sockets: Array<Socket> = []
    const client: Client = {
      socket: (nsp, auth) => {
        const socket = manager.socket(nsp, {
          ...(auth === undefined ? {} : { auth: withCallback(auth) }),
          ...(options.retries === undefined ? {} : { retries: options.retries }),
          ...(options.ackTimeout === undefined ? {} : { ackTimeout: options.ackTimeout })
        } as Partial<SocketOptions>)
        sockets.push(socket)
        const wrapped = over(socket)
        socket.connect()
        return wrapped
      },
      get transport() {
        const engine = manager.engine as { readonly transport?: { readonly name: string } } | undefined
        return engine?.transport?.name ?? ""
      },
      close: async () => {
        manager.reconnection(false)
        for (const socket of sockets) socket.disconnect()
        manager.engine?.close()
      }
    }
    return client
  }
}
