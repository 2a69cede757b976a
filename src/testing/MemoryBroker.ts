/**
 * A broker in memory, between nodes of one process: for tests of programs on several nodes, and for what such tests want to happen.
 *
 * Time is that of Effect's `Clock`, chance that of its `Random`: under `TestClock` a cluster runs in virtual time, with latency, losses, nodes
 * that are cut off and nodes that die. Messages are written and read as on a real broker, so that nothing is shared between nodes.
 *
 * ```ts
 * const broker = yield* MemoryBroker.make({ store: true })
 * const a = ClusterAdapter.make(yield* broker.connect("a"))
 * const b = ClusterAdapter.make(yield* broker.connect("b"))
 * yield* broker.latency("5 millis")
 * yield* broker.kill("b")          // without a goodbye
 * ```
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AdapterCounters, AdapterError, type AdapterHealth } from "../adapter/Adapter.ts"
import type { Broker, BusRequest, BusStore, ClusterBus, Published } from "../adapter/ClusterBus.ts"
import * as ClusterCodec from "../adapter/ClusterCodec.ts"
import { type ClusterMessage, MessageType } from "../adapter/ClusterMessage.ts"
import * as Deadlines from "../runtime/Deadlines.ts"
import * as Turn from "../runtime/Turn.ts"
import { BrokerLink, type LinkContext, type LinkFaults, noFaults } from "./BrokerLink.ts"
import { BrokerLog } from "./BrokerLog.ts"

/** What kind of broker it is. */
export interface BrokerOptions {
  /** Keeps a log of broadcasts and sessions, so that connections can be recovered. Default false. */
  readonly store?: boolean | undefined
  /** How many events the log of a namespace keeps. Default 10000. */
  readonly maxLength?: number | undefined
  /** Knows how many nodes there are, so that these send no heartbeats. Default false. */
  readonly counts?: boolean | undefined
  /** Gives nodes their own messages back, as brokers with plain channels do. Default false. */
  readonly echo?: boolean | undefined
}

/** What has passed. */
export interface BrokerTraffic {
  /** Messages that reached the broker. */
  readonly published: number
  /** Messages that reached a node; one published message reaches many. */
  readonly delivered: number
}

/** A broker and its nodes. Faults apply to the ways of one node, or of all without a name; each way has its own. */
export interface MemoryBroker {
  /** The broker as a new node of this name sees it. A former node of that name is dead from now on: this is its restart. */
  connect(name: string): Effect.Effect<Broker>
  /** How long messages take between node and broker, each way; 0 at first. */
  latency(delay: Duration.Input, name?: string): Effect.Effect<void>
  /** Up to so much more, drawn for each message, which may then overtake each other. */
  jitter(delay: Duration.Input, name?: string): Effect.Effect<void>
  /** The probability that a message is lost on the way to a node. */
  drop(probability: number, name?: string): Effect.Effect<void>
  /** The probability that a message reaches a node twice. */
  duplicate(probability: number, name?: string): Effect.Effect<void>
  /** The node loses its connection and knows it: what it publishes fails, what is under way is lost. */
  cut(name: string): Effect.Effect<void>
  /** The node is connected again. With a store it gets the broadcasts that it missed; without one, or where they are forgotten, its health is `Gap`. */
  heal(name: string): Effect.Effect<void>
  /** The node is gone, without telling anybody. */
  kill(name: string): Effect.Effect<void>
  /** Forgets all but the last `keep` events of every log. */
  trim(keep: number): Effect.Effect<void>
  /** A payload for all nodes of a namespace, from nobody: what else may be on a channel. */
  inject(namespace: string, payload: string | Uint8Array): Effect.Effect<void>
  readonly traffic: Effect.Effect<BrokerTraffic>
}

type Payload = string | Uint8Array

/** What one node has to do with the broker. */
interface Node {
  readonly name: string
  readonly out: BrokerLink
  readonly in: BrokerLink
  readonly members: Set<Member>
  readonly counters: AdapterCounters
  readonly health: PubSub.PubSub<AdapterHealth>
  connected: boolean
  alive: boolean
}

/** A bus as the broker sees it. */
interface Member {
  readonly node: Node
  readonly request: BusRequest
  /** The last place in the log that the node knows. */
  position: string | undefined
}

/** What was stored, as long as a node may have to catch up. */
interface Stored {
  readonly payload: Payload
  readonly offset: string
  readonly from: string
}

class Namespace {
  readonly members = new Set<Member>()
  readonly log: BrokerLog
  stored: Array<Stored> = []

  constructor(maxLength: number) {
    this.log = new BrokerLog(maxLength)
  }
}

const unavailable = (operation: string): AdapterError =>
  new AdapterError({ reason: "Unavailable", operation, cause: "the node is cut off from the broker" })

/** Waits until a node has been handed everything up to a place of its log: a client may come from one that was ahead. */
const caughtUp = (member: Member, placeOf: () => number | undefined): Effect.Effect<void> =>
  Effect.suspend(() => {
    const place = placeOf()
    if (place === undefined || Number(member.position ?? 0) >= place) return Effect.void
    return Effect.andThen(Effect.sleep(1), caughtUp(member, placeOf))
  })

