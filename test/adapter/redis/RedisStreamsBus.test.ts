/**
 * Buses over Redis Streams on a real redis-server: what is heard, in which order, what is kept, and what happens when Redis goes away.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { afterAll, beforeAll } from "vitest"
import type { AdapterHealth, SocketSession } from "../../../src/adapter/Adapter.ts"
import { MessageType } from "../../../src/adapter/ClusterMessage.ts"
import * as Redis from "../../brokers/Redis.ts"
import { client, commands, event, kinds, node, offsetOf, open, until } from "./streamNodes.ts"

const uidA = "aaaaaaaaaaaaaaaa"
const uidB = "bbbbbbbbbbbbbbbb"
const uidC = "cccccccccccccccc"

const session = (pid: string, rooms: ReadonlyArray<string>, since?: string): SocketSession => ({
  sid: `sid-${pid}`,
  pid,
  rooms,
  data: { name: "Ada" },
  since
})

const reason = <A, E extends { readonly reason: string }>(effect: Effect.Effect<A, E>): Effect.Effect<string> =>
  Effect.match(effect, { onFailure: (error) => error.reason, onSuccess: () => "restored" })

/** The states of a broker, from now on. */
const healthOf = Effect.fnUntraced(function* (health: Stream.Stream<AdapterHealth>) {
  const states: Array<string> = []
  yield* Effect.forkScoped(
    Stream.runForEach(health, ({ _tag }) => Effect.sync(() => states.push(_tag))),
    { startImmediately: true }
  )
  return states
})

