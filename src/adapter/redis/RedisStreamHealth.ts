/**
 * How several connections are doing, as one state.
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { AdapterHealth } from "../Adapter.ts"

/** The state of all connections; one that is not known yet does not count. */
export class Health {
  /** The present state first, then every change. */
  readonly changes: Stream.Stream<AdapterHealth>
  readonly #pubsub: PubSub.PubSub<AdapterHealth>
  readonly #causes = new Map<string, unknown>()
  #state: AdapterHealth = { _tag: "Connected" }

  constructor(pubsub: PubSub.PubSub<AdapterHealth>) {
    this.#pubsub = pubsub
    this.changes = Stream.fromPubSub(pubsub)
    PubSub.publishUnsafe(pubsub, this.#state)
  }

  /** A connection is there. */
  up(connection: string): void {
    if (this.#causes.delete(connection) && this.#causes.size === 0) this.#change({ _tag: "Connected" })
  }

  /** A connection is lost, or cannot be made. */
  down(connection: string, cause: unknown): void {
    this.#causes.set(connection, cause)
    if (this.#state._tag !== "Disconnected") this.#change({ _tag: "Disconnected", cause })
  }

  /** Something was missed. */
  gap(): void {
    this.#change({ _tag: "Gap" })
  }

  #change(state: AdapterHealth): void {
    this.#state = state
    PubSub.publishUnsafe(this.#pubsub, state)
  }
}

/** The health of connections that are all well. */
export const make: Effect.Effect<Health> = Effect.map(
  PubSub.sliding<AdapterHealth>({ capacity: 64, replay: 1 }),
  (pubsub) => new Health(pubsub)
)
