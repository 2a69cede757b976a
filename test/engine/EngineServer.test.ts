import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { ConnectionError } from "../../src/engine/EngineConfig.ts"
import * as EngineServer from "../../src/engine/EngineServer.ts"
import type { SessionSink } from "../../src/engine/Session.ts"
import * as Sessions from "../../src/engine/Sessions.ts"
import * as PollingTransport from "../../src/engine/PollingTransport.ts"
import * as Transports from "../../src/engine/Transports.ts"
import * as WebSocketTransport from "../../src/engine/WebSocketTransport.ts"
import { FakeExchange, FakeUpgrade, make, message, plain, sidOf, turn } from "./Doubles.ts"

const calm = { pingInterval: "1 hour" } as const
const nobody: SessionSink = { onMessage: () => {}, onDrain: () => {}, onClose: () => {} }

describe("handshake", () => {
  it.effect("tells sid, upgrades, times and limit, and nothing else", () =>
    Effect.gen(function* () {
      const bench = yield* make()
      const exchange = bench.get("EIO=4&transport=polling")
      assert.strictEqual(exchange.status, 200)
      const handshake = JSON.parse((exchange.text ?? "").slice(1)) as Record<string, unknown>
      assert.deepStrictEqual(
        { ...handshake, sid: "" },
        { sid: "", upgrades: ["websocket"], pingInterval: 25000, pingTimeout: 20000, maxPayload: 1000000 }
      )
      assert.match(String(handshake["sid"]), /^[\w-]{20}$/)
      const { socket } = bench.upgrade("EIO=4&transport=websocket")
      yield* turn
      assert.deepStrictEqual((JSON.parse(String(socket.take()[0]).slice(1)) as { upgrades: unknown }).upgrades, [])
      assert.strictEqual(bench.engine.clientsCount, 2)
      assert.deepStrictEqual(bench.engine.counters.opened, { polling: 1, websocket: 1 })
    })
  )

  it.effect("the initial packet follows the open packet", () =>
    Effect.gen(function* () {
      const bench = yield* make({ ...calm, initialPacket: "welcome" })
      assert.isTrue(bench.get("EIO=4&transport=polling").text?.endsWith("}\x1e4welcome"))
      const { socket } = bench.upgrade("EIO=4&transport=websocket")
      yield* turn
      assert.strictEqual(socket.take()[1], "4welcome")
    })
  )

  it.effect("what is kept of the first request", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust(1234)
      const bench = yield* make({ ...calm, keepRequest: true })
      const query = "EIO=4&transport=polling&a=1&a=2&__proto__=x&t=%20y"
      bench.get(query, { origin: "http://other.test" })
      const session = bench.sessions[0]!
      const { handshake } = session
      assert.strictEqual(handshake.url, `/engine.io/?${query}`)
      assert.deepStrictEqual(Object.entries(handshake.query), [
        ["EIO", "4"],
        ["transport", "polling"],
        ["a", "2"],
        ["__proto__", "x"],
        ["t", " y"]
      ])
      assert.strictEqual(handshake.headers["host"], "server.test")
      assert.deepStrictEqual(
        [handshake.address, handshake.secure, handshake.crossOrigin, handshake.issued],
        ["192.0.2.1", false, true, 1234]
      )
      assert.deepStrictEqual(session.request, { query })
    })
  )

  it.effect("the request is not kept unless asked for; an origin of the same host is not foreign", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const crossOrigin = (headers?: Readonly<Record<string, string>>): boolean | undefined => {
        bench.get("EIO=4&transport=polling#hash", headers)
        return bench.sessions.at(-1)?.handshake.crossOrigin
      }
      assert.isFalse(crossOrigin())
      assert.isUndefined(bench.sessions[0]?.request)
      assert.isFalse(crossOrigin({ origin: "https://server.test" }))
      assert.isTrue(crossOrigin({ origin: "null" }))
      assert.strictEqual(bench.sessions[0]?.handshake.query["transport"], "polling")
    })
  )
})

