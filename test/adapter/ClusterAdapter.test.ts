/** Nodes over a bus in virtual time: who is there, questions and their answers, and what happens when the broker is away. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { AdapterError, type LocalSockets, type NamespaceAdapter } from "../../src/adapter/Adapter.ts"
import * as ClusterAdapter from "../../src/adapter/ClusterAdapter.ts"
import type { Broker, BusSink } from "../../src/adapter/ClusterBus.ts"
import { type ClusterMessage, MessageType, toWire } from "../../src/adapter/ClusterMessage.ts"
import type { ClusterNode } from "../../src/adapter/ClusterNode.ts"
import * as MemoryBroker from "../../src/testing/MemoryBroker.ts"
import { all, event, plain, Recorder } from "../suites/cluster/Recorder.ts"

const nsp = "/n"

/** A node with the sockets behind it. */
const join = (
  broker: MemoryBroker.MemoryBroker,
  name: string,
  options?: ClusterAdapter.ClusterOptions,
  sockets = new Recorder(nsp)
) =>
  Effect.gen(function* () {
    const node = yield* broker.connect(name)
    const adapter = yield* ClusterAdapter.make(node, options).make(sockets)
    return { sockets, adapter, node, counters: node.counters }
  })

const settle = TestClock.adjust(0)

/** Nodes that know each other. */
const cluster = (names: ReadonlyArray<string>, options?: ClusterAdapter.ClusterOptions) =>
  Effect.gen(function* () {
    const broker = yield* MemoryBroker.make()
    const nodes = yield* Effect.forEach(names, (name) => join(broker, name, options))
    yield* TestClock.adjust("2 seconds")
    return { broker, nodes }
  })

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

const ended = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined

const timeoutOf = (error: unknown): AdapterError => {
  assert.instanceOf(error, AdapterError)
  assert.strictEqual((error as AdapterError).reason, "Timeout")
  return error as AdapterError
}

const pendingOf = (adapter: NamespaceAdapter): number => (adapter as ClusterNode).pending

const uidOf = (adapter: NamespaceAdapter): string => (adapter as ClusterNode).uid

const load = (adapter: NamespaceAdapter, timeout = 5000) =>
  Stream.runCollect(adapter.serverSideEmitWithAck(event("load"), timeout))

const vote = (adapter: NamespaceAdapter, timeout = 5000) =>
  Stream.runCollect(adapter.publishWithAcks(all, event("vote"), { ...plain, timeout }))

/** A bus that does what the test says, and its sink. */
const scripted = (bus: object): { readonly broker: Broker; readonly sink: () => BusSink } => {
  let sink: BusSink | undefined
  return {
    sink: () => sink!,
    broker: {
      name: "scripted",
      health: Stream.empty,
      counters: { published: 0, received: 0, publishFailures: 0, ignored: 0, gaps: 0 },
      open: (request) =>
        Effect.sync(() => {
          sink = request.sink
          // What comes while the bus is being opened.
          for (const text of ["1", "2"]) sink.onMessage(said(text), undefined)
          return {
            membership: { _tag: "Heartbeats" as const },
            publish: (_message: ClusterMessage, done: (published: { _tag: "Published"; offset: undefined }) => void) =>
              done({ _tag: "Published", offset: undefined }),
            publishTo: () => {},
            ...bus
          }
        })
    }
  }
}
const said = (text: string): ClusterMessage => ({
  uid: "bbbbbbbbbbbbbbbb",
  nsp,
  body: { type: MessageType.BROADCAST, target: all, flags: plain, event: event("said", text), requestId: undefined }
})

