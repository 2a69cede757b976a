/** The plain client facade as a driver of the client suites. */
import { Manager, type Socket } from "../../../src/facade/client.ts"
import { msgpack } from "../../../src/protocol/MsgpackCodec.ts"
import { Inbox } from "../../conformance/raw/Wait.ts"
import type { Auth, Client, ClientDriver, ClientSocket, ConnectError } from "../../interop/Client.ts"
import { withBuffers } from "../../interop/Client.ts"

const over = (socket: Socket): ClientSocket => {
  const connects = new Inbox<string>()
  const disconnects = new Inbox<string>()
  const refusals = new Inbox<ConnectError>()
  const events = new Map<string, Inbox<ReadonlyArray<unknown>>>()
  const inbox = (event: string): Inbox<ReadonlyArray<unknown>> => {
    const found = events.get(event) ?? new Inbox<ReadonlyArray<unknown>>()
    events.set(event, found)
    return found
  }
  socket.on("connect", () => connects.push(socket.id ?? ""))
  socket.on("disconnect", (reason) => disconnects.push(reason))
  socket.on("connect_error", ({ message, data }) => refusals.push({ message, data }))
  socket.onAny((event: string, ...args: Array<unknown>) => {
    if (typeof args.at(-1) !== "function") inbox(event).push(withBuffers(args) as ReadonlyArray<unknown>)
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
    emit: (event, ...args) => void socket.emit(event, ...args),
    emitVolatile: (event, ...args) => void socket.volatile.emit(event, ...args),
    ask: async (timeout, event, ...args) =>
      withBuffers(await (timeout === undefined ? socket : socket.timeout(timeout)).emitWithAck(event, ...args)),
    connect: () => void socket.connect(),
    disconnect: () => void socket.disconnect()
  }
}

const withCallback = (auth: Auth) => (typeof auth === "function" ? (cb: (data: object) => void) => cb(auth()) : auth)

/** Our facade. */
export const facadeClient: ClientDriver = {
  name: "facade client",
  official: false,
  open: (options): Client => {
    const { endpoint, msgpack: packed, retries, ackTimeout, ...others } = options
    const manager = new Manager(`http://127.0.0.1:${endpoint.port}`, {
      ...others,
      path: endpoint.path,
      ...(packed === true && { parser: msgpack }),
      reconnectionDelay: options.reconnectionDelay ?? 20,
      randomizationFactor: 0,
      autoConnect: false
    })
    const sockets: Array<Socket> = []
    return {
      socket: (nsp, auth) => {
        const socket = manager.socket(nsp, { retries, ackTimeout, auth: auth && withCallback(auth) })
        sockets.push(socket)
        const wrapped = over(socket)
        socket.connect()
        return wrapped
      },
      get transport() {
        return manager.engine?.transport.name ?? ""
      },
      close: async () => {
        manager.reconnection(false)
        for (const socket of sockets) socket.disconnect()
        manager.engine?.close()
      }
    }
  }
}