describe("refusals", () => {
  const refused = (query: string, method = "GET", headers?: Readonly<Record<string, string>>) =>
    Effect.gen(function* () {
      const errors: Array<ConnectionError> = []
      const bench = yield* make({
        ...calm,
        transports: ["polling", "websocket"],
        onConnectionError: (error) => errors.push(error)
      })
      const { sid } = yield* bench.polling
      const socketSid = (yield* bench.websocket).sid
      const full = query.replace("$polling", sid).replace("$websocket", socketSid)
      const exchange = new FakeExchange(method, full, headers)
      bench.engine.handleRequest(exchange)
      const { code, context, message: text } = errors[0]!.refusal
      assert.deepStrictEqual(JSON.parse(exchange.text ?? ""), { code, message: text })
      assert.strictEqual(exchange.response?.headers["Content-Type"], "application/json")
      assert.strictEqual(bench.engine.counters.refused[code], 1)
      assert.strictEqual(bench.engine.clientsCount, 2)
      return [exchange.status, code, text, context]
    })

  it.effect("code 0: transport unknown, missing or not offered", () =>
    Effect.gen(function* () {
      for (const name of ["nope", "webtransport", "__proto__", "constructor"]) {
        assert.deepStrictEqual(yield* refused(`EIO=4&transport=${name}`), [
          400,
          0,
          "Transport unknown",
          { transport: name }
        ])
      }
      assert.deepStrictEqual(yield* refused("EIO=4"), [400, 0, "Transport unknown", { transport: "" }])
      const bench = yield* make({ ...calm, transports: ["websocket"] })
      assert.match(bench.get("EIO=4&transport=polling").text ?? "", /"code":0/)
    })
  )

  it.effect("code 1: session unknown", () =>
    Effect.gen(function* () {
      for (const sid of ["nobody", "__proto__"]) {
        assert.deepStrictEqual(yield* refused(`EIO=4&transport=polling&sid=${sid}`), [
          400,
          1,
          "Session ID unknown",
          { sid }
        ])
      }
    })
  )

  it.effect("code 2: a session begins with GET", () =>
    Effect.gen(function* () {
      for (const method of ["POST", "PUT", "DELETE"]) {
        assert.deepStrictEqual(yield* refused("EIO=4&transport=polling", method), [
          400,
          2,
          "Bad handshake method",
          { method }
        ])
      }
    })
  )

  it.effect("code 3: bad requests and their contexts", () =>
    Effect.gen(function* () {
      const bad = (context: unknown): ReadonlyArray<unknown> => [400, 3, "Bad request", context]
      assert.deepStrictEqual(
        yield* refused("EIO=4&transport=websocket&sid=$polling"),
        bad({ name: "TRANSPORT_MISMATCH", transport: "websocket", previousTransport: "polling" })
      )
      assert.deepStrictEqual(
        yield* refused("EIO=4&transport=polling&sid=$websocket"),
        bad({ name: "TRANSPORT_MISMATCH", transport: "polling", previousTransport: "websocket" })
      )
      assert.deepStrictEqual(
        yield* refused("EIO=3&transport=polling&sid=$polling"),
        bad({ name: "PROTOCOL_MISMATCH", protocol: 3, previousProtocol: 4 })
      )
      assert.deepStrictEqual(yield* refused("EIO=4&transport=websocket"), bad({ name: "TRANSPORT_HANDSHAKE_ERROR" }))
      assert.deepStrictEqual(
        yield* refused("EIO=4&transport=websocket&sid=$websocket"),
        bad({ name: "TRANSPORT_HANDSHAKE_ERROR" })
      )
      for (const origin of ["http://x\u0000", "http://\u0100", "http://x\u007f"]) {
        assert.deepStrictEqual(
          yield* refused("EIO=4&transport=polling", "GET", { origin }),
          bad({ name: "INVALID_ORIGIN", origin })
        )
      }
    })
  )

  it.effect("upgrades are refused by the same rules", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      const { sid } = yield* bench.polling
      for (const [query, code] of [
        ["EIO=4&transport=nope", 0],
        ["EIO=4&transport=websocket&sid=nobody", 1],
        ["EIO=4&transport=polling", 3],
        [`EIO=4&transport=polling&sid=${sid}`, 3],
        [`EIO=3&transport=websocket&sid=${sid}`, 3],
        ["EIO=3&transport=websocket", 5],
        ["transport=websocket", 5]
      ] as const) {
        const { rejected } = bench.upgrade(query)
        assert.strictEqual(rejected?.status, 400)
        assert.include(String(rejected?.body), `"code":${code}`)
      }
    })
  )

  it.effect(
    "code 4: allowRequest, by a string, by false, by failing, by dying; not asked again within the session",
    () =>
      Effect.gen(function* () {
        let asked = 0
        const bench = yield* make({
          ...calm,
          allowRequest: (request) => {
            asked++
            switch (request.headers["x-how"]) {
              case "string":
                return Effect.succeed("custom")
              case "false":
                return Effect.succeed(false)
              case "fail":
                return Effect.fail("secret reason")
              case "throw":
                throw new Error("bug")
              case "late":
                return Effect.as(Effect.sleep(100), true)
              default:
                return Effect.succeed(true)
            }
          }
        })
        const how = (name: string): FakeExchange => bench.get("EIO=4&transport=polling", { "x-how": name })
        assert.deepStrictEqual([how("string").status, how("string").text], [403, `{"code":4,"message":"custom"}`])
        for (const name of ["false", "fail", "throw"]) {
          assert.deepStrictEqual([how(name).status, how(name).text], [403, `{"code":4,"message":"Forbidden"}`])
        }
        const late = how("late")
        assert.isUndefined(late.status)
        yield* TestClock.adjust(100)
        assert.strictEqual(late.status, 200)
        const { query } = yield* bench.polling
        const before = asked
        bench.post(query, "4x")
        assert.strictEqual(asked, before)
      })
  )
})

