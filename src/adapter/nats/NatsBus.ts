/**
 * The broker over the core of NATS: at most once, nothing stored.
 *
 * All nodes of a namespace hear `<prefix>.<namespace>`, and each its own `<prefix>.<namespace>.<uid>` for answers. Subjects for single rooms
 * would save nodes without that room the reading of a message, and cost a subscription on every server of NATS for each room of each
 * node; there are none.
 *
 * NATS tells nobody who else listens, and "no responders" only says that there is none at all: membership is by heartbeats.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AdapterCounters, AdapterError } from "../Adapter.ts"
import type { Broker, BusRequest, ClusterBus } from "../ClusterBus.ts"
import type { ClusterMessage } from "../ClusterMessage.ts"
import { MessageTooLarge, rejected, unavailable } from "./NatsErrors.ts"
import * as Health from "./NatsHealth.ts"
import type { NatsLink } from "./NatsLink.ts"
import * as Mailbox from "./NatsMailbox.ts"
import * as Options from "./NatsOptions.ts"
import * as Subjects from "./NatsSubjects.ts"

/** Counters that start at zero. */
export const makeCounters = (): AdapterCounters => ({
  published: 0,
  received: 0,
  publishFailures: 0,
  ignored: 0,
  gaps: 0
})

/** The subject of a namespace below a prefix; fails with `Rejected` where its name is too long for one. */
export const subjectOf = (prefix: string, namespace: string): Effect.Effect<string, AdapterError> => {
  const token = Subjects.token(namespace)
  if (!Subjects.isPrefix(prefix)) return Effect.fail(rejected("open", new Error(`no prefix of subjects: ${prefix}`)))
  if (token !== undefined) return Effect.succeed(`${prefix}.${token}`)
  const cause = new MessageTooLarge({ size: namespace.length, limit: Subjects.maxTokenLength })
  return Effect.fail(rejected("open", cause))
}

/** The broker over a connection; everything it holds ends with the scope. */
export const make = Effect.fnUntraced(function* (
  link: NatsLink,
  options: Options.NatsOptions = {}
): Effect.fn.Return<Broker, never, Scope.Scope> {
  const settings = Options.settings(options)
  const counters = makeCounters()
  const health = yield* Health.make
  const mailbox = yield* Mailbox.make(link, settings, counters)
  if (!link.ready) health.set({ _tag: "Disconnected", cause: undefined })
  const unlisten = link.listen({
    onLost: (cause) => health.set({ _tag: "Disconnected", cause }),
    onBack: () => {
      counters.gaps++
      health.set({ _tag: "Gap" })
    }
  })
  yield* Effect.addFinalizer(() => Effect.sync(unlisten))

  const open = Effect.fnUntraced(function* (
    request: BusRequest
  ): Effect.fn.Return<ClusterBus, AdapterError, Scope.Scope> {
    const { namespace, uid, sink } = request
    const all = yield* subjectOf(settings.prefix, namespace)
    const own = yield* subjectOf(all, uid)
    yield* mailbox.receive(own, namespace, (message) => sink.onMessage(message, undefined))
    yield* mailbox.receive(all, namespace, (message) => sink.onMessage(message, undefined))
    let isOpen = true
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isOpen = false
      })
    )
    const send = (subject: string, message: ClusterMessage, done: Mailbox.Done): void => {
      if (isOpen) mailbox.send(subject, message, done)
      else mailbox.fail(unavailable("publish", new Error("closed")), done)
    }
    return {
      membership: { _tag: "Heartbeats" },
      publish: (message, done) => send(all, message, done),
      publishTo: (to, message, done) => {
        const token = Subjects.token(to)
        if (token === undefined) mailbox.fail(rejected("publishTo"), done)
        else send(`${all}.${token}`, message, done)
      }
    }
  })
  return { name: "nats", health: health.changes, counters, open }
})