describe("who is there", () => {
  it.effect("nodes hear of each other when they start, and a goodbye is heard at once", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b"])
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 2)
      const scope = yield* Scope.make()
      yield* Scope.provide(join(broker, "c"), scope)
      yield* settle
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 3)
      yield* Scope.close(scope, Exit.void).pipe(Effect.forkChild({ startImmediately: true }))
      yield* settle
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 2)
    })
  )

  it.effect("a silent node is known for 10 seconds and forgotten then; a living one is not", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b", "c"])
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 3)
      yield* broker.kill("c")
      yield* TestClock.adjust("4900 millis")
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 3)
      yield* TestClock.adjust("6200 millis")
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 2)
    })
  )

  it.effect("heartbeats leave in the interval that is asked for", () =>
    Effect.gen(function* () {
      const { broker } = yield* cluster(["a", "b"], { heartbeatInterval: "2 seconds", heartbeatTimeout: "5 seconds" })
      const before = (yield* broker.traffic).published
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* broker.traffic).published - before, 20)
    })
  )

  it.effect("what comes late of a node that has said goodbye does not bring it back", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a"])
      const { adapter } = nodes[0]!
      const uid = "aaaaaaaaaaaaaaaa"
      const say = (type: 2 | 13) => broker.inject(nsp, JSON.stringify(toWire({ uid, nsp, body: { type } })))
      yield* say(MessageType.HEARTBEAT)
      yield* settle
      assert.strictEqual(yield* adapter.serverCount, 2)
      yield* say(MessageType.ADAPTER_CLOSE)
      yield* say(MessageType.HEARTBEAT)
      yield* settle
      assert.strictEqual(yield* adapter.serverCount, 1)
    })
  )

  it.effect("emitters are no nodes", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a"])
      const data = { packet: { type: 2, data: ["said", "x"] }, opts: { rooms: [], except: [], flags: {} } }
      yield* broker.inject(nsp, JSON.stringify({ uid: "emitter", nsp, type: 3, data }))
      yield* broker.inject(nsp, JSON.stringify({ type: 3, data: { ...data, requestId: "who would hear it" } }))
      yield* settle
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 1)
      assert.deepStrictEqual(nodes[0]!.sockets.log, ["deliver x", "ask x"])
    })
  )

  it.effect("nodes have ids of 16 hexadecimal digits: secure ones, or those of the Random that is given", () =>
    Effect.gen(function* () {
      const broker = yield* MemoryBroker.make()
      const ids = yield* Effect.forEach(["a", "b"], (name) =>
        Effect.map(join(broker, name), ({ adapter }) => uidOf(adapter))
      )
      assert.strictEqual(new Set(ids).size, 2)
      for (const id of ids) assert.match(id, /^[0-9a-f]{16}$/)
      const seeded = Effect.map(join(broker, "c"), ({ adapter }) => uidOf(adapter)).pipe(Random.withSeed("x"))
      assert.strictEqual(yield* seeded, yield* seeded)
    })
  )
})

describe("pg#16: questions of a node that has just started", () => {
  it.effect("leave at once, and wait for everybody who is there", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b"])
      for (const { sockets } of nodes) {
        sockets.answer = () => [sockets === nodes[0]!.sockets ? "a" : "b"]
        sockets.replies = [{ socketId: "s", args: [true] }]
      }
      yield* broker.latency("100 millis")
      const opening = yield* start(join(broker, "new"))
      yield* TestClock.adjust("200 millis")
      const fresh = yield* Fiber.join(opening)
      const questions = yield* Effect.all([
        start(fresh.adapter.fetchSockets(all)),
        start(load(fresh.adapter)),
        start(vote(fresh.adapter)),
        start(fresh.adapter.serverCount)
      ])
      yield* TestClock.adjust("200 millis")
      // They have been asked already, and nothing was said about who else there is.
      assert.deepStrictEqual(nodes[0]!.sockets.log, ["event undefined", "ask undefined"])
      yield* TestClock.adjust("300 millis")
      assert.deepStrictEqual(questions.map(ended), [false, false, false, false])
      yield* TestClock.adjust("600 millis")
      assert.deepStrictEqual(yield* Fiber.join(questions[0]), [])
      assert.sameDeepMembers(yield* Fiber.join(questions[1]), [["a"], ["b"]])
      assert.lengthOf(yield* Fiber.join(questions[2]), 2)
      assert.strictEqual(yield* Fiber.join(questions[3]), 3)
    })
  )

  it.effect("also when the broker was away for so long that all have forgotten each other", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b", "c"])
      for (const { sockets } of nodes) sockets.answer = () => ["here"]
      for (const name of ["a", "b", "c"]) yield* broker.cut(name)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 1)
      for (const name of ["a", "b", "c"]) yield* broker.heal(name)
      const asked = yield* start(load(nodes[0]!.adapter))
      yield* settle
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(yield* Fiber.join(asked), [["here"], ["here"]])
      assert.strictEqual(yield* nodes[1]!.adapter.serverCount, 3)
    })
  )

  it.effect("a node that is alone answers for itself when nobody was heard", () =>
    Effect.gen(function* () {
      const broker = yield* MemoryBroker.make()
      const { adapter } = yield* join(broker, "a")
      const asked = yield* Effect.all([
        start(adapter.fetchSockets(all)),
        start(load(adapter)),
        start(load(adapter, 300))
      ])
      yield* TestClock.adjust("900 millis")
      // A question that is shorter than the search ends with what is known by then.
      assert.deepStrictEqual(asked.map(ended), [false, false, true])
      yield* TestClock.adjust("100 millis")
      for (const fiber of asked) assert.deepStrictEqual(yield* Fiber.join(fiber as Fiber.Fiber<unknown>), [])
      const later = yield* start(load(adapter))
      yield* settle
      assert.deepStrictEqual(yield* Fiber.join(later), [])
    })
  )

  it.effect("one that starts after a question was asked is not expected to answer it", () =>
    Effect.gen(function* () {
      const broker = yield* MemoryBroker.make()
      const a = yield* join(broker, "a")
      const asked = yield* start(load(a.adapter))
      yield* settle
      yield* join(broker, "b")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(asked), [])
    })
  )
})

