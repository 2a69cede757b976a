/** The layers of the Effect API: adapters and emitters from options and from the configuration, and the delays between attempts to reconnect. */
import { assert, describe, it } from "@effect/vitest"
import { Event, Namespace } from "effect-socketio/contract"
import { NatsAdapter, NatsEmitter } from "effect-socketio/nats"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Adapter, AdapterError } from "../../../src/adapter/Adapter.ts"
import * as NatsLink from "../../../src/adapter/nats/NatsLink.ts"
import * as Nats from "../../brokers/Nats.ts"
import { Recorder } from "../../suites/cluster/Recorder.ts"
import * as Rig from "./Rig.ts"

const patience = 60_000

const live = (name: string, body: () => Effect.Effect<void, unknown, Scope.Scope>): void => {
  it.live(name, () => Effect.scoped(body()), patience)
}

const Chat = Namespace.make("/chat", {
  fromServer: { said: Event.make({ args: [Schema.String] }) },
  betweenServers: { reload: Event.make({ args: [Schema.Finite] }) }
})

const environment = (env: Record<string, string>) => ConfigProvider.layer(ConfigProvider.fromEnv({ env }))

describe.skipIf(!Nats.available)("NATS: layers", { concurrent: true }, () => {
  const kinds = {
    core: { adapter: NatsAdapter.layerConfig, emitter: NatsEmitter.layerConfig },
    JetStream: { adapter: NatsAdapter.layerJetStreamConfig, emitter: NatsEmitter.layerJetStreamConfig }
  }
  for (const [name, { adapter, emitter }] of Object.entries(kinds)) {
    live(`${name}: from the configuration; an emitter with a contract reaches the nodes`, () =>
      Effect.gen(function* () {
        const server = yield* Nats.make({ jetStream: true })
        const config = environment({ NATS_URL: `127.0.0.1:1, ${server.url}` })
        const sockets = new Recorder("/chat")
        const context = yield* Layer.build(
          Layer.mergeAll(
            adapter({ connection: { noRandomize: true } }),
            emitter({ connection: { noRandomize: true } })
          ).pipe(Layer.provide(config))
        )
        yield* Effect.flatMap(Adapter, (adapter) => adapter.make(sockets)).pipe(Effect.provide(context))
        const { namespace } = yield* NatsEmitter.NatsEmitter.pipe(Effect.provide(context))
        const chat = namespace(Chat)
        yield* chat.to("a").except("b").volatile.emit("said", "1")
        yield* chat.emit("said", "2")
        yield* chat.serverSideEmit("reload", 3)
        yield* Rig.until("all is heard", () => sockets.delivered.length === 2 && sockets.events.length === 1)
        assert.deepStrictEqual(sockets.texts, ["1", "2"])
        const [first] = sockets.delivered
        assert.deepStrictEqual([Array.from(first?.target.rooms ?? []), first?.flags.volatile], [["a"], true])
        const large = yield* Effect.exit(chat.emit("said", "x".repeat(2_000_000)))
        assert.strictEqual(large._tag, name === "core" ? "Success" : "Failure")
      })
    )
  }

  live("an emitter without servers, without the stream, or cut off fails, typed", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const link = yield* NatsLink.make({ servers: server.url })
      const stored = NatsEmitter.makeJetStream(link.connection, { publishTimeout: 2000 }).namespace(Chat)
      const error = yield* Effect.flip(stored.emit("said", "x"))
      assert.strictEqual(error.reason, "Unavailable")
      const plain = NatsEmitter.make(link.connection).namespace(Chat)
      yield* plain.emit("said", "nobody listens")
      yield* server.kill
      yield* Rig.until("the loss", () => !link.ready)
      assert.strictEqual((yield* Effect.flip(plain.emit("said", "x"))).reason, "Unavailable")
      const unreachable = yield* Effect.flip(Layer.build(NatsEmitter.layer({ connection: { servers: server.url } })))
      assert.instanceOf(unreachable, AdapterError)
    })
  )

  live("the delays between attempts come from the schedule; when it ends, the connection stays closed", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make()
      const asked: Array<number> = []
      const reconnection = Schedule.spaced("20 millis").pipe(
        Schedule.upTo({ times: 3 }),
        Schedule.tap(({ attempt }) => Effect.sync(() => asked.push(attempt)))
      )
      const link = yield* NatsLink.make({ servers: server.url, reconnection })
      yield* server.kill
      yield* Rig.until("the end", () => link.connection.isClosed())
      assert.deepStrictEqual(asked, [1, 2, 3])
      assert.isFalse(link.ready)
    })
  )

  live("a program's own connection is left open, and nothing listens on it any more", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const { connection } = yield* NatsLink.make({ servers: server.url })
      const subscriptions = (): unknown =>
        (connection as unknown as { protocol: { subscriptions: { subs: Map<number, unknown> } } }).protocol
          .subscriptions.subs.size
      for (const make of [NatsAdapter.make, NatsAdapter.makeJetStream]) {
        yield* Effect.promise(() => connection.flush())
        const use = Effect.scoped(
          Effect.gen(function* () {
            const adapter = yield* make(connection)
            yield* adapter.make(new Recorder("/chat", { maxDisconnectionDuration: 1000 }))
            assert.isTrue(Number(subscriptions()) > 1)
          })
        )
        yield* use
        // That of the client for answers stays.
        assert.isTrue(Number(subscriptions()) <= 1, `${String(subscriptions())}`)
        assert.isFalse(connection.isClosed())
      }
    })
  )
})
