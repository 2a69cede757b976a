/** The bus over JetStream, on servers of its own: order, offsets, recovery, and what happens when the broker is killed. */
import { assert, describe, it } from "@effect/vitest"
import { jetstreamManager } from "@nats-io/jetstream"
import { connect, headers, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { AdapterError, type SocketSession } from "../../../src/adapter/Adapter.ts"
import type { BusStore } from "../../../src/adapter/ClusterBus.ts"
import { MessageType } from "../../../src/adapter/ClusterMessage.ts"
import * as Nats from "../../brokers/Nats.ts"
import * as TcpProxy from "../../suites/TcpProxy.ts"
import * as Rig from "./Rig.ts"

const patience = 90_000

const live = (name: string, body: () => Effect.Effect<void, unknown, Scope.Scope>): void => {
  it.live(name, () => Effect.scoped(body()), patience)
}

const numbers = (length: number): Array<number> => Array.from({ length }, (_, n) => n)

const storeOf = ({ bus }: Rig.Node): BusStore => {
  if (bus.store === undefined) throw new Error("no store")
  return bus.store
}

const session = (pid: string, since: string | undefined, rooms: ReadonlyArray<string> = []): SocketSession => ({
  sid: `sid-${pid}`,
  pid,
  rooms: [`sid-${pid}`, ...rooms],
  data: { name: "someone" },
  since
})

const outside = (server: Nats.NatsServer): Effect.Effect<NatsConnection, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => connect({ servers: server.url })),
    (connection) => Effect.promise(() => connection.close())
  )

const manage = (server: Nats.NatsServer) =>
  Effect.flatMap(outside(server), (connection) => Effect.promise(() => jetstreamManager(connection)))

/** Says it and gives its offset. */
const appended = (node: Rig.Node, value: unknown, rooms: ReadonlyArray<string> = []): Effect.Effect<string> =>
  Effect.suspend(() => {
    const outcome = node.say(value, rooms)
    return Effect.andThen(
      Rig.until(`${String(value)} is in the log`, () => outcome.result !== undefined),
      Effect.sync(() => {
        const { result } = outcome
        if (result?._tag !== "Published" || result.offset === undefined) throw new Error(JSON.stringify(result))
        return result.offset
      })
    )
  })

const missedOf = (node: Rig.Node, pid: string, offset: string | undefined) =>
  Effect.map(storeOf(node).restore(pid, offset), ({ missed }) => missed.map(({ event }) => event.data[1]))

const reasonOf = (node: Rig.Node, pid: string, offset: string | undefined): Effect.Effect<string> =>
  Effect.map(Effect.flip(storeOf(node).restore(pid, offset)), (error) =>
    error._tag === "RecoveryFailed" ? error.reason : `${error.message} ${String(error.cause)}`
  ).pipe(Effect.orElseSucceed(() => "it did not fail"))

const recovery = 60_000