describe("answers", () => {
  it.effect("a node that stays silent: at the deadline what did arrive, and who is missing", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b", "c"], { heartbeatTimeout: "1 minute" })
      const [a, b, c] = nodes
      b!.sockets.sockets.push({ id: "s", handshake: {}, rooms: ["s"], data: 1 })
      b!.sockets.answer = () => ["b"]
      b!.sockets.replies = [{ socketId: "s", args: [1] }]
      yield* broker.kill("c")
      const missing = { count: 1, nodes: [uidOf(c!.adapter)] }
      const questions = yield* Effect.all([
        start(Effect.flip(a!.adapter.fetchSockets(all))),
        start(Effect.flip(load(a!.adapter, 3000))),
        start(Effect.flip(vote(a!.adapter, 7000)))
      ])
      yield* TestClock.adjust("2999 millis")
      assert.deepStrictEqual(questions.map(ended), [false, false, false])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(questions.map(ended), [false, true, false])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(questions.map(ended), [true, true, false])
      yield* TestClock.adjust("2 seconds")
      const errors = (yield* Effect.forEach(questions, (fiber) => Fiber.join(fiber as Fiber.Fiber<unknown>))).map(
        timeoutOf
      )
      for (const error of errors) assert.deepStrictEqual(error.missing, missing)
      assert.deepStrictEqual(
        errors.map(({ operation, received }) => [operation, received]),
        [
          ["fetchSockets", [{ id: "s", handshake: {}, rooms: ["s"], data: 1 }]],
          ["serverSideEmit", [["b"]]],
          ["emitWithAck", [{ socketId: "s", args: [1] }]]
        ]
      )
      assert.strictEqual(errors[0]!.message, "adapter: fetchSockets: Timeout: 1 of the servers did not answer")
      assert.strictEqual(pendingOf(a!.adapter), 0)
    })
  )

  it.effect("a socket that stays silent: counted, and its node is not named", () =>
    Effect.gen(function* () {
      const { nodes } = yield* cluster(["a", "b", "c"])
      const [a, b, c] = nodes
      b!.sockets.replies = [{ socketId: "s", args: [1] }]
      c!.sockets.silent = 1
      const asked = yield* start(Effect.flip(vote(a!.adapter)))
      yield* TestClock.adjust("5 seconds")
      const error = timeoutOf(yield* Fiber.join(asked))
      assert.deepStrictEqual(error.missing, { count: 0, nodes: [] })
      assert.strictEqual(error.unanswered, 1)
    })
  )

  it.effect("a node that leaves, or is taken for dead, is not waited for", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b", "c"])
      const [a, b] = nodes
      b!.sockets.answer = () => ["b"]
      const scope = yield* Scope.make()
      yield* Scope.provide(join(broker, "d"), scope)
      yield* settle
      const asked = yield* start(load(a!.adapter, 60_000))
      yield* settle
      assert.isFalse(ended(asked))
      yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* settle
      yield* broker.kill("c")
      yield* TestClock.adjust("5 seconds")
      assert.isFalse(ended(asked))
      yield* TestClock.adjust("7 seconds")
      assert.deepStrictEqual(yield* Fiber.join(asked), [["b"]])
    })
  )

  it.effect("whatever arrives twice counts once", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b", "c"])
      const [a, b, c] = nodes
      for (const [index, { sockets }] of [b!, c!].entries()) {
        sockets.sockets.push({ id: `s${index}`, handshake: {}, rooms: [], data: {} })
        sockets.answer = () => [index]
        sockets.replies = [
          { socketId: `s${index}`, args: [index] },
          { socketId: `t${index}`, args: [index] }
        ]
      }
      yield* broker.duplicate(1, "a")
      const asked = yield* Effect.all([
        start(Effect.map(a!.adapter.fetchSockets(all), (sockets) => sockets.map(({ id }) => id))),
        start(load(a!.adapter)),
        start(Effect.map(vote(a!.adapter), (replies) => replies.map(({ socketId }) => socketId)))
      ])
      yield* settle
      assert.deepStrictEqual(yield* Fiber.join(asked[0]), ["s0", "s1"])
      assert.deepStrictEqual(yield* Fiber.join(asked[1]), [[0], [1]])
      assert.deepStrictEqual(yield* Fiber.join(asked[2]), ["s0", "t0", "s1", "t1"])
    })
  )

  it.effect("answers to nothing, of the wrong kind, and of unknown nodes change nothing", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b"])
      const [a, b] = nodes
      const asked = yield* start(load(a!.adapter))
      yield* settle
      const ids: Array<string> = []
      for (const uid of ["eeeeeeeeeeeeeeee", uidOf(b!.adapter)]) {
        for (const requestId of ["unknown", ...ids]) {
          for (const body of [
            { type: MessageType.SERVER_SIDE_EMIT_RESPONSE, requestId, answer: "forged" },
            { type: MessageType.FETCH_SOCKETS_RESPONSE, requestId, sockets: [] },
            { type: MessageType.BROADCAST_CLIENT_COUNT, requestId, count: 0 },
            { type: MessageType.BROADCAST_ACK, requestId, answer: 1 }
          ] as const) {
            yield* broker.inject(nsp, JSON.stringify(toWire({ uid, nsp, body })))
          }
        }
      }
      yield* settle
      assert.isFalse(ended(asked))
      b!.sockets.waiting[0]!(["true"])
      yield* settle
      assert.deepStrictEqual(yield* Fiber.join(asked), [["true"]])
    })
  )

  it.effect("one answer is enough where one was asked for", () =>
    Effect.gen(function* () {
      const { nodes } = yield* cluster(["a", "b", "c"])
      const [a, b, c] = nodes
      b!.sockets.silent = 1
      c!.sockets.replies = [{ socketId: "s", args: ["first"] }]
      const flags = { ...plain, timeout: 5000, expectSingleResponse: true }
      const asked = yield* start(Stream.runCollect(a!.adapter.publishWithAcks(all, event("vote"), flags)))
      yield* settle
      assert.deepStrictEqual(yield* Fiber.join(asked), [{ socketId: "s", args: ["first"] }])
      assert.isTrue(b!.sockets.delivered[0]!.flags.expectSingleResponse)
    })
  )

  it.effect("numbers may come after the answers that they count, where a broker swaps messages", () =>
    Effect.gen(function* () {
      for (let seed = 0; seed < 8; seed++) {
        const { broker, nodes } = yield* cluster(["a", "b"])
        const [a, b] = nodes
        yield* broker.jitter("50 millis")
        b!.sockets.replies = ["s", "t", "u"].map((socketId) => ({ socketId, args: [socketId] }))
        const asked = yield* start(vote(a!.adapter))
        yield* TestClock.adjust("1 second")
        assert.sameDeepMembers(yield* Fiber.join(asked), b!.sockets.replies)
      }
    }).pipe(Random.withSeed("swapped"))
  )

  it.effect("questions that wait are bounded, and let go of when nobody wants the answer", () =>
    Effect.gen(function* () {
      const { nodes } = yield* cluster(["a", "b"], { maxPendingRequests: 2 })
      const { adapter } = nodes[0]!
      const asked = yield* Effect.all([start(load(adapter)), start(load(adapter))])
      yield* settle
      const refused = yield* Effect.flip(adapter.fetchSockets(all))
      assert.strictEqual(refused.reason, "Rejected")
      yield* Fiber.interrupt(asked[0])
      assert.strictEqual(pendingOf(adapter), 1)
      assert.deepStrictEqual(
        yield* adapter.fetchSockets(all).pipe(start, Effect.tap(settle), Effect.flatMap(Fiber.join)),
        []
      )
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(pendingOf(adapter), 0)
      assert.isTrue(ended(asked[1]))
    })
  )
})

