/** The hint for those whose load balancer does not keep the requests of a session together. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as EngineServer from "../../src/engine/EngineServer.ts"
import * as UnknownSessions from "../../src/engine/UnknownSessions.ts"
import { bareSink } from "../../src/facade/server/EngineSocket.ts"

const { explanation, threshold } = UnknownSessions

describe("many requests of unknown sessions", () => {
  const setup = () => {
    const told: Array<string> = []
    const clock = { now: 0 }
    const observe = UnknownSessions.makeObserver(
      () => clock.now,
      (message) => told.push(message)
    )
    const observeMany = (count: number, sid = "lv_VI97HAXpY6yYWAAAC"): void => {
      for (let n = 0; n < count; n++) observe(sid)
    }
    return { told, clock, observeMany }
  }

  it("are explained once, and again after an hour", () => {
    const { told, clock, observeMany } = setup()
    observeMany(threshold - 1)
    assert.deepStrictEqual(told, [])
    observeMany(100)
    assert.deepStrictEqual(told, [explanation])
    clock.now = 3600_000
    observeMany(threshold)
    assert.lengthOf(told, 2)
  })

  it("are not when they are few, or what they name was never an id", () => {
    const { told, clock, observeMany } = setup()
    for (let n = 0; n < 5; n++) {
      observeMany(threshold - 1)
      clock.now += 60_001
    }
    observeMany(100, "guess")
    assert.deepStrictEqual(told, [])
  })

  it.effect("are explained in the log of the server", () => {
    const logged: Array<unknown> = []
    return Effect.gen(function* () {
      const engine = yield* EngineServer.make({}, () => bareSink)
      const statuses: Array<number> = []
      for (let n = 0; n < threshold; n++) {
        engine.handleRequest({
          request: {
            method: "GET",
            url: "/engine.io/?EIO=4&transport=polling&sid=lv_VI97HAXpY6yYWAAAC",
            headers: {},
            remoteAddress: undefined,
            secure: false,
            raw: undefined
          },
          readBody: () => {},
          onAbort: () => {},
          respond: ({ status }) => statuses.push(status)
        })
      }
      assert.deepStrictEqual([...new Set(statuses)], [400])
      assert.deepStrictEqual(logged, [[explanation]])
    }).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => logged.push(message))])))
  })
})
