import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EngineConfig from "../../src/engine/EngineConfig.ts"
import { EngineError } from "../../src/engine/EngineError.ts"

describe("EngineConfig", () => {
  it("has Engine.IO's defaults, and ours where it has no limit", () => {
    const { allowUpgrades, maxBufferedAmount, maxPacketsPerPayload, maxPayload, ...config } = EngineConfig.makeUnsafe()
    assert.deepStrictEqual(
      [config.pingInterval, config.pingTimeout, config.upgradeTimeout, config.pollCloseTimeout],
      [25_000, 20_000, 10_000, 30_000]
    )
    assert.deepStrictEqual([maxPayload, maxPacketsPerPayload, maxBufferedAmount], [1e6, 10_000, 16 * 1024 * 1024])
    assert.isTrue(allowUpgrades)
    assert.isFalse(config.keepRequest)
    for (const value of [
      config.cookie,
      config.transports,
      config.initialPacket,
      config.generateId,
      config.allowRequest
    ]) {
      assert.isUndefined(value)
    }
  })

  it("takes durations as Effect writes them", () => {
    const config = EngineConfig.makeUnsafe({ pingInterval: "3 seconds", pingTimeout: 0, upgradeTimeout: "1 minute" })
    assert.deepStrictEqual([config.pingInterval, config.pingTimeout, config.upgradeTimeout], [3000, 0, 60_000])
  })

  const longest = 2 ** 31 - 1

  it("accepts the longest times that a client can wait, and not a millisecond more", () => {
    EngineConfig.makeUnsafe({ pingInterval: longest - 1, pingTimeout: 1 })
    EngineConfig.makeUnsafe({ pingInterval: 1, upgradeTimeout: longest, maxHttpBufferSize: 1 })
    for (const options of [
      { pingInterval: 0 },
      { pingInterval: longest, pingTimeout: 1 },
      { pingInterval: longest + 1 },
      { pingInterval: "Infinity" as const },
      { pingTimeout: -1 },
      { upgradeTimeout: longest + 1 },
      { maxHttpBufferSize: 0 },
      { maxHttpBufferSize: Number.NaN },
      { maxPacketsPerPayload: 0 },
      { maxBufferedAmount: -1 }
    ]) {
      assert.throws(() => EngineConfig.makeUnsafe(options), EngineError)
    }
  })

  it.effect("fails as a value where it is asked for as an Effect", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(EngineConfig.make({ pingInterval: 0 }))
      assert.deepStrictEqual([error._tag, error.reason], ["EngineError", "Config"])
      assert.strictEqual((yield* EngineConfig.make()).pingInterval, 25_000)
    })
  )

  it("writes cookies as the official server does", () => {
    assert.strictEqual(EngineConfig.cookieHeader({}, "a b"), "io=a%20b; Path=/; HttpOnly; SameSite=Lax")
    assert.strictEqual(
      EngineConfig.cookieHeader(
        { name: "s", path: "/x", domain: "d.test", maxAge: 12.5, httpOnly: false, secure: true, sameSite: "none" },
        "1"
      ),
      "s=1; Max-Age=12; Domain=d.test; Path=/x; Secure; SameSite=None"
    )
    assert.strictEqual(EngineConfig.cookieHeader({ sameSite: false }, "1"), "io=1; Path=/; HttpOnly")
    assert.deepStrictEqual(EngineConfig.makeUnsafe({ cookie: true }).cookie, {})
    assert.isUndefined(EngineConfig.makeUnsafe({ cookie: false }).cookie)
  })
})