describe("brokers that count nodes", () => {
  const counting = (names: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const broker = yield* MemoryBroker.make({ counts: true, echo: true })
      return { broker, nodes: yield* Effect.forEach(names, (name) => join(broker, name)) }
    })

  it.effect("there are no heartbeats; silent nodes are counted", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* counting(["a", "b", "c"])
      const [a, b] = nodes
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* broker.traffic).published, 0)
      assert.strictEqual(yield* a!.adapter.serverCount, 3)
      b!.sockets.answer = () => ["b"]
      const asked = yield* start(Effect.flip(load(a!.adapter)))
      yield* settle
      yield* TestClock.adjust("5 seconds")
      const error = timeoutOf(yield* Fiber.join(asked))
      assert.deepStrictEqual([error.received, error.missing], [[["b"]], { count: 1, nodes: [] }])
    })
  )

  it.effect("T4: the question leaves before they are counted, and ends when all have answered", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* counting(["a", "b", "c"])
      const [a, b, c] = nodes
      for (const { sockets } of [b!, c!]) sockets.replies = [{ socketId: "s", args: [1] }]
      yield* broker.latency("10 millis")
      const asked = yield* start(vote(a!.adapter))
      a!.adapter.publish(all, event("said", "after"), plain)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(b!.sockets.log, ["ask undefined", "deliver after"])
      assert.lengthOf(yield* Fiber.join(asked), 2)
    })
  )

  it.effect("a node that says goodbye while it owes an answer is not waited for", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* counting(["a"])
      const scope = yield* Scope.make()
      yield* Scope.provide(join(broker, "b"), scope)
      const asked = yield* start(load(nodes[0]!.adapter))
      yield* TestClock.adjust("1 second")
      yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* settle
      assert.deepStrictEqual(yield* Fiber.join(asked), [])
    })
  )

  it.effect("a count that fails is the failure of the question", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* counting(["a", "b"])
      yield* broker.cut("a")
      assert.strictEqual((yield* Effect.flip(nodes[0]!.adapter.fetchSockets(all))).reason, "Unavailable")
      assert.strictEqual((yield* Effect.flip(nodes[0]!.adapter.serverCount)).reason, "Unavailable")
    })
  )
})

