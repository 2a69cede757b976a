import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import * as Backoff from "../../src/protocol/Backoff.ts"
import * as CloseReason from "../../src/protocol/CloseReason.ts"
import * as DisconnectReason from "../../src/protocol/DisconnectReason.ts"
import * as Gen from "./generate.ts"

describe("CloseReason", () => {
  it("is one of five texts", () => {
    expect(CloseReason.all).toEqual([
      "transport error",
      "transport close",
      "forced close",
      "ping timeout",
      "parse error"
    ])
    expect(CloseReason.all.every(CloseReason.isCloseReason)).toBe(true)
    expect(CloseReason.isCloseReason("server shutting down")).toBe(false)
  })
})

describe("DisconnectReason", () => {
  it("passes on close reasons, unless the whole server closes", () => {
    for (const reason of CloseReason.all) {
      expect(DisconnectReason.serverFromCloseReason(reason)).toBe(reason)
      expect(DisconnectReason.serverFromCloseReason(reason, true)).toBe("server shutting down")
      expect(DisconnectReason.clientFromCloseReason(reason)).toBe(reason)
    }
  })

  it("a client reconnects after all but two", () => {
    expect(DisconnectReason.allClient.filter((reason) => !DisconnectReason.reconnects(reason))).toEqual([
      "io server disconnect",
      "io client disconnect"
    ])
    expect(DisconnectReason.allClient).toHaveLength(7)
  })

  it("a server keeps the session after the official reasons", () => {
    expect(DisconnectReason.allServer.filter(DisconnectReason.keepsSession)).toEqual([
      "transport error",
      "transport close",
      "forced close",
      "ping timeout",
      "server shutting down",
      "forced server close"
    ])
    expect(DisconnectReason.allServer).toHaveLength(9)
  })
})

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
