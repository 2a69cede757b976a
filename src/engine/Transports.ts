/**
 * The transports that a server offers: replaceable, and open to more of them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Deadlines } from "../runtime/Deadlines.ts"
import type { EngineCounters } from "./EngineCounters.ts"
import type { RequestTransport, Transport } from "./Transport.ts"
import type { WebSocketLike } from "./WebSocketLike.ts"

/** What a transport is given. */
export interface TransportEnvironment {
  readonly deadlines: Deadlines
  readonly counters: EngineCounters
  /** Bytes of a body. */
  readonly maxPayload: number
  readonly maxPacketsPerPayload: number
  /** Milliseconds. */
  readonly pollCloseTimeout: number
  /** The client asked (`b64`) for text frames only. */
  readonly textOnly: boolean
}

/** Makes the transports of one kind: over requests of the session, or over one WebSocket. */
export type TransportFactory = {
  /** As in the query of the requests. */
  readonly name: string
  /** Which transports a session may move to from this one. */
  readonly upgradesTo: ReadonlyArray<string>
} & (
  | { readonly kind: "request"; make(environment: TransportEnvironment): RequestTransport }
  | { readonly kind: "websocket"; make(environment: TransportEnvironment, socket: WebSocketLike): Transport }
)

/** The transports by name, in the order in which they were added. A later one replaces an earlier one of the same name. */
export class Transports extends Context.Service<
  Transports,
  {
    get(name: string): TransportFactory | undefined
    readonly names: ReadonlyArray<string>
    /** Adds one until the returned function is called. */
    add(factory: TransportFactory): () => void
  }
>()("effect-socketio/engine/Transports") {}

/** A collection that starts with these. */
export const makeUnsafe = (factories: ReadonlyArray<TransportFactory> = []): Transports["Service"] => {
  let all = [...factories]
  return {
    get: (name) => all.findLast((factory) => factory.name === name),
    get names() {
      return [...new Set(all.map((factory) => factory.name))]
    },
    add(factory) {
      all = [...all, factory]
      return () => {
        all = all.filter((other) => other !== factory)
      }
    }
  }
}

/** An empty collection, for transport layers to fill. */
export const layer: Layer.Layer<Transports> = Layer.sync(Transports, () => makeUnsafe())

/** A layer that adds a transport to the collection for as long as it lives. */
export const layerAdd = (factory: TransportFactory): Layer.Layer<never, never, Transports> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const transports = yield* Transports
      yield* Effect.acquireRelease(
        Effect.sync(() => transports.add(factory)),
        (remove) => Effect.sync(remove)
      )
    })
  )