describe.skipIf(!Nats.available)("NATS JetStream: the bus", { concurrent: true }, () => {
  live("T4: two nodes at once: everybody hears the order of the log, whatever the kind, and is told in order", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server)
      const two = yield* Rig.node(server)
      const three = yield* Rig.node(server)
      const count = 400
      for (const n of numbers(count)) {
        if (n % 3 === 0)
          one.publish({ type: MessageType.SERVER_SIDE_EMIT, event: { data: ["x", n] }, requestId: undefined })
        else one.say(n)
        two.say(1000 + n)
      }
      yield* Rig.until("everything is told", () => one.told.length === count && two.told.length === count)
      yield* Rig.until("everything is heard", () => three.heard.length === count * 2)
      assert.deepStrictEqual(one.told, numbers(count))
      const heard = three.heard.map(({ value }) => Number(value))
      assert.deepStrictEqual(
        heard.filter((n) => n < 1000),
        numbers(count)
      )
      assert.deepStrictEqual(
        heard.filter((n) => n >= 1000),
        numbers(count).map((n) => n + 1000)
      )
      const places = three.heard.flatMap(({ offset }) => (offset === undefined ? [] : [Number(offset.split("-")[1])]))
      assert.deepStrictEqual(
        places,
        places.toSorted((a, b) => a - b)
      )
    })
  )

  live("a message beyond max_payload fails, typed, in its place; those before and after are in the log", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true, maxPayload: 8192 })
      const one = yield* Rig.node(server)
      const two = yield* Rig.node(server)
      one.say(1)
      const failed = one.say("x".repeat(9000))
      one.say(2)
      yield* Rig.until("everything is told", () => one.told.length === 3)
      assert.strictEqual(failed.result?._tag, "Failed")
      const { error } = failed.result as { readonly error: AdapterError }
      assert.strictEqual(error.reason, "Rejected")
      assert.include(String(error.cause), "MessageTooLarge")
      assert.strictEqual(one.told[0], 1)
      assert.strictEqual(one.told[2], 2)
      yield* Rig.until("the others are heard", () => two.heard.length === 2)
    })
  )

  live("more than maxInFlight on the way fails at once, in order, and later there is room again", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server, { maxInFlight: 50 })
      const outcomes = numbers(80).map((n) => one.say(n))
      yield* Rig.until("everything is told", () => one.told.length === 80)
      assert.deepStrictEqual(one.told, numbers(80))
      assert.deepStrictEqual(
        outcomes.map(({ result }) => result?._tag === "Published"),
        numbers(80).map((n) => n < 50)
      )
      yield* appended(one, "later")
    })
  )

  live(
    "kill -9 of the broker: publishing fails at once; log and sessions are there afterwards, nothing is lost, no gap",
    () =>
      Effect.gen(function* () {
        const server = yield* Nats.make({ jetStream: true })
        const one = yield* Rig.node(server, { recovery })
        const two = yield* Rig.node(server, { recovery })
        const seen = yield* appended(one, "seen")
        yield* storeOf(one).persist(session("p", seen))
        yield* appended(one, "1")
        yield* appended(two, "2")
        yield* server.kill
        yield* Rig.until("the loss", () => one.health.at(-1) === "Disconnected" && two.health.at(-1) === "Disconnected")
        const lost = one.say("lost")
        assert.strictEqual(lost.result?._tag, "Failed")
        const refused = yield* Effect.flip(storeOf(one).restore("p", seen))
        assert.instanceOf(refused, AdapterError)
        yield* server.start
        yield* Rig.until("the return", () => one.health.at(-1) === "Connected" && two.health.at(-1) === "Connected")
        yield* appended(one, "3")
        assert.deepStrictEqual(yield* missedOf(two, "p", seen), ["1", "2", "3"])
        assert.strictEqual(one.broker.counters.gaps + two.broker.counters.gaps, 0)
        assert.notInclude([...one.health, ...two.health], "Gap")
      })
  )

  live("a node that was cut off catches up with what the others have written meanwhile", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server)
      const two = yield* Rig.node(server)
      yield* appended(one, 0)
      yield* Rig.until("the first", () => two.heard.length === 1)
      const losses = (): number => two.health.filter((state) => state === "Disconnected").length
      const cutting = { now: true }
      const cuts = Effect.forEach(numbers(5), (n) =>
        Effect.andThen(
          Effect.promise(() => two.link.connection.reconnect()),
          Rig.until("the return", () => losses() === n + 1 && two.health.at(-1) === "Connected")
        )
      ).pipe(Effect.andThen(Effect.sync(() => (cutting.now = false))))
      let written = 1
      const writes = Effect.gen(function* () {
        while (cutting.now) {
          one.say(written++)
          yield* Effect.sleep("1 millis")
        }
      })
      yield* Effect.all([cuts, writes], { concurrency: "unbounded" })
      yield* Rig.until("everything is heard", () => two.heard.length === written)
      assert.deepStrictEqual(
        two.heard.map(({ value }) => value),
        numbers(written)
      )
      assert.strictEqual(two.broker.counters.gaps, 0)
    })
  )

  live("what was under way when the broker is killed is told, in order; what was told as published is in the log", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server, { recovery })
      const seen = yield* appended(one, "seen")
      yield* storeOf(one).persist(session("p", seen))
      const outcomes = numbers(3000).map((n) => one.say(n))
      yield* Rig.until("some are in the log", () => one.told.length > 100)
      yield* server.kill
      yield* Rig.until("everything is told", () => one.told.length === 3001)
      assert.deepStrictEqual(one.told.slice(1), numbers(3000))
      yield* server.start
      yield* Rig.until("the return", () => one.health.at(-1) === "Connected")
      const missed = new Set(yield* missedOf(one, "p", seen))
      for (const n of numbers(3000)) {
        if (outcomes[n]?.result?._tag === "Published") assert.isTrue(missed.has(n), `${n}`)
      }
    })
  )

  live("the log was cut off while a node was away: the gap is told, and what is there is heard", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server)
      const proxy = yield* TcpProxy.make(() => server.port)
      const two = yield* Rig.node({ ...server, url: `nats://127.0.0.1:${proxy.port}` })
      yield* appended(one, "before")
      yield* Rig.until("the first", () => two.heard.length === 1)
      yield* proxy.cut
      yield* Rig.until("the loss", () => two.health.at(-1) === "Disconnected")
      yield* appended(one, "forgotten")
      const manager = yield* manage(server)
      yield* Effect.promise(() => manager.streams.purge("socketio"))
      yield* appended(one, "after")
      yield* proxy.heal
      yield* Rig.until("the rest", () => two.heard.length === 2)
      assert.deepStrictEqual(
        two.heard.map(({ value }) => value),
        ["before", "after"]
      )
      assert.include(two.health, "Gap")
      assert.strictEqual(two.broker.counters.gaps, 1)
      assert.strictEqual(two.health.at(-1), "Connected")
    })
  )

  live("the stream is deleted under a running cluster: it is made anew, offsets of the old one are refused", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const options = { recovery, idleHeartbeat: 300, publishTimeout: 2000 }
      const one = yield* Rig.node(server, options)
      const two = yield* Rig.node(server, options)
      const seen = yield* appended(one, "seen")
      yield* storeOf(one).persist(session("p", seen))
      const manager = yield* manage(server)
      yield* Effect.promise(() => manager.streams.delete("socketio"))
      const lost = one.say("lost")
      yield* Rig.until("it is told", () => lost.result !== undefined)
      assert.strictEqual(lost.result?._tag, "Failed")
      yield* Rig.until("both go on", () => one.health.at(-1) === "Connected" && one.health.includes("Gap"))
      yield* Rig.until("both go on", () => two.health.at(-1) === "Connected" && two.health.includes("Gap"))
      const after = yield* appended(one, "after")
      assert.notStrictEqual(after.split("-")[0], seen.split("-")[0])
      yield* Rig.until("it is heard", () => two.heard.some(({ value }) => value === "after"))
      assert.strictEqual(yield* reasonOf(two, "p", seen), "OffsetUnknown")
    })
  )

  live("a message that JetStream refuses fails at once, and the next that it takes is published", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server)
      yield* appended(one, 1)
      const manager = yield* manage(server)
      yield* Effect.promise(() => manager.streams.update("socketio", { max_msg_size: 500 }))
      const refused = one.say("x".repeat(1000))
      const next = one.say(2)
      yield* Rig.until("both are told", () => next.result !== undefined)
      assert.strictEqual(refused.result?._tag, "Failed")
      assert.strictEqual(next.result?._tag, "Published")
    })
  )

  live("an idle socket has missed nothing, though its place was cut off; also for a node that has just started", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server, { recovery })
      const noisy = yield* Rig.node(server, { namespace: "/noisy" })
      const seen = yield* appended(one, "seen")
      yield* appended(noisy, "x")
      // As heartbeats do: the place of the namespace moves on without events.
      const beat = one.publish({ type: MessageType.HEARTBEAT })
      yield* Rig.until("a heartbeat", () => beat.result !== undefined)
      yield* storeOf(one).persist(session("here", seen))
      yield* storeOf(one).persist(session("there", seen))
      const manager = yield* manage(server)
      yield* Effect.promise(() => manager.streams.purge("socketio"))
      assert.deepStrictEqual(yield* missedOf(one, "here", seen), [])
      yield* one.leave
      const two = yield* Rig.node(server, { recovery })
      assert.deepStrictEqual(yield* missedOf(two, "there", seen), [])
    })
  )

  live("LogTruncated: an event that was missed is gone, also where the node that is asked never knew of it", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server, { recovery })
      const seen = yield* appended(one, "seen")
      yield* storeOf(one).persist(session("p", seen))
      yield* storeOf(one).persist(session("q", seen))
      yield* appended(one, "forgotten")
      const manager = yield* manage(server)
      yield* Effect.promise(() => manager.streams.purge("socketio"))
      yield* appended(one, "kept")
      assert.strictEqual(yield* reasonOf(one, "p", seen), "LogTruncated")
      const two = yield* Rig.node(server, { recovery })
      assert.strictEqual(yield* reasonOf(two, "q", seen), "LogTruncated")
    })
  )

  live(
    "a socket moves while everybody writes: what it missed and what its new node delivers are everything, once",
    () =>
      Effect.gen(function* () {
        const server = yield* Nats.make({ jetStream: true })
        const one = yield* Rig.node(server, { recovery })
        const two = yield* Rig.node(server, { recovery })
        const seen = yield* appended(one, -1)
        // Bounded: each move reads everything from the beginning.
        let written = 0
        const writes = Effect.gen(function* () {
          while (written < 1500) {
            for (let more = 0; more < 5; more++) one.say(written++)
            yield* Effect.sleep("2 millis")
          }
        })
        const moves = Effect.forEach(numbers(12), (n) =>
          Effect.gen(function* () {
            const pid = `p${n}`
            yield* storeOf(one).persist(session(pid, seen))
            const { missed, deliveredBefore } = yield* Effect.map(storeOf(two).restore(pid, seen), ({ missed }) => ({
              missed: missed.map(({ event }) => event.data[1]),
              deliveredBefore: two.heard.length
            }))
            // The first event that the node had heard was the one with the offset.
            assert.deepStrictEqual(
              missed,
              two.heard.slice(1, deliveredBefore).map(({ value }) => value)
            )
          })
        )
        yield* Effect.all([writes, moves], { concurrency: "unbounded" })
        yield* Rig.until("everything is heard", () => two.heard.length === 1501)
      })
  )

  live("a flood on the subjects of the log, and forged acknowledgements, change nothing", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server, { recovery, maxMessageSize: 20_000 })
      const seen = yield* appended(one, "seen")
      yield* storeOf(one).persist(session("p", seen))
      const raw = yield* outside(server)
      const forged = headers()
      forged.set("Sio-Number", "1")
      for (const payload of ["", "{", "[]", "x".repeat(30_000), '{"type":3,"nsp":"/chat","uid":"x"}']) {
        raw.publish("socket.io-js.log./chat.event", payload, { headers: forged })
        raw.publish("socket.io-js.log./chat.other", payload)
        raw.publish("socket.io-js.log./chat.something.deeper", payload)
      }
      // Of a node with the same uid: not what this one waits for.
      const own = {
        type: 3,
        uid: one.uid,
        nsp: "/chat",
        data: { packet: { type: 2, data: ["said", "own"] }, opts: {} }
      }
      forged.set("Sio-Number", "nonsense")
      raw.publish("socket.io-js.log./chat.event", JSON.stringify(own), { headers: forged })
      yield* Effect.promise(() => raw.flush())
      yield* appended(one, "fine")
      assert.isTrue(one.broker.counters.ignored >= 10)
      assert.deepStrictEqual(yield* missedOf(one, "p", seen), ["own", "fine"])
    })
  )

  live("volatile events and questions are not kept for anybody", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const one = yield* Rig.node(server, { recovery })
      const seen = yield* appended(one, "seen")
      yield* storeOf(one).persist(session("p", seen, ["r"]))
      const body = Rig.said("volatile")
      if (body.type === MessageType.BROADCAST) {
        one.publish({ ...body, flags: { ...body.flags, volatile: true } })
        one.publish({ ...body, requestId: "1234" })
      }
      yield* appended(one, "kept", ["r"])
      yield* appended(one, "of others", ["s"])
      assert.deepStrictEqual(yield* missedOf(one, "p", seen), ["kept"])
    })
  )

  live("a server without JetStream: the adapter cannot be made, and says so", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make()
      const error = yield* Effect.flip(Rig.node(server))
      assert.instanceOf(error, AdapterError)
      assert.strictEqual((error as AdapterError).reason, "Unavailable")
    })
  )

  live("nothing is left behind: consumers of nodes that have ended are gone", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ jetStream: true })
      const manager = yield* manage(server)
      const one = yield* Rig.node(server, { recovery })
      const seen = yield* appended(one, "seen")
      for (const n of numbers(5)) {
        yield* storeOf(one).persist(session(`p${n}`, seen))
        yield* appended(one, n)
        yield* storeOf(one).restore(`p${n}`, seen)
      }
      const consumers = { count: Number.NaN }
      const count = Effect.promise(async () => {
        consumers.count = (await manager.streams.info("socketio")).state.consumer_count
      })
      yield* Rig.untilEffect("one consumer", count, () => consumers.count === 1)
      yield* one.leave
      yield* Rig.untilEffect("no consumer", count, () => consumers.count === 0)
    })
  )
})
