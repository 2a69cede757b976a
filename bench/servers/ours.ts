/** Our server, as a program would write it: a contract, a connection handler that sets each socket up, Node's HTTP server. */
import { EngineHost, InMemoryAdapter, type Socket, SocketServer } from "effect-socketio"
import { NodeEngine } from "effect-socketio/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { answer, churnRooms, quiet } from "../Message.ts"
import { Bench } from "./contract.ts"
import type { Start } from "./Server.ts"

const all = new Set<Socket<typeof Bench>>()

const benchLive = (allEvents: boolean) =>
  SocketServer.namespace(
    Bench,
    Effect.fnUntraced(function* (socket) {
      const everybody = yield* SocketServer.handle(Bench)
      yield* socket.on("echo", (message) => socket.emit("echo", message))
      yield* socket.on("ask", () => Effect.succeed(answer))
      yield* socket.on("publish", (message) => everybody.emit("news", message))
      if (!allEvents) return
      yield* socket.on("binary", (bytes) => socket.emit("binary", bytes))
      yield* socket.on("join", (room) => {
        all.add(socket)
        return socket.join(room)
      })
      yield* socket.on("room", (room, message) => everybody.to(room).emit("news", message))
      yield* socket.on("except", (message) => everybody.except(quiet).emit("news", message))
      yield* socket.on("churn", () =>
        Effect.gen(function* () {
          let i = 0
          for (const each of all) {
            const room = `r${++i % churnRooms}`
            yield* each.join(room)
            yield* each.leave(room)
          }
          return i
        })
      )
    })
  )

const main = (allEvents: boolean) =>
  SocketServer.serve(benchLive(allEvents)).pipe(
    Layer.provide(InMemoryAdapter.layer),
    Layer.provideMerge(NodeEngine.layer({ port: 0, host: "127.0.0.1" }))
  )

/** Starts it; it ends with the process. */
export const start: Start = ({ allEvents }) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const host = yield* Layer.buildWithScope(main(allEvents), Scope.makeUnsafe())
      const address = yield* EngineHost.use(({ address }) => address).pipe(Effect.provideContext(host))
      return { port: address!.port }
    })
  )
