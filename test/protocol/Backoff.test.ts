import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import * as Backoff from "../../src/protocol/Backoff.ts"
import * as Gen from "./generate.ts"

interface OfficialBackoff {
  attempts: number
  duration(): number
}

describe("Backoff", () => {
  it("is the official client's, for the same random numbers", async () => {
    const entry = createRequire(import.meta.url).resolve("socket.io-client")
    const url = new URL("../esm/contrib/backo2.js", pathToFileURL(entry))
    const { Backoff: Official } = (await import(url.href)) as {
      Backoff: new (options: Backoff.BackoffOptions) => OfficialBackoff
    }
    const original = Math.random
    try {
      Gen.forAll(500, (random) => {
        const drawn = random.next()
        const options = {
          min: 1 + random.below(3000),
          max: 1 + random.below(10000),
          factor: 1 + random.below(3),
          jitter: random.pick([0, 0.1, 0.5, 1, 1.5, -1])
        }
        const attempt = random.below(30)
        const official = new Official(options)
        official.attempts = attempt
        Math.random = () => drawn
        expect(Backoff.delay(options, attempt, drawn)).toBe(official.duration())
      })
    } finally {
      Math.random = original
    }
  })

  it("doubles from one second, half of it jitter, at most five", () => {
    const delays = (random: number) => [0, 1, 2, 3].map((n) => Backoff.delay(Backoff.defaultOptions, n, random))
    expect(delays(0)).toEqual([1000, 2000, 4000, 5000])
    expect(delays(0.9999)).toEqual([1499, 2999, 5000, 5000])
    expect(delays(0.8999)).toEqual([551, 1101, 2201, 4401])
  })

  it("does not reconnect in a hot loop after a thousand attempts (the official delay becomes 0)", () => {
    for (const attempt of [53, 1000, 1100, 1e6, Number.POSITIVE_INFINITY]) {
      expect(Backoff.delay(Backoff.defaultOptions, attempt, 0.2)).toBe(5000)
    }
  })

  it("does not become negative for a max of more than 2^31 milliseconds", () => {
    const options = { min: 1000, max: 2 ** 40, factor: 2, jitter: 0 }
    expect(Backoff.delay(options, 25, 0)).toBe(1000 * 2 ** 25)
    expect(Backoff.delay(options, 60, 0)).toBe(2 ** 40)
  })
})