describe("session ids", () => {
  it.effect("are as generateId makes them: text, promise or Effect; it is given the request", () =>
    Effect.gen(function* () {
      const makers = [
        () => "own id",
        () => Promise.resolve("own id"),
        () => Effect.succeed("own id"),
        () => Effect.as(Effect.sleep(10), "own id")
      ]
      for (const maker of makers) {
        const urls: Array<string> = []
        const bench = yield* make({
          ...calm,
          generateId: (request) => {
            urls.push(request.url)
            return maker()
          }
        })
        const exchange = bench.get("EIO=4&transport=polling")
        yield* Effect.promise(() => Promise.resolve())
        yield* TestClock.adjust(10)
        yield* turn
        assert.strictEqual(sidOf(exchange.text ?? ""), "own id")
        assert.deepStrictEqual(urls, ["/engine.io/?EIO=4&transport=polling"])
        assert.strictEqual(bench.post("EIO=4&transport=polling&sid=own%20id", "4x").text, "ok")
      }
    })
  )

  it.effect("a generator that fails, throws, gives no text or a taken id is a bad request", () =>
    Effect.gen(function* () {
      const makers: ReadonlyArray<() => string | Effect.Effect<string, unknown> | Promise<string>> = [
        () => Effect.fail("no"),
        () => Effect.die("no"),
        () => {
          throw new Error("no")
        },
        () => "",
        () => Promise.reject(new Error("no")),
        () => "taken"
      ]
      for (const [index, generateId] of makers.entries()) {
        const names: Array<unknown> = []
        const bench = yield* make({
          ...calm,
          generateId: (request) => (request.headers["x-first"] === "1" ? "taken" : generateId()),
          onConnectionError: ({ refusal }) => names.push((refusal.context as { readonly name: string }).name)
        })
        assert.strictEqual(bench.get("EIO=4&transport=polling", { "x-first": "1" }).status, 200)
        const exchange = bench.get("EIO=4&transport=polling")
        const upgrade = bench.upgrade("EIO=4&transport=websocket")
        for (let i = 0; i < 3; i++) yield* Effect.promise(() => Promise.resolve())
        yield* turn
        assert.strictEqual(exchange.text, `{"code":3,"message":"Bad request"}`, `maker ${index}`)
        assert.strictEqual(upgrade.rejected?.status, 400)
        assert.deepStrictEqual(names, ["ID_GENERATION_ERROR", "ID_GENERATION_ERROR"])
      }
    })
  )

  it.effect("are unlike each other, and follow a seed where the program has set one", () =>
    Effect.gen(function* () {
      const ids = (count: number) =>
        Effect.gen(function* () {
          const bench = yield* make(calm)
          for (let i = 0; i < count; i++) bench.get("EIO=4&transport=polling")
          return bench.sessions.map(({ id }) => id)
        })
      const secure = yield* ids(500)
      assert.strictEqual(new Set(secure).size, 500)
      assert.isTrue(secure.every((id) => /^[\w-]{20}$/.test(id)))
      const seeded = yield* Random.withSeed(ids(3), "a")
      assert.deepStrictEqual(yield* Random.withSeed(ids(3), "a"), seeded)
      assert.notDeepEqual(yield* Random.withSeed(ids(3), "b"), seeded)
    })
  )
})

