/**
 * The adapter of a server that is alone: there are no other nodes.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Adapter, AdapterError, type NamespaceAdapter } from "./Adapter.ts"

const unsupported = (operation: string): AdapterError => new AdapterError({ reason: "Unsupported", operation })

const alone: NamespaceAdapter = {
  remote: false,
  publish: () => {},
  publishWithAcks: () => Stream.empty,
  join: () => Effect.void,
  leave: () => Effect.void,
  disconnect: () => Effect.void,
  fetchSockets: () => Effect.succeed([]),
  serverSideEmit: () => Effect.fail(unsupported("serverSideEmit")),
  serverSideEmitWithAck: () => Stream.fail(unsupported("serverSideEmitWithAck")),
  serverCount: Effect.succeed(1),
  roomCreated: () => {},
  roomDeleted: () => {},
  subscribed: () => Effect.void
}

/** No other nodes: `serverSideEmit` fails with `Unsupported`, everything else happens on this node alone. */
export const layer: Layer.Layer<Adapter> = Layer.succeed(Adapter, {
  name: "memory",
  make: () => Effect.succeed(alone)
})
