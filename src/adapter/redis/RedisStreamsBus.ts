/**
 * The broker that has a log: Redis Streams, with the wire of `@socket.io/redis-streams-adapter` 0.3.
 *
 * What changes something is written to a stream, which all nodes read in one order: broadcasts, joining, leaving, disconnecting. Questions
 * (broadcasts with acks, fetching sockets, events between servers) and their answers go by Pub/Sub. A stream has one reader for all the namespaces
 * that are written to it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Deadlines from "../../runtime/Deadlines.ts"
import { type AdapterCounters, AdapterError } from "../Adapter.ts"
import type { Broker, BusRequest, ClusterBus } from "../ClusterBus.ts"
import type { Reconnection } from "./RedisConnection.ts"
import type { WhenUnreachable } from "./RedisLink.ts"
import * as Commands from "./RedisStreamCommands.ts"
import * as StreamEntry from "./RedisStreamEntry.ts"
import type { Health } from "./RedisStreamHealth.ts"
import type { StreamLink } from "./RedisStreamLink.ts"
import * as Names from "./RedisStreamNames.ts"
import * as Reader from "./RedisStreamReader.ts"
import * as Namespace from "./RedisStreamsNamespace.ts"
import type { RedisStreamsSettings } from "./RedisStreamsOptions.ts"
import * as Store from "./RedisStreamsStore.ts"

/** What the broker is made of. */
export interface BrokerParts {
  readonly link: StreamLink
  readonly settings: RedisStreamsSettings
  readonly health: Health
  /** When to try again after a reader has failed; the time between two attempts. */
  readonly reconnection: Reconnection
  /** What a namespace does that is opened while Redis cannot be reached. */
  readonly whenUnreachable: WhenUnreachable
}

/** A namespace that hears a stream. */
interface Member {
  readonly namespace: Namespace.StreamsNamespace
  /** Whether the stream is the namespace's log. */
  readonly isLog: boolean
}

/** A stream that is read, and who hears it. */
class Hub implements Reader.ReaderSink {
  readonly reader: Reader.StreamReader
  readonly run: Effect.Effect<never>
  /** Completes when it is known where the stream ends. */
  readonly ready: Effect.Effect<void>
  /** Fails when the stream cannot be read. */
  readonly unreachable: Effect.Effect<never, unknown>
  readonly #members = new Map<string, Set<Member>>()
  readonly #stream: string
  readonly #counters: AdapterCounters
  readonly #health: Health
  readonly #maxMessageSize: number
  readonly #waiting = new Set<(cause: unknown) => void>()
  #down: { readonly cause: unknown } | undefined