describe("hooks and cookie", () => {
  it.effect("initial headers and cookie on the first answer, headers on each", () =>
    Effect.gen(function* () {
      const bench = yield* make({
        ...calm,
        cookie: true,
        onInitialHeaders: (headers) => void (headers["x-initial"] = "1"),
        onHeaders: (headers, request) => void (headers["x-url"] = request.url)
      })
      const first = bench.get("EIO=4&transport=polling")
      const sid = sidOf(first.text ?? "")
      assert.deepStrictEqual(first.response?.headers["Set-Cookie"], [`io=${sid}; Path=/; HttpOnly; SameSite=Lax`])
      assert.strictEqual(first.response?.headers["x-initial"], "1")
      assert.strictEqual(first.response?.headers["x-url"], "/engine.io/?EIO=4&transport=polling")
      const post = bench.post(`EIO=4&transport=polling&sid=${sid}`, "4x")
      assert.isUndefined(post.response?.headers["Set-Cookie"])
      assert.isUndefined(post.response?.headers["x-initial"])
      assert.isDefined(post.response?.headers["x-url"])
      const upgrade = bench.upgrade("EIO=4&transport=websocket")
      assert.deepStrictEqual(upgrade.accepted, { "x-initial": "1", "x-url": "/engine.io/?EIO=4&transport=websocket" })
      const probe = bench.upgrade(`EIO=4&transport=websocket&sid=${sid}`)
      assert.deepStrictEqual(Object.keys(probe.accepted ?? {}), ["x-url"])
    })
  )

  it.effect("a hook that throws is reported and changes nothing", () =>
    Effect.gen(function* () {
      const reports: Array<unknown> = []
      const bug = (): never => {
        throw new Error("bug")
      }
      yield* Effect.gen(function* () {
        const bench = yield* make({ ...calm, onHeaders: bug, onInitialHeaders: bug, onConnectionError: bug })
        assert.strictEqual(bench.get("EIO=4&transport=polling").status, 200)
        assert.strictEqual(bench.get("EIO=4&transport=nope").status, 400)
      }).pipe(Effect.provide(Logger.layer([Logger.make((entry) => reports.push(entry.message))])))
      assert.strictEqual(reports.length, 3)
    })
  )
})

