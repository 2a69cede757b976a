/**
 * The broker over JetStream: messages are kept in a stream, so that nodes that were away catch up, and sockets, too.
 *
 * What nodes tell all others goes through the log, in one order for all: `<prefix>.log.<namespace>.event` for events that can be recovered,
 * `<prefix>.log.<namespace>.other` for everything else. Answers, which are for one node, go by the core of NATS. Heartbeats are in the log,
 * too: they keep the place of idle namespaces near its end.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AdapterError } from "../Adapter.ts"
import type { Broker, BusRequest, ClusterBus } from "../ClusterBus.ts"
import * as ClusterCodec from "../ClusterCodec.ts"
import { type ClusterMessage, MessageType } from "../ClusterMessage.ts"
import { makeCounters, subjectOf } from "./NatsBus.ts"
import { rejected, unavailable } from "./NatsErrors.ts"
import { EventHistory } from "./NatsEventHistory.ts"
import * as Health from "./NatsHealth.ts"
import { defaultReconnection, type NatsLink } from "./NatsLink.ts"
import type { LogEntry } from "./NatsLogEntry.ts"
import * as LogReader from "./NatsLogReader.ts"
import * as LogWriter from "./NatsLogWriter.ts"
import * as Mailbox from "./NatsMailbox.ts"
import * as Offset from "./NatsOffset.ts"
import * as Options from "./NatsOptions.ts"
import * as Recovery from "./NatsRecovery.ts"
import * as Streams from "./NatsStreams.ts"
import * as Subjects from "./NatsSubjects.ts"

/** Whether a message is one that returning sockets want. */
export const isRecoverable = ({ body }: ClusterMessage): boolean =>
  body.type === MessageType.BROADCAST && body.requestId === undefined && !body.flags.volatile

/** Which namespaces read the log, so that the broker is well when all do. */
class Readers {
  readonly #health: Health.NatsHealth
  readonly #closed = new Set<object>()

  constructor(health: Health.NatsHealth) {
    this.#health = health
  }

  opened(reader: object): void {
    if (this.#closed.delete(reader)) this.connected()
  }

  /** There is a connection; where nobody waits for the log, all is well. */
  connected(): void {
    if (this.#closed.size === 0) this.#health.set({ _tag: "Connected" })
  }

  broken(reader: object, cause: unknown): void {
    this.#closed.add(reader)
    this.#health.set({ _tag: "Disconnected", cause })
  }

  left(reader: object): void {
    this.opened(reader)
  }
}

/** The broker over a connection; everything it holds ends with the scope. Fails with `Unavailable` where the server has no JetStream. */
export const make = Effect.fnUntraced(function* (
  link: NatsLink,
  options: Options.NatsJetStreamOptions = {}
): Effect.fn.Return<Broker, AdapterError, Scope.Scope> {
  const settings = Options.jetStreamSettings(options)
  const { publishTimeout } = settings
  const counters = makeCounters()
  const health = yield* Health.make
  const mailbox = yield* Mailbox.make(link, settings, counters)
  const readers = new Readers(health)
  const manager = yield* Effect.tryPromise({
    try: () => jetstreamManager(link.connection, { timeout: publishTimeout }),
    catch: (cause) => unavailable("connect", cause)
  })
  if (!link.ready) health.set({ _tag: "Disconnected", cause: undefined })
  const unlisten = link.listen({
    onLost: (cause) => health.set({ _tag: "Disconnected", cause }),
    onBack: () => readers.connected()
  })
  yield* Effect.addFinalizer(() => Effect.sync(unlisten))
  const client = jetstream(link.connection, { timeout: publishTimeout })
  const ignored = (): void => {
    counters.ignored++
  }

  const open = Effect.fnUntraced(function* (
    request: BusRequest
  ): Effect.fn.Return<ClusterBus, AdapterError, Scope.Scope> {
    const { namespace, uid, sink, recovery } = request
    const log = yield* subjectOf(Streams.logPrefix(settings), namespace)
    const node = yield* subjectOf(`${settings.prefix}.node`, namespace)
    const own = yield* subjectOf(node, uid)
    const writer = yield* LogWriter.make(link, settings)
    const watchers = new Set<() => void>()

    let history = new EventHistory(0)

    const onEntry = (entry: LogEntry, position: Offset.NatsOffset): void => {
      const isEvent = entry.subject === `${log}.event`
      if (isEvent) history.add(entry.sequence)
      const message = ClusterCodec.decode(entry.data, namespace, { maxSize: settings.maxMessageSize })
      const offset = Offset.format(position)
      if (message === undefined) ignored()
      else if (message.uid === uid) writer.readBack(Number(entry.header(LogWriter.numberHeader)), offset)
      else sink.onMessage(message, isEvent ? offset : undefined)
      for (const watcher of Array.from(watchers)) watcher()
    }
    const key = {}
    const reader = yield* LogReader.make({
      link,
      manager,
      settings,
      filter: `${log}.*`,
      recoveryMillis: recovery?.maxDisconnectionDuration ?? 0,
      retry: settings.retry ?? defaultReconnection,
      sink: {
        onStart: ({ sequence }) => {
          history = new EventHistory(sequence)
        },
        onEntry,
        onOpen: () => {
          writer.open = true
          readers.opened(key)
        },
        onBroken: (cause) => {
          if (!link.ready) writer.open = false
          readers.broken(key, cause)
        },
        onGap: ({ sequence }, newLog) => {
          counters.gaps++
          if (newLog) writer.lost(new Error("the log was made anew"))
          history = new EventHistory(sequence)
          health.set({ _tag: "Gap" })
        },
        onForeign: ignored
      }
    })
    writer.onSilence = reader.renew
    let isOpen = true
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isOpen = false
        readers.left(key)
      })
    )
    yield* mailbox.receive(own, namespace, (message) => sink.onMessage(message, undefined))

    const store =
      recovery === undefined
        ? undefined
        : yield* Recovery.make({
            link,
            client,
            manager,
            settings,
            recovery,
            namespace,
            subject: `${log}.event`,
            log: {
              get open() {
                return writer.open
              },
              get position() {
                return reader.position
              },
              get history() {
                return history
              },
              watch: (onEntry) => {
                watchers.add(onEntry)
                return () => watchers.delete(onEntry)
              }
            },
            onIgnored: ignored
          })
    return {
      membership: { _tag: "Heartbeats" },
      publish: (message, done) => {
        const encoded = Mailbox.encode(message, "publish", settings.maxMessageSize)
        if ("error" in encoded) writer.fail(done, encoded.error)
        else writer.write(`${log}.${isRecoverable(message) ? "event" : "other"}`, encoded.bytes, done)
      },
      publishTo: (to, message, done) => {
        const token = Subjects.token(to)
        if (token === undefined) mailbox.fail(rejected("publishTo"), done)
        else if (!isOpen) mailbox.fail(unavailable("publishTo", new Error("closed")), done)
        else mailbox.send(`${node}.${token}`, message, done)
      },
      store
    }
  })
  return { name: "nats-jetstream", health: health.changes, counters, open }
})