describe("when the broker is away", () => {
  it.effect("publishing fails at once and is counted; what waits for it fails as Unavailable; health says so", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b"])
      const [a] = nodes
      const states: Array<string> = []
      yield* Effect.forkChild(
        Stream.runForEach(a!.node.health, ({ _tag }) => Effect.sync(() => void states.push(_tag))),
        { startImmediately: true }
      )
      yield* broker.cut("a")
      const before = a!.counters.publishFailures
      a!.adapter.publish(all, event("said", 1), plain)
      assert.strictEqual(a!.counters.publishFailures, before + 1)
      for (const effect of [
        a!.adapter.join(all, ["x"]),
        a!.adapter.leave(all, ["x"]),
        a!.adapter.disconnect(all, true),
        a!.adapter.serverSideEmit(event("reload")),
        Effect.asVoid(a!.adapter.fetchSockets(all)),
        Effect.asVoid(load(a!.adapter)),
        Effect.asVoid(vote(a!.adapter))
      ]) {
        assert.strictEqual((yield* Effect.flip(effect)).reason, "Unavailable")
      }
      assert.strictEqual(pendingOf(a!.adapter), 0)
      yield* broker.heal("a")
      yield* settle
      assert.deepStrictEqual(states, ["Connected", "Disconnected", "Gap"])
      assert.strictEqual(a!.counters.gaps, 1)
    })
  )

  it.effect("what is under way when the connection breaks fails", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b"])
      yield* broker.latency("100 millis")
      const moving = yield* start(Effect.flip(nodes[0]!.adapter.join(all, ["x"])))
      const asked = yield* start(Effect.flip(load(nodes[0]!.adapter)))
      yield* TestClock.adjust("50 millis")
      yield* broker.cut("a")
      yield* settle
      assert.strictEqual((yield* Fiber.join(moving)).reason, "Unavailable")
      assert.strictEqual((yield* Fiber.join(asked)).reason, "Unavailable")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(nodes[1]!.sockets.log, [])
    })
  )

  it.effect("a node that was cut off is known again soon after, without a question", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b"])
      yield* broker.cut("b")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 1)
      yield* broker.heal("b")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* nodes[0]!.adapter.serverCount, 2)
    })
  )
})

