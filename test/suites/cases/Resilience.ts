/** What happens to connections when the network does what networks do. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Await from "../Await.ts"
import type { Case } from "../Harness.ts"
import * as LabServer from "../LabServer.ts"
import * as LabClient from "../LabClient.ts"
import { serve, start } from "../Start.ts"

const broken = ["disconnect:transport close", "disconnect:transport error", "disconnect:ping timeout"]

export const cases: ReadonlyArray<Case> = [
  {
    name: "a broken connection is noticed by both ends, and the client comes back as another socket",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      const before = ada.socket.id
      yield* harness.cut
      yield* Await.until(harness, () => !ada.socket.connected)
      yield* harness.heal
      yield* Await.until(harness, () => log.sockets.length === 2 && ada.socket.connected)
      assert.notStrictEqual(ada.socket.id, before)
      yield* Await.until(harness, () => log.departures.length >= 2)
      assert.include(broken, log.departures[1])
      assert.deepStrictEqual(yield* harness.pass(ada.socket.emitWithAck("text", "back")), "back!")
      const tags = ada.states.map((state) => state._tag)
      assert.deepStrictEqual(tags.slice(0, 2), ["Connecting", "Connected"])
      assert.include(tags, "Waiting")
      assert.include(tags, "Disconnected")
    })
  },
  {
    name: "while the server cannot be reached the client goes on trying, then serves what was kept",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* harness.cut
      yield* Await.until(harness, () => ada.states.filter((state) => state._tag === "Waiting").length >= 3)
      yield* ada.socket.emit("note", "kept")
      yield* harness.heal
      yield* Await.length(harness, log.notes, 1)
      assert.isTrue(ada.socket.connected)
    })
  },
  {
    name: "a client that starts before its server connects when it comes",
    run: Effect.fnUntraced(function* (harness) {
      const log = LabServer.emptyLog()
      const ada = yield* LabClient.connect(harness, "ada")
      yield* Await.until(harness, () => ada.states.some((state) => state._tag === "Waiting"))
      yield* serve(harness, log)
      yield* Await.until(harness, () => ada.socket.connected)
    })
  },
  {
    name: "a server that is restarted is found again",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log, running } = yield* start(harness)
      yield* harness.pass(running.stop)
      yield* Await.until(harness, () => !ada.socket.connected)
      yield* serve(harness, log)
      yield* Await.until(harness, () => ada.socket.connected && log.sockets.length === 2)
      assert.deepStrictEqual(yield* harness.pass(ada.socket.emitWithAck("text", "again")), "again!")
    })
  },
  {
    name: "a connection on which nothing passes any more ends by ping timeout at both ends",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* harness.freeze
      const hasLost = () => ada.states.some((state) => state._tag === "Disconnected")
      yield* Await.until(harness, () => log.departures.length === 2 && hasLost())
      assert.strictEqual(log.departures[1], "disconnect:ping timeout")
      const lost = ada.states.find((state) => state._tag === "Disconnected")
      assert.strictEqual(lost?._tag === "Disconnected" ? lost.reason : "", "ping timeout")
      yield* harness.heal
      yield* Await.until(harness, () => ada.socket.connected)
    })
  },
  {
    name: "a silent connection stays, by its heartbeat",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* harness.elapse(harness.times.pingInterval * 4)
      assert.deepStrictEqual(yield* harness.pass(ada.socket.emitWithAck("text", "hi")), "hi!")
      assert.lengthOf(log.sockets, 1)
      assert.deepStrictEqual(log.departures, [])
    })
  },
  {
    name: "no event is lost, doubled or reordered while the connection is upgraded, both ways",
    ways: ["upgrade"],
    run: Effect.fnUntraced(function* (harness) {
      const log = LabServer.emptyLog()
      yield* serve(harness, log)
      const ada = yield* LabClient.connect(harness, "ada")
      yield* Await.until(harness, () => ada.socket.connected && log.sockets.length === 1)
      const socket = log.sockets[0]!
      let sent = 0
      const upgraded = () => socket.conn.transport === "websocket"
      while (!upgraded() || sent < 300) {
        for (let i = 0; i < 5; i++) {
          yield* ada.socket.emit("note", String(sent))
          yield* socket.emit("count", sent)
          sent++
        }
        yield* harness.elapse(1)
      }
      yield* Await.until(harness, () => log.notes.length >= sent && ada.counts.length >= sent)
      const expected = Array.from({ length: sent }, (_, i) => i)
      assert.deepStrictEqual(ada.counts, expected)
      assert.deepStrictEqual(log.notes, expected.map(String))
    })
  }
]
