/** What the server does about a client that does not keep to the contract. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as SocketClient from "../../../src/client/index.ts"
import { InvalidPayload } from "../../../src/runtime/PayloadError.ts"
import type * as SocketServer from "../../../src/socket/SocketServer.ts"
import * as Await from "../Await.ts"
import { type Case, type Harness, transportsOf } from "../Harness.ts"
import * as LabServer from "../LabServer.ts"
import { serve } from "../Start.ts"

/** A client of the lab that may send anything. */
const stranger = (harness: Harness, auth: { readonly [key: string]: unknown } = { user: "eve" }) =>
  SocketClient.connect("/lab", { url: harness.url, auth, ...transportsOf(harness.way) })

const start = (harness: Harness, options?: SocketServer.Options): Effect.Effect<LabServer.LabLog, unknown, Scope> => {
  const log = LabServer.emptyLog()
  return Effect.as(serve(harness, log, options), log)
}

const invalidOf = (log: LabServer.LabLog, index: number): InvalidPayload => {
  const failure = log.reports[index]?.cause.reasons[0]
  assert.strictEqual(failure?._tag, "Fail")
  const error = failure?._tag === "Fail" ? failure.error : undefined
  assert.instanceOf(error, InvalidPayload)
  return error
}

export const cases: ReadonlyArray<Case> = [
  {
    name: "arguments that fail their schema never reach the handler, are reported with their path, and the connection stays",
    run: Effect.fnUntraced(function* (harness) {
      const log = yield* start(harness)
      const eve = yield* harness.pass(stranger(harness))
      yield* eve.emit("note", 42)
      yield* eve.emit("note", "one", "too many")
      yield* eve.emit("note")
      yield* eve.emit("note", "fine")
      yield* Await.length(harness, log.notes, 1)
      assert.deepStrictEqual(log.notes, ["fine"])
      assert.lengthOf(log.reports, 3)
      assert.deepStrictEqual(invalidOf(log, 0).path, [0])
      assert.strictEqual(invalidOf(log, 0).event, "note")
      assert.deepStrictEqual(log.departures, [])
    })
  },
  {
    name: "a caller whose arguments fail their schema is told so where the answer has a form for it",
    run: Effect.fnUntraced(function* (harness) {
      yield* start(harness)
      const eve = yield* harness.pass(stranger(harness))
      const answer = yield* harness.pass(eve.emitWithAck("join", 42))
      assert.include(JSON.stringify(answer), "InvalidPayload")
    })
  },
  {
    name: "events that the contract does not have are reported, and the connection stays",
    run: Effect.fnUntraced(function* (harness) {
      const log = yield* start(harness)
      const eve = yield* harness.pass(stranger(harness))
      for (const name of ["unheard", "__proto__", "constructor", "toString"]) yield* eve.emit(name, 1)
      yield* eve.emit("note", "fine")
      yield* Await.length(harness, log.notes, 1)
      assert.lengthOf(log.reports, 4)
      assert.deepStrictEqual(log.departures, [])
    })
  },
  {
    name: "with the policy disconnect, an invalid payload ends the socket",
    run: Effect.fnUntraced(function* (harness) {
      const log = yield* start(harness, { onInvalidPayload: "disconnect" })
      const eve = yield* harness.pass(stranger(harness))
      yield* eve.emit("note", 42)
      yield* Await.length(harness, log.departures, 2)
      assert.strictEqual(log.departures[1], "disconnect:server namespace disconnect")
      yield* Await.until(harness, () => !eve.connected)
    })
  },
  {
    name: "auth that does not decode is refused before any middleware runs",
    run: Effect.fnUntraced(function* (harness) {
      const log = yield* start(harness)
      for (const auth of [{}, { user: 1 }, { user: null }]) {
        const error = yield* harness.pass(Effect.flip(stranger(harness, auth)))
        assert.strictEqual(error._tag, "ConnectRefused")
      }
      assert.deepStrictEqual(log.sockets, [])
      assert.deepStrictEqual(log.reports, [])
    })
  },
  {
    name: "a payload over the limit ends the connection, not the server",
    run: Effect.fnUntraced(function* (harness) {
      const log = yield* start(harness, { maxHttpBufferSize: 10_000 })
      const eve = yield* harness.pass(stranger(harness))
      yield* eve.emit("note", "a".repeat(20_000))
      yield* Await.until(harness, () => log.departures.length >= 2)
      assert.include(["disconnect:transport error", "disconnect:transport close"], log.departures[1])
      assert.deepStrictEqual(log.notes, [])
      yield* Await.until(harness, () => eve.connected && log.sockets.length === 2)
      yield* eve.emit("note", "fine")
      yield* Await.length(harness, log.notes, 1)
    })
  }
]
