/**
 * The adapter of a server that is alone: there are no other nodes.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Deadlines from "../runtime/Deadlines.ts"
import { Adapter, AdapterError, type NamespaceAdapter, type RecoveryStore } from "./Adapter.ts"
import { InMemoryStore } from "./InMemoryStore.ts"

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

/** The adapter of a namespace without other nodes, with a store for its recovery if it is to have one. */
export const make = (recovery: RecoveryStore | undefined): NamespaceAdapter =>
  recovery === undefined ? alone : { ...alone, recovery }

/**
 * No other nodes: `serverSideEmit` fails with `Unsupported`, everything else happens on this node alone. With connection state recovery,
 * sessions and missed events are kept in the memory of the process.
 */
export const layer: Layer.Layer<Adapter> = Layer.succeed(Adapter, {
  name: "memory",
  make: ({ recovery }) =>
    recovery === undefined
      ? Effect.succeed(alone)
      : Effect.map(Deadlines.make, (deadlines) => make(new InMemoryStore(deadlines, recovery)))
})
