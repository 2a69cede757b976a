/**
 * The contract of a broker, for those who write one: what `ClusterAdapter` relies on, as tests of the bus alone.
 *
 * A test of a broker is one call, see `Harness.ts`. The time is real.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RecoveryOptions } from "../../../src/adapter/Adapter.ts"
import type { Broker, ClusterBus, Published } from "../../../src/adapter/ClusterBus.ts"
import { type Body, type ClusterMessage, MessageType } from "../../../src/adapter/ClusterMessage.ts"
import type { BusHarness } from "./Harness.ts"
import { all, event, inRooms, plain } from "./Recorder.ts"
import { until, untilEqual } from "./Waiting.ts"
import { liveIf } from "./LiveIf.ts"

interface Arrival {
  readonly message: ClusterMessage
  readonly offset: string | undefined
}

/** An open bus and what arrived on it. */
interface Node {
  readonly broker: Broker
  readonly uid: string
  readonly bus: ClusterBus
  /** From others: a bus may also give back its own. */
  readonly arrivals: () => ReadonlyArray<Arrival>
  readonly publish: (body: Body) => Effect.Effect<Published>
  readonly publishTo: (uid: string, body: Body) => Effect.Effect<Published>
}

let uids = 0

const open = (
  broker: Broker,
  namespace: string,
  recovery?: RecoveryOptions
): Effect.Effect<Node, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const uid = (++uids).toString(16).padStart(16, "0")
    const arrived: Array<Arrival> = []
    const bus = yield* broker.open({
      namespace,
      uid,
      recovery,
      sink: { onMessage: (message, offset) => void arrived.push({ message, offset }) }
    })
    const told = (send: (done: (published: Published) => void) => void): Effect.Effect<Published> =>
      Effect.callback((resume) => send((published) => resume(Effect.succeed(published))))
    return {
      broker,
      uid,
      bus,
      arrivals: () => arrived.filter(({ message }) => message.uid !== uid),
      publish: (body) => told((done) => bus.publish({ uid, nsp: namespace, body }, done)),
      publishTo: (to, body) => told((done) => bus.publishTo(to, { uid, nsp: namespace, body }, done))
    }
  })

const broadcast = (text: unknown, rooms: ReadonlyArray<string> = []): Body => ({
  type: MessageType.BROADCAST,
  target: rooms.length === 0 ? all : inRooms(...rooms),
  flags: plain,
  event: event("said", text),
  requestId: undefined
})

const textOf = ({ message: { body } }: Arrival): unknown =>
  body.type === MessageType.BROADCAST ? body.event.data[1] : `type ${body.type}`

const requestId = "00112233445566ff"
const target = { rooms: new Set(["a", "b"]), except: new Set(["c"]) }

/** One message of each kind that goes to all, and one of each kind of answer. */
const toAll: ReadonlyArray<Body> = [
  { type: MessageType.INITIAL_HEARTBEAT },
  { type: MessageType.HEARTBEAT },
  {
    type: MessageType.BROADCAST,
    target,
    flags: plain,
    event: event("e", 1, "ä", null, { a: [true] }),
    requestId: undefined
  },
  {
    type: MessageType.BROADCAST,
    target: all,
    flags: { volatile: true, compress: false, timeout: 1500, expectSingleResponse: true },
    event: event("e"),
    requestId
  },
  { type: MessageType.SOCKETS_JOIN, target, rooms: ["x", "y"] },
  { type: MessageType.SOCKETS_LEAVE, target, rooms: ["x"] },
  { type: MessageType.DISCONNECT_SOCKETS, target, close: true },
  { type: MessageType.FETCH_SOCKETS, target, requestId },
  { type: MessageType.SERVER_SIDE_EMIT, event: event("s", { deep: { er: 1 } }), requestId: undefined },
  { type: MessageType.SERVER_SIDE_EMIT, event: event("s"), requestId },
  { type: MessageType.ADAPTER_CLOSE }
]
const toOne: ReadonlyArray<Body> = [
  {
    type: MessageType.FETCH_SOCKETS_RESPONSE,
    requestId,
    sockets: [{ id: "s1", handshake: { url: "/?a" }, rooms: ["s1", "r"], data: { name: "x" } }]
  },
  { type: MessageType.SERVER_SIDE_EMIT_RESPONSE, requestId, answer: { ok: [1] } },
  { type: MessageType.BROADCAST_CLIENT_COUNT, requestId, count: 3 },
  { type: MessageType.BROADCAST_ACK, requestId, answer: "yes" }
]