describe.skipIf(!Redis.available)(`Redis Streams (${Redis.hint})`, () => {
  let redis: Redis.RedisServer
  beforeAll(async () => {
    redis = await Redis.start()
  })
  afterAll(() => redis.close())

  describe.each(kinds)("over a client of %s", (kind) => {
    it.live("messages of all kinds reach the others in the order of the calls, binary too", () =>
      Effect.gen(function* () {
        const namespace = `/order-${kind}`
        const over = yield* client(kind, redis.url)
        const a = yield* node(over, { namespace, uid: uidA })
        const b = yield* node(yield* client(kind, redis.url), { namespace, uid: uidB })
        const c = yield* node(yield* client(kind, redis.url), { namespace, uid: uidC, recovery: 60_000 })
        const { rooms, except } = { rooms: new Set(["r"]), except: new Set<string>() }
        const target = { rooms, except }
        for (let round = 0; round < 20; round++) {
          for (const { bus, uid } of [a, c]) {
            const publish = (body: Parameters<typeof a.publish>[0]): void =>
              bus.publish({ uid, nsp: namespace, body }, () => {})
            publish(event([`${round}.1`, Buffer.from([1, 2, 3])]))
            publish(event([`${round}.2`], { requestId: `q${round}` }))
            publish({ type: MessageType.SOCKETS_JOIN, target, rooms: ["x"] })
            publish({ type: MessageType.FETCH_SOCKETS, target, requestId: `f${round}` })
            publish({ type: MessageType.SERVER_SIDE_EMIT, event: { data: ["s"] }, requestId: undefined })
            publish({ type: MessageType.SOCKETS_LEAVE, target, rooms: ["x"] })
            publish({ type: MessageType.DISCONNECT_SOCKETS, target, close: true })
          }
        }
        const of = (heard: typeof b.heard, uid: string) =>
          heard
            .filter(({ message }) => message.uid === uid)
            .map(({ message: { body } }) => (body.type === MessageType.BROADCAST ? body.event.data[0] : body.type))
        const expected = Array.from({ length: 20 }, (_, i) => [`${i}.1`, `${i}.2`, 4, 7, 9, 5, 6]).flat()
        yield* until(() => b.heard.length >= 280, "280 messages")
        assert.deepStrictEqual(of(b.heard, uidA), expected)
        assert.deepStrictEqual(of(b.heard, uidC), expected)
        assert.lengthOf(b.heard, 280)
        yield* until(() => c.heard.length >= 140, "140 messages")
        assert.deepStrictEqual(of(c.heard, uidA), expected)
        const first = b.heard[0]!.message.body
        assert.isTrue(first.type === MessageType.BROADCAST)
        if (first.type === MessageType.BROADCAST) {
          assert.deepStrictEqual(Buffer.from(first.event.data[1] as Uint8Array), Buffer.from([1, 2, 3]))
        }
        assert.strictEqual(b.broker.counters.ignored, 0)
      })
    )

    it.live("answers go to the node that asked; the broker counts nodes, and forgets those that leave", () =>
      Effect.gen(function* () {
        const namespace = `/answers-${kind}`
        const a = yield* node(yield* client(kind, redis.url), { namespace, uid: uidA })
        const b = yield* node(yield* client(kind, redis.url), { namespace, uid: uidB })
        const scope = yield* Scope.make()
        const c = yield* Scope.provide(node(yield* client(kind, redis.url), { namespace, uid: uidC }), scope)
        const { membership } = a.bus
        assert.isTrue(membership._tag === "Counted")
        if (membership._tag !== "Counted") return
        assert.strictEqual(yield* membership.count, 3)
        const body = { type: MessageType.BROADCAST_ACK, requestId: "q", answer: new Uint8Array([7]) } as const
        const told = yield* Effect.callback<string>((resume) => {
          b.bus.publishTo(uidA, { uid: uidB, nsp: namespace, body }, ({ _tag }) => resume(Effect.succeed(_tag)))
        })
        assert.strictEqual(told, "Published")
        yield* until(() => a.heard.length > 0, "the answer")
        assert.lengthOf(c.heard, 0)
        yield* Scope.close(scope, Exit.void)
        while ((yield* membership.count) !== 2) yield* Effect.sleep("5 millis")
      })
    )

    it.live("namespaces of a server share a reader, and hear their own only", () =>
      Effect.gen(function* () {
        const run = yield* commands(redis.url)
        const over = yield* client(kind, redis.url)
        const one = yield* node(over, { namespace: `/one-${kind}`, uid: uidA, streamName: `shared-${kind}` })
        const two = yield* open(one.broker, { namespace: `/two-${kind}`, uid: uidB })
        const far = yield* node(over, { namespace: `/two-${kind}`, uid: uidC, streamName: `shared-${kind}` })
        yield* far.publish(event(["x"]))
        yield* until(() => two.heard.length > 0, "the event")
        assert.lengthOf(one.heard, 0)
        const reading = String(yield* run("CLIENT", "LIST")).match(/cmd=xread/g)
        assert.isNotNull(reading)
      })
    )
  })

  describe("the log", () => {
    it.live("own broadcasts are told in the order of the log, between those of others", () =>
      Effect.gen(function* () {
        const namespace = "/total"
        const over = yield* client("redis", redis.url)
        const logs: Record<string, Array<string>> = {}
        const publishers = yield* Effect.forEach([uidA, uidB, uidC], (uid) =>
          Effect.gen(function* () {
            const log: Array<string> = (logs[uid] = [])
            const broker = yield* node(over, { namespace: `/unused-${uid}`, uid, recovery: 60_000 })
            const bus = yield* broker.broker.open({
              namespace,
              uid,
              recovery: { maxDisconnectionDuration: 60_000 },
              sink: { onMessage: (_message, offset) => void log.push(offset ?? "?") }
            })
            return { uid, bus, log }
          })
        )
        for (let i = 0; i < 50; i++) {
          for (const { uid, bus, log } of publishers) {
            bus.publish({ uid, nsp: namespace, body: event(["x", i]) }, (published) => log.push(offsetOf(published)))
          }
        }
        yield* until(() => publishers.every(({ log }) => log.length === 150), "150 events at each")
        assert.deepStrictEqual(logs[uidA], logs[uidB])
        assert.deepStrictEqual(logs[uidA], logs[uidC])
        assert.strictEqual(new Set(logs[uidA]).size, 150)
      })
    )

    it.live("a session comes back once, with what was missed: by room, without what is volatile or asked", () =>
      Effect.gen(function* () {
        const namespace = "/recovery"
        const a = yield* node(yield* client("redis", redis.url), { namespace, uid: uidA, recovery: 60_000 })
        const b = yield* node(yield* client("ioredis", redis.url), { namespace, uid: uidB, recovery: 60_000 })
        const other = yield* open(a.broker, { namespace: "/recovery2", uid: uidC, recovery: 60_000 })
        const seen = offsetOf(yield* a.publish(event(["seen"])))
        yield* a.publish(event(["all", Buffer.from([1])]))
        yield* a.publish(event(["mine"], { rooms: ["r1", "r2"] }))
        yield* a.publish(event(["theirs"], { rooms: ["r9"] }))
        yield* a.publish(event(["not me"], { except: ["r2"] }))
        yield* a.publish(event(["volatile"], { volatile: true }))
        yield* a.publish(event(["question"], { requestId: "q" }))
        yield* a.publish({
          type: MessageType.SOCKETS_JOIN,
          target: { rooms: new Set(), except: new Set() },
          rooms: ["x"]
        })
        yield* other.publish(event(["elsewhere"]))
        const last = offsetOf(yield* a.publish(event(["last"], { rooms: ["sid-p1"] })))
        const kept = session("p1", ["sid-p1", "r2"], seen)
        yield* a.bus.store!.persist(kept)
        const restored = yield* b.bus.store!.restore("p1", seen)
        assert.deepStrictEqual(restored.session, kept)
        assert.deepStrictEqual(
          restored.missed.map(({ event: { data } }) => data[0]),
          ["all", "mine", "last"]
        )
        assert.strictEqual(restored.missed.at(-1)!.offset, last)
        assert.strictEqual(yield* reason(a.bus.store!.restore("p1", seen)), "SessionUnknown")
      })
    )

    it.live("without an offset everything since the socket connected was missed", () =>
      Effect.gen(function* () {
        const namespace = "/since"
        const a = yield* node(yield* client("redis", redis.url), { namespace, uid: uidA, recovery: 60_000 })
        yield* a.publish(event(["before"]))
        const since = a.bus.store!.position
        assert.isString(since)
        yield* a.publish(event(["after"]))
        yield* a.bus.store!.persist(session("p2", ["sid-p2"], since))
        const { missed } = yield* a.bus.store!.restore("p2", undefined)
        assert.deepStrictEqual(
          missed.map(({ event: { data } }) => data[0]),
          ["after"]
        )
      })
    )

    it.live("of two who name the same session at once, one gets it", () =>
      Effect.gen(function* () {
        const namespace = "/twice"
        const a = yield* node(yield* client("redis", redis.url), { namespace, uid: uidA, recovery: 60_000 })
        const b = yield* node(yield* client("redis", redis.url), { namespace, uid: uidB, recovery: 60_000 })
        const offset = offsetOf(yield* a.publish(event(["x"])))
        for (let i = 0; i < 20; i++) {
          yield* a.bus.store!.persist(session("p3", ["sid-p3"], offset))
          const outcomes = yield* Effect.all(
            [a, b, a, b].map(({ bus }) => reason(bus.store!.restore("p3", offset))),
            { concurrency: "unbounded" }
          )
          assert.sameMembers(outcomes, ["restored", "SessionUnknown", "SessionUnknown", "SessionUnknown"])
        }
      })
    )

    it.live("a session is kept for maxDisconnectionDuration", () =>
      Effect.gen(function* () {
        const run = yield* commands(redis.url)
        const a = yield* node(yield* client("redis", redis.url), { namespace: "/ttl", uid: uidA, recovery: 60_000 })
        yield* a.bus.store!.persist(session("p4", ["sid-p4"]))
        const left = Number(yield* run("PTTL", "sio:session:p4"))
        assert.isTrue(left > 50_000 && left <= 60_000, String(left))
      })
    )

    it.live("what clients and others make up is refused: offsets, sessions", () =>
      Effect.gen(function* () {
        const run = yield* commands(redis.url)
        const a = yield* node(yield* client("redis", redis.url), { namespace: "/forged", uid: uidA, recovery: 60_000 })
        const { store } = a.bus
        yield* a.publish(event(["x"]))
        yield* store!.persist(session("p5", ["sid-p5"], store!.position))
        for (const offset of ["", "-", "+", "$", "hello", "1-1-1", "99999999999999999999-0"]) {
          assert.strictEqual(yield* reason(store!.restore("p5", offset)), "OffsetUnknown", offset)
        }
        // A place that the log has not reached.
        assert.strictEqual(yield* reason(store!.restore("p5", "9000000000000000-0")), "OffsetUnknown")
        assert.strictEqual(yield* reason(store!.restore("p5", store!.position)), "restored")
        const forged: ReadonlyArray<string | Buffer> = ["", "%", "gA==", Buffer.from([0xff]), "x".repeat(100_000)]
        for (const value of forged) {
          yield* run("SET", "sio:session:p6", value)
          assert.strictEqual(yield* reason(store!.restore("p6", store!.position)), "SessionUnknown")
        }
      })
    )

    it.live("more than one page of missed events comes back whole", () =>
      Effect.gen(function* () {
        const a = yield* node(yield* client("redis", redis.url), {
          namespace: "/pages",
          streamName: "pages",
          uid: uidA,
          recovery: 60_000
        })
        const since = a.bus.store!.position
        const results = yield* Effect.all(
          Array.from({ length: 2345 }, (_, i) => a.publish(event(["x", i]))),
          { concurrency: "unbounded" }
        )
        const offsets = results.map(offsetOf)
        yield* a.bus.store!.persist(session("p7", ["sid-p7"], since))
        const { missed } = yield* a.bus.store!.restore("p7", undefined)
        assert.deepStrictEqual(
          missed.map(({ offset }) => offset),
          offsets
        )
        assert.deepStrictEqual(
          missed.map(({ event: { data } }) => data[1]),
          Array.from({ length: 2345 }, (_, i) => i)
        )
      })
    )

    it.live("more than maxMissedEntries is never a part: LogTruncated", () =>
      Effect.gen(function* () {
        const a = yield* node(yield* client("redis", redis.url), {
          namespace: "/bounded",
          streamName: "bounded",
          uid: uidA,
          recovery: 60_000,
          maxMissedEntries: 10
        })
        const { store } = a.bus
        const first = offsetOf(yield* a.publish(event(["x", 0])))
        const second = offsetOf(yield* a.publish(event(["x", 1])))
        for (let i = 0; i < 10; i++) yield* a.publish(event(["x", i]))
        yield* store!.persist(session("p8", ["sid-p8"], first))
        assert.strictEqual(yield* reason(store!.restore("p8", first)), "LogTruncated")
        assert.lengthOf((yield* store!.restore("p8", second)).missed, 10)
      })
    )

    it.live("a trimmed log is LogTruncated, never a part; a place whose own entry alone is gone still counts", () =>
      Effect.gen(function* () {
        const run = yield* commands(redis.url)
        const a = yield* node(yield* client("redis", redis.url), {
          namespace: "/trimmed",
          streamName: "trimmed",
          uid: uidA,
          recovery: 60_000
        })
        const { store } = a.bus
        const ids: Array<string> = []
        for (let i = 0; i < 6; i++) ids.push(offsetOf(yield* a.publish(event(["x", i]))))
        const restore = (offset: string | undefined) =>
          Effect.andThen(store!.persist(session("p9", ["sid-p9"], ids[0])), store!.restore("p9", offset))
        yield* run("XTRIM", "trimmed", "MINID", ids[3]!)
        assert.strictEqual(yield* reason(restore(ids[0])), "LogTruncated")
        assert.strictEqual(yield* reason(restore(ids[1])), "LogTruncated")
        assert.strictEqual(yield* reason(restore(undefined)), "LogTruncated")
        assert.lengthOf((yield* restore(ids[2])).missed, 3)
        assert.lengthOf((yield* restore(ids[3])).missed, 2)
        assert.lengthOf((yield* restore(ids[5])).missed, 0)
        // All of it: nothing came after the last.
        yield* run("XTRIM", "trimmed", "MAXLEN", "0")
        assert.lengthOf((yield* restore(ids[5])).missed, 0)
        assert.strictEqual(yield* reason(restore(ids[4])), "LogTruncated")
        yield* a.publish(event(["x", 6]))
        assert.lengthOf((yield* restore(ids[5])).missed, 1)
        assert.strictEqual(yield* reason(restore(ids[4])), "LogTruncated")
        // One that somebody has deleted by hand.
        const [x, , y] = [
          yield* a.publish(event(["x"])),
          yield* a.publish(event(["y"])),
          yield* a.publish(event(["z"]))
        ]
        const [hole] = (yield* run("XRANGE", "trimmed", `(${offsetOf(x)}`, "+", "COUNT", "1")) as Array<[string]>
        yield* run("XDEL", "trimmed", hole![0])
        assert.strictEqual(yield* reason(restore(offsetOf(x))), "LogTruncated")
        assert.lengthOf((yield* restore(offsetOf(y))).missed, 0)
      })
    )

    it.live("an idle client whose place was trimmed long ago comes back, if it has all that was written to it", () =>
      Effect.gen(function* () {
        const run = yield* commands(redis.url)
        const a = yield* node(yield* client("redis", redis.url), {
          namespace: "/idle",
          streamName: "idle",
          uid: uidA,
          recovery: 60_000
        })
        const { store } = a.bus
        const ids: Array<string> = []
        for (let i = 0; i < 6; i++) ids.push(offsetOf(yield* a.publish(event(["x", i]))))
        yield* run("XTRIM", "idle", "MINID", ids[5]!)
        const kept = { ...session("p12", ["sid-p12"], ids[0]), written: { last: ids[1], end: ids[4] } }
        const restore = (offset: string | undefined) =>
          Effect.andThen(store!.persist(kept), store!.restore("p12", offset))
        assert.lengthOf((yield* restore(ids[1])).missed, 1)
        // One that lacks what was written to it has missed something.
        assert.strictEqual(yield* reason(restore(ids[0])), "LogTruncated")
        assert.strictEqual(yield* reason(restore(undefined)), "LogTruncated")
      })
    )

    it.live("a log that never had an entry is a place, too", () =>
      Effect.gen(function* () {
        const options = { namespace: "/empty", streamName: "empty", recovery: 60_000 }
        const a = yield* node(yield* client("redis", redis.url), { ...options, uid: uidA })
        const { store } = a.bus
        const since = store!.position
        yield* store!.persist(session("p10", ["sid-p10"], since))
        assert.lengthOf((yield* store!.restore("p10", undefined)).missed, 0)
        yield* store!.persist(session("p10", ["sid-p10"], since))
        yield* a.publish(event(["x"]))
        assert.lengthOf((yield* store!.restore("p10", undefined)).missed, 1)
      })
    )
  })

  it.live("malformed entries and messages are ignored and counted, a flood of them too", () =>
    Effect.gen(function* () {
      const run = yield* commands(redis.url)
      const namespace = "/flood"
      const a = yield* node(yield* client("redis", redis.url), { namespace, streamName: "flood", uid: uidA })
      const b = yield* node(yield* client("ioredis", redis.url), { namespace, streamName: "flood", uid: uidB })
      const entries: ReadonlyArray<ReadonlyArray<string | Buffer>> = [
        ["hello", "world"],
        ["nsp", namespace],
        ["nsp", namespace, "type", "many"],
        ["nsp", namespace, "uid", "x", "type", "3", "data", "{"],
        ["nsp", namespace, "uid", "x", "type", "3", "data", "****"],
        ["nsp", namespace, "uid", "x", "type", "3", "data", "gAA="],
        ["nsp", namespace, "uid", "x", "type", "3", "data", Buffer.from([0xff, 0xfe])],
        ["nsp", namespace, "uid", "x", "type", "999", "data", "{}"],
        ["nsp", namespace, "uid", "x", "type", "4", "data", `{"opts":{"rooms":[]},"rooms":"__proto__"}`, "seq", "-1"],
        ["nsp", namespace, "uid", "", "type", "3", "data", `{"packet":{"type":2,"data":"x"},"opts":{}}`]
      ]
      for (let i = 0; i < 50; i++) {
        yield* Effect.all(
          entries.map((fields) => run("XADD", "flood", "*", ...fields)),
          { concurrency: "unbounded" }
        )
        yield* run("PUBLISH", `socket.io#${namespace}#`, Buffer.from([0xc1, i]))
        yield* run("PUBLISH", `socket.io#${namespace}#`, "hello")
        yield* run("PUBLISH", `socket.io#${namespace}#${uidB}#`, Buffer.from([0x81, 0xa4]))
      }
      yield* a.publish(event(["fine"]))
      yield* until(() => b.names().includes("fine"), "the event behind the flood")
      assert.deepStrictEqual(
        b.names().filter((name) => name !== "4"),
        ["fine"]
      )
      const before = b.broker.counters.ignored
      // All but those that a lenient reader may take.
      assert.isAtLeast(before, 50 * 11)
      assert.strictEqual(b.broker.counters.gaps, 0)
    })
  )

  it.live("T10: official nodes hear namespaces with a negative hash from us, and we hear theirs", () =>
    Effect.gen(function* () {
      const run = yield* commands(redis.url)
      const options = { namespace: "/notifications", streamName: "t10", streamCount: 4 }
      const a = yield* node(yield* client("redis", redis.url), { ...options, uid: uidA, recovery: 60_000 })
      const b = yield* node(yield* client("redis", redis.url), { ...options, uid: uidB, recovery: 60_000 })
      const offset = offsetOf(yield* a.publish(event(["ours"])))
      // Where official nodes read, and not where they write.
      assert.strictEqual(Number(yield* run("XLEN", "t10-3")), 1)
      assert.strictEqual(Number(yield* run("EXISTS", "t10--3")), 0)
      yield* b.bus.store!.persist(session("p11", ["sid-p11"], offset))
      const data = JSON.stringify({ packet: { type: 2, data: ["theirs"] }, opts: { rooms: [], except: [], flags: {} } })
      yield* run("XADD", "t10--3", "*", "uid", uidC, "nsp", "/notifications", "type", "3", "data", data)
      yield* until(() => b.heard.length === 2, "both events")
      assert.deepStrictEqual(b.names(), ["ours", "theirs"])
      // It has no place in the log, and so is not passed for missed.
      assert.isUndefined(b.heard[1]!.offset)
      assert.strictEqual(yield* reason(b.bus.store!.restore("p11", offset)), "LogTruncated")
    })
  )
})

