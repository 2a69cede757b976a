/**
 * How the way to NATS is doing, for all who want to know.
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { AdapterHealth } from "../Adapter.ts"

/** A state that can be watched. */
export interface NatsHealth {
  /** The present state first, then every change; a reader that is far behind misses the oldest. */
  readonly changes: Stream.Stream<AdapterHealth>
  set(state: AdapterHealth): void
}

/** A state, connected at first. */
export const make: Effect.Effect<NatsHealth> = Effect.gen(function* () {
  const states = yield* PubSub.sliding<AdapterHealth>({ capacity: 64, replay: 1 })
  let current: AdapterHealth = { _tag: "Connected" }
  PubSub.publishUnsafe(states, current)
  return {
    changes: Stream.fromPubSub(states),
    set: (state) => {
      if (state._tag === current._tag && state._tag !== "Gap") return
      current = state
      PubSub.publishUnsafe(states, state)
    }
  }
})
