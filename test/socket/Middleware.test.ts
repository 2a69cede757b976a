import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as Middleware from "../../src/socket/Middleware.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "./FakeSession.ts"

class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { hint: Schema.String }) {
  override get message() {
    return `not authorized: ${this.hint}`
  }
}

class Users extends Context.Service<Users, { verify(token: string): Effect.Effect<string, Unauthorized> }>()(
  "test/Users"
) {
  static readonly layer = Layer.succeed(Users, {
    verify: (token) =>
      token === "secret" ? Effect.succeed("ada") : Effect.fail(new Unauthorized({ hint: `token ${token}` }))
  })
}

class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("test/CurrentUser") {}
class Role extends Context.Service<Role, string>()("test/Role") {}

class Authenticate extends Middleware.Service<Authenticate>()("test/Authenticate", {
  provides: CurrentUser,
  failure: Unauthorized,
  auth: Schema.Struct({ token: Schema.String })
}) {
  static readonly layer = Middleware.layer(
    this,
    Effect.fnUntraced(function* ({ auth }) {
      const users = yield* Users
      return { name: yield* users.verify(auth.token) }
    })
  ).pipe(Layer.provide(Users.layer))
}

/** Needs what `Authenticate` provides. */
class Authorize extends Middleware.Service<Authorize>()("test/Authorize", { provides: Role }) {
  static readonly layer = Middleware.layer(
    this,
    Effect.fnUntraced(function* () {
      const { name } = yield* CurrentUser
      return `admin ${name}`
    })
  )
}

const Chat = Namespace.make("/chat", {
  refusal: Unauthorized,
  fromClient: { who: Event.make({ args: [], ack: Schema.String }) }
})
const nsp = "/chat"

const Who = SocketServer.namespace(Chat, (socket) =>
  socket.on("who", () => Effect.map(CurrentUser, ({ name }) => name))
)

describe("a middleware service", () => {
  it.effect("provides its service to the handlers of the socket", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Who.pipe(Layer.provide(Authenticate.layer)))
      const client = server.connected(nsp, { token: "secret" })
      client.ask(nsp, 0, "who")
      assert.deepStrictEqual(client.acks.get(0), ["ada"])
    })
  )

  it.effect("refuses with the contract's refusal as data", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Who.pipe(Layer.provide(Authenticate.layer)))
      const client = server.connected(nsp, { token: "guess" })
      assert.deepStrictEqual(client.refusal(nsp), {
        message: "not authorized: token guess",
        data: { _tag: "Unauthorized", hint: "token guess" }
      })
      assert.isUndefined(client.session.closed)
      assert.deepStrictEqual(server.reports, [])
      client.connect(nsp, { token: "secret" })
      assert.isDefined(client.sid(nsp))
    })
  )

  it.effect("refuses in its own form where the contract declares none", () =>
    Effect.gen(function* () {
      const Bare = SocketServer.namespace(Namespace.make("/bare", {}), () => Effect.void)
      const server = yield* Fake.make(Bare.pipe(Layer.provide(Authenticate.layer)))
      const client = server.connected("/bare", { token: "guess" })
      assert.deepStrictEqual(client.refusal("/bare"), {
        message: "not authorized: token guess",
        data: { _tag: "Unauthorized", hint: "token guess" }
      })
    })
  )

  it.effect("auth that its schema does not take is refused", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(Who.pipe(Layer.provide(Authenticate.layer)))
      assert.deepStrictEqual(server.connected(nsp, { token: 5 }).refusal(nsp), { message: "invalid auth" })
      assert.deepStrictEqual(server.connected(nsp).refusal(nsp), { message: "invalid auth" })
    })
  )

  it.effect("several compose, whichever way they are provided", () =>
    Effect.gen(function* () {
      const Roles = SocketServer.namespace(Chat, (socket) => socket.on("who", () => Effect.map(Role, (role) => role)))
      const ways = [
        Roles.pipe(Layer.provide(Authorize.layer), Layer.provide(Authenticate.layer)),
        Roles.pipe(Layer.provide(Authorize.layer.pipe(Layer.provide(Authenticate.layer)))),
        Roles.pipe(Layer.provide(Authorize.layer.pipe(Layer.provideMerge(Authenticate.layer))))
      ]
      for (const way of ways) {
        const server = yield* Fake.make(way)
        const client = server.connected(nsp, { token: "secret" })
        client.ask(nsp, 0, "who")
        assert.deepStrictEqual(client.acks.get(0), ["admin ada"])
        assert.isDefined(server.connected(nsp, { token: "x" }).refusal(nsp))
      }
    })
  )

  it.effect("one namespace's middleware is none of another's", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const noted = (name: string) =>
        Middleware.make(({ namespace }) => Effect.sync(() => log.push(`${name} ${namespace}`)))
      const a = noted("a")
      const One = SocketServer.namespace(Namespace.make("/one", {}), () => Effect.void)
      const Two = SocketServer.namespace(Namespace.make("/two", {}), () => Effect.void)
      const server = yield* Fake.make(
        Layer.mergeAll(
          One.pipe(Layer.provide(a), Layer.provide(noted("b"))),
          Two.pipe(Layer.provide(a), Layer.provide(noted("c")))
        ).pipe(Layer.provide(noted("all")))
      )
      server.connected("/one")
      server.connected("/two")
      assert.deepStrictEqual(log, ["all /one", "b /one", "a /one", "all /two", "c /two", "a /two"])
    })
  )

  it.effect("of an array the first runs first", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const noted = (name: string) => Middleware.make(() => Effect.sync(() => log.push(name)))
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, () => Effect.void).pipe(Layer.provide([noted("1"), noted("2"), noted("3")]))
      )
      server.connected(nsp)
      assert.deepStrictEqual(log, ["1", "2", "3"])
    })
  )

  it.effect("its own services are not those of the handlers", () =>
    Effect.gen(function* () {
      class Name extends Context.Service<Name, string>()("test/Name") {}
      const seen: Array<string> = []
      const asks = Middleware.make(() => Effect.map(Name, (name) => seen.push(name))).pipe(
        Layer.provide(Layer.succeed(Name, "middleware"))
      )
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, () => Effect.map(Name, (name) => seen.push(name))).pipe(
          Layer.provide(asks),
          Layer.provide(Layer.succeed(Name, "handler"))
        )
      )
      server.connected(nsp)
      assert.deepStrictEqual(seen, ["middleware", "handler"])
    })
  )
})