describe.skipIf(!Redis.available)("Redis goes away", () => {
  it.live.each(kinds)("kill -9 and restart with an AOF: nothing that was published is lost (%s)", (kind) =>
    Effect.gen(function* () {
      const redis = yield* Effect.acquireRelease(
        Effect.promise(() => Redis.start("--appendonly", "yes", "--appendfsync", "always")),
        (server) => Effect.promise(() => server.close())
      )
      const recovery = 600_000
      const a = yield* node(yield* client(kind, redis.url), { uid: uidA, recovery })
      const b = yield* node(yield* client(kind, redis.url), { uid: uidB, recovery })
      const states = yield* healthOf(a.broker.health)
      const before = offsetOf(yield* a.publish(event(["before"])))
      yield* a.bus.store!.persist(session("p", ["sid-p"], before))
      yield* a.publish(event(["missed"]))
      yield* Effect.promise(() => redis.kill())
      yield* until(() => states.includes("Disconnected"), "Disconnected")
      // Nothing is kept for later: it fails at once.
      const failed = yield* a.publish(event(["lost"]))
      assert.strictEqual(failed._tag === "Failed" && failed.error.reason, "Unavailable")
      assert.strictEqual(yield* reason(b.bus.store!.restore("p", before)), "Unavailable")
      yield* Effect.promise(() => redis.start())
      yield* until(() => states.at(-1) === "Connected", "Connected")
      const ready = Effect.gen(function* () {
        const published = yield* a.publish(event(["after"]))
        return published._tag === "Published"
      })
      while (!(yield* ready)) yield* Effect.sleep("10 millis")
      yield* until(() => b.names().includes("after"), "the event after the restart")
      assert.deepStrictEqual(b.names(), ["before", "missed", "after"])
      assert.strictEqual(b.broker.counters.gaps, 0)
      const { missed } = yield* b.bus.store!.restore("p", before)
      assert.deepStrictEqual(
        missed.map(({ event: { data } }) => data[0]),
        ["missed", "after"]
      )
      assert.notInclude(states, "Gap")
      // Channels are heard again.
      yield* a.publish(event(["question"], { requestId: "q" }))
      yield* until(() => b.names().includes("question"), "the question after the restart")
    })
  )

  it.live("a restart that loses the log is a gap, and old offsets are not places in the new one", () =>
    Effect.gen(function* () {
      const redis = yield* Effect.acquireRelease(
        Effect.promise(() => Redis.start()),
        (server) => Effect.promise(() => server.close())
      )
      const a = yield* node(yield* client("redis", redis.url), { uid: uidA, recovery: 60_000 })
      const b = yield* node(yield* client("ioredis", redis.url), { uid: uidB, recovery: 60_000 })
      const states = yield* healthOf(b.broker.health)
      const before = offsetOf(yield* a.publish(event(["before"])))
      yield* Effect.promise(() => redis.kill())
      yield* Effect.promise(() => redis.start())
      yield* until(() => b.broker.counters.gaps === 1, "the gap")
      yield* until(() => states.includes("Gap"), "the state")
      const publish = Effect.map(a.publish(event(["after"])), ({ _tag }) => _tag === "Published")
      while (!(yield* publish)) yield* Effect.sleep("10 millis")
      yield* until(() => b.names().includes("after"), "the event after the restart")
      yield* a.bus.store!.persist(session("p", ["sid-p"], before))
      let outcome = "Unavailable"
      // Its client may need a little longer.
      while (outcome === "Unavailable") {
        yield* Effect.sleep("10 millis")
        outcome = yield* reason(b.bus.store!.restore("p", before))
      }
      assert.strictEqual(outcome, "LogTruncated")
    })
  )

  it.live("entries that were trimmed while a reader was away are a gap", () =>
    Effect.gen(function* () {
      const redis = yield* Effect.acquireRelease(
        Effect.promise(() => Redis.start()),
        (server) => Effect.promise(() => server.close())
      )
      const run = yield* commands(redis.url)
      const a = yield* node(yield* client("redis", redis.url), { uid: uidA, recovery: 60_000 })
      yield* a.publish(event(["before"]))
      // While the readers are between two connections.
      yield* run("MULTI")
      yield* run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      for (let i = 0; i < 5; i++) yield* run("XADD", "socket.io", "MAXLEN", "1", "*", "nsp", "/", "type", "2")
      yield* run("EXEC")
      yield* until(() => a.broker.counters.gaps === 1, "the gap")
    })
  )

  it.live("a frozen Redis: what is under way is bounded, and settles when it thaws", () =>
    Effect.gen(function* () {
      const redis = yield* Effect.acquireRelease(
        Effect.promise(() => Redis.start()),
        (server) => Effect.promise(() => server.close())
      )
      const a = yield* node(yield* client("redis", redis.url), { uid: uidA, maxInFlight: 100 })
      yield* a.publish(event(["before"]))
      redis.freeze()
      let failed = 0
      let published = 0
      for (let i = 0; i < 1000; i++) {
        a.bus.publish({ uid: uidA, nsp: "/", body: event(["x", i]) }, ({ _tag }) => {
          if (_tag === "Failed") failed++
          else published++
        })
      }
      redis.thaw()
      yield* until(() => failed + published === 1000, "all to be told")
      // The reply to the one before may have been under way, too.
      assert.include([99, 100], published)
    })
  )

  it.live("a scope that closes leaves no connection behind, also while Redis is away", () =>
    Effect.gen(function* () {
      const redis = yield* Effect.acquireRelease(
        Effect.promise(() => Redis.start()),
        (server) => Effect.promise(() => server.close())
      )
      const run = yield* commands(redis.url)
      const over = yield* client("redis", redis.url)
      const connections = Effect.map(run("CLIENT", "LIST"), (list) => String(list).trim().split("\n").length)
      assert.strictEqual(yield* connections, 2)
      for (let i = 0; i < 3; i++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* node(over, { uid: uidA, recovery: 60_000 })
            assert.strictEqual(yield* connections, 4)
          })
        )
        for (let left = 0; left !== 2; left = yield* connections) yield* Effect.sleep("5 millis")
      }
      const scope = yield* Scope.make()
      yield* Scope.provide(node(over, { uid: uidA }), scope)
      yield* Effect.promise(() => redis.kill())
      yield* Scope.close(scope, Exit.void)
    })
  )
})
