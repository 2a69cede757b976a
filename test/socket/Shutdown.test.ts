import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import { EngineError } from "../../src/engine/EngineError.ts"
import { EngineHost } from "../../src/engine/EngineHost.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "./FakeSession.ts"

const Main = Namespace.make("/", { fromClient: { go: Event.make({ args: [] }) } })

/** A host that notes when it serves and when it stops. */
const noting = (log: Array<string>) =>
  Layer.succeed(EngineHost, {
    serve: (_handler, { path, maxPayload }) =>
      Effect.acquireRelease(
        Effect.sync(() => log.push(`listen ${path} ${maxPayload}`)),
        () => Effect.sync(() => log.push("stop listening"))
      ),
    address: Effect.succeed(undefined)
  })

describe("serve", () => {
  it.effect(
    "builds the namespaces first and listens last; stops accepting first and releases the namespaces last",
    () =>
      Effect.gen(function* () {
        const log: Array<string> = []
        const note = (text: string) => Effect.sync(() => log.push(text))
        class Database extends Context.Service<Database, string>()("test/Database") {}
        const DatabaseLive = Layer.effect(
          Database,
          Effect.acquireRelease(Effect.as(note("open database"), "db"), () => note("close database"))
        )
        const Live = SocketServer.namespace(
          Main,
          Effect.fnUntraced(function* (socket) {
            yield* Database
            yield* Effect.addFinalizer(() => Effect.andThen(Effect.sleep("1 second"), note("socket released")))
            yield* socket.onDisconnecting(({ reason }) => note(`disconnecting ${reason}`))
            yield* socket.onDisconnect(({ reason }) => note(`disconnect ${reason}`))
          })
        ).pipe(Layer.provide(DatabaseLive))
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(
          SocketServer.serve(Live, { maxHttpBufferSize: 500 }).pipe(
            Layer.provide(InMemoryAdapter.layer),
            Layer.provide(noting(log))
          ),
          scope
        )
        assert.deepStrictEqual(log.splice(0), ["open database", "listen /socket.io/ 500"])
        const client = Fake.clientOf(Context.get(context, SocketServer.SocketServer))
        client.connect("/")
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        assert.deepStrictEqual(log, [
          "stop listening",
          "disconnecting server shutting down",
          "disconnect server shutting down"
        ])
        assert.isUndefined(closing.pollUnsafe())
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(log.slice(3), ["socket released", "close database"])
        assert.isDefined(closing.pollUnsafe())
      })
  )

  it.effect("clients are not told to leave: an official client would not come back", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(SocketServer.namespace(Main, () => Effect.void))
      const client = server.connected("/")
      yield* server.stop
      assert.deepStrictEqual(
        client.packets.map(({ type }) => type),
        [0]
      )
      assert.strictEqual(server.server.core.counters.sockets, 0)
    })
  )

  it.effect("paths", () =>
    Effect.gen(function* () {
      const paths: ReadonlyArray<readonly [SocketServer.Options, string]> = [
        [{}, "/socket.io/"],
        [{ path: "/chat" }, "/chat/"],
        [{ path: "/chat/" }, "/chat/"],
        [{ addTrailingSlash: false }, "/socket.io"]
      ]
      for (const [options, path] of paths) {
        const log: Array<string> = []
        yield* Effect.scoped(
          Layer.build(
            SocketServer.serve(Layer.empty, options).pipe(
              Layer.provide(InMemoryAdapter.layer),
              Layer.provide(noting(log))
            )
          )
        )
        assert.strictEqual(log[0], `listen ${path} 1000000`)
      }
    })
  )

  it.effect("options that make no sense are a typed failure", () =>
    Effect.gen(function* () {
      const bad: ReadonlyArray<SocketServer.Options> = [
        { pingInterval: -1 },
        { connectTimeout: -1 },
        { maxRunningHandlers: 0 },
        { maxNamespaces: Number.NaN }
      ]
      for (const options of bad) {
        const exit = yield* SocketServer.serve(Layer.empty, options).pipe(
          Layer.provide(InMemoryAdapter.layer),
          Layer.provide(noting([])),
          Layer.build,
          Effect.scoped,
          Effect.exit
        )
        assert.isTrue(Exit.isFailure(exit))
        const error = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined
        assert.instanceOf(error, EngineError)
        assert.strictEqual(error.reason, "Config")
      }
    })
  )

  it.effect("two servers of one program each have the namespaces they are given", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const Live = SocketServer.namespace(Main, () => Effect.void)
      const server = SocketServer.serve(Live).pipe(Layer.provide(InMemoryAdapter.layer), Layer.provide(noting(log)))
      const both = yield* Layer.build(
        Layer.mergeAll(
          Layer.effectDiscard(
            Effect.flatMap(SocketServer.namespaces, (names) => Effect.sync(() => log.push(`a ${names}`)))
          ).pipe(Layer.provide(server)),
          Layer.effectDiscard(
            Effect.flatMap(SocketServer.namespaces, (names) => Effect.sync(() => log.push(`b ${names}`)))
          ).pipe(
            Layer.provide(
              SocketServer.serve(Live).pipe(Layer.provide(InMemoryAdapter.layer), Layer.provide(noting(log)))
            )
          )
        )
      )
      assert.isDefined(both)
      assert.includeMembers(log, ["a /", "b /"])
    })
  )

  it.effect("the same name twice is a mistake that is found at once", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Fake.make(
          Layer.mergeAll(
            SocketServer.namespace(Main, () => Effect.void),
            SocketServer.namespace(Namespace.untyped("/"), () => Effect.void)
          )
        )
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    })
  )
})