describe("what middleware may do", () => {
  it.effect("join rooms, attach data, filter the socket's events", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const Prepare = Middleware.make((socket) =>
        Effect.gen(function* () {
          yield* socket.join("lobby")
          yield* socket.setData({ level: 3 })
          yield* socket.transform(Stream.filter(({ event }) => event !== "secret"))
          yield* socket.use((packet, next) => (packet.args[0] === 0 ? Effect.void : next(packet)))
        })
      )
      const Untyped = Namespace.untyped("/u")
      const server = yield* Fake.make(
        SocketServer.namespace(
          Untyped,
          Effect.fnUntraced(function* (socket) {
            seen.push(socket.data, Array.from(socket.rooms).length)
            for (const name of ["secret", "open"]) {
              yield* socket.on(name, (...args) => Effect.sync(() => seen.push([name, ...args])))
            }
          })
        ).pipe(Layer.provide(Prepare))
      )
      const client = server.connected("/u")
      client.emit("/u", "secret", 1)
      client.emit("/u", "open", 0)
      client.emit("/u", "open", 1)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(seen, [{ level: 3 }, 2, ["open", 1]])
      const u = yield* SocketServer.handle(Untyped).pipe(Effect.provide(server.context))
      yield* u.to("lobby").emit("hello")
      assert.deepStrictEqual(client.events, [["hello"]])
    })
  )

  it.effect("a socket in middleware is in no room that broadcasts reach", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Namespace.untyped("/u"), () => Effect.void).pipe(
          Layer.provide(Middleware.make((socket) => Effect.andThen(socket.join("lobby"), Effect.sleep("1 second"))))
        )
      )
      const client = server.connected("/u")
      const u = yield* SocketServer.handle(Namespace.untyped("/u")).pipe(Effect.provide(server.context))
      yield* u.to("lobby").emit("early")
      yield* TestClock.adjust("1 second")
      yield* u.to("lobby").emit("late")
      assert.deepStrictEqual(client.events, [["late"]])
    })
  )

  it.effect("functions may be added to a running namespace", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(SocketServer.namespace(Chat, () => Effect.void))
      server.connected(nsp)
      const chat = yield* SocketServer.handle(Chat).pipe(Effect.provide(server.context))
      yield* chat.use(() => Effect.fail(new Unauthorized({ hint: "closed" })))
      assert.deepStrictEqual(server.connected(nsp).refusal(nsp), {
        message: "not authorized: closed",
        data: { _tag: "Unauthorized", hint: "closed" }
      })
      assert.strictEqual(server.server.core.counters.sockets, 1)
    })
  )
})

