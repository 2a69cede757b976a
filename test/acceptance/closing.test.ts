/** Servers and connections that close while something else is going on. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
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
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as MemoryNetwork from "../../src/testing/MemoryNetwork.ts"

const Main = Namespace.untyped("/")

describe("a server that closes", () => {
  it.live("a handshake that is decided meanwhile begins no session", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope)
      const log: Array<string> = []
      const released = yield* Deferred.make<void>()
      const live = SocketServer.namespace(Main, (socket) =>
        Effect.gen(function* () {
          log.push("connected")
          yield* socket.onDisconnect(() => Effect.andThen(Deferred.await(released), note(log, "hook ended")))
        })
      ).pipe(Layer.merge(Layer.effectDiscard(Effect.addFinalizer(() => note(log, "namespace released")))))
      const decisions: Array<Deferred.Deferred<boolean>> = []
      const port = yield* listen(live, scope, {
        allowRequest: () => {
          const decision = Deferred.makeUnsafe<boolean>()
          decisions.push(decision)
          return Deferred.await(decision)
        }
      })
      const decided = (count: number) =>
        Effect.gen(function* () {
          while (decisions.length < count) yield* Effect.sleep(5)
          yield* Deferred.succeed(decisions[count - 1]!, true)
        })
      const first = open(port)
      yield* decided(1)
      while (log.length === 0) yield* Effect.sleep(5)
      const late = open(port)
      while (decisions.length < 2) yield* Effect.sleep(5)
      // The hook of the first socket keeps the server closing, while the second client is let in.
      const closing = yield* Effect.forkScoped(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* decided(2)
      const refused = yield* Effect.promise(() => late.ended)
      yield* Deferred.succeed(released, undefined)
      assert.match(refused, /^(403|503)$/)
      yield* Fiber.join(closing)
      assert.strictEqual(yield* Effect.promise(() => first.ended), "1005")
      assert.deepStrictEqual(log, ["connected", "hook ended", "namespace released"])
    }).pipe(Effect.scoped)
  )

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

/** A server on a port of its own, until the scope closes. */
const listen = <E>(
  live: Layer.Layer<never, E, SocketServer.SocketServer>,
  scope: Scope.Scope,
  options: SocketServer.Options
) =>
  Effect.gen(function* () {
    const http = Http.createServer()
    yield* Effect.addFinalizer(() => Effect.sync(() => http.close()))
    yield* Layer.buildWithScope(
      SocketServer.serve(live, options).pipe(
        Layer.provide(InMemoryAdapter.layer),
        Layer.provide(NodeEngine.layerAttach(http, { shutdownTimeout: 20_000 }))
      ),
      scope
    )
    yield* Effect.callback<void>((resume) => void http.listen(0, "127.0.0.1", () => resume(Effect.void)))
    return (http.address() as AddressInfo).port
  })

/** A raw client that connects to the main namespace and sends frames; `ended` is its close code or the status of its refusal. */
const open = (port: number, frames: ReadonlyArray<string> = []): { readonly ended: Promise<string> } => {
  const client = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)
  const ended = new Promise<string>((resolve) => {
    client.on("close", (code) => resolve(String(code)))
    client.on("unexpected-response", (_request, response) => resolve(String(response.statusCode)))
    client.on("error", (error) => resolve(String(error)))
  })
  client.on("open", () => {
    for (const frame of ["40", ...frames]) client.send(frame)
  })
  return { ended }
}

describe("a connection that is paused", () => {
  it.live("takes leave of a server that closes at once, instead of when it is cut off", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope)
      const running = yield* Deferred.make<void>()
      const live = SocketServer.namespace(Main, (socket) =>
        socket.on("never", () => Effect.andThen(Deferred.succeed(running, undefined), Effect.never))
      )
      const port = yield* listen(live, scope, { maxRunningHandlers: 1, maxPendingEvents: 1 })
      const frames = Array.from({ length: 10 }, () => '42["never"]')
      const { ended } = open(port, frames)
      yield* Deferred.await(running)
      yield* Scope.close(scope, Exit.void).pipe(Effect.timeout("5 seconds"))
      assert.strictEqual(yield* Effect.promise(() => ended), "1005")
    }).pipe(Effect.scoped)
  )
})
