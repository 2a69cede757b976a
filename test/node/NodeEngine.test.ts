import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Socket as OfficialSocket } from "engine.io-client"
import * as Http from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as Net from "node:net"
import { EngineHost } from "../../src/engine/EngineHost.ts"
import * as CloseReason from "../../src/protocol/CloseReason.ts"
import * as NodeEngine from "../../src/node/NodeEngine.ts"
import { ask, type Echo, open, serve, sidOf, until } from "./EchoEngine.ts"

const loopback = { port: 0, host: "127.0.0.1" } as const
const own = NodeEngine.layer(loopback)

const listening = Effect.acquireRelease(
  Effect.callback<Http.Server>((resume) => {
    const server = Http.createServer()
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
)

const portOf = (server: Http.Server): number => (server.address() as AddressInfo).port

/** Runs a program against an echo on Effect's HTTP server, with a route and middleware of the program beside it. */
const onHttpServer = <E>(program: (echo: Echo) => Effect.Effect<void, E, Scope.Scope>) =>
  Effect.gen(function* () {
    class Running extends Context.Service<Running, Echo>()("test/Running") {}
    const echo = Layer.effect(
      Running,
      Effect.gen(function* () {
        const { address } = yield* HttpServer.HttpServer
        return yield* serve({}, { port: "port" in address ? address.port : 0 })
      })
    )
    const app = Layer.mergeAll(
      Layer.provide(echo, NodeEngine.layerHttpServer()),
      HttpRouter.add("GET", "/hello", HttpServerResponse.text("hi")),
      HttpRouter.cors({ allowedOrigins: ["http://example.test"] })
    ) as Layer.Layer<Running, never, HttpRouter.HttpRouter | HttpServer.HttpServer>
    const live = HttpRouter.serve(app, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provide(NodeHttpServer.layer(() => Http.createServer(), loopback))
    )
    const context = yield* Layer.build(live)
    yield* program(Context.get(context, Running))
  }).pipe(Effect.scoped)

/** What every host must do, with a client of each kind. */
const talks = (echo: Echo) =>
  Effect.gen(function* () {
    for (const transports of [["polling"], ["websocket"], ["polling", "websocket"]]) {
      const socket = new OfficialSocket(`ws://127.0.0.1:${echo.port}`, { transports })
      const heard: Array<unknown> = []
      socket.on("message", (data: unknown) => heard.push(data))
      yield* Effect.promise(() => new Promise<void>((resolve) => socket.on("open", () => resolve())))
      for (let i = 0; i < 50; i++) socket.send(`m${i}`)
      socket.send(Buffer.from([1, 2, 3]))
      yield* until(() => heard.length === 51)
      assert.deepStrictEqual(
        heard.slice(0, 50),
        Array.from({ length: 50 }, (_, i) => `m${i}`)
      )
      assert.deepStrictEqual([...(heard[50] as Buffer)], [1, 2, 3])
      if (transports.length === 2) yield* until(() => echo.sessions.at(-1)?.transportName === "websocket")
      socket.close()
      yield* until(() => echo.engine.clientsCount === 0)
    }
    assert.strictEqual(echo.closed.length, 3)
    assert.isTrue(echo.closed.every(({ reason }) => reason === CloseReason.transportClose))
  })

describe("NodeEngine.layer", () => {
  it.live("serves the official client over polling, WebSocket and upgrade", () =>
    Effect.gen(function* () {
      yield* talks(yield* serve())
    }).pipe(Effect.scoped, Effect.provide(own))
  )

  it.live("answers 404 elsewhere, also to upgrades", () =>
    Effect.gen(function* () {
      const echo = yield* serve()
      assert.strictEqual((yield* ask(`http://127.0.0.1:${echo.port}/other`)).status, 404)
      const socket = open(`http://127.0.0.1:${echo.port}/other?EIO=4&transport=websocket`)
      assert.strictEqual((yield* socket.closed).code, 1006)
    }).pipe(Effect.scoped, Effect.provide(own))
  )

  it.live("fails with a Listen error on a port that is taken", () =>
    Effect.gen(function* () {
      const server = yield* listening
      const host = NodeEngine.layer({ port: portOf(server), host: "127.0.0.1" })
      const error = yield* Effect.flip(Effect.provide(serve(), host))
      assert.strictEqual(error._tag, "EngineError")
      assert.strictEqual(error.reason, "Listen")
    }).pipe(Effect.scoped)
  )

  it.live("stops accepting, closes every session and leaves no connection behind", () =>
    Effect.gen(function* () {
      const outer = yield* Scope.make()
      const context = yield* Layer.buildWithScope(own, outer)
      const inner = yield* Scope.make()
      const echo = yield* serve().pipe(Scope.provide(inner), Effect.provide(context))
      const socket = open(echo.url("transport=websocket"))
      yield* socket.next
      const sid = sidOf((yield* ask(echo.url("transport=polling"))).text)
      const poll = yield* Effect.forkChild(ask(echo.url(`transport=polling&sid=${sid}`)), { startImmediately: true })
      yield* until(() => echo.requests() === 2)
      yield* Scope.close(inner, Exit.void)
      assert.deepStrictEqual(
        echo.closed.map(({ reason }) => reason),
        [CloseReason.forcedClose, CloseReason.forcedClose]
      )
      assert.strictEqual((yield* socket.closed).code, 1005)
      assert.strictEqual((yield* Fiber.join(poll)).text, "1")
      const refused = yield* Effect.exit(Effect.tryPromise(() => fetch(echo.url("transport=polling"))))
      assert.isTrue(Exit.isFailure(refused) || refused.value.status === 503)
      yield* Scope.close(outer, Exit.void)
      const address = yield* Context.get(context, EngineHost).address
      assert.isUndefined(address)
    })
  )

  it.live("cuts off a peer that does not take leave", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(NodeEngine.layer({ ...loopback, shutdownTimeout: 50 }), scope)
      const inner = yield* Scope.make()
      const echo = yield* serve().pipe(Scope.provide(inner), Effect.provide(context))
      const silent = yield* handshakeByHand(echo.port)
      yield* until(() => echo.engine.clientsCount === 1)
      yield* Scope.close(inner, Exit.void)
      yield* Scope.close(scope, Exit.void)
      yield* until(() => silent.destroyed)
    })
  )
})

