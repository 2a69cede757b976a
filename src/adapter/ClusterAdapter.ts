/**
 * The adapter over any broker that can carry messages: what nodes ask each other, who is there, and what happens when one stays silent.
 *
 * ```ts
 * const AdapterLive = ClusterAdapter.layer(makeMyBroker, { requestTimeout: "3 seconds" })
 * ```
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Deadlines from "../runtime/Deadlines.ts"
import { Adapter } from "./Adapter.ts"
import type { Broker } from "./ClusterBus.ts"
import { ClusterNode, type NodeSettings } from "./ClusterNode.ts"
import * as NodeId from "./NodeId.ts"

/** How nodes watch and ask each other. */
export interface ClusterOptions {
  /** How often a node says that it is there, where the broker does not count nodes. Default 5 seconds. */
  readonly heartbeatInterval?: Duration.Input | undefined
  /** After how much silence a node is taken for gone. Default 10 seconds; more than twice the interval makes sense where messages may be late. */
  readonly heartbeatTimeout?: Duration.Input | undefined
  /**
   * How long a node that has just started, or was cut off, waits to hear of the others before it takes their number for known: questions
   * leave at once, but are not answered for complete before. Default 1 second.
   */
  readonly discovery?: Duration.Input | undefined
  /** How long `fetchSockets` waits for the other nodes, and broadcasts with acks that bring no timeout of their own. Default 5 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
  /** How many questions of a namespace may wait for answers; further ones fail as `Rejected`. Default 10000. */
  readonly maxPendingRequests?: number | undefined
}

const millis = (duration: Duration.Input | undefined, otherwise: number): number =>
  duration === undefined ? otherwise : Duration.toMillis(Duration.fromInputUnsafe(duration))

const settingsOf = (options: ClusterOptions): NodeSettings => ({
  heartbeatInterval: millis(options.heartbeatInterval, 5000),
  heartbeatTimeout: millis(options.heartbeatTimeout, 10_000),
  discovery: millis(options.discovery, 1000),
  requestTimeout: millis(options.requestTimeout, 5000),
  maxPendingRequests: options.maxPendingRequests ?? 10_000
})

/** The adapter of a broker. */
export const make = (broker: Broker, options: ClusterOptions = {}): Adapter["Service"] => {
  const settings = settingsOf(options)
  return {
    name: broker.name,
    health: broker.health,
    counters: broker.counters,
    make: (sockets) =>
      Effect.gen(function* () {
        const context = yield* Effect.context<never>()
        const nextId = NodeId.makeGenerator(context)
        const node = new ClusterNode({
          sockets,
          uid: nextId(),
          nextId,
          deadlines: Deadlines.makeUnsafe(context, yield* Effect.scope),
          counters: broker.counters,
          context,
          settings
        })
        const { namespace, recovery } = sockets
        const bus = yield* broker.open({ namespace, uid: node.uid, recovery, sink: node })
        node.connect(bus)
        // Before the bus closes, since it was opened before.
        yield* Effect.addFinalizer(() => node.close)
        return node
      })
  }
}

/** The adapter of a broker that is made with the layer, and ends with it. */
export const layer = <E, R>(
  broker: Effect.Effect<Broker, E, R>,
  options?: ClusterOptions
): Layer.Layer<Adapter, E, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    Adapter,
    Effect.map(broker, (broker) => make(broker, options))
  )
