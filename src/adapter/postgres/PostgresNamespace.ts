/**
 * The open bus of one namespace on PostgreSQL.
 *
 * An event that is stored counts as published when it comes back: then everything before it in the log has been delivered here, and it is
 * delivered here in its turn. All else counts as published when it is committed.
 */
import type { Deadlines, Expirable } from "../../runtime/Deadlines.ts"
import { type AdapterCounters, AdapterError } from "../Adapter.ts"
import type { BusRequest, BusStore, ClusterBus, Membership, Published } from "../ClusterBus.ts"
import type { ClusterMessage } from "../ClusterMessage.ts"
import { type Completion, Completions } from "../Completions.ts"
import * as Encoding from "./PostgresEncoding.ts"
import { Inbox, type InboxSink } from "./PostgresInbox.ts"
import type { Hearer, Listener } from "./PostgresListener.ts"
import type { PostgresSettings } from "./PostgresOptions.ts"
import type { Publisher } from "./PostgresPublisher.ts"
import type { Store } from "./PostgresStore.ts"

/** What a namespace works with. */
export interface NamespaceParts {
  readonly channel: string
  readonly settings: PostgresSettings
  readonly counters: AdapterCounters
  readonly deadlines: Deadlines
  readonly publisher: Publisher
  readonly listener: Listener
  /** Told when messages were missed. */
  readonly gap: () => void
}

const published: Published = { _tag: "Published", offset: undefined }

const failed = (error: AdapterError): Published => ({ _tag: "Failed", error })

const unavailable = (cause: unknown): AdapterError =>
  new AdapterError({ reason: "Unavailable", operation: "publish", cause })

/** A stored message of our own that has not come back. */
interface Sent {
  readonly message: ClusterMessage
  readonly completion: Completion
  deadline: ReturnType<Deadlines["set"]> | undefined
}

/** The bus of a namespace. */
export class PostgresNamespace implements ClusterBus, Hearer, InboxSink {
  readonly membership: Membership = { _tag: "Heartbeats" }
  readonly inbox: Inbox
  readonly #request: BusRequest
  readonly #parts: NamespaceParts
  readonly #completions = new Completions()
  readonly #sent = new Map<number, Sent>()
  #nextRef = 1
  #store: Store | undefined
  #closed = false

  constructor(request: BusRequest, parts: NamespaceParts) {
    this.#request = request
    this.#parts = parts
    const { namespace, uid, recovery } = request
    const { channel, settings, counters, listener } = parts
    this.inbox = new Inbox({
      namespace,
      channel,
      uid,
      settings,
      counters,
      log: recovery !== undefined,
      query: (text, values) => listener.query(text, values),
      sink: this
    })
  }

  /** Present once the log has a beginning. */
  get store(): BusStore | undefined {
    return this.#store
  }

  /** The log is ready, and ends here. */
  begin(store: Store, position: string | undefined): void {
    this.#store = store
    // What has arrived meanwhile is after it.
    this.inbox.position ??= position
  }

  publish(message: ClusterMessage, done: (published: Published) => void): void {
    const { publisher, settings, channel, listener } = this.#parts
    const completion = this.#completions.add(done)
    const settle = (what: Published): void => this.#completions.settle(completion, what)
    const stored = this.#store !== undefined && Encoding.isStored(message)
    if (this.#closed) return settle(failed(unavailable("closed")))
    if (stored && !listener.ready) return settle(failed(unavailable("nothing is heard from PostgreSQL")))
    const ref = stored ? this.#nextRef++ : undefined
    const form = Encoding.write(message, { settings, ref })
    if (form instanceof AdapterError) return settle(failed(form))
    if (ref === undefined) {
      const settled = (error: AdapterError | undefined): void => settle(error === undefined ? published : failed(error))
      return publisher.send({ channel, form, stored: false, settled })
    }
    this.#sent.set(ref, { message, completion, deadline: undefined })
    const settled = (error: AdapterError | undefined): void =>
      error === undefined ? this.#committed(ref) : this.#failed(ref, error)
    publisher.send({ channel, form, stored: true, settled })
  }

  /** All nodes hear all answers: PostgreSQL has one channel for each namespace. */
  publishTo(_uid: string, message: ClusterMessage, done: (published: Published) => void): void {
    this.publish(message, done)
  }

  /** Nothing more is heard or told; who still waits is told so. */
  close(): void {
    this.#closed = true
    for (const ref of Array.from(this.#sent.keys())) this.#failed(ref, unavailable("closed"))
    this.#completions.settleAll(failed(unavailable("closed")))
    this.inbox.lost()
  }

  // ---- from the listener

  onNotification(payload: string | undefined): void {
    this.inbox.add(payload)
  }

  onLost(): void {
    this.inbox.lost()
    // What does not come back soon must not hold up those who are here.
    for (const ref of Array.from(this.#sent.keys())) this.#failed(ref, unavailable("nothing is heard from PostgreSQL"))
  }

  onListening(again: boolean): void {
    if (again) this.inbox.resume()
  }

  // ---- from the inbox

  onMessage(message: ClusterMessage, offset: string | undefined): void {
    this.#request.sink.onMessage(message, offset)
    if (offset !== undefined) this.#store?.taken(message, offset)
  }

  onOwn(ref: number, offset: string, read: ClusterMessage | undefined): void {
    const sent = this.#sent.get(ref)
    const message = sent?.message ?? read
    if (sent !== undefined) {
      this.#forget(ref, sent)
      this.#completions.settle(sent.completion, { _tag: "Published", offset })
    }
    if (message !== undefined) this.#store?.taken(message, offset)
  }

  onMoved(): void {
    this.#store?.moved()
  }

  onGap(): void {
    this.#parts.gap()
  }

  // ---- stored messages

  /** It is in the log, and on its way back. */
  #committed(ref: number): void {
    const sent = this.#sent.get(ref)
    if (sent === undefined) return
    const { deadlines, settings } = this.#parts
    const target: Expirable = { onDeadline: () => this.#failed(ref, unavailable("a message did not come back")) }
    sent.deadline = deadlines.set(settings.answerTimeout, target)
  }

  #failed(ref: number, error: AdapterError): void {
    const sent = this.#sent.get(ref)
    if (sent === undefined) return
    this.#forget(ref, sent)
    this.#completions.settle(sent.completion, failed(error))
  }

  #forget(ref: number, { deadline }: Sent): void {
    this.#sent.delete(ref)
    if (deadline !== undefined) this.#parts.deadlines.cancel(deadline)
  }
}