class Memory {
  readonly options: BrokerOptions
  readonly parts: LinkContext
  readonly nodes = new Map<string, Node>()
  readonly namespaces = new Map<string, Namespace>()
  readonly faults = new Map<string, Partial<LinkFaults>>()
  everywhere: LinkFaults = noFaults
  published = 0
  delivered = 0

  constructor(options: BrokerOptions, parts: LinkContext) {
    this.options = options
    this.parts = parts
  }

  get maxLength(): number {
    return this.options.maxLength ?? 10_000
  }

  namespace(name: string): Namespace {
    let namespace = this.namespaces.get(name)
    if (namespace === undefined) this.namespaces.set(name, (namespace = new Namespace(this.maxLength)))
    return namespace
  }

  faultsOf(node: Node): LinkFaults {
    return { ...this.everywhere, ...this.faults.get(node.name) }
  }

  setFaults(faults: Partial<LinkFaults>, name: string | undefined): void {
    if (name === undefined) this.everywhere = { ...this.everywhere, ...faults }
    else this.faults.set(name, { ...this.faults.get(name), ...faults })
  }

  /** A payload on its way to a node. Only messages that are not in the log may be lost or doubled. */
  hand(member: Member, payload: Payload, offset: string | undefined): void {
    const { node, request } = member
    const faults = this.faultsOf(node)
    const arrive = (): void => {
      if (!node.members.has(member)) return
      this.delivered++
      if (offset !== undefined) member.position = offset
      const message = ClusterCodec.decode(payload, request.namespace)
      if (message === undefined) node.counters.ignored++
      else request.sink.onMessage(message, offset)
    }
    if (offset === undefined) node.in.send(faults, arrive)
    else node.in.post(faults, arrive, () => {})
  }

  /** A message has reached the broker. */
  arrived(from: Member, to: string | undefined, message: ClusterMessage, payload: Payload): string | undefined {
    this.published++
    const namespace = this.namespace(message.nsp)
    const { body } = message
    let offset: string | undefined
    if (this.options.store === true && body.type === MessageType.BROADCAST && body.requestId === undefined) {
      if (!body.flags.volatile) {
        const kept = ClusterCodec.decode(payload, message.nsp)?.body
        if (kept?.type === MessageType.BROADCAST) offset = namespace.log.append(kept.target, kept.event)
      }
      if (offset !== undefined) {
        namespace.stored.push({ payload, offset, from: message.uid })
        if (namespace.stored.length > this.maxLength) namespace.stored.shift()
      }
    }
    for (const member of namespace.members) {
      const { uid } = member.request
      const addressed = to === undefined ? member !== from || this.options.echo === true : uid === to
      if (addressed && member.node.connected) this.hand(member, payload, offset)
    }
    return offset
  }

  publish(member: Member, to: string | undefined, message: ClusterMessage, done: (published: Published) => void): void {
    const { node } = member
    const fail = (error: AdapterError): void => done({ _tag: "Failed", error })
    if (!node.connected || !node.members.has(member)) return fail(unavailable("publish"))
    const encoded = ClusterCodec.encode(message)
    if (encoded._tag === "EncodeFailure") {
      return fail(new AdapterError({ reason: "Rejected", operation: "publish", cause: encoded.cause }))
    }
    // A goodbye is not waited for: scopes that close at the end of a test close without time passing.
    const goodbye = message.body.type === MessageType.ADAPTER_CLOSE
    if (goodbye) done({ _tag: "Published", offset: undefined })
    const lost = (): void => (goodbye ? undefined : fail(unavailable("publish")))
    const faults = this.faultsOf(node)
    const arrive = (): void => {
      const offset = this.arrived(member, to, message, encoded.payload)
      if (goodbye) return
      // The broker's answer comes back the way of everything else, so that places are learned in order.
      const answer = (): void => {
        if (offset !== undefined) member.position = offset
        done({ _tag: "Published", offset })
      }
      node.in.post(faults, answer, lost)
    }
    node.out.post(faults, arrive, lost)
  }

  /** The time that a question to the broker takes. */
  roundTrip(node: Node): Effect.Effect<void, AdapterError> {
    return Effect.suspend(() => {
      if (!node.connected) return Effect.fail(unavailable("store"))
      const { latency } = this.faultsOf(node)
      return latency === 0 ? Effect.void : Effect.sleep(2 * latency)
    })
  }

  store(member: Member): BusStore | undefined {
    const { recovery, namespace } = member.request
    if (this.options.store !== true || recovery === undefined) return undefined
    const { log } = this.namespace(namespace)
    const { deadlines } = this.parts
    return {
      get position() {
        return member.position
      },
      persist: (session) =>
        Effect.andThen(
          this.roundTrip(member.node),
          Effect.sync(() => log.persist(structuredClone(session), deadlines.now(), recovery.maxDisconnectionDuration))
        ),
      restore: (pid, offset) =>
        Effect.andThen(
          Effect.andThen(
            this.roundTrip(member.node),
            caughtUp(member, () => log.placeOf(pid, offset))
          ),
          Effect.suspend(() => log.restore(pid, offset, deadlines.now()))
        )
    }
  }

