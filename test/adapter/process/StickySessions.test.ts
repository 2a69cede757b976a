/** What a sticky primary remembers, and how it chooses. */
import { assert, describe, it } from "@effect/vitest"
import * as StickyChoice from "../../../src/node/StickyChoice.ts"
import { openPacket, sidOf, StickySessions } from "../../../src/node/StickySessions.ts"

const lifetime = 45_000
const grace = 15_000

const setup = (limit = 100) => {
  const clock = { now: 0 }
  return { clock, sessions: new StickySessions(() => clock.now, limit) }
}

describe("the sessions that a sticky primary remembers", () => {
  it("are forgotten when they have gone without a request for as long as a session can", () => {
    const { clock, sessions } = setup()
    sessions.add({ sid: "a", lifetime }, 1)
    clock.now = lifetime + grace - 1
    assert.strictEqual(sessions.workerOf("a"), 1)
    sessions.use("a")()
    clock.now += lifetime + grace - 1
    assert.strictEqual(sessions.workerOf("a"), 1)
    clock.now += 1
    assert.strictEqual(sessions.workerOf("a"), undefined)
    assert.strictEqual(sessions.size, 0)
    assert.strictEqual(sessions.load(1), 0)
  })

  it("live while a poll waits, however long", () => {
    const { clock, sessions } = setup()
    sessions.add({ sid: "a", lifetime }, 1)
    const end = sessions.use("a")
    clock.now = 10 * lifetime
    sessions.prune()
    assert.strictEqual(sessions.workerOf("a"), 1)
    end()
    clock.now += lifetime + grace
    sessions.prune()
    assert.strictEqual(sessions.size, 0)
  })

  it("are bounded: the one used least recently goes first", () => {
    const { sessions } = setup(2)
    for (const sid of ["a", "b"]) sessions.add({ sid, lifetime }, 1)
    sessions.use("a")()
    sessions.add({ sid: "c", lifetime }, 2)
    assert.deepStrictEqual(
      ["a", "b", "c"].map((sid) => sessions.workerOf(sid)),
      [1, undefined, 2]
    )
    assert.deepStrictEqual([sessions.load(1), sessions.load(2)], [1, 1])
  })

  it("go with their worker, and do not weigh once they have a WebSocket", () => {
    const { sessions } = setup()
    for (const sid of ["a", "b"]) sessions.add({ sid, lifetime }, 1)
    sessions.add({ sid: "c", lifetime }, 2)
    sessions.upgrade("a")
    sessions.upgrade("a")
    assert.strictEqual(sessions.load(1), 1)
    assert.strictEqual(sessions.workerOf("a"), 1)
    sessions.forget(1)
    assert.deepStrictEqual([sessions.size, sessions.load(1), sessions.load(2)], [1, 0, 1])
  })

  it("are learnt from open packets, whole ones only", () => {
    const packet = '0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}'
    assert.deepStrictEqual(openPacket(packet), { sid: "lv_VI97HAXpY6yYWAAAC", lifetime })
    assert.deepStrictEqual(openPacket(`${packet}\u001e4hello`), { sid: "lv_VI97HAXpY6yYWAAAC", lifetime })
    assert.deepStrictEqual(openPacket('0{"sid":"x"}'), { sid: "x", lifetime })
    for (const none of [
      "",
      "0",
      packet.slice(0, -1),
      "0{}",
      '0{"sid":5}',
      '0{"sid":""}',
      "0[]",
      "4hello",
      "0{x}",
      `0{"sid":"${"x".repeat(257)}"}`
    ]) {
      assert.strictEqual(openPacket(none), undefined, none)
    }
  })

  it("are named by the query alone", () => {
    assert.strictEqual(sidOf("/socket.io/?EIO=4&sid=a%2Db&transport=polling"), "a-b")
    for (const url of ["/socket.io/", "/sid=a", "/?side=a&connect.sid=b", "/?sid="])
      assert.strictEqual(sidOf(url), undefined)
  })
})

describe("the choice of a worker", () => {
  const client = { address: "10.0.0.1", forwardedFor: undefined }
  const idle = (...ids: ReadonlyArray<number>) => ids.map((id) => ({ id, load: 0 }))

  it("least-connection takes the one with the fewest sessions, round-robin each in turn, random any", () => {
    const least = StickyChoice.make("least-connection", Math.random)
    assert.strictEqual(
      least(
        [
          { id: 1, load: 2 },
          { id: 2, load: 1 },
          { id: 3, load: 1 }
        ],
        client
      ),
      2
    )
    const turns = StickyChoice.make("round-robin", Math.random)
    assert.deepStrictEqual(
      [1, 2, 3, 4].map(() => turns(idle(7, 8, 9), client)),
      [7, 8, 9, 7]
    )
    const random = StickyChoice.make("random", () => 0.99)
    assert.strictEqual(random(idle(7, 8, 9), client), 9)
    for (const choose of [least, turns, random]) assert.strictEqual(choose([], client), undefined)
  })

  it("by address spreads them, and only those of a worker that goes move", () => {
    const choose = StickyChoice.make("address", Math.random)
    const addresses = Array.from({ length: 300 }, (_, n) => ({
      address: `10.0.${n % 7}.${n}`,
      forwardedFor: undefined
    }))
    const before = addresses.map((address) => choose(idle(1, 2, 3), address))
    for (const id of [1, 2, 3]) assert.isAbove(before.filter((chosen) => chosen === id).length, 60)
    const after = addresses.map((address) => choose(idle(1, 3), address))
    for (const [n, chosen] of before.entries()) if (chosen !== 2) assert.strictEqual(after[n], chosen)
  })

  it("by x-forwarded-for takes the first address of the header, else that of the connection", () => {
    const choose = StickyChoice.make("x-forwarded-for", Math.random)
    const workers = idle(1, 2, 3, 4, 5, 6, 7)
    const direct = choose(workers, { address: "1.2.3.4", forwardedFor: undefined })
    assert.strictEqual(choose(workers, { address: "9.9.9.9", forwardedFor: "1.2.3.4, 5.6.7.8" }), direct)
    assert.strictEqual(choose(workers, { address: "1.2.3.4", forwardedFor: " " }), direct)
  })
})
