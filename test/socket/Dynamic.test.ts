import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Adapter, AdapterError, type NamespaceAdapter } from "../../src/adapter/Adapter.ts"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"
import * as Middleware from "../../src/socket/Middleware.ts"
import * as SocketServer from "../../src/socket/SocketServer.ts"
import * as Fake from "./FakeSession.ts"

const Org = Namespace.make("/org/:id", {
  params: { id: Schema.FiniteFromString },
  fromServer: { hello: Event.make({ args: [Schema.Finite] }) }
})
const OrgLive = SocketServer.namespace(Org, (socket) => socket.emit("hello", socket.params.id))

describe("dynamic namespaces", () => {
  it.effect("parameters are decoded; a name that does not decode is no namespace", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(OrgLive)
      const client = server.connected("/org/7")
      assert.deepStrictEqual(client.events, [["hello", 7]])
      for (const name of ["/org/x", "/org/", "/org", "/org/7/8"]) {
        client.connect(name)
        assert.deepStrictEqual(client.refusal(name), { message: "Invalid namespace" })
      }
    })
  )

  it.effect("two names of a family are two namespaces", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(OrgLive)
      const one = server.connected("/org/1")
      const two = server.connected("/org/2")
      const handle = yield* SocketServer.handle(Org, { id: 2 }).pipe(Effect.provide(server.context))
      yield* handle.emit("hello", 99)
      assert.deepStrictEqual(one.events, [["hello", 1]])
      assert.deepStrictEqual(two.events, [
        ["hello", 2],
        ["hello", 99]
      ])
    })
  )

  it.effect("a regular expression and a predicate; a fixed name comes before them, then the order of declaration", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const live = (contract: Namespace.Any, label: string) =>
        SocketServer.namespace(contract, ({ name }) => Effect.sync(() => log.push(`${label} ${name}`)))
      const server = yield* Fake.make(
        live(Namespace.untyped(/^\/d-\d+$/), "pattern").pipe(
          Layer.provideMerge(
            live(
              Namespace.untyped((name, auth) => name.startsWith("/d-") && Object.hasOwn(Object(auth), "ok")),
              "predicate"
            )
          ),
          Layer.provideMerge(live(Namespace.untyped("/d-1"), "fixed"))
        )
      )
      server.connected("/d-1")
      server.connected("/d-2")
      server.connected("/d-3", { ok: true })
      const refused = server.connected("/d-x")
      assert.deepStrictEqual(refused.refusal("/d-x"), { message: "Invalid namespace" })
      server.connected("/d-x", { ok: true })
      assert.deepStrictEqual(log, ["fixed /d-1", "pattern /d-2", "predicate /d-3", "predicate /d-x"])
    })
  )

  it.effect("newNamespaces tells each name once", () =>
    Effect.gen(function* () {
      const server = yield* Fake.make(OrgLive)
      const names = yield* Effect.forkChild(
        Stream.runCollect(Stream.take(SocketServer.newNamespaces, 2)).pipe(Effect.provide(server.context))
      )
      yield* TestClock.adjust(0)
      server.connected("/org/1")
      server.connected("/org/1")
      server.connected("/org/2")
      assert.deepStrictEqual(yield* Fiber.join(names), ["/org/1", "/org/2"])
    })
  )

  for (const cleanup of [true, false]) {
    it.effect(`an empty one is ${cleanup ? "forgotten" : "kept"} with cleanupEmptyChildNamespaces ${cleanup}`, () =>
      Effect.gen(function* () {
        const server = yield* Fake.make(OrgLive, { cleanupEmptyChildNamespaces: cleanup })
        const names = SocketServer.namespaces.pipe(Effect.provide(server.context))
        const one = server.connected("/org/1")
        const two = server.connected("/org/1")
        one.lose()
        assert.deepStrictEqual(yield* names, ["/org/1"])
        two.disconnect("/org/1")
        assert.deepStrictEqual(yield* names, cleanup ? [] : ["/org/1"])
        assert.isDefined(server.connected("/org/1").sid("/org/1"))
      })
    )
  }

  it.effect("one that refuses its only client is forgotten, one whose client is being admitted is not", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const server = yield* Fake.make(
        OrgLive.pipe(
          Layer.provide(
            Middleware.make(({ auth }) =>
              Object.hasOwn(Object(auth), "wait") ? Deferred.await(gate) : Effect.fail(new Error("no"))
            )
          )
        ),
        { cleanupEmptyChildNamespaces: true }
      )
      const names = SocketServer.namespaces.pipe(Effect.provide(server.context))
      const waiting = server.connected("/org/1", { wait: true })
      server.connected("/org/1")
      assert.deepStrictEqual(yield* names, ["/org/1"])
      yield* Deferred.succeed(gate, undefined)
      assert.isDefined(waiting.sid("/org/1"))
      waiting.lose()
      server.connected("/org/2")
      assert.deepStrictEqual(yield* names, [])
    })
  )

  const slowAdapter = (gate: Effect.Effect<void, AdapterError>, log: Array<string>) =>
    Layer.effect(
      Adapter,
      Effect.map(Adapter, (memory) => ({
        name: "slow",
        make: (sockets: Parameters<typeof memory.make>[0]) =>
          Effect.gen(function* () {
            log.push(`make ${sockets.namespace}`)
            yield* Effect.addFinalizer(() => Effect.sync(() => log.push(`close ${sockets.namespace}`)))
            yield* gate
            const adapter: NamespaceAdapter = yield* memory.make(sockets)
            return adapter
          })
      }))
    ).pipe(Layer.provide(InMemoryAdapter.layer))

  it.effect("clients that ask while the adapter is being made share one namespace", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const log: Array<string> = []
      const server = yield* Fake.make(
        OrgLive,
        { cleanupEmptyChildNamespaces: true },
        slowAdapter(Deferred.await(gate), log)
      )
      const [one, two, gone] = [1, 2, 3].map(() => server.connected("/org/1"))
      gone!.lose()
      assert.strictEqual(one!.packets.length, 0)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual([one!.events.length, two!.events.length], [1, 1])
      assert.deepStrictEqual(log, ["make /org/1"])
      one!.lose()
      two!.lose()
      assert.deepStrictEqual(log, ["make /org/1", "close /org/1"])
    })
  )

  it.effect("an adapter that fails refuses the clients, and is asked again by the next", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const failing = new AdapterError({ reason: "Unavailable", operation: "subscribe" })
      const server = yield* Fake.make(OrgLive, {}, slowAdapter(Effect.fail(failing), log))
      const client = server.connected("/org/1")
      assert.deepStrictEqual(client.refusal("/org/1"), { message: "internal error" })
      client.connect("/org/1")
      assert.deepStrictEqual(log, ["make /org/1", "close /org/1", "make /org/1", "close /org/1"])
      assert.deepStrictEqual(
        server.reports.map(({ stage, namespace }) => [stage, namespace]),
        [
          ["adapter", "/org/1"],
          ["adapter", "/org/1"]
        ]
      )
    })
  )
})
