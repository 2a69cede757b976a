/** Nodes of one namespace at the level of buses, for the tests of NATS. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { AdapterHealth, EventData, Target } from "../../../src/adapter/Adapter.ts"
import type { Broker, ClusterBus, Published } from "../../../src/adapter/ClusterBus.ts"
import { type ClusterMessage, MessageType } from "../../../src/adapter/ClusterMessage.ts"
import * as NatsBus from "../../../src/adapter/nats/NatsBus.ts"
import * as NatsJetStreamBus from "../../../src/adapter/nats/NatsJetStreamBus.ts"
import * as NatsLink from "../../../src/adapter/nats/NatsLink.ts"
import type { NatsJetStreamOptions, NatsOptions } from "../../../src/adapter/nats/NatsOptions.ts"
import * as Stream from "effect/Stream"
import type { NatsServer } from "../../brokers/Nats.ts"

/** How long anything may take on a machine that is busy, in milliseconds. */
const patience = 20_000

/** Waits for a condition; a defect that says what was waited for when it takes too long. */
export const until = (what: string, condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    const end = performance.now() + patience
    const wait: Effect.Effect<void> = Effect.suspend(() => {
      if (condition()) return Effect.void
      if (performance.now() > end) return Effect.die(new Error(`waited in vain: ${what}`))
      return Effect.andThen(Effect.sleep("5 millis"), wait)
    })
    return wait
  })

/** Waits for a condition, doing something again and again. */
export const untilEffect = (what: string, effect: Effect.Effect<void>, condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    const end = performance.now() + patience
    const wait: Effect.Effect<void> = Effect.flatMap(effect, () => {
      if (condition()) return Effect.void
      if (performance.now() > end) return Effect.die(new Error(`waited in vain: ${what}`))
      return Effect.andThen(Effect.sleep("20 millis"), wait)
    })
    return wait
  })

/** What a node has heard. */
export interface Heard {
  readonly value: unknown
  readonly type: number
  readonly offset: string | undefined
}

/** What became of a message. */
export interface Outcome {
  result: Published | undefined
}

/** A node. */
export interface Node {
  readonly uid: string
  readonly link: NatsLink.NatsLink
  readonly broker: Broker
  readonly bus: ClusterBus
  readonly heard: Array<Heard>
  readonly health: Array<AdapterHealth["_tag"]>
  /** The outcomes of all messages, in the order in which they were told. */
  readonly told: Array<unknown>
  /** Publishes the event `said`, for some rooms. */
  say(value: unknown, rooms?: ReadonlyArray<string>, except?: ReadonlyArray<string>): Outcome
  /** Publishes any message. */
  publish(body: ClusterMessage["body"]): Outcome
  readonly leave: Effect.Effect<void>
}

/** The event `said`. */
export const said = (
  value: unknown,
  rooms: ReadonlyArray<string> = [],
  except: ReadonlyArray<string> = []
): ClusterMessage["body"] => ({
  type: MessageType.BROADCAST,
  target: { rooms: new Set(rooms), except: new Set(except) } satisfies Target,
  flags: { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false },
  event: { data: ["said", value] } satisfies EventData,
  requestId: undefined
})

const valueOf = ({ body }: ClusterMessage): unknown => {
  if (body.type === MessageType.BROADCAST || body.type === MessageType.SERVER_SIDE_EMIT) return body.event.data[1]
  return body.type === MessageType.BROADCAST_ACK ? body.answer : undefined
}

let nodes = 0

/** How a node is made. */
export interface NodeOptions extends NatsJetStreamOptions {
  readonly namespace?: string
  /** Recovery for so many milliseconds. */
  readonly recovery?: number
  readonly connection?: NatsLink.ConnectOptions
}

const nodeOver = (
  server: NatsServer,
  options: NodeOptions,
  make: (link: NatsLink.NatsLink) => Effect.Effect<Broker, unknown, Scope.Scope>
): Effect.Effect<Node, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = Scope.forkUnsafe(yield* Effect.scope)
    return yield* Effect.gen(function* () {
      const { namespace = "/chat" } = options
      const link = yield* NatsLink.make({ servers: server.url, ...options.connection })
      const broker = yield* make(link)
      const uid = (++nodes).toString(16).padStart(16, "0")
      const heard: Array<Heard> = []
      const health: Array<AdapterHealth["_tag"]> = []
      const told: Array<unknown> = []
      yield* Stream.runForEach(broker.health, ({ _tag }) => Effect.sync(() => health.push(_tag))).pipe(
        Effect.forkScoped({ startImmediately: true })
      )
      const bus = yield* broker.open({
        namespace,
        uid,
        recovery: options.recovery === undefined ? undefined : { maxDisconnectionDuration: options.recovery },
        sink: {
          onMessage: (message, offset) => {
            if (message.uid !== uid) heard.push({ value: valueOf(message), type: message.body.type, offset })
          }
        }
      })
      const publish = (body: ClusterMessage["body"]): Outcome => {
        const outcome: Outcome = { result: undefined }
        bus.publish({ uid, nsp: namespace, body }, (result) => {
          outcome.result = result
          told.push(valueOf({ uid, nsp: namespace, body }))
        })
        return outcome
      }
      const node: Node = {
        uid,
        link,
        broker,
        bus,
        heard,
        health,
        told,
        publish,
        say: (value, rooms, except) => publish(said(value, rooms, except)),
        leave: Scope.close(scope, Exit.void)
      }
      return node
    }).pipe(Scope.provide(scope))
  })

/** A node over JetStream. */
export const node = (server: NatsServer, options: NodeOptions = {}): Effect.Effect<Node, unknown, Scope.Scope> =>
  nodeOver(server, options, (link) => NatsJetStreamBus.make(link, options))

/** A node over the core. */
export const coreNode = (
  server: NatsServer,
  options: NodeOptions & NatsOptions = {}
): Effect.Effect<Node, unknown, Scope.Scope> => nodeOver(server, options, (link) => NatsBus.make(link, options))