const uncodable = (): ReadonlyArray<unknown> => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  return [10n, cycle]
}

/** What a bus must do. Order, addresses and stores as the harness says. */
export const busSuite = (name: string, { supports, cluster }: BusHarness): void => {
  const two = (namespace: string, recovery?: RecoveryOptions) =>
    Effect.gen(function* () {
      const place = yield* cluster
      const a = yield* open(yield* place.broker, namespace, recovery)
      const b = yield* open(yield* place.broker, namespace, recovery)
      return { place, a, b }
    })

  describe(`bus: ${name}`, { concurrent: true }, () => {
    it.live("messages of every type arrive as they were published, once", () =>
      Effect.gen(function* () {
        const { a, b } = yield* two("/types")
        for (const body of toAll) assert.strictEqual((yield* a.publish(body))._tag, "Published")
        for (const body of toOne) assert.strictEqual((yield* a.publishTo(b.uid, body))._tag, "Published")
        const expected = [...toAll, ...toOne]
        yield* until("all messages", () => b.arrivals().length >= expected.length)
        const bodies = b.arrivals().map(({ message }) => message.body)
        // Answers and broadcasts may travel by ways of their own.
        const byType = (list: ReadonlyArray<Body>) => [...list].sort((x, y) => x.type - y.type)
        assert.deepStrictEqual(byType(bodies).map(withoutAbsent), byType(expected).map(withoutAbsent))
        for (const { message } of b.arrivals()) assert.deepStrictEqual([message.uid, message.nsp], [a.uid, "/types"])
        assert.deepStrictEqual(a.arrivals(), [])
      })
    )

    it.live("binary arrives as bytes in events and answers, and large messages arrive", () =>
      Effect.gen(function* () {
        const { a, b } = yield* two("/binary")
        const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) & 255)
        yield* a.publish(broadcast({ bytes }))
        yield* a.publish({ type: MessageType.SERVER_SIDE_EMIT, event: event("s", bytes), requestId: undefined })
        yield* a.publishTo(b.uid, { type: MessageType.BROADCAST_ACK, requestId, answer: { bytes } })
        yield* a.publish(broadcast("x".repeat(300_000)))
        yield* until("four messages", () => b.arrivals().length === 4)
        const found = new Map(b.arrivals().map((arrival) => [arrival.message.body.type, arrival.message.body]))
        const sent = found.get(MessageType.SERVER_SIDE_EMIT)
        assert.isTrue(sent?.type === MessageType.SERVER_SIDE_EMIT && same(sent.event.data[1], bytes))
        const ack = found.get(MessageType.BROADCAST_ACK)
        assert.isTrue(ack?.type === MessageType.BROADCAST_ACK && same((ack.answer as { bytes: unknown }).bytes, bytes))
        const texts = b.arrivals().map(textOf)
        assert.isTrue(texts.some((text) => typeof text === "string" && text.length === 300_000))
        assert.isTrue(texts.some((text) => same((text as { bytes?: unknown }).bytes, bytes)))
      })
    )

    liveIf(supports.order !== false)("messages arrive in the order of the calls, and so are the calls of `done`", () =>
      Effect.gen(function* () {
        const { a, b } = yield* two("/order")
        const done: Array<number> = []
        const count = 200
        for (let i = 0; i < count; i++) {
          const text = i % 40 === 5 ? `${i} ${"x".repeat(30_000)}` : `${i}`
          a.bus.publish({ uid: a.uid, nsp: "/order", body: broadcast(text) }, () => void done.push(i))
        }
        yield* until("all calls of done", () => done.length >= count)
        yield* until("all messages", () => b.arrivals().length >= count)
        const expected = Array.from({ length: count }, (_, i) => i)
        assert.deepStrictEqual(
          b.arrivals().map((arrival) => Number(String(textOf(arrival)).split(" ")[0])),
          expected
        )
        assert.deepStrictEqual(done, expected)
      })
    )

    it.live("a message that cannot be written fails, and the next ones arrive", () =>
      Effect.gen(function* () {
        const { a, b } = yield* two("/uncodable")
        for (const value of uncodable()) assert.strictEqual((yield* a.publish(broadcast(value)))._tag, "Failed")
        yield* a.publish(broadcast("fine"))
        yield* until("the next message", () => b.arrivals().length === 1)
        assert.deepStrictEqual(b.arrivals().map(textOf), ["fine"])
      })
    )

    it.live("answers reach the node that they are for", () =>
      Effect.gen(function* () {
        const { place, a, b } = yield* two("/answers")
        const c = yield* open(yield* place.broker, "/answers")
        yield* a.publishTo(b.uid, toOne[1]!)
        yield* a.publishTo("ffffffffffffffff", toOne[1]!)
        yield* a.publish(broadcast("end"))
        yield* until("the answer", () => b.arrivals().length >= 2 && c.arrivals().length >= 1)
        const answers = (node: Node) =>
          node.arrivals().filter(({ message }) => message.body.type !== MessageType.BROADCAST)
        if (supports.addressed !== false) {
          assert.lengthOf(answers(b), 1)
          assert.lengthOf(answers(c), 0)
        }
        assert.isAtLeast(answers(b).length, 1)
      })
    )

    it.live("namespaces are apart, whatever their names hold", () =>
      Effect.gen(function* () {
        const place = yield* cluster
        const names = [
          "/",
          "/a",
          "/a*",
          "/a?",
          "/[a]",
          "/a.b",
          "/a>",
          "/a b",
          "/a#b",
          "/a/b",
          "/ä漢😀",
          "/A",
          '/"a"',
          "/a\\"
        ]
        const [left, right] = [yield* place.broker, yield* place.broker]
        const pairs = yield* Effect.forEach(names, (namespace) =>
          Effect.all([open(left, namespace), open(right, namespace)])
        )
        for (const [i, [a]] of pairs.entries()) yield* a.publish(broadcast(names[i]))
        for (const [, b] of pairs) yield* until("a message in each namespace", () => b.arrivals().length >= 1)
        for (const [a, b] of pairs) yield* b.publish(broadcast(a.uid))
        for (const [a] of pairs) yield* until("a message back in each namespace", () => a.arrivals().length >= 1)
        for (const [i, [a, b]] of pairs.entries()) {
          assert.deepStrictEqual(b.arrivals().map(textOf), [names[i]])
          assert.deepStrictEqual(a.arrivals().map(textOf), [a.uid])
        }
      })
    )

    it.live("rooms: who has told its interest hears what is for the room, whatever its name holds", () =>
      Effect.gen(function* () {
        const { place, a, b } = yield* two("/rooms")
        const c = yield* open(yield* place.broker, "/rooms")
        const rooms = ["r", "a room", "*", "r#s", "r.>", "ä漢😀", "12345678901234567890"]
        for (const room of rooms) {
          b.bus.roomCreated?.(room)
          yield* b.bus.subscribed?.(room) ?? Effect.void
        }
        for (const room of rooms) yield* a.publish(broadcast(room, [room]))
        yield* a.publish(broadcast("two rooms", ["r", "*"]))
        yield* until("all messages", () => b.arrivals().length > rooms.length)
        assert.sameMembers(b.arrivals().map(textOf), [...rooms, "two rooms"])
        for (const { message } of b.arrivals()) {
          if (message.body.type !== MessageType.BROADCAST) assert.fail("something else than a broadcast")
        }
        for (const room of rooms) b.bus.roomDeleted?.(room)
        yield* b.publish(broadcast("back"))
        yield* until(
          "others are not concerned",
          () => a.arrivals().length === 1 && c.arrivals().some((arrival) => textOf(arrival) === "back")
        )
      })
    )

    it.live("a bus ends with its scope: nothing arrives, publishing fails, and neither throws", () =>
      Effect.gen(function* () {
        const { place, a } = yield* two("/ends")
        const scope = yield* Scope.make()
        const gone = yield* Scope.provide(open(yield* place.broker, "/ends"), scope)
        yield* a.publish(broadcast("1"))
        yield* until("the first message", () => gone.arrivals().length === 1)
        yield* Scope.close(scope, Exit.void)
        yield* a.publish(broadcast("2"))
        const published = yield* Effect.timeoutOption(gone.publish(broadcast("from nobody")), "10 seconds")
        assert.strictEqual(Option.getOrUndefined(published)?._tag, "Failed")
        assert.lengthOf(gone.arrivals(), 1)
        gone.bus.roomCreated?.("r")
        gone.bus.roomDeleted?.("r")
      })
    )

    it.live("health begins with the present state", () =>
      Effect.gen(function* () {
        const { a } = yield* two("/health")
        const first = yield* Stream.runHead(a.broker.health)
        assert.strictEqual(Option.getOrUndefined(first)?._tag, "Connected")
      })
    )

    it.live("a broker that counts nodes counts them all", () =>
      Effect.gen(function* () {
        const { a, b } = yield* two("/count")
        for (const { bus } of [a, b]) {
          if (bus.membership._tag === "Counted") yield* untilEqual("two nodes", bus.membership.count, 2)
        }
      })
    )

    it.live("what is no message is ignored and counted", (context) =>
      Effect.gen(function* () {
        const { place, a, b } = yield* two("/junk")
        if (place.inject === undefined) return context.skip("this harness cannot put payloads on channels")
        for (const payload of ["", "{", "[]", "x", '{"type":3}', '{"uid":1,"nsp":"/junk","type":2}']) {
          yield* place.inject("/junk", payload)
        }
        yield* a.publish(broadcast("still there"))
        yield* until("the message", () => b.arrivals().length >= 1)
        assert.deepStrictEqual(b.arrivals().map(textOf), ["still there"])
        yield* untilEqual(
          "counted",
          Effect.sync(() => b.broker.counters.ignored > 0),
          true
        )
      })
    )

    liveIf(supports.store)("places in the log: told to the publisher, and to everybody who reads", () =>
      Effect.gen(function* () {
        const { a, b } = yield* two("/log", { maxDisconnectionDuration: 60_000 })
        const offsets: Array<string | undefined> = []
        for (let i = 0; i < 5; i++) {
          const published = yield* a.publish(broadcast(i))
          offsets.push(published._tag === "Published" ? published.offset : undefined)
        }
        yield* until("all messages", () => b.arrivals().length === 5)
        assert.notInclude(offsets, undefined)
        assert.deepStrictEqual(
          b.arrivals().map(({ offset }) => offset),
          offsets
        )
        assert.deepStrictEqual([a.bus.store?.position, b.bus.store?.position], [offsets[4], offsets[4]])
        const without = yield* open(yield* (yield* cluster).broker, "/log")
        assert.isUndefined(without.bus.store)
      })
    )
  })
}

const same = (value: unknown, bytes: Uint8Array): boolean =>
  value instanceof Uint8Array && value.length === bytes.length && value.every((byte, i) => byte === bytes[i])

/** Keys that are `undefined` and keys that are absent are the same. */
const withoutAbsent = (body: Body): unknown =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