  open(node: Node, request: BusRequest): Effect.Effect<ClusterBus, AdapterError, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      yield* this.roundTrip(node)
      const namespace = this.namespace(request.namespace)
      const member: Member = { node, request, position: namespace.log.end }
      namespace.members.add(member)
      node.members.add(member)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          namespace.members.delete(member)
          node.members.delete(member)
        })
      )
      const bus: ClusterBus = {
        membership:
          this.options.counts === true
            ? { _tag: "Counted", count: Effect.map(this.roundTrip(node), () => namespace.members.size) }
            : { _tag: "Heartbeats" },
        publish: (message, done) => this.publish(member, undefined, message, done),
        publishTo: (uid, message, done) => this.publish(member, uid, message, done),
        store: this.store(member)
      }
      return bus
    })
  }

  /** The node and the broker lose sight of each other. */
  disconnect(node: Node): void {
    node.connected = false
    node.out.cut()
    node.in.cut()
  }

  /** What a node has missed of the log, in order; false where a part of that is forgotten. */
  catchUp(member: Member): boolean {
    const since = Number(member.position ?? 0)
    const { stored, log } = this.namespace(member.request.namespace)
    for (const { payload, offset, from } of stored) {
      if (Number(offset) > since && from !== member.request.uid) this.hand(member, payload, offset)
    }
    const first = Number(stored[0]?.offset ?? Number(log.end ?? 0) + 1)
    return since + 1 >= first
  }
}

/** A broker, for as long as its scope is open. */
export const make = (options: BrokerOptions = {}): Effect.Effect<MemoryBroker, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const deadlines = Deadlines.makeUnsafe(context, yield* Effect.scope)
    const memory = new Memory(options, { context, deadlines, turn: Turn.makeUnsafe(context) })
    const millis = (delay: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(delay))
    const set = (faults: Partial<LinkFaults>, name: string | undefined): Effect.Effect<void> =>
      Effect.sync(() => memory.setFaults(faults, name))
    const withNode = (name: string, act: (node: Node) => void): Effect.Effect<void> =>
      Effect.sync(() => {
        const node = memory.nodes.get(name)
        if (node?.alive === true) act(node)
      })
    const kill = (name: string): Effect.Effect<void> =>
      withNode(name, (node) => {
        node.alive = false
        memory.disconnect(node)
        for (const member of node.members) memory.namespace(member.request.namespace).members.delete(member)
        node.members.clear()
      })

    const connect = Effect.fnUntraced(function* (name: string): Effect.fn.Return<Broker> {
      yield* kill(name)
      const health = yield* PubSub.unbounded<AdapterHealth>({ replay: 1 })
      const node: Node = {
        name,
        out: new BrokerLink(memory.parts),
        in: new BrokerLink(memory.parts),
        members: new Set(),
        counters: { published: 0, received: 0, publishFailures: 0, ignored: 0, gaps: 0 },
        health,
        connected: true,
        alive: true
      }
      memory.nodes.set(name, node)
      PubSub.publishUnsafe(health, { _tag: "Connected" })
      return {
        name: "memory",
        health: Stream.fromPubSub(health),
        counters: node.counters,
        open: (request) => memory.open(node, request)
      }
    })

    return {
      connect,
      latency: (delay, name) => set({ latency: millis(delay) }, name),
      jitter: (delay, name) => set({ jitter: millis(delay) }, name),
      drop: (drop, name) => set({ drop }, name),
      duplicate: (duplicate, name) => set({ duplicate }, name),
      cut: (name) =>
        withNode(name, (node) => {
          if (!node.connected) return
          memory.disconnect(node)
          PubSub.publishUnsafe(node.health, { _tag: "Disconnected", cause: unavailable("connection") })
        }),
      heal: (name) =>
        withNode(name, (node) => {
          if (node.connected) return
          node.connected = true
          let complete = options.store === true
          if (complete) for (const member of node.members) complete = memory.catchUp(member) && complete
          if (!complete) node.counters.gaps++
          PubSub.publishUnsafe(node.health, complete ? { _tag: "Connected" } : { _tag: "Gap" })
        }),
      kill,
      trim: (keep) =>
        Effect.sync(() => {
          for (const namespace of memory.namespaces.values()) {
            namespace.log.trim(keep)
            namespace.stored = keep === 0 ? [] : namespace.stored.slice(-keep)
          }
        }),
      inject: (namespace, payload) =>
        Effect.sync(() => {
          for (const member of memory.namespace(namespace).members) memory.hand(member, payload, undefined)
        }),
      traffic: Effect.sync(() => ({ published: memory.published, delivered: memory.delivered }))
    }
  })
