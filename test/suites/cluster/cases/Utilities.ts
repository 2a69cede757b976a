/** Sockets of other nodes are found, moved and disconnected; servers talk to each other. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ClusterHarness } from "../Harness.ts"
import { over, Refused, three } from "../Nodes.ts"
import { until, untilEqual } from "../Waiting.ts"
import { liveIf } from "../LiveIf.ts"

/** Utility methods and server-side events. */
export const utilities = ({ supports, cluster }: ClusterHarness): void => {
  it.live("sockets of all nodes are fetched, with rooms, data and handshake", () =>
    Effect.gen(function* () {
      const [a, b, c] = yield* three(yield* cluster)
      const clients = [a.client(), b.client(), c.client(), c.client()]
      yield* clients[1]!.join("r")
      yield* clients[2]!.join("r")
      const everywhere = yield* a.chat.fetchSockets()
      assert.sameMembers(
        everywhere.map(({ id }) => id),
        clients.map(({ id }) => id)
      )
      const inRoom = yield* a.chat.in("r").fetchSockets()
      assert.sameMembers(
        inRoom.map(({ id }) => id),
        [clients[1]!.id, clients[2]!.id]
      )
      const far = inRoom.find(({ id }) => id === clients[1]!.id)!
      assert.deepStrictEqual(far.data, { name: "someone" })
      assert.sameMembers(Array.from(far.rooms), [far.id, "r"])
      assert.strictEqual(far.handshake.address, "127.0.0.1")
      assert.lengthOf(yield* a.chat.local.fetchSockets(), 1)
      assert.lengthOf(yield* a.chat.in("nobody").fetchSockets(), 0)
    })
  )

  it.live(
    "sockets of other nodes join and leave rooms and are disconnected, by room, by exception and one by one",
    () =>
      Effect.gen(function* () {
        const [a, b, c] = yield* three(yield* cluster)
        const [near, far, farther] = [a.client(), b.client(), c.client()]
        yield* a.chat.socketsJoin(["x", "y"])
        yield* a.chat.except(far.id).socketsLeave("x")
        const members = (room: string) =>
          Effect.map(c.chat.in(room).fetchSockets(), (sockets) =>
            sockets
              .map(({ id }) => id)
              .sort()
              .join()
          )
        yield* untilEqual("members of x", members("x"), far.id)
        yield* untilEqual("members of y", members("y"), [near.id, far.id, farther.id].sort().join())
        const [socket] = yield* a.chat.in("x").fetchSockets()
        yield* socket!.leave("y")
        yield* socket!.join("z")
        yield* untilEqual("members of z", members("z"), far.id)
        yield* untilEqual("members of y", members("y"), [near.id, farther.id].sort().join())
        yield* socket!.disconnect()
        yield* until("the socket has gone", () => b.server.server.core.counters.sockets === 0)
        assert.isUndefined(far.fake.session.closed)
        yield* b.chat.in("y").disconnectSockets(true)
        yield* until("the connections are closed", () => farther.fake.session.closed !== undefined)
        yield* until("this node's too", () => near.fake.session.closed !== undefined)
      })
  )

  it.live("server-side events reach every other node, once", () =>
    Effect.gen(function* () {
      const [a, b, c] = yield* three(yield* cluster)
      const seen: Array<string> = []
      for (const [name, node] of Object.entries({ a, b, c })) {
        yield* node.chat.onServerSide("reload", (n) => Effect.sync(() => void seen.push(`${name} ${String(n)}`)))
      }
      yield* a.chat.serverSideEmit("reload", 1)
      yield* until("both have heard", () => seen.length >= 2)
      yield* b.chat.serverSideEmit("reload", 2)
      yield* until("both have heard", () => seen.length >= 4)
      assert.sameMembers(seen, ["b 1", "c 1", "a 2", "c 2"])
    })
  )

  liveIf(supports.acks !== false)("server-side events are answered by every other node", () =>
    Effect.gen(function* () {
      const [a, b, c] = yield* three(yield* cluster)
      yield* b.chat.onServerSide("load", () => Effect.succeed(0.5))
      yield* c.chat.onServerSide("load", () => Effect.as(Effect.sleep("20 millis"), 0.25))
      const answers = yield* Stream.runCollect(a.chat.serverSideEmitWithAck({ timeout: "10 seconds" }, "load"))
      assert.sameMembers(answers, [0.5, 0.25])
    })
  )

  liveIf(supports.acks !== false)("a typed error of another server is the failure of who asked", () =>
    Effect.gen(function* () {
      const [a, b, c] = yield* three(yield* cluster)
      yield* b.chat.onServerSide("load", () => Effect.fail(new Refused({ why: "busy" })))
      yield* c.chat.onServerSide("load", () => Effect.fail(new Refused({ why: "busy" })))
      const failure = yield* Effect.flip(
        Stream.runCollect(a.chat.serverSideEmitWithAck({ timeout: "10 seconds" }, "load"))
      )
      assert.instanceOf(failure, Refused)
      assert.strictEqual((failure as Refused).why, "busy")
    })
  )

  it.live("a node counts the others, and one that leaves no more", () =>
    Effect.gen(function* () {
      const place = yield* cluster
      const [a] = yield* three(place)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const fourth = yield* over(yield* place.node)
          yield* untilEqual("four nodes", a.chat.serverCount, 4)
          yield* untilEqual("four nodes, as the fourth sees it", fourth.chat.serverCount, 4)
        })
      )
      yield* untilEqual("three nodes again", a.chat.serverCount, 3)
    })
  )
}
