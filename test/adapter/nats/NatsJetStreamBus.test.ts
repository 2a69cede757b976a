/**
 * The bus over JetStream, on a server of its own: order, offsets, recovery, and what happens when the broker is killed.
 */
import { describe, it } from "@effect/vitest"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Nats from "../../brokers/Nats.ts"
import * as Rig from "./Rig.ts"

const patience = 60_000

describe.skipIf(!Nats.available)("NATS JetStream: the bus", () => {
  it.live(
    "messages reach the other nodes in the order of the log, and their own node when they are read back",
    () =>
      Effect.gen(function* () {
        const server = yield* Nats.make({ jetStream: true })
        const one = yield* Rig.node(server)
        const two = yield* Rig.node(server)
        const results = Array.from({ length: 500 }, (_, n) => one.say(n))
        for (let n = 0; n < 500; n++) two.say(1000 + n)
        yield* Rig.until("everything is told", () => results.every(({ result }) => result !== undefined))
        yield* Rig.until("everything is heard", () => two.heard.length === 500 && one.heard.length === 500)
        assert.deepStrictEqual(
          two.heard.map(({ value }) => value),
          Array.from({ length: 500 }, (_, n) => n)
        )
        assert.isTrue(results.every(({ result }) => result?._tag === "Published" && result.offset !== undefined))
      }),
    patience
  )
})