describe("T6: middleware that throws", () => {
  const bugs: ReadonlyArray<readonly [string, Layer.Layer<never>]> = [
    ["a defect", Middleware.make(() => Effect.die(new Error("secret")))],
    [
      "a throw",
      Middleware.make(() => {
        throw new Error("secret")
      })
    ],
    ["a late defect", Middleware.make(() => Effect.andThen(Effect.sleep(1), Effect.die("secret")))],
    ["a rejected promise", Middleware.make(() => Effect.promise(() => Promise.reject(new Error("secret"))))],
    ["an interruption", Middleware.make(() => Effect.interrupt)]
  ]
  for (const [name, layer] of bugs) {
    it.effect(`${name}: the client gets an answer without the details, the sink gets them`, () =>
      Effect.gen(function* () {
        const server = yield* Fake.make(SocketServer.namespace(Chat, () => Effect.void).pipe(Layer.provide(layer)))
        const client = server.connected(nsp)
        yield* TestClock.adjust(1)
        yield* Effect.promise(() => Promise.resolve())
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(client.refusal(nsp), { message: "internal error" })
        assert.strictEqual(server.reports.length, 1)
        assert.strictEqual(server.reports[0]!.stage, "middleware")
        assert.strictEqual(server.server.core.counters.handlerFailures, 1)
      })
    )
  }

  it.effect("a failure that no form exists for is told by its message alone", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(
        SocketServer.namespace(Chat, () => Effect.void).pipe(
          Layer.provide(Middleware.make(() => Effect.fail(new Error("no entry"))))
        )
      )
      assert.deepStrictEqual(server.connected(nsp).refusal(nsp), { message: "no entry" })
    })
  )
})

describe("a client that leaves during middleware", () => {
  const leave: ReadonlyArray<readonly [string, (client: Fake.FakeClient) => void]> = [
    ["by DISCONNECT", (client) => client.disconnect(nsp)],
    ["by losing the connection", (client) => client.lose()]
  ]
  for (const [name, act] of leave) {
    it.effect(`${name}: neither connects nor disconnects; the middleware is interrupted and released`, () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const gate = yield* Deferred.make<void>()
        const Slow = Middleware.make(() =>
          Effect.gen(function* () {
            yield* Effect.addFinalizer(() => Effect.sync(() => log.push("released")))
            yield* Deferred.await(gate)
          }).pipe(Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted"))))
        )
        const server = yield* Fake.make(
          SocketServer.namespace(Chat, (socket) =>
            Effect.andThen(
              socket.onDisconnect(() => Effect.sync(() => log.push("disconnected"))),
              Effect.sync(() => log.push("connected"))
            )
          ).pipe(Layer.provide(Slow))
        )
        const client = server.connected(nsp)
        act(client)
        yield* Deferred.succeed(gate, undefined)
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(log.toSorted(), ["interrupted", "released"])
        assert.strictEqual(server.server.core.counters.connected, 0)
        assert.deepStrictEqual(server.reports, [])
        if (client.session.closed === undefined) {
          client.connect(nsp)
          assert.strictEqual(log.filter((entry) => entry === "connected").length, 1)
        }
      })
    )
  }
})

describe("auth of the contract", () => {
  const Members = Namespace.make("/members", {
    auth: Schema.Struct({ username: Schema.NonEmptyString }),
    authMessage: "invalid username"
  })

  it.effect("is decoded before any middleware; its message is the contract's", () =>
    Effect.gen(function* () {
      let asked = 0
      const names: Array<string> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Members, (socket) => Effect.sync(() => names.push(socket.auth.username))).pipe(
          Layer.provide(Middleware.make(() => Effect.sync(() => asked++)))
        )
      )
      assert.deepStrictEqual(server.connected("/members", { username: "" }).refusal("/members"), {
        message: "invalid username"
      })
      assert.deepStrictEqual(server.connected("/members").refusal("/members"), { message: "invalid username" })
      assert.strictEqual(asked, 0)
      server.connected("/members", { username: "ada" })
      assert.deepStrictEqual([asked, names], [1, ["ada"]])
    })
  )

  it.effect("the handshake has it as it came; without auth it is {}", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const server = yield* Fake.make(
        SocketServer.namespace(Namespace.untyped("/"), ({ auth, handshake }) =>
          Effect.sync(() => seen.push(auth, handshake.auth))
        )
      )
      server.connected("/")
      server.connected("/", { a: 1 })
      assert.deepStrictEqual(seen, [{}, {}, { a: 1 }, { a: 1 }])
    })
  )
})
