/** Who may connect, to what, and how they leave. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Await from "../Await.ts"
import type { Case } from "../Harness.ts"
import { Unauthorized } from "../Lab.ts"
import * as LabClient from "../LabClient.ts"
import * as LabServer from "../LabServer.ts"
import { join, serve, start } from "../Start.ts"

const refusalOf = (client: LabClient.LabClient) => {
  const state = client.states.at(-1)
  return state?._tag === "Refused" ? state.error : undefined
}

export const cases: ReadonlyArray<Case> = [
  {
    name: "a client that connects has an id, the server's, and what the middleware provides reaches the handler",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      assert.strictEqual(ada.socket.id, log.sockets[0]?.id)
      assert.lengthOf(log.sockets[0]!.id, 20)
      assert.deepStrictEqual(log.users, ["ada"])
      assert.deepStrictEqual(log.sockets[0]!.auth, { user: "ada" })
      assert.deepStrictEqual(log.sockets[0]!.data, { user: "ada" })
      yield* Await.length(harness, ada.states, 2)
      assert.deepStrictEqual(
        ada.states.map((state) => state._tag),
        ["Connecting", "Connected"]
      )
    })
  },
  {
    name: "a refusal of the middleware arrives typed, and is final",
    run: Effect.fnUntraced(function* (harness) {
      const log = LabServer.emptyLog()
      yield* serve(harness, log)
      const mallory = yield* LabClient.connect(harness, "mallory")
      yield* Await.until(harness, () => refusalOf(mallory) !== undefined)
      const refusal = refusalOf(mallory)?.refusal
      assert.instanceOf(refusal, Unauthorized)
      assert.strictEqual(refusal?.why, "I know you")
      yield* harness.elapse(harness.times.while)
      assert.lengthOf(
        mallory.states.filter((state) => state._tag === "Refused"),
        1
      )
      assert.deepStrictEqual(log.sockets, [])
    })
  },
  {
    name: "T6: a middleware that fails unexpectedly refuses the client at once, with nothing of what happened",
    run: Effect.fnUntraced(function* (harness) {
      const log = LabServer.emptyLog()
      yield* serve(harness, log)
      const client = yield* LabClient.connect(harness, "broken")
      yield* Await.until(harness, () => refusalOf(client) !== undefined)
      assert.notInclude(refusalOf(client)?.message, "broken")
      assert.lengthOf(log.reports, 1)
      assert.strictEqual(log.reports[0]?.stage, "middleware")
    })
  },
  {
    name: "a client that leaves during slow middleware causes neither a connection nor a disconnect",
    run: Effect.fnUntraced(function* (harness) {
      const log = LabServer.emptyLog()
      yield* serve(harness, log)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* LabClient.connect(harness, "slow-sam")
          yield* harness.elapse(100)
        })
      )
      yield* harness.elapse(harness.times.while)
      assert.deepStrictEqual(log.users, [])
      assert.deepStrictEqual(log.departures, [])
    })
  },
  {
    name: "a client that waits for slow middleware connects",
    run: Effect.fnUntraced(function* (harness) {
      const log = LabServer.emptyLog()
      yield* serve(harness, log)
      yield* join(harness, log, "slow-sue")
      assert.deepStrictEqual(log.users, ["slow-sue"])
    })
  },
  {
    name: "the client leaves: io client disconnect, client namespace disconnect, and no reconnection",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* ada.socket.disconnect
      yield* Await.length(harness, log.departures, 2)
      assert.deepStrictEqual(log.departures, [
        "disconnecting:client namespace disconnect",
        "disconnect:client namespace disconnect"
      ])
      yield* harness.elapse(harness.times.while)
      const last = ada.states.at(-1)
      assert.strictEqual(last?._tag === "Disconnected" ? last.reason : last?._tag, "io client disconnect")
      assert.isFalse(ada.socket.connected)
      assert.lengthOf(log.sockets, 1)
    })
  },
  {
    name: "the server disconnects a socket: io server disconnect, and no reconnection until asked",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* ada.socket.emit("leaveMe", false)
      yield* Await.length(harness, log.departures, 2)
      assert.strictEqual(log.departures[1], "disconnect:server namespace disconnect")
      yield* Await.until(harness, () => ada.states.at(-1)?._tag === "Disconnected")
      const last = ada.states.at(-1)
      assert.strictEqual(last?._tag === "Disconnected" ? last.reason : "", "io server disconnect")
      yield* harness.elapse(harness.times.while)
      assert.lengthOf(log.sockets, 1)
      yield* ada.socket.connect
      yield* Await.until(harness, () => ada.socket.connected)
      yield* Await.length(harness, log.sockets, 2)
    })
  },
  {
    name: "the server closes the connection of a socket: the client does not come back either",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log } = yield* start(harness)
      yield* ada.socket.emit("leaveMe", true)
      yield* Await.length(harness, log.departures, 2)
      assert.strictEqual(log.departures[1], "disconnect:server namespace disconnect")
      yield* Await.until(harness, () => !ada.socket.connected)
      yield* harness.elapse(harness.times.while)
      assert.lengthOf(log.sockets, 1)
    })
  },
  {
    name: "a server that closes tells every socket first: server shutting down",
    run: Effect.fnUntraced(function* (harness) {
      const { ada, log, running } = yield* start(harness)
      yield* join(harness, log, "bob")
      yield* harness.pass(running.stop)
      assert.deepStrictEqual(
        log.departures.filter((departure) => departure.startsWith("disconnect:")),
        ["disconnect:server shutting down", "disconnect:server shutting down"]
      )
      yield* Await.until(harness, () => !ada.socket.connected)
    })
  },
  {
    name: "the client's scope closes: the server hears of it",
    run: Effect.fnUntraced(function* (harness) {
      const log = LabServer.emptyLog()
      yield* serve(harness, log)
      yield* Effect.scoped(join(harness, log, "ada"))
      yield* Await.length(harness, log.departures, 2)
      assert.include(["disconnect:client namespace disconnect", "disconnect:transport close"], log.departures[1])
    })
  }
]
