/** Our Effect client as a driver. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SocketClient from "../../src/client/index.ts"
import { msgpack } from "../../src/protocol/MsgpackCodec.ts"
import { Inbox } from "../conformance/raw/Wait.ts"
import {
  type Auth,
  type Client,
  type ClientDriver,
  type ClientSocket,
  type ConnectError,
  withBuffers
} from "./Client.ts"

type Untyped = SocketClient.Socket<SocketClient.Untyped, unknown>

const over = (socket: Untyped, scope: Scope.Scope): ClientSocket => {
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
  const take = (state: SocketClient.ConnectionState): void => {
    switch (state._tag) {
      case "Connected":
        return connects.push(state.id)
      case "Disconnected":
        return disconnects.push(state.reason)
      case "Refused":
        return refusals.push({ message: state.error.message, data: state.error.data })
      case "Waiting":
      case "GaveUp":
        return refusals.push({ message: state.error.message, data: undefined })
      default:
        return undefined
    }
  }
  // The first state is that before the first attempt.
  const states = SocketClient.states(socket).pipe(
    Stream.drop(1),
    Stream.runForEach((state) => Effect.sync(() => take(state)))
  )
  const packets = SocketClient.incoming(socket).pipe(
    Stream.runForEach(({ event, args }) =>
      Effect.sync(() => inbox(event).push(withBuffers(args) as ReadonlyArray<unknown>))
    )
  )
  Effect.runFork(states)
  Effect.runFork(packets)
  return {
    get connected() {
      return socket.connected
    },
    get id() {
      return socket.id
    },
    connects: () => connects.next("the connection"),
    disconnects: () => disconnects.next("the disconnection"),
    refusals: () => refusals.next("a refusal"),
    next: (event) => inbox(event).next(`the event ${event}`),
    answer: (event, reply) => {
      const handler = (...args: Array<unknown>) =>
        Effect.sync(() => reply(...(withBuffers(args) as ReadonlyArray<unknown>)))
      Effect.runSync(socket.on(event, handler).pipe(Scope.provide(scope)))
    },
    emit: (event, ...args) => {
      Effect.runSync(socket.emit(event, ...args))
    },
    emitVolatile: (event, ...args) => {
      Effect.runSync(socket.volatile.emit(event, ...args))
    },
    ask: async (timeout, event, ...args) =>
      withBuffers(
        await Effect.runPromise((timeout === undefined ? socket : socket.timeout(timeout)).emitWithAck(event, ...args))
      ),
    connect: () => {
      // How it goes is seen in the states.
      Effect.runFork(Effect.ignore(socket.connect))
    },
    disconnect: () => Effect.runSync(socket.disconnect)
  }
}

/** Our client. */
export const ourClient: ClientDriver = {
  name: "our client",
  official: false,
  open: (options) => {
    const scope = Scope.makeUnsafe()
    const manager = Effect.runSync(
      SocketClient.manager({
        url: `http://127.0.0.1:${options.endpoint.port}`,
        path: options.endpoint.path,
        transports: [...options.transports],
        ...(options.reconnection === false
          ? { reconnection: false }
          : {
              reconnectionDelay: options.reconnectionDelay ?? 20,
              reconnectionDelayMax: options.reconnectionDelay ?? 20
            }),
        ...(options.timeout === undefined ? {} : { connectTimeout: options.timeout }),
        ...(options.query === undefined ? {} : { query: options.query }),
        ...(options.msgpack === true ? { parser: msgpack } : {})
      }).pipe(Scope.provide(scope))
    )
    const connect = (nsp: string, auth: Auth | undefined) =>
      SocketClient.connect(nsp, {
        manager,
        autoConnect: false,
        ...(auth === undefined ? {} : { auth }),
        ...(options.retries === undefined ? {} : { retries: options.retries }),
        ...(options.ackTimeout === undefined ? {} : { ackTimeout: options.ackTimeout })
      })
    const client: Client = {
      socket: (nsp, auth) => {
        const socket = over(Effect.runSync(connect(nsp, auth).pipe(Scope.provide(scope))), scope)
        socket.connect()
        return socket
      },
      get transport() {
        return manager.transport ?? ""
      },
      close: () => Effect.runPromise(Scope.close(scope, Exit.void))
    }
    return client
  }
}