describe("containment", () => {
  it.effect("what cannot be written fails as Rejected and harms nothing else", () =>
    Effect.gen(function* () {
      const { nodes } = yield* cluster(["a", "b"])
      const [a, b] = nodes
      a!.adapter.publish(all, event("said", 1n), plain)
      assert.strictEqual((yield* Effect.flip(a!.adapter.serverSideEmit(event("reload", 1n)))).reason, "Rejected")
      assert.strictEqual(a!.counters.publishFailures, 2)
      a!.adapter.publish(all, event("said", "fine"), plain)
      yield* settle
      assert.deepStrictEqual(b!.sockets.texts, ["fine"])
    })
  )

  it.effect("malformed messages are ignored and counted; a flood of them changes nothing", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b"])
      const { adapter, sockets, counters } = nodes[0]!
      for (let i = 0; i < 1000; i++) {
        yield* broker.inject(nsp, i % 2 === 0 ? `{"uid":"u${i}","type":3,"data":{}}` : Uint8Array.of(0x83, i & 255))
      }
      yield* settle
      assert.strictEqual(counters.ignored, 1000)
      assert.strictEqual(yield* adapter.serverCount, 2)
      assert.deepStrictEqual(sockets.log, [])
    })
  )

  it.effect("what comes while the bus is being opened is handled when it is open, in order", () =>
    Effect.gen(function* () {
      const { broker, sink } = scripted({})
      const sockets = new Recorder(nsp)
      yield* ClusterAdapter.make(broker).make(sockets)
      sink().onMessage(said("3"), undefined)
      assert.deepStrictEqual(sockets.texts, ["1", "2", "3"])
    })
  )

  it.effect("a bus that throws fails what it was given, and one that tells twice is heard once", () =>
    Effect.gen(function* () {
      const throwing = scripted({
        publish: () => {
          throw new Error("a bug of the bus")
        }
      })
      const adapter = yield* ClusterAdapter.make(throwing.broker).make(new Recorder(nsp))
      adapter.publish(all, event("said"), plain)
      assert.strictEqual((yield* Effect.flip(adapter.join(all, ["x"]))).reason, "Rejected")
      const twice = scripted({
        publish: (_: unknown, done: (published: unknown) => void) => {
          done({ _tag: "Published", offset: undefined })
          done({ _tag: "Failed", error: new AdapterError({ reason: "Unavailable", operation: "publish" }) })
        }
      })
      const other = yield* ClusterAdapter.make(twice.broker).make(new Recorder(nsp))
      yield* other.join(all, ["x"])
      assert.strictEqual(twice.broker.counters.publishFailures, 0)
    })
  )

  it.effect("sockets that throw do not reach the bus", () =>
    Effect.gen(function* () {
      const { broker, sink } = scripted({})
      class Throwing extends Recorder {
        override deliver(...args: Parameters<LocalSockets["deliver"]>): void {
          super.deliver(...args)
          throw new Error("a bug of a program")
        }
      }
      const sockets = new Throwing(nsp)
      yield* ClusterAdapter.make(broker).make(sockets)
      sink().onMessage(said("3"), undefined)
      assert.deepStrictEqual(sockets.texts, ["1", "2", "3"])
    })
  )
})