  constructor(stream: string, { link, settings, health, reconnection }: BrokerParts, counters: AdapterCounters) {
    this.#stream = stream
    this.#counters = counters
    this.#health = health
    this.#maxMessageSize = settings.maxMessageSize
    const started = Reader.make(stream, link.reader, settings, reconnection, this)
    this.reader = started.reader
    this.run = started.run
    this.ready = started.ready
    this.unreachable = Effect.callback<never, unknown>((resume) => {
      const fail = (cause: unknown): void => resume(Effect.fail(cause))
      if (this.#down !== undefined) return fail(this.#down.cause)
      this.#waiting.add(fail)
      return Effect.sync(() => this.#waiting.delete(fail))
    })
  }

  add(name: string, member: Member): void {
    const members = this.#members.get(name)
    if (members === undefined) this.#members.set(name, new Set([member]))
    else members.add(member)
  }

  remove(name: string, member: Member): void {
    const members = this.#members.get(name)
    members?.delete(member)
    if (members?.size === 0) this.#members.delete(name)
    // It may have held the stream.
    this.reader.pump()
  }

  entry({ id, fields }: Commands.Entry): boolean {
    const raw = StreamEntry.read(fields, this.#maxMessageSize)
    if (raw === undefined) {
      this.#counters.ignored++
      return true
    }
    // Namespaces that are not of this server are none of our business.
    const members = this.#members.get(raw.nsp)
    if (members === undefined) return true
    let taken = true
    for (const { namespace, isLog } of members) taken = namespace.entry(raw, isLog ? id : undefined) && taken
    return taken
  }

  advanced(): void {
    for (const members of this.#members.values())
      for (const { namespace, isLog } of members) if (isLog) namespace.advanced()
  }

  gap(): void {
    this.#counters.gaps++
    this.#health.gap()
  }

  connected(): void {
    this.#down = undefined
    this.#health.up(`stream ${this.#stream}`)
  }

  disconnected(cause: unknown): void {
    this.#down = { cause }
    this.#health.down(`stream ${this.#stream}`, cause)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const fail of waiting) fail(cause)
  }
}

/** The broker in the current scope. Opening a namespace waits until its stream is read and its channels are heard. */
export const make = (parts: BrokerParts): Effect.Effect<Broker, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { link, settings, health, whenUnreachable } = parts
    const scope = yield* Effect.scope
    const deadlines = yield* Deadlines.make
    const counters: AdapterCounters = { published: 0, received: 0, publishFailures: 0, ignored: 0, gaps: 0 }
    const underWay = { count: 0 }
    const hubs = new Map<string, Hub>()

    const hubOf = (stream: string): Effect.Effect<Hub> =>
      Effect.suspend(() => {
        const known = hubs.get(stream)
        if (known !== undefined) return Effect.succeed(known)
        const hub = new Hub(stream, parts, counters)
        hubs.set(stream, hub)
        return Effect.as(Effect.forkIn(hub.run, scope, { startImmediately: true }), hub)
      })

    /** Waits for a connection, as long as the program wants. */
    const patiently = (
      operation: string,
      connected: Effect.Effect<void, unknown>,
      unreachable: Effect.Effect<never, unknown>
    ): Effect.Effect<void, AdapterError> => {
      const unavailable = (cause: unknown): AdapterError =>
        new AdapterError({ reason: "Unavailable", operation, cause })
      const waiting =
        whenUnreachable === "wait"
          ? connected
          : Effect.raceFirst(connected, whenUnreachable === "fail" ? unreachable : Effect.ignore(unreachable))
      return Effect.mapError(waiting, unavailable)
    }

    const hear = Effect.fnUntraced(function* (
      channel: string,
      listener: (bytes: Uint8Array) => void
    ): Effect.fn.Return<void, AdapterError, Scope.Scope> {
      const { active, lost } = yield* link.subscribe(channel, listener)
      yield* patiently("subscribe", active, lost)
    })

    const open = Effect.fnUntraced(function* (
      request: BusRequest
    ): Effect.fn.Return<ClusterBus, AdapterError, Scope.Scope> {
      const { namespace: name, recovery, uid } = request
      const stream = Names.streamOf(name, settings)
      const strayStream = Names.strayStreamOf(name, settings)
      const hub = yield* hubOf(stream)
      const stray = strayStream === undefined ? undefined : yield* hubOf(strayStream)
      yield* patiently("read", hub.ready, hub.unreachable)
      if (stray !== undefined) yield* patiently("read", stray.ready, stray.unreachable)
      const { reader } = hub
      const ignored = (): void => void counters.ignored++
      const store =
        recovery === undefined
          ? undefined
          : Store.make({ namespace: name, link, reader, strayStream, settings, recovery, ignored })
      const namespace = new Namespace.StreamsNamespace(request, {
        settings,
        link,
        deadlines,
        counters,
        underWay,
        stream,
        position: () => reader.position,
        pump: () => {
          reader.pump()
          stray?.reader.pump()
        },
        store
      })
      const member: Member = { namespace, isLog: true }
      const strayMember: Member = { namespace, isLog: false }
      const register = Effect.sync(() => {
        hub.add(name, member)
        stray?.add(name, strayMember)
      })
      const unregister = Effect.sync(() => {
        namespace.close()
        hub.remove(name, member)
        stray?.remove(name, strayMember)
      })
      yield* Effect.acquireRelease(register, () => unregister)
      const { channelPrefix } = settings
      yield* hear(Namespace.publicChannel(channelPrefix, name), (bytes) => namespace.signal(bytes))
      yield* hear(Namespace.privateChannel(channelPrefix, name, uid), (bytes) => namespace.answer(bytes))
      // Where that is not to be had, nobody is waited for who was not heard before.
      const now = Effect.tryPromise(() => link.command(stream, Commands.time))
      const since = link.ready ? yield* Effect.orElseSucceed(now, () => undefined) : undefined
      namespace.listening(Commands.millisOf(since) ?? Number.POSITIVE_INFINITY)
      return namespace
    })

    return { name: "redis-streams", health: health.changes, counters, open }
  })
