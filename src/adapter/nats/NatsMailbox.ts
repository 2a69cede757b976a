/**
 * Messages by the core of NATS: at most once, in the order of each sender.
 *
 * `done` is told when the server has answered the PING behind a message: it has read the message then, and what is not answered is bounded.
 */
import { createInbox, type MsgCallback, type Msg } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AdapterCounters, AdapterError } from "../Adapter.ts"
import type { Published } from "../ClusterBus.ts"
import * as ClusterCodec from "../ClusterCodec.ts"
import type { ClusterMessage } from "../ClusterMessage.ts"
import { rejected, TooMuchPending, unavailable } from "./NatsErrors.ts"
import type { NatsLink } from "./NatsLink.ts"
import type { NatsSettings } from "./NatsOptions.ts"
import * as Parts from "./NatsParts.ts"

/** Tells what became of a message. */
export type Done = (published: Published) => void

interface Sent {
  readonly bytes: number
  readonly done: Done
  /** Present where it was not sent. */
  readonly error: AdapterError | undefined
}

const published: Published = { _tag: "Published", offset: undefined }

const failed = (error: AdapterError): Published => ({ _tag: "Failed", error })

const textEncoder = new TextEncoder()

/** The bytes of a message, or why it has none. */
export const encode = (
  message: ClusterMessage,
  operation: string,
  maxSize: number
): { readonly bytes: Uint8Array } | { readonly error: AdapterError } => {
  const encoded = ClusterCodec.encode(message, { maxSize })
  if (encoded._tag === "EncodeFailure") return { error: rejected(operation, encoded.cause ?? encoded) }
  const { payload } = encoded
  return { bytes: typeof payload === "string" ? textEncoder.encode(payload) : payload }
}

/** Sends and receives over one connection. */
export interface NatsMailbox {
  /** Never throws; `done` is told once, in the order of the calls. */
  send(subject: string, message: ClusterMessage, done: Done): void
  /** Fails a message for a reason that is known before it is sent. */
  fail(error: AdapterError, done: Done): void
  /** Hears a subject, until the scope closes; completes when the subscription is active. Fails with `Rejected` where it is not allowed. */
  receive(
    subject: string,
    namespace: string,
    onMessage: (message: ClusterMessage) => void
  ): Effect.Effect<void, AdapterError, Scope.Scope>
}

class Mailbox implements NatsMailbox {
  readonly #link: NatsLink
  readonly #settings: NatsSettings
  readonly #counters: AdapterCounters
  /** No two connections have the same. */
  readonly #sender = createInbox().slice("_INBOX.".length)
  #number = 0
  #waiting: Array<Sent> = []
  #flushing: Array<Sent> = []
  #scheduled = false
  #pending = 0

  constructor(link: NatsLink, settings: NatsSettings, counters: AdapterCounters) {
    this.#link = link
    this.#settings = settings
    this.#counters = counters
  }