describe("the end of the engine", () => {
  it.effect("closes every session and refuses everything after", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const bench = yield* make(calm).pipe(Scope.provide(scope))
      const { query, session } = yield* bench.polling
      const { socket } = yield* bench.websocket
      const poll = bench.get(query)
      session.write(message("bye"), plain)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(
        bench.closed.map(({ reason }) => reason),
        ["forced close", "forced close"]
      )
      assert.strictEqual(poll.text, "4bye")
      assert.deepStrictEqual(socket.ended, { code: 1005 })
      assert.strictEqual(bench.get("EIO=4&transport=polling").status, 503)
      assert.strictEqual(bench.upgrade("EIO=4&transport=websocket").rejected?.status, 503)
      assert.strictEqual(bench.engine.deadlines.size, 0)
    })
  )

  it.effect("a handshake that is still being decided is refused", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const bench = yield* make({ ...calm, allowRequest: () => Effect.as(Effect.sleep(100), true) }).pipe(
        Scope.provide(scope)
      )
      const exchange = bench.get("EIO=4&transport=polling")
      const upgrade = bench.upgrade("EIO=4&transport=websocket")
      yield* Scope.close(scope, Exit.void)
      yield* turn
      assert.oneOf(exchange.status, [403, 503])
      assert.oneOf(upgrade.rejected?.status, [403, 503])
      assert.strictEqual(bench.sessions.length, 0)
    })
  )

  it.effect("a WebSocket that completes its handshake too late is cut off", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const bench = yield* make(calm).pipe(Scope.provide(scope))
      const upgrade = new FakeUpgrade("EIO=4&transport=websocket")
      let ready: (() => void) | undefined
      upgrade.accept = (_headers, then) => {
        ready = () => then(upgrade.socket)
      }
      bench.engine.handleUpgrade(upgrade)
      yield* Scope.close(scope, Exit.void)
      ready?.()
      assert.strictEqual(upgrade.socket.ended, "terminated")
      assert.strictEqual(bench.sessions.length, 0)
    })
  )
})

describe("services", () => {
  it.effect("the engine is a layer, and takes sessions and transports from the context", () =>
    Effect.gen(function* () {
      const transports = Layer.provideMerge(
        Layer.mergeAll(PollingTransport.layer, WebSocketTransport.layer),
        Transports.layer
      )
      const context = yield* Layer.build(
        Layer.provideMerge(
          EngineServer.layer(calm, () => nobody),
          Layer.mergeAll(transports, Sessions.layer)
        )
      )
      const engine = Context.get(context, EngineServer.EngineServer)
      assert.deepStrictEqual(Context.get(context, Transports.Transports).names, ["polling", "websocket"])
      const exchange = new FakeExchange("GET", "EIO=4&transport=polling")
      engine.handleRequest(exchange)
      assert.strictEqual(exchange.status, 200)
      assert.strictEqual(Context.get(context, Sessions.Sessions).count, 1)
      const sid = sidOf(exchange.text ?? "")
      assert.strictEqual(Context.get(context, Sessions.Sessions).get(sid)?.id, sid)
    })
  )

  it.effect("a server without the polling layer has no polling", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(Layer.provideMerge(WebSocketTransport.layer, Transports.layer))
      const bench = yield* make(calm).pipe(Effect.provide(context))
      assert.match(bench.get("EIO=4&transport=polling").text ?? "", /"code":0/)
      yield* bench.websocket
    })
  )

  it.effect("options that make no sense fail the layer", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Layer.build(EngineServer.layer({ pingInterval: "-1 second" }, () => nobody)))
      assert.deepStrictEqual([error._tag, error.reason], ["EngineError", "Config"])
    })
  )

  it("transports: a later one of the same name replaces an earlier one until it goes", () => {
    const transports = Transports.makeUnsafe([PollingTransport.factory])
    const other = { ...PollingTransport.factory, upgradesTo: [] }
    const remove = transports.add(other)
    assert.strictEqual(transports.get("polling"), other)
    assert.deepStrictEqual(transports.names, ["polling"])
    remove()
    assert.strictEqual(transports.get("polling"), PollingTransport.factory)
    assert.isUndefined(transports.get("websocket"))
  })

  it.effect("a registry refuses a second session of the same id, and keeps the first", () =>
    Effect.gen(function* () {
      const bench = yield* make(calm)
      yield* bench.polling
      const registry = Sessions.makeUnsafe()
      const session = bench.engine.sessions.values()[0]!
      assert.isTrue(registry.add(session))
      assert.isFalse(registry.add(session))
      registry.remove(session)
      registry.remove(session)
      assert.strictEqual(registry.count, 0)
    })
  )
})
