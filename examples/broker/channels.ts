/* oxlint-disable unicorn/require-post-message-target-origin -- channels have no origin. The rest of this file is shown in docs/adapters.md. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Adapter, ClusterAdapter, type ClusterBus, ClusterCodec, type ClusterMessage } from "effect-socketio/adapter"

/** What goes through a channel: a message, for all nodes or for one. */
interface Envelope {
  readonly to: string | undefined
  readonly payload: string | Uint8Array
}

const isEnvelope = (value: unknown): value is Envelope => {
  const { to, payload } = (value ?? {}) as Partial<Record<keyof Envelope, unknown>>
  return (to === undefined || typeof to === "string") && (typeof payload === "string" || payload instanceof Uint8Array)
}

const failed = (reason: "Unavailable" | "Rejected", cause: unknown): ClusterBus.Published => ({
  _tag: "Failed",
  error: new Adapter.AdapterError({ reason, operation: "publish", cause })
})

/** Every thread that uses the same name is a node of the same cluster. */
export const makeBroker = (name: string): ClusterBus.Broker => {
  const counters: Adapter.AdapterCounters = { published: 0, received: 0, publishFailures: 0, ignored: 0, gaps: 0 }

  const open = ({
    namespace,
    uid,
    sink
  }: ClusterBus.BusRequest): Effect.Effect<ClusterBus.ClusterBus, never, Scope.Scope> =>
    Effect.gen(function* () {
      let channel: BroadcastChannel | undefined = new BroadcastChannel(`${name}#${namespace}`)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          channel?.close()
          channel = undefined
        })
      )
      channel.addEventListener("message", ({ data }: { readonly data: unknown }) => {
        // Whatever arrives is read with care: what is no message is counted, and nothing else happens.
        if (!isEnvelope(data)) return void counters.ignored++
        if (data.to !== undefined && data.to !== uid) return
        const message = ClusterCodec.decode(data.payload, namespace)
        if (message === undefined) counters.ignored++
        else sink.onMessage(message, undefined)
      })

      const send = (
        to: string | undefined,
        message: ClusterMessage.ClusterMessage,
        done: (published: ClusterBus.Published) => void
      ): void => {
        if (channel === undefined) return done(failed("Unavailable", "the bus is closed"))
        const encoded = ClusterCodec.encode(message)
        if (encoded._tag === "EncodeFailure") return done(failed("Rejected", encoded.cause))
        channel.postMessage({ to, payload: encoded.payload })
        done({ _tag: "Published", offset: undefined })
      }

      return {
        // Nobody counts the threads: nodes tell each other that they are there.
        membership: { _tag: "Heartbeats" },
        publish: (message, done) => send(undefined, message, done),
        publishTo: (to, message, done) => send(to, message, done)
      }
    })

  // Channels are never away: the present state, and no change.
  return { name: "channels", health: Stream.succeed({ _tag: "Connected" }), counters, open }
}

/** The adapter: all the rest is done by `ClusterAdapter`. */
export const layer = (name: string, options?: ClusterAdapter.ClusterOptions) =>
  ClusterAdapter.layer(
    Effect.sync(() => makeBroker(name)),
    options
  )