  send(subject: string, message: ClusterMessage, done: Done): void {
    const { maxMessageSize, maxPendingBytes } = this.#settings
    const encoded = encode(message, "publish", maxMessageSize)
    if ("error" in encoded) return this.#settleLater(0, done, encoded.error)
    const { bytes } = encoded
    if (!this.#link.ready) return this.#settleLater(0, done, unavailable("publish"))
    if (this.#pending + bytes.length > maxPendingBytes) {
      const cause = new TooMuchPending({ limit: maxPendingBytes })
      return this.#settleLater(0, done, unavailable("publish", cause))
    }
    try {
      for (const part of Parts.split(bytes, this.#link.maxPayload, this.#sender, this.#number++)) {
        const { headers } = part
        if (headers === undefined) this.#link.connection.publish(subject, part.bytes)
        else this.#link.connection.publish(subject, part.bytes, { headers })
      }
    } catch (cause) {
      return this.#settleLater(0, done, unavailable("publish", cause))
    }
    this.#settleLater(bytes.length, done, undefined)
  }

  fail(error: AdapterError, done: Done): void {
    this.#settleLater(0, done, error)
  }

  readonly receive = Effect.fnUntraced(
    { self: this },
    function* (
      this: Mailbox,
      subject: string,
      namespace: string,
      onMessage: (message: ClusterMessage) => void
    ): Effect.fn.Return<void, AdapterError, Scope.Scope> {
      const { maxMessageSize } = this.#settings
      const reassembly = new Parts.Reassembly(maxMessageSize, () => this.#counters.ignored++)
      let refusal: Error | undefined
      const callback: MsgCallback<Msg> = (error, message) => {
        if (error !== null) {
          refusal = error
          return
        }
        const bytes = reassembly.add(message.data, message.headers?.get(Parts.header))
        if (bytes === undefined) return
        const decoded = ClusterCodec.decode(bytes, namespace, { maxSize: maxMessageSize })
        if (decoded === undefined) this.#counters.ignored++
        else onMessage(decoded)
      }
      yield* Effect.acquireRelease(
        Effect.try({
          try: () => {
            const subscription = this.#link.connection.subscribe(subject, { callback })
            return { subscription, unlisten: this.#link.listen({ onLost: () => reassembly.clear(), onBack: () => {} }) }
          },
          catch: (cause) => unavailable("subscribe", cause)
        }),
        ({ subscription, unlisten }) =>
          Effect.sync(() => {
            unlisten()
            subscription.unsubscribe()
          })
      )
      yield* Effect.tryPromise({
        try: () => this.#link.connection.flush(),
        catch: (cause) => unavailable("subscribe", cause)
      })
      // The server refuses before it answers the flush.
      if (refusal !== undefined) return yield* rejected("subscribe", refusal)
    }
  )

  /** The connection is lost: nobody knows what the server has read of what was under way. */
  lost(cause: unknown): void {
    const entries = [...this.#flushing, ...this.#waiting]
    this.#flushing = []
    this.#waiting = []
    this.#settle(entries, cause)
  }

  #settleLater(bytes: number, done: Done, error: AdapterError | undefined): void {
    // Told at once where nothing is under way that has to be told before.
    if (error !== undefined && this.#waiting.length === 0 && this.#flushing.length === 0) return done(failed(error))
    this.#waiting.push({ bytes, done, error })
    this.#pending += bytes
    if (this.#scheduled || this.#flushing.length > 0) return
    this.#scheduled = true
    // With everything else that is sent in this turn.
    void Promise.resolve().then(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#waiting.length === 0 || this.#flushing.length > 0) return
    const batch = this.#waiting
    this.#waiting = []
    this.#flushing = batch
    const settled = (cause: unknown): void => {
      if (this.#flushing !== batch) return
      this.#flushing = []
      this.#settle(batch, cause)
      this.#flush()
    }
    this.#link.connection.flush().then(
      () => settled(undefined),
      (cause) => settled(cause ?? new Error("disconnected"))
    )
  }

  #settle(entries: ReadonlyArray<Sent>, cause: unknown): void {
    for (const { bytes, done, error } of entries) {
      this.#pending -= bytes
      if (error !== undefined) done(failed(error))
      else if (cause !== undefined) done(failed(unavailable("publish", cause)))
      else done(published)
    }
  }
}

/** The mailbox of a connection; what is under way when the scope closes is told as failed. */
export const make = Effect.fnUntraced(function* (
  link: NatsLink,
  settings: NatsSettings,
  counters: AdapterCounters
): Effect.fn.Return<NatsMailbox, never, Scope.Scope> {
  const mailbox = new Mailbox(link, settings, counters)
  const unlisten = link.listen({ onLost: (cause) => mailbox.lost(cause), onBack: () => {} })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      unlisten()
      mailbox.lost(new Error("closed"))
    })
  )
  return mailbox
})
