import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as codecs from "./codecs.ts"
import * as server from "./server.ts"

describe("fuzzing", () => {
  it("codecs: a packet or a failure, never an exception; read again the same", () => {
    const stats = codecs.fuzz(1, 100_000)
    // As many of either kind as to say something about both.
    assert.isAbove(stats.decoded, stats.frames / 10)
    assert.isAbove(stats.failed, stats.frames / 10)
  })

  it.effect("the server, over both transports: a bystander is served, and nothing of the attackers is left", () =>
    Effect.gen(function* () {
      const stats = yield* server.fuzz(1, 500)
      assert.isAbove(stats.closed, 50)
      assert.isAbove(stats.handled, 50)
    })
  )
})