describe("the end", () => {
  it.effect("questions that wait fail, late answers are dropped, nothing leaves any more", () =>
    Effect.gen(function* () {
      const { broker, nodes } = yield* cluster(["a", "b"])
      const scope = yield* Scope.make()
      const { adapter, sockets } = yield* Scope.provide(join(broker, "c"), scope)
      yield* TestClock.adjust("1 second")
      const asked = yield* Effect.all([
        start(Effect.flip(load(adapter, 60_000))),
        start(Effect.flip(vote(adapter, Number.POSITIVE_INFINITY))),
        start(load(nodes[0]!.adapter, 60_000))
      ])
      nodes[1]!.sockets.answer = () => ["b"]
      yield* settle
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* settle
      assert.isTrue(ended(closing))
      assert.strictEqual((yield* Fiber.join(asked[0])).reason, "Unavailable")
      assert.strictEqual(pendingOf(adapter), 0)
      const before = (yield* broker.traffic).published
      sockets.waiting[0]?.(["late"])
      adapter.publish(all, event("said"), plain)
      assert.strictEqual((yield* Effect.flip(adapter.join(all, ["x"]))).reason, "Unavailable")
      assert.strictEqual((yield* Effect.flip(adapter.fetchSockets(all))).reason, "Unavailable")
      yield* settle
      assert.strictEqual((yield* broker.traffic).published, before)
      yield* TestClock.adjust("3 minutes")
    })
  )

  it.effect("a broker that does not take the goodbye does not hold up the end", () =>
    Effect.gen(function* () {
      const { broker } = scripted({
        publish: () => {}
      })
      const scope = yield* Scope.make()
      yield* Scope.provide(ClusterAdapter.make(broker).make(new Recorder(nsp)), scope)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("999 millis")
      assert.isFalse(ended(closing))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(ended(closing))
    })
  )
})

describe("recovery", () => {
  it.effect("there is a store where the broker has one and the namespace asks for it", () =>
    Effect.gen(function* () {
      const recovery = { maxDisconnectionDuration: 1000 }
      const storing = yield* MemoryBroker.make({ store: true })
      const plainBroker = yield* MemoryBroker.make()
      const both = yield* join(storing, "a", {}, new Recorder(nsp, recovery))
      assert.isDefined(both.adapter.recovery)
      assert.isUndefined((yield* join(storing, "b")).adapter.recovery)
      assert.isUndefined((yield* join(plainBroker, "a", {}, new Recorder(nsp, recovery))).adapter.recovery)
    })
  )

  it.effect("what cannot be stored has no offset, and is told exactly once", () =>
    Effect.gen(function* () {
      const broker = yield* MemoryBroker.make({ store: true })
      const { adapter, counters } = yield* join(broker, "a", {}, new Recorder(nsp, { maxDisconnectionDuration: 1000 }))
      const told: Array<string | undefined> = []
      const append = (text: unknown) =>
        adapter.recovery!.append(all, event("said", text), plain, (offset) => void told.push(offset))
      append("1")
      yield* settle
      append(2n)
      yield* broker.cut("a")
      append("3")
      yield* broker.heal("a")
      append("4")
      yield* settle
      assert.deepStrictEqual(told, ["1", undefined, undefined, "2"])
      assert.strictEqual(adapter.recovery!.position, "2")
      assert.isAtLeast(counters.publishFailures, 2)
    })
  )

  it.effect("T4: every kind of message and every append keep the order of the program, with a slow broker", () =>
    Effect.gen(function* () {
      const broker = yield* MemoryBroker.make({ store: true })
      const recovery = { maxDisconnectionDuration: 1000 }
      const a = yield* join(broker, "a", {}, new Recorder(nsp, recovery))
      const b = yield* join(broker, "b", {}, new Recorder(nsp, recovery))
      yield* TestClock.adjust("2 seconds")
      yield* broker.latency("5 millis")
      a.adapter.recovery!.append(all, event("said", 1), plain, () => {})
      const asked = yield* start(vote(a.adapter))
      a.adapter.publish(all, event("said", 2), { ...plain, volatile: true })
      const moves = yield* Effect.all([
        start(a.adapter.join(all, ["x"])),
        start(a.adapter.serverSideEmit(event("reload", 3))),
        start(a.adapter.leave(all, ["x"])),
        start(a.adapter.disconnect(all, false))
      ])
      a.adapter.recovery!.append(all, event("said", 4), plain, () => {})
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(b.sockets.log, [
        "deliver 1",
        "ask undefined",
        "deliver 2",
        "join  x",
        "event 3",
        "leave  x",
        "disconnect  false",
        "deliver 4"
      ])
      assert.deepStrictEqual(
        b.sockets.delivered.map(({ offset }) => offset),
        ["1", undefined, undefined, "2"]
      )
      for (const fiber of moves) yield* Fiber.join(fiber)
      yield* Fiber.join(asked)
    })
  )
})
