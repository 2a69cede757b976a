/** Rooms and broadcasts. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Await from "../Await.ts"
import type { Case } from "../Harness.ts"
import { join, start } from "../Start.ts"

export const cases: ReadonlyArray<Case> = [
  {
    name: "a message to a room reaches its members, but not its sender or others",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const bob = yield* join(harness, log, "bob")
      const carol = yield* join(harness, log, "carol")
      assert.deepStrictEqual(yield* harness.pass(ada.socket.emitWithAck("join", "den")), ["lobby", "den"])
      yield* harness.pass(bob.socket.emitWithAck("join", "den"))
      yield* harness.pass(ada.socket.emitWithAck("say", "den", "psst"))
      yield* Await.length(harness, bob.said, 1)
      yield* harness.pass(ada.socket.emitWithAck("say", "lobby", "all"))
      yield* Await.length(harness, carol.said, 1)
      yield* Await.length(harness, bob.said, 2)
      assert.deepStrictEqual(bob.said, ["ada: psst", "ada: all"])
      assert.deepStrictEqual(carol.said, ["ada: all"])
      assert.deepStrictEqual(ada.said, [])
    })
  },
  {
    name: "whoever left a room hears nothing of it",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const bob = yield* join(harness, log, "bob")
      yield* harness.pass(bob.socket.emitWithAck("join", "den"))
      assert.deepStrictEqual(yield* harness.pass(bob.socket.emitWithAck("leave", "den")), ["lobby"])
      yield* harness.pass(ada.socket.emitWithAck("say", "den", "gone?"))
      yield* harness.pass(ada.socket.emitWithAck("say", "lobby", "here?"))
      yield* Await.length(harness, bob.said, 1)
      assert.deepStrictEqual(bob.said, ["ada: here?"])
    })
  },
  {
    name: "a broadcast with except skips the members of the room",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const bob = yield* join(harness, log, "bob")
      const carol = yield* join(harness, log, "carol")
      yield* harness.pass(bob.socket.emitWithAck("join", "quiet"))
      yield* harness.pass(ada.socket.emitWithAck("shout", "quiet", "hey"))
      yield* Await.length(harness, carol.said, 1)
      yield* harness.pass(ada.socket.emitWithAck("shout", "nobody", "all"))
      yield* Await.length(harness, bob.said, 1)
      assert.deepStrictEqual(bob.said, ["ada: all"])
      assert.deepStrictEqual(carol.said, ["ada: hey", "ada: all"])
    })
  },
  {
    name: "a socket is still in its rooms while it leaves, and in none afterwards",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* harness.pass(ada.socket.emitWithAck("join", "den"))
      yield* ada.socket.disconnect
      yield* Await.length(harness, log.departures, 2)
      assert.deepStrictEqual(log.roomsAtDeparture, [["lobby", "den"]])
      assert.deepStrictEqual([...log.sockets[0]!.rooms], [])
    })
  }
]
