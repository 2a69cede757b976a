/**
 * The publishing connection over a double, in virtual time: what leaves together, and what becomes of it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { AdapterError } from "../../../src/adapter/Adapter.ts"
import * as Connection from "../../../src/adapter/postgres/PostgresConnection.ts"
import * as Options from "../../../src/adapter/postgres/PostgresOptions.ts"
import { Publisher } from "../../../src/adapter/postgres/PostgresPublisher.ts"
import * as Statements from "../../../src/adapter/postgres/PostgresStatements.ts"
import * as Deadlines from "../../../src/runtime/Deadlines.ts"

interface Asked {
  readonly text: string
  readonly values: ReadonlyArray<unknown>
  readonly answer: (error?: unknown) => void
}

const refusal = Object.assign(new Error("no"), { severity: "ERROR", code: "22023" })

const make = (
  options: Options.PostgresOptions = {}
): Effect.Effect<
  {
    readonly publisher: Publisher
    readonly asked: Array<Asked>
    readonly results: Array<string>
    readonly note: (text: string, more?: { stored?: boolean; channel?: string; size?: number }) => void
    readonly connections: () => number
    readonly released: () => number
  },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const settings = Options.settings(options)
    const deadlines = yield* Deadlines.make
    const publisher = new Publisher(settings, Statements.make(settings), deadlines)
    const asked: Array<Asked> = []
    const results: Array<string> = []
    let connections = 0
    let released = 0
    const pool: Connection.PostgresPool = {
      query: () => Promise.reject(new Error("not here")),
      connect: () => {
        connections++
        return Promise.resolve({
          on: () => {},
          release: () => void released++,
          query: (text, values = []) =>
            new Promise((resolve, reject) => {
              const answer = (error?: unknown): void => (error === undefined ? resolve({ rows: [] }) : reject(error))
              asked.push({ text, values, answer })
            })
        })
      }
    }
    const sink = { connected: () => {}, disconnected: () => {} }
    const running = publisher.run(Connection.open(pool, 1000), Connection.defaultReconnection, sink)
    yield* Effect.forkScoped(running, { startImmediately: true })
    yield* settle
    const settledOf =
      (text: string) =>
      (error: AdapterError | undefined): void =>
        void results.push(`${text} ${error?.reason ?? "ok"}`)
    return {
      publisher,
      asked,
      results,
      note: (text, { stored = false, channel = "c", size = text.length } = {}) =>
        publisher.send({ channel, form: { _tag: "Note", text, size }, stored, settled: settledOf(text) }),
      connections: () => connections,
      released: () => released
    }
  })

/** Lets promises settle. */
const settle = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

describe("PostgresPublisher", () => {
  it.effect("the first message leaves at once, what comes meanwhile together, in order", () =>
    Effect.gen(function* () {
      const { asked, results, note } = yield* make()
      for (const text of ["a", "b", "c"]) note(text)
      yield* settle
      assert.deepStrictEqual(
        asked.map(({ values }) => values[1]),
        [["a"]]
      )
      asked[0]!.answer()
      yield* settle
      assert.deepStrictEqual(results, ["a ok"])
      assert.deepStrictEqual(asked[1]!.values, [
        ["c", "c"],
        ["b", "c"]
      ])
      asked[1]!.answer()
      yield* settle
      assert.deepStrictEqual(results, ["a ok", "b ok", "c ok"])
    })
  )

  it.effect("equal notifications do not share a transaction; stored ones of one channel do", () =>
    Effect.gen(function* () {
      const { asked, note } = yield* make()
      note("first")
      for (const text of ["x", "y", "x", "x"]) note(text)
      for (const text of ["s", "s"]) note(text, { stored: true })
      note("s", { stored: true, channel: "d" })
      for (let i = 0; i < 6; i++) {
        yield* settle
        asked[i]?.answer()
      }
      yield* settle
      assert.deepStrictEqual(
        asked.map(({ values }) => values.at(-1)),
        [["first"], ["x", "y"], ["x"], ["x"], ["s", "s"], ["s"]]
      )
    })
  )

  it.effect("a batch that is refused is sent again one by one", () =>
    Effect.gen(function* () {
      const { asked, results, note } = yield* make()
      for (const text of ["a", "b", "bad", "c"]) note(text)
      yield* settle
      asked[0]!.answer()
      yield* settle
      asked[1]!.answer(refusal)
      for (let i = 2; i < 5; i++) {
        yield* settle
        asked[i]!.answer(i === 3 ? refusal : undefined)
      }
      yield* settle
      assert.deepStrictEqual(results, ["a ok", "b ok", "bad Rejected", "c ok"])
    })
  )

  it.effect("what waits is bounded, by number and by bytes; the limit itself fits", () =>
    Effect.gen(function* () {
      const byNumber = yield* make({ maxPending: 2 })
      for (const text of ["a", "b", "c"]) byNumber.note(text)
      assert.deepStrictEqual(byNumber.results, ["c Unavailable"])
      const byBytes = yield* make({ maxPendingBytes: 10 })
      byBytes.note("a", { size: 4 })
      byBytes.note("b", { size: 6 })
      byBytes.note("c", { size: 1 })
      assert.deepStrictEqual(byBytes.results, ["c Unavailable"])
    })
  )

  it.effect("an answer that does not come costs the connection: all fail, the next one serves", () =>
    Effect.gen(function* () {
      const { publisher, asked, results, note, connections, released } = yield* make({ answerTimeout: 3000 })
      note("a")
      note("b")
      yield* TestClock.adjust("2999 millis")
      assert.deepStrictEqual(results, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(results, ["a Unavailable", "b Unavailable"])
      assert.isFalse(publisher.ready)
      note("c")
      assert.deepStrictEqual(results.at(-1), "c Unavailable")
      // The late answer of the old connection concerns nobody.
      asked[0]!.answer()
      yield* TestClock.adjust("1 second")
      yield* settle
      assert.deepStrictEqual([connections(), released()], [2, 1])
      note("d")
      yield* settle
      asked.at(-1)!.answer()
      yield* settle
      assert.deepStrictEqual(results.at(-1), "d ok")
    })
  )

  it.effect("an error of the connection, and a server that shuts down, are no refusal", () =>
    Effect.gen(function* () {
      for (const error of [new Error("ECONNRESET"), Object.assign(new Error("bye"), { severity: "FATAL" })]) {
        const { asked, results, note } = yield* make()
        note("a")
        yield* settle
        asked[0]!.answer(error)
        yield* settle
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(results, ["a Unavailable"])
      }
    })
  )
})
