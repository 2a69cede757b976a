/**
 * The workers of Node's cluster as a broker: every message goes to the primary, which hands it to the others.
 *
 * Nothing is stored on the way, so there is no log and no recovery across workers. Nodes know each other by heartbeats; our primary also
 * tells at once when a worker has died.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AdapterCounters, AdapterError, type AdapterHealth } from "../Adapter.ts"
import type { Broker, BusSink, ClusterBus, Published } from "../ClusterBus.ts"
import { type ClusterMessage, fromWire, toWire } from "../ClusterMessage.ts"
import { isAdapterMessage, messageSource, nodeSource } from "./ClusterSource.ts"
import { toPlain } from "./PlainValue.ts"
import * as WorkerChannel from "./WorkerChannel.ts"

/** Limits of the bus. */
export interface NodeClusterBusOptions {
  /** Messages that may wait for a primary that does not read; further ones fail as `Unavailable`. Default 10,000. */
  readonly maxPending?: number | undefined
}

const published: Published = { _tag: "Published", offset: undefined }

const failed = (reason: "Unavailable" | "Rejected", cause: unknown): Published => ({
  _tag: "Failed",
  error: new AdapterError({ reason, operation: "publish", cause })
})

const noPrimary = (): AdapterError =>
  new AdapterError({
    reason: "Unavailable",
    operation: "connect",
    cause: new Error("this process is no worker: start it with cluster.fork()")
  })

const namespaceOf = (nsp: unknown): string | undefined =>
  typeof nsp !== "string" ? undefined : nsp.startsWith("/") ? nsp : `/${nsp}`

/** The broker over a channel, which is listened to until the scope closes. */
export const make = (
  channel: WorkerChannel.WorkerChannel,
  options: NodeClusterBusOptions = {}
): Effect.Effect<Broker, never, Scope.Scope> =>
  Effect.gen(function* () {
    const maxPending = options.maxPending ?? 10_000
    const counters: AdapterCounters = { published: 0, received: 0, publishFailures: 0, ignored: 0, gaps: 0 }
    const sinks = new Map<string, Set<BusSink>>()
    const watchers = new Set<(health: AdapterHealth) => void>()
    let pending = 0

    const onMessage = (value: unknown): void => {
      if (!isAdapterMessage(value)) return
      const namespace = namespaceOf(value.nsp)
      if (namespace === undefined) {
        counters.ignored++
        return
      }
      const receivers = sinks.get(namespace)
      // Of a namespace that this worker does not have.
      if (receivers === undefined) return
      const message = fromWire(value, namespace)
      if (message === undefined) {
        counters.ignored++
        return
      }
      for (const sink of receivers) {
        try {
          sink.onMessage(message, undefined)
        } catch {
          // Structured clones hold more than JSON can, such as cycles; what comes from others must not end this process.
          counters.ignored++
        }
      }
    }

    const lost = (): AdapterHealth => ({ _tag: "Disconnected", cause: new Error("the primary is gone") })
    const onDisconnect = (): void => {
      for (const watch of watchers) watch(lost())
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => channel.listen(onMessage, onDisconnect)),
      (stop) => Effect.sync(stop)
    )

    const sent = (): void => {
      pending--
    }
    const hand = (value: unknown): void => {
      channel.send(value, sent)
      pending++
    }
    const send = (
      message: ClusterMessage,
      requesterUid: string | undefined,
      done: (result: Published) => void
    ): void => {
      if (!channel.connected) return done(failed("Unavailable", new Error("the primary is gone")))
      if (pending >= maxPending)
        return done(failed("Unavailable", new Error(`${pending} messages wait for the primary`)))
      const { data, ...wire } = toWire(message)
      try {
        const plain = data === undefined ? undefined : { data: toPlain(data) }
        hand({ ...wire, ...plain, source: messageSource, ...(requesterUid === undefined ? {} : { requesterUid }) })
      } catch (cause) {
        return done(failed("Rejected", cause))
      }
      done(published)
    }

    /** So that our primary knows whom an answer is for, also before anything was asked. */
    const introduce = (uid: string, nsp: string): void => {
      if (channel.connected) hand({ source: nodeSource, uid, nsp })
    }

    const health = Stream.callback<AdapterHealth>((queue) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const watch = (health: AdapterHealth): void => {
            Queue.offerUnsafe(queue, health)
          }
          watch(channel.connected ? { _tag: "Connected" } : lost())
          watchers.add(watch)
          return watch
        }),
        (watch) => Effect.sync(() => watchers.delete(watch))
      )
    )

    const open: Broker["open"] = ({ namespace, uid, sink }) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const receivers = sinks.get(namespace) ?? new Set()
          sinks.set(namespace, receivers.add(sink))
          introduce(uid, namespace)
          let closed = false
          const sending =
            (requesterUid: string | undefined) => (message: ClusterMessage, done: (result: Published) => void) =>
              closed ? done(failed("Unavailable", new Error("the bus is closed"))) : send(message, requesterUid, done)
          const bus: ClusterBus = {
            membership: { _tag: "Heartbeats" },
            publish: sending(undefined),
            publishTo: (uid, message, done) => sending(uid)(message, done)
          }
          const close = (): void => {
            closed = true
            if (receivers.delete(sink) && receivers.size === 0) sinks.delete(namespace)
          }
          return { bus, close }
        }),
        ({ close }) => Effect.sync(close)
      ).pipe(Effect.map(({ bus }) => bus))

    return { name: "node-cluster", health, counters, open }
  })

/** The broker of this process. Fails with `Unavailable` where the process was not forked by a primary. */
export const ofProcess = (options?: NodeClusterBusOptions): Effect.Effect<Broker, AdapterError, Scope.Scope> =>
  Effect.suspend((): Effect.Effect<Broker, AdapterError, Scope.Scope> => {
    const channel = WorkerChannel.ofProcess()
    return channel === undefined ? Effect.fail(noPrimary()) : make(channel, options)
  })
