/** Questions to sockets and servers everywhere: who answers, and what is known when somebody does not. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { AdapterError } from "../../../../src/adapter/Adapter.ts"
import type { ClusterHarness } from "../Harness.ts"
import { acquainted, over, three } from "../Nodes.ts"
import { untilEqual } from "../Waiting.ts"
import { all, event, plain, Recorder } from "../Recorder.ts"
import { liveIf } from "../LiveIf.ts"

const timeoutOf = (failure: unknown): AdapterError => {
  assert.instanceOf(failure, AdapterError)
  assert.strictEqual((failure as AdapterError).reason, "Timeout")
  return failure as AdapterError
}

/** Acknowledgements across nodes and partial results. */
export const answers = ({ supports, cluster }: ClusterHarness): void => {
  liveIf(supports.acks !== false)("the sockets of all nodes answer, and the stream ends with the last", () =>
    Effect.gen(function* () {
      const [a, b, c] = yield* three(yield* cluster)
      const clients = [a.client(), b.client(), b.client(), c.client()]
      const started = performance.now()
      const asked = yield* Effect.forkChild(Stream.runCollect(a.chat.timeout("12 seconds").emitWithAck("vote")), {
        startImmediately: true
      })
      for (const [i, client] of clients.entries()) yield* client.vote(i % 2 === 0)
      const replies = yield* Fiber.join(asked)
      assert.deepStrictEqual(replies.map(({ value }) => value).sort(), [false, false, true, true])
      assert.isBelow(performance.now() - started, 11_000)
    })
  )

  liveIf(supports.acks !== false)("nobody to ask: the stream ends at once", () =>
    Effect.gen(function* () {
      const [a] = yield* three(yield* cluster)
      const started = performance.now()
      const replies = yield* Stream.runCollect(a.chat.timeout("12 seconds").to("nobody").emitWithAck("vote"))
      assert.deepStrictEqual(replies, [])
      assert.isBelow(performance.now() - started, 11_000)
    })
  )

  liveIf(supports.acks !== false)("an answer may be binary, and one is enough where one was asked for", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const adapters = yield* Effect.all([place.node, place.node])
      const [near, far] = [new Recorder("/acks"), new Recorder("/acks")]
      far.silent = 1
      far.replies = [{ socketId: "s", args: [supports.binary ? { bytes: Uint8Array.of(1, 2, 3) } : { bytes: 1 }] }]
      const adapter = yield* adapters[0].make(near)
      const other = yield* adapters[1].make(far)
      yield* untilEqual("two nodes", adapter.serverCount, 2)
      yield* untilEqual("two nodes", other.serverCount, 2)
      const flags = { ...plain, timeout: 12_000, expectSingleResponse: true }
      const started = performance.now()
      const [reply] = yield* Stream.runCollect(adapter.publishWithAcks(all, event("vote"), flags))
      assert.isBelow(performance.now() - started, 11_000)
      const { bytes } = reply!.args[0] as { bytes: Uint8Array | number }
      assert.deepStrictEqual(typeof bytes === "number" ? bytes : Array.from(bytes), supports.binary ? [1, 2, 3] : 1)
    })
  )

  liveIf(supports.acks !== false)("a server that stays silent: what did arrive, and who is missing", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const adapters = yield* Effect.all([place.node, place.node, place.node])
      const [near, far, silent] = [new Recorder("/quiet"), new Recorder("/quiet"), new Recorder("/quiet")]
      far.answer = () => ["here"]
      far.replies = [{ socketId: "s", args: [true] }]
      silent.silent = 1
      const adapter = yield* adapters[0].make(near)
      for (const other of [yield* adapters[1].make(far), yield* adapters[2].make(silent), adapter]) {
        yield* untilEqual("three nodes", other.serverCount, 3)
      }
      const servers = timeoutOf(
        yield* Effect.flip(Stream.runCollect(adapter.serverSideEmitWithAck(event("load"), 1500)))
      )
      assert.deepStrictEqual(servers.received, [["here"]])
      assert.strictEqual(servers.missing?.count, 1)
      assert.lengthOf(servers.missing?.nodes ?? [], supports.named ? 1 : 0)
      const sockets = timeoutOf(
        yield* Effect.flip(Stream.runCollect(adapter.publishWithAcks(all, event("vote"), { ...plain, timeout: 1500 })))
      )
      assert.deepStrictEqual(
        sockets.received?.map((reply) => (reply as { args: unknown }).args),
        [[true]]
      )
      // The server has said that it asked one socket: it is there, and that one is silent.
      assert.strictEqual(sockets.missing?.count, 0)
      assert.strictEqual(sockets.unanswered, 1)
      // Answers that come too late, and twice, harm nobody.
      for (const reply of silent.waiting) for (let i = 0; i < 2; i++) reply(["late"])
      silent.answer = far.answer
      const late = yield* Stream.runCollect(adapter.serverSideEmitWithAck(event("load"), 12_000))
      assert.deepStrictEqual(late, [["here"], ["here"]])
    })
  )

  liveIf(supports.acks !== false && supports.goodbye !== false)("a node that says goodbye is not waited for", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const adapters = yield* Effect.all([place.node, place.node])
      const [near, far] = [new Recorder("/leaving"), new Recorder("/leaving")]
      const adapter = yield* adapters[0].make(near)
      const started = performance.now()
      const asked = yield* Effect.scoped(
        Effect.gen(function* () {
          const other = yield* adapters[1].make(far)
          for (const each of [adapter, other]) yield* untilEqual("two nodes", each.serverCount, 2)
          const asked = yield* Effect.forkDetach(
            Stream.runCollect(adapter.serverSideEmitWithAck(event("load"), 14_000)),
            { startImmediately: true }
          )
          yield* untilEqual(
            "the question",
            Effect.sync(() => far.waiting.length),
            1
          )
          // Brokers that only count nodes do not know at once who was among them.
          yield* Effect.sleep("250 millis")
          return asked
        })
      )
      assert.deepStrictEqual(yield* Fiber.join(asked), [])
      assert.isBelow(performance.now() - started, 13_000)
    })
  )

  it.live(
    "a killed node: fetchSockets fails with what did arrive, and after a while the node is forgotten",
    (context) =>
      Effect.gen(function* () {
        const place = yield* cluster
        if (place.mortal === undefined) return context.skip("this harness cannot kill nodes")
        const make = Effect.flatMap(place.node, over)
        const [a, b] = yield* Effect.all([make, make])
        const { adapter, kill } = yield* place.mortal
        const dying = yield* over(adapter)
        yield* acquainted(a, b, dying)
        const near = a.client()
        const far = b.client()
        dying.client()
        assert.lengthOf(yield* a.chat.fetchSockets(), 3)
        yield* kill
        if (supports.named) {
          const failure = timeoutOf(yield* Effect.flip(a.chat.fetchSockets()))
          assert.deepStrictEqual(
            failure.received?.map((socket) => (socket as { id: string }).id),
            [far.id]
          )
          assert.deepStrictEqual([failure.missing?.count, failure.missing?.nodes.length], [1, 1])
        }
        yield* untilEqual("the dead node is forgotten", a.chat.serverCount, 2)
        const sockets = yield* a.chat.fetchSockets()
        assert.sameMembers(
          sockets.map(({ id }) => id),
          [near.id, far.id]
        )
      })
  )

  it.live("pg#16: the first question of a node that has just started reaches everybody", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const [a, b, c] = yield* three(place)
      const clients = [a.client(), b.client(), c.client()]
      const fresh = yield* over(yield* place.node)
      const sockets = yield* fresh.chat.fetchSockets()
      assert.sameMembers(
        sockets.map(({ id }) => id),
        clients.map(({ id }) => id)
      )
    })
  )

  it.live("what is no message on the channel is ignored, and everything goes on", (context) =>
    Effect.gen(function* () {
      const place = yield* cluster
      const { inject } = place
      if (inject === undefined) return context.skip("this harness cannot put payloads on channels")
      const [a, b] = yield* three(place)
      const far = b.client()
      for (const payload of malformed) yield* inject("/chat", payload)
      yield* a.chat.emit("said", "still there")
      yield* untilEqual(
        "the event",
        Effect.sync(() => far.heard().length),
        1
      )
      assert.deepStrictEqual(far.heard(), ["still there"])
      assert.strictEqual(b.server.server.core.counters.sockets, 1)
      yield* untilEqual(
        "ignored payloads are counted",
        Effect.sync(() => (b.adapter.counters?.ignored ?? 0) > 0),
        true
      )
    })
  )
}

