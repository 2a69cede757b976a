/** The bus over the core of NATS, on servers of its own: order, large messages, floods, and a broker that is killed. */
import { assert, describe, it } from "@effect/vitest"
import { connect, headers } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { AdapterError } from "../../../src/adapter/Adapter.ts"
import { MessageTooLarge } from "../../../src/adapter/nats/NatsErrors.ts"
import * as Nats from "../../brokers/Nats.ts"
import * as Rig from "./Rig.ts"

const patience = 60_000

const live = (name: string, body: () => Effect.Effect<void, unknown, Scope.Scope>): void => {
  it.live(name, () => Effect.scoped(body()), patience)
}

/** The error of a message that failed. */
export const errorOf = ({ result }: Rig.Outcome): AdapterError => {
  assert.strictEqual(result?._tag, "Failed")
  return (result as { readonly error: AdapterError }).error
}

describe.skipIf(!Nats.available)("NATS core: the bus", { concurrent: true }, () => {
  live("messages of one node arrive in order, and are told in order, whatever their size", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make({ maxPayload: 4096 })
      const one = yield* Rig.coreNode(server)
      const two = yield* Rig.coreNode(server)
      const large = "x".repeat(50_000)
      const values = Array.from({ length: 300 }, (_, n) => (n % 7 === 3 ? `${n} ${large}` : `${n}`))
      for (const value of values) one.say(value)
      yield* Rig.until("everything is heard", () => two.heard.length === values.length)
      assert.deepStrictEqual(
        two.heard.map(({ value }) => value),
        values
      )
      yield* Rig.until("everything is told", () => one.told.length === values.length)
      assert.deepStrictEqual(one.told, values)
    })
  )

  live("a message beyond the limit fails with its size, in its place among the others", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make()
      const options = { maxMessageSize: 10_000 }
      const one = yield* Rig.coreNode(server, options)
      const two = yield* Rig.coreNode(server, options)
      one.say(1)
      const failed = one.say("x".repeat(10_001))
      const impossible = one.say(10n)
      one.say(2)
      yield* Rig.until("everything is told", () => one.told.length === 4)
      assert.strictEqual(errorOf(failed).reason, "Rejected")
      assert.strictEqual(errorOf(impossible).reason, "Rejected")
      assert.deepStrictEqual([one.told[0], one.told[2], one.told[3]], [1, 10n, 2])
      yield* Rig.until("the others are heard", () => two.heard.length === 2)
    })
  )

  live("more than maxPendingBytes on the way fails at once, and later there is room again", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make()
      const one = yield* Rig.coreNode(server, { maxPendingBytes: 100_000 })
      const outcomes = Array.from({ length: 30 }, () => one.say("x".repeat(10_000)))
      yield* Rig.until("everything is told", () => one.told.length === 30)
      const published = outcomes.filter(({ result }) => result?._tag === "Published")
      assert.isTrue(published.length >= 9 && published.length < 30)
      assert.strictEqual(errorOf(outcomes[29]!).reason, "Unavailable")
      const later = one.say("later")
      yield* Rig.until("the next", () => later.result?._tag === "Published")
    })
  )

  live("kill -9 of the broker: publishing fails at once, everybody subscribes again, and the gap is told", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make()
      const one = yield* Rig.coreNode(server)
      const two = yield* Rig.coreNode(server)
      one.say("before")
      yield* Rig.until("the first", () => two.heard.length === 1)
      yield* server.kill
      yield* Rig.until("the loss", () => one.health.includes("Disconnected") && two.health.includes("Disconnected"))
      const lost = Array.from({ length: 100 }, (_, n) => one.say(n))
      assert.isTrue(lost.every((outcome) => outcome.result?._tag === "Failed"))
      assert.strictEqual(errorOf(lost[0]!).reason, "Unavailable")
      yield* server.start
      yield* Rig.until("the return", () => one.health.at(-1) === "Gap" && two.health.at(-1) === "Gap")
      one.say("after")
      yield* Rig.until("the next", () => two.heard.length === 2)
      assert.deepStrictEqual(
        two.heard.map(({ value }) => value),
        ["before", "after"]
      )
      assert.deepStrictEqual(one.health, ["Connected", "Disconnected", "Gap"])
      assert.strictEqual(one.broker.counters.gaps, 1)
    })
  )

  live("what was under way when the broker is killed is told as failed, in order, and nothing waits for ever", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make()
      const one = yield* Rig.coreNode(server)
      const values = Array.from({ length: 2000 }, (_, n) => n)
      for (const value of values) one.say(value)
      yield* server.kill
      yield* Rig.until("everything is told", () => one.told.length === values.length)
      assert.deepStrictEqual(one.told, values)
    })
  )

  live("a flood of malformed, foreign and forged messages is counted and changes nothing", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make()
      const options = { maxMessageSize: 50_000 }
      const one = yield* Rig.coreNode(server, options)
      const two = yield* Rig.coreNode(server, options)
      const raw = yield* Effect.acquireRelease(
        Effect.promise(() => connect({ servers: server.url })),
        (connection) => Effect.promise(() => connection.close())
      )
      const part = (value: string, bytes = new Uint8Array(1000)): void => {
        const forged = headers()
        forged.set("Sio-Part", value)
        raw.publish("socket.io./chat", bytes, { headers: forged })
      }
      let count = 0
      const bad = (payload: string | Uint8Array): void => {
        count++
        raw.publish("socket.io./chat", payload)
      }
      bad("")
      bad("{")
      bad("[]")
      bad("null")
      bad(new Uint8Array([0xc1, 0xff, 0x00]))
      bad('{"type":3,"uid":"x","nsp":"/other","data":{}}')
      bad('{"type":3,"uid":"x","nsp":"/chat"}')
      bad('{"type":99,"uid":"x","nsp":"/chat","data":{"packet":{"type":2,"data":["said",1]},"opts":{}}}')
      bad(JSON.stringify({ type: 3, uid: "x", nsp: "/chat", data: "x".repeat(60_000) }))
      for (const value of ["", "nonsense", "a;1;0", "a;b;0;2", "a;1;5;9", "a;1;0;0", ";1;0;2", "a;1;-1;2"]) {
        if (value !== "") count++
        else bad("")
        if (value !== "") part(value)
      }
      // Announced and never finished, by a thousand senders: what is kept of them is bounded.
      for (let sender = 0; sender < 1000; sender++) part(`sender${sender};1;0;3`)
      // One that claims to have no end.
      for (let index = 0; index < 100; index++) part(`endless;1;${index};999999`)
      yield* Effect.promise(() => raw.flush())
      one.say("fine")
      yield* Rig.until("a message among them", () => two.heard.length > 0)
      assert.deepStrictEqual(
        two.heard.map(({ value }) => value),
        ["fine"]
      )
      assert.isTrue(two.broker.counters.ignored >= count + 700, `${two.broker.counters.ignored}`)
    })
  )

  live("names of namespaces with dots, wildcards and spaces are apart", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make()
      const names = ["/a.b", "/a", "/*", "/>", "/a b", "/a=002eb", "/ä", "/A"]
      const pairs = yield* Effect.forEach(names, (namespace) =>
        Effect.all([Rig.coreNode(server, { namespace }), Rig.coreNode(server, { namespace })])
      )
      for (const [index, [one]] of pairs.entries()) one.say(index)
      yield* Rig.until("all are heard", () => pairs.every(([, two]) => two.heard.length > 0))
      yield* Effect.forEach(pairs, ([one]) => Effect.promise(() => one.link.connection.flush()))
      assert.deepStrictEqual(
        pairs.map(([, two]) => two.heard.map(({ value }) => value)),
        names.map((_, index) => [index])
      )
      const tooLong = yield* Effect.exit(Rig.coreNode(server, { namespace: "/ä".repeat(600) }))
      assert.strictEqual(tooLong._tag, "Failure")
    })
  )

  live("no server: the adapter cannot be made, and says so", () =>
    Effect.gen(function* () {
      const server = yield* Nats.make()
      yield* server.kill
      const error = yield* Effect.flip(Rig.coreNode(server))
      assert.instanceOf(error, AdapterError)
      assert.strictEqual((error as AdapterError).reason, "Unavailable")
    })
  )

  it("sizes are said in bytes", () => {
    assert.strictEqual(new MessageTooLarge({ size: 5, limit: 4 }).message, "a message of 5 bytes is larger than 4")
  })
})
