/** Both of our servers on an HTTP server of the test's, whose writes can be counted. */
import { InMemoryAdapter, SocketServer } from "effect-socketio"
import { Namespace } from "effect-socketio/contract"
import { Server } from "effect-socketio/facade"
import { NodeEngine } from "effect-socketio/node"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { once } from "node:events"
import { createServer, type Server as HttpServer } from "node:http"
import type { AddressInfo, Socket } from "node:net"

/** A server that echoes `echo` and sends `news` to everybody on `publish`. */
export interface Running {
  readonly port: number
  /** Writes to the kernel of all connections since the last call. */
  readonly writes: () => number
  readonly close: () => Promise<void>
}

interface Handle {
  [method: string]: unknown
}

/** Counts what Node's streams hand to the kernel: each of these calls is one system call. */
const countWrites = (http: HttpServer): (() => number) => {
  let count = 0
  http.on("connection", (socket: Socket) => {
    const handle = (socket as unknown as { readonly _handle: Handle })._handle
    for (const method of ["writeBuffer", "writev", "writeUtf8String", "writeLatin1String", "writeAsciiString"]) {
      const original = handle[method] as (...args: Array<unknown>) => unknown
      handle[method] = function (this: Handle, ...args: Array<unknown>) {
        count++
        return original.apply(this, args)
      }
    }
  })
  return () => {
    const counted = count
    count = 0
    return counted
  }
}

const listen = async (http: HttpServer): Promise<number> => {
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  return (http.address() as AddressInfo).port
}

const Untyped = Namespace.untyped("/")

const program = SocketServer.namespace(
  Untyped,
  Effect.fnUntraced(function* (socket) {
    const everybody = yield* SocketServer.handle(Untyped)
    yield* socket.on("echo", (message) => socket.emit("echo", message))
    yield* socket.on("publish", (message) => everybody.emit("news", message))
  })
)

/** The Effect API; `services` are in the context of everything that it runs. */
export const effectServer = async (services: Context.Context<never> = Context.empty()): Promise<Running> => {
  const http = createServer()
  const writes = countWrites(http)
  const scope = Scope.makeUnsafe()
  const live = SocketServer.serve(program).pipe(
    Layer.provide(InMemoryAdapter.layer),
    Layer.provideMerge(NodeEngine.layerAttach(http))
  )
  await Effect.runPromiseWith(services)(Layer.buildWithScope(live, scope).pipe(Effect.andThen(Effect.void)))
  const port = await listen(http)
  return {
    port,
    writes,
    close: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      http.closeAllConnections()
      http.close()
    }
  }
}

/** Socket.IO's API. */
export const facadeServer = async (): Promise<Running> => {
  const http = createServer()
  const writes = countWrites(http)
  const io = new Server(http, { keepRequest: false })
  io.on("connection", (socket) => {
    socket.on("echo", (message: unknown) => {
      socket.emit("echo", message)
    })
    socket.on("publish", (message: unknown) => {
      io.emit("news", message)
    })
  })
  const port = await listen(http)
  return { port, writes, close: () => io.close() }
}