const uid = "0123456789abcdef"

/** Payloads that must do nothing: each is one step away from a message that does. */
const malformed: ReadonlyArray<string> = [
  "",
  "{",
  "null",
  "[]",
  "{}",
  "not json at all",
  JSON.stringify({ uid, nsp: "/chat", type: 99, data: {} }),
  JSON.stringify({ uid, nsp: "/chat", type: 3 }),
  JSON.stringify({ uid, nsp: "/chat", type: 3, data: { packet: { type: 2, data: ["said", "no options"] } } }),
  JSON.stringify({
    uid,
    nsp: "/chat",
    type: 3,
    data: { packet: { type: 2, data: ["said", "rooms are no list"] }, opts: { rooms: {}, except: [], flags: {} } }
  }),
  JSON.stringify({
    uid,
    nsp: "/chat",
    type: 3,
    data: { packet: { type: 2, data: ["disconnect", "a reserved name"] }, opts: { rooms: [], except: [], flags: {} } }
  }),
  JSON.stringify({
    uid,
    nsp: "/other",
    type: 3,
    data: { packet: { type: 2, data: ["said", "another namespace"] }, opts: { rooms: [], except: [], flags: {} } }
  }),
  JSON.stringify({ uid, nsp: "/chat", type: 6, data: { opts: { rooms: 5 }, close: true } }),
  JSON.stringify({ uid, nsp: "/chat", type: 6, data: { close: true } }),
  JSON.stringify({ uid, nsp: "/chat", type: 8, data: { requestId: "x", sockets: 5 } })
]
