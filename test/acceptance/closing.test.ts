/** Servers and connections that close while something else is going on. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { WebSocket } from "ws"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import * as SocketClient from "../../src/client/index.ts"
import { Namespace } from "../../src/contract/index.ts"
import * as NodeEngine from "../../src/node/NodeEngine.ts"
import * as Middleware from "../../src/socket/Middleware.ts"
import type { Socket } from "../../src/socket/Socket.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"

const Main = Namespace.untyped("/")

describe("a server that closes", () => {
  for (const transports of [["polling"], ["websocket"]] as const) {
    it.effect(`a handshake over ${transports[0]} that is decided meanwhile begins no session`, () =>
      Effect.gen(function* () {
        const scope = yield* Scope.fork(yield* Effect.scope)
        const log: Array<string> = []
        const live = SocketServer.namespace(Main, (socket) =>
          Effect.gen(function* () {
            log.push("connected")
            yield* socket.onDisconnect(() => Effect.andThen(Effect.sleep("5 seconds"), note(log, "hook ended")))
          })
        ).pipe(Layer.merge(Layer.effectDiscard(Effect.addFinalizer(() => note(log, "namespace released")))))
        let delay = 0
        const served = SocketServer.serve(live, {
          allowRequest: () => Effect.as(Effect.sleep(delay), true)
        }).pipe(Layer.provide(InMemoryAdapter.layer), Layer.provide(MemoryNetwork.layerHost("server")))
        yield* Layer.buildWithScope(served, scope)
        const connect = SocketClient.connect("/", {
          url: "http://server",
          transports: [...transports],
          reconnection: false,
          forceNew: true
        })
        const first = yield* Effect.forkScoped(connect, { startImmediately: true })
        yield* MemoryNetwork.adjust("1 second")
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(first)))
        delay = 1000
        const late = yield* Effect.forkScoped(connect, { startImmediately: true })
        yield* MemoryNetwork.adjust(500)
        // The hook of the first socket keeps the server for 5 seconds; the second client is let in after half of one.
        const closing = yield* Effect.forkScoped(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* MemoryNetwork.adjust("10 seconds")
        assert.isTrue(Exit.isSuccess(yield* Fiber.await(closing)))
        assert.isTrue(Exit.isFailure(yield* Fiber.await(late)))
        assert.deepStrictEqual(log, ["connected", "hook ended", "namespace released"])
      }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer, { local: true }))
    )
  }

  it.effect("clients in every state of connecting are settled, and only those that were connected hear of it", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope)
      let connected = 0
      let disconnected = 0
      const live = SocketServer.namespace(Main, (socket) =>
        Effect.gen(function* () {
          connected++
          yield* socket.onDisconnect(() => Effect.sync(() => disconnected++))
        })
      ).pipe(Layer.provide(Middleware.make(() => Effect.sleep(30))))
      const served = SocketServer.serve(live).pipe(
        Layer.provide(InMemoryAdapter.layer),
        Layer.provide(MemoryNetwork.layerHost("server"))
      )
      const built = yield* Layer.buildWithScope(served, scope)
      const network = yield* MemoryNetwork.MemoryNetwork
      yield* network.latency(7)
      const clients: Array<Fiber.Fiber<unknown, unknown>> = []
      for (let i = 0; i < 40; i++) {
        const connect = SocketClient.connect("/", { url: "http://server", reconnection: false, forceNew: true })
        clients.push(yield* Effect.forkScoped(connect, { startImmediately: true }))
        yield* MemoryNetwork.adjust(3)
      }
      yield* Scope.close(scope, Exit.void)
      yield* MemoryNetwork.adjust("1 minute")
      const exits = yield* Effect.forEach(clients, (client) => Fiber.await(client))
      const failed = exits.filter(Exit.isFailure).length
      assert.isAbove(failed, 5)
      assert.isAbove(connected, 5)
      assert.strictEqual(disconnected, connected)
      const { clients: left, sockets } = yield* Effect.provideContext(SocketServer.telemetry, built)
      assert.deepStrictEqual([left, sockets], [0, 0])
    }).pipe(Effect.scoped, Effect.provide(MemoryNetwork.layer, { local: true }))
  )
})

const note = (log: Array<string>, what: string): Effect.Effect<void> => Effect.sync(() => void log.push(what))

describe("a connection that is paused", () => {
  it.live("over a real WebSocket: disconnecting it does not wait for the close timeout of 30 seconds", () =>
    Effect.gen(function* () {
      const http = Http.createServer()
      yield* Effect.addFinalizer(() => Effect.sync(() => http.close()))
      const sockets: Array<Socket<typeof Main>> = []
      const live = SocketServer.namespace(Main, (socket) =>
        Effect.gen(function* () {
          sockets.push(socket)
          yield* socket.on("never", () => Effect.never)
        })
      )
      const built = yield* Layer.build(
        SocketServer.serve(live, { maxRunningHandlers: 1, maxPendingEvents: 1 }).pipe(
          Layer.provide(InMemoryAdapter.layer),
          Layer.provide(NodeEngine.layerAttach(http))
        )
      )
      yield* Effect.callback<void>((resume) => void http.listen(0, "127.0.0.1", () => resume(Effect.void)))
      const { port } = http.address() as AddressInfo
      const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)
      const closed = new Promise<number>((resolve) => client.on("close", resolve))
      client.on("open", () => {
        for (const frame of ["40", '42["never"]', '42["never"]', '42["never"]']) client.send(frame)
      })
      const counted = Effect.provideContext(SocketServer.telemetry, built)
      while ((yield* counted).pauses === 0) yield* Effect.sleep(5)
      yield* sockets[0]!.disconnect(true)
      const code = yield* Effect.promise(() => closed).pipe(Effect.timeout("5 seconds"))
      assert.strictEqual(code, 1005)
    }).pipe(Effect.scoped)
  )
})
