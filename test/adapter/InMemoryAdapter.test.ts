import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Adapter, AdapterError, type LocalSockets } from "../../src/adapter/Adapter.ts"
import * as InMemoryAdapter from "../../src/adapter/InMemoryAdapter.ts"

const nobody: LocalSockets = {
  recovery: undefined,
  namespace: "/",
  deliver: () => {},
  deliverWithAcks: (_target, _event, _flags, observer) => observer.done(),
  join: () => {},
  leave: () => {},
  disconnect: () => {},
  describe: () => [],
  serverSideEvent: () => {}
}

const everybody = { rooms: new Set<string>(), except: new Set<string>() }
const flags = { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false }

describe("the in-memory adapter", () => {
  it.effect("is alone: it counts one server and has nobody to add to an answer", () =>
    Effect.gen(function* () {
      const { make, name } = Context.get(yield* Layer.build(InMemoryAdapter.layer), Adapter)
      assert.strictEqual(name, "memory")
      const adapter = yield* make(nobody)
      assert.isFalse(adapter.remote)
      assert.strictEqual(yield* adapter.serverCount, 1)
      assert.deepStrictEqual(yield* adapter.fetchSockets(everybody), [])
      const replies = adapter.publishWithAcks(everybody, { data: ["x"] }, flags)
      assert.deepStrictEqual(yield* Stream.runCollect(replies), [])
      yield* adapter.join(everybody, ["a"])
      yield* adapter.leave(everybody, ["a"])
      yield* adapter.disconnect(everybody, true)
      yield* adapter.subscribed("a")
    })
  )

  it.effect("server-side events are not supported, as in Socket.IO", () =>
    Effect.gen(function* () {
      const { make } = Context.get(yield* Layer.build(InMemoryAdapter.layer), Adapter)
      const adapter = yield* make(nobody)
      const emit = yield* Effect.flip(adapter.serverSideEmit({ data: ["x"] }))
      assert.instanceOf(emit, AdapterError)
      assert.strictEqual(emit.message, "adapter: serverSideEmit: Unsupported")
      const ask = yield* Effect.flip(Stream.runCollect(adapter.serverSideEmitWithAck({ data: ["x"] }, 100)))
      assert.strictEqual(ask.reason, "Unsupported")
    })
  )
})
