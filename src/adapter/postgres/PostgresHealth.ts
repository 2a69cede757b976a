/**
 * How the way to PostgreSQL is doing: connected when all connections are.
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { AdapterHealth } from "../Adapter.ts"

/** The states of connections, as one. */
export interface PostgresHealth {
  /** The present state first, then every change; a reader that is far behind misses the oldest. */
  readonly changes: Stream.Stream<AdapterHealth>
  up(connection: string): void
  down(connection: string, cause: unknown): void
  /** Messages were missed. Told at once where all connections are up, else when they are. */
  gap(): void
}

/** Connected at first. */
export const make: Effect.Effect<PostgresHealth> = Effect.gen(function* () {
  const states = yield* PubSub.sliding<AdapterHealth>({ capacity: 64, replay: 1 })
  const down = new Map<string, unknown>()
  let missed = false
  let last: AdapterHealth["_tag"] | undefined
  const set = (state: AdapterHealth): void => {
    if (state._tag === last && state._tag !== "Gap") return
    last = state._tag
    PubSub.publishUnsafe(states, state)
  }
  const settle = (): void => {
    const [cause] = down.values()
    if (down.size > 0) return set({ _tag: "Disconnected", cause })
    if (!missed) return set({ _tag: "Connected" })
    missed = false
    set({ _tag: "Gap" })
  }
  settle()
  return {
    changes: Stream.fromPubSub(states),
    up: (connection) => {
      // What was connected before stays as it was said: a gap is not forgotten by another connection that is up.
      if (down.delete(connection)) settle()
    },
    down: (connection, cause) => {
      down.set(connection, cause)
      settle()
    },
    gap: () => {
      missed = true
      settle()
    }
  }
})