describe("NodeEngine.layerAttach", () => {
  it.live("serves beside the listeners of the server, added before and after", () =>
    Effect.gen(function* () {
      const server = yield* listening
      const seen: Array<string> = []
      server.on("request", (request, response) => {
        seen.push(`before ${request.url}`)
        response.end("app")
      })
      const echo = yield* Effect.provide(serve(), NodeEngine.layerAttach(server))
      server.on("request", (request) => void seen.push(`after ${request.url}`))
      yield* talks(echo)
      assert.deepStrictEqual(seen, [])
      assert.strictEqual((yield* ask(`http://127.0.0.1:${echo.port}/other`)).text, "app")
      assert.deepStrictEqual(seen, ["before /other", "after /other"])
    }).pipe(Effect.scoped)
  )

  it.live("gives everything back when its scope closes, whatever the order", () =>
    Effect.gen(function* () {
      const server = yield* listening
      server.on("request", (_request, response) => response.end("app"))
      const scopes = [yield* Scope.make(), yield* Scope.make()]
      for (const [index, scope] of scopes.entries()) {
        const context = yield* Layer.buildWithScope(NodeEngine.layerAttach(server), scope)
        const path = `/e${index}/`
        const echo = yield* serve({}, { path }).pipe(Scope.provide(scope), Effect.provide(context))
        assert.match((yield* ask(echo.url("transport=polling"))).text, /^0\{/)
      }
      yield* Scope.close(scopes[0]!, Exit.void)
      const url = (path: string): string => `http://127.0.0.1:${portOf(server)}${path}?EIO=4&transport=polling`
      assert.strictEqual((yield* ask(url("/e0/"))).text, "app")
      assert.match((yield* ask(url("/e1/"))).text, /^0\{/)
      yield* Scope.close(scopes[1]!, Exit.void)
      assert.strictEqual((yield* ask(url("/e1/"))).text, "app")
      assert.strictEqual(server.listenerCount("upgrade"), 0)
      assert.isTrue(server.listening)
    }).pipe(Effect.scoped)
  )

  it.live("leaves a foreign upgrade that somebody takes alone, and ends one that nobody takes", () =>
    Effect.gen(function* () {
      const server = yield* listening
      server.on("upgrade", (request: Http.IncomingMessage, socket: Socket) => {
        if (request.url !== "/taken") return
        socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\nmine")
        socket.on("end", () => socket.end()).resume()
      })
      yield* Effect.provide(serve(), NodeEngine.layerAttach(server, { destroyUpgradeTimeout: 30 }))
      const upgrade = (path: string) =>
        Effect.callback<{ readonly text: string; readonly ended: boolean }>((resume) => {
          const socket = Net.connect(portOf(server), "127.0.0.1")
          let text = ""
          const finish = (ended: boolean): void => {
            socket.destroy()
            resume(Effect.succeed({ text, ended }))
          }
          socket.on("data", (data) => {
            text += data.toString()
            if (text.endsWith("mine")) finish(false)
          })
          socket.on("end", () => finish(true))
          socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n`)
        })
      assert.deepStrictEqual(yield* upgrade("/nobody"), { text: "", ended: true })
      assert.match((yield* upgrade("/taken")).text, /mine$/)
    }).pipe(Effect.scoped)
  )

  it.live("answers a client that expects 100 before it sends its body", () =>
    Effect.gen(function* () {
      const server = yield* listening
      server.on("checkContinue", (_request, response: Http.ServerResponse) => response.end("app"))
      const echo = yield* Effect.provide(serve(), NodeEngine.layerAttach(server))
      const sid = sidOf((yield* ask(echo.url("transport=polling"))).text)
      const status = yield* Effect.callback<number>((resume) => {
        const request = Http.request(echo.url(`transport=polling&sid=${sid}`), {
          method: "POST",
          headers: { expect: "100-continue", "content-length": "6" }
        })
        request.on("continue", () => request.end("4hello"))
        request.on("response", (response) => {
          response.resume()
          resume(Effect.succeed(response.statusCode ?? 0))
        })
        request.flushHeaders()
      })
      assert.strictEqual(status, 200)
    }).pipe(Effect.scoped)
  )
})

describe("NodeEngine.layerHttpServer", () => {
  it.live("serves the official client over polling, WebSocket and upgrade", () => onHttpServer(talks))

  it.live("the program's routes and middleware work on, and its CORS headers are on the engine's answers", () =>
    onHttpServer((echo) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* ask(`http://127.0.0.1:${echo.port}/hello`)).text, "hi")
        const answer = yield* ask(echo.url("transport=polling"), { headers: { origin: "http://example.test" } })
        assert.strictEqual(answer.headers.get("access-control-allow-origin"), "http://example.test")
        assert.strictEqual(answer.headers.get("content-type"), "text/plain; charset=UTF-8")
        assert.strictEqual(answer.headers.get("cache-control"), "no-store")
        assert.strictEqual((yield* ask(`http://127.0.0.1:${echo.port}/engine.io?EIO=4&transport=polling`)).status, 404)
      })
    )
  )

  it.live("refuses with the codes, over HTTP and upgrades", () =>
    onHttpServer((echo) =>
      Effect.gen(function* () {
        const refused = yield* ask(echo.url("transport=nope"))
        assert.deepStrictEqual([refused.status, refused.text], [400, `{"code":0,"message":"Transport unknown"}`])
        const upgrade = yield* rejection(echo.port, "/engine.io/?EIO=4&transport=websocket&sid=nobody")
        assert.match(upgrade, /^HTTP\/1\.1 400 /)
        assert.match(upgrade, /\{"code":1,"message":"Session ID unknown"\}$/)
      })
    )
  )

  it.live("an aborted poll ends the session", () =>
    onHttpServer((echo) =>
      Effect.gen(function* () {
        const sid = sidOf((yield* ask(echo.url("transport=polling"))).text)
        const poll = Http.get(echo.url(`transport=polling&sid=${sid}`), { agent: false })
        poll.on("error", () => {})
        yield* until(() => echo.requests() === 2)
        poll.destroy()
        yield* until(() => echo.closed.length === 1)
        assert.strictEqual(echo.closed[0]!.reason, CloseReason.transportError)
      })
    )
  )
})

describe("refused WebSocket upgrades (T16)", () => {
  it.live("T16: answered with the status and body of the refusal, not with 400 and a text", () =>
    Effect.gen(function* () {
      const echo = yield* serve({ allowRequest: () => Effect.succeed("not you") })
      const answer = yield* rejection(echo.port, "/engine.io/?EIO=4&transport=websocket")
      assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
      assert.match(answer, /\r\nContent-Type: application\/json\r\n/)
      assert.match(answer, /\r\n\r\n\{"code":4,"message":"not you"\}$/)
      const polling = yield* ask(echo.url("transport=polling"))
      assert.deepStrictEqual([polling.status, polling.text], [403, `{"code":4,"message":"not you"}`])
      assert.deepStrictEqual(echo.engine.counters.refused, [0, 0, 0, 0, 2, 0])
    }).pipe(Effect.scoped, Effect.provide(own))
  )
})

describe("other protocol versions (T15)", () => {
  for (const version of ["3", "5", "04", "x", "40"]) {
    it.live(`T15: EIO=${version} is refused with code 5, not taken for 3 or 4`, () =>
      Effect.gen(function* () {
        const errors: Array<unknown> = []
        const echo = yield* serve({ onConnectionError: ({ refusal }) => errors.push(refusal.context) })
        const path = `/engine.io/?EIO=${version}&transport=`
        const polling = yield* ask(`http://127.0.0.1:${echo.port}${path}polling`)
        assert.strictEqual(polling.text, `{"code":5,"message":"Unsupported protocol version"}`)
        assert.match(
          yield* rejection(echo.port, `${path}websocket`),
          /\{"code":5,"message":"Unsupported protocol version"\}$/
        )
        const protocol = /^[1-9]\d*$/.test(version) ? Number(version) : 0
        assert.deepStrictEqual(errors, [{ protocol }, { protocol }])
      }).pipe(Effect.scoped, Effect.provide(own))
    )
  }
})

const upgradeHead = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

/** The raw answer to an upgrade that is refused. */
const rejection = (port: number, path: string) =>
  Effect.callback<string>((resume) => {
    const socket = Net.connect(port, "127.0.0.1")
    let text = ""
    socket.on("data", (data) => (text += data.toString()))
    socket.on("end", () => resume(Effect.succeed(text)))
    socket.on("error", () => resume(Effect.succeed(text)))
    socket.write(upgradeHead(path))
  })

/** A WebSocket client that never answers a close frame. */
const handshakeByHand = (port: number) =>
  Effect.callback<Socket>((resume) => {
    const socket = Net.connect(port, "127.0.0.1")
    socket.on("error", () => {})
    socket.once("data", () => resume(Effect.succeed(socket)))
    socket.write(upgradeHead("/engine.io/?EIO=4&transport=websocket"))
  })
