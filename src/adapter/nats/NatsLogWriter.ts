/**
 * Writes to the log: in the order of the calls, without waiting for one another.
 *
 * A message counts as published when its node has read it back. So what a node has been told up to an offset is everything in the log up to there,
 * from whatever node it came. JetStream's own acknowledgement is heard for refusals only.
 */
import { createInbox, headers, type Msg, type MsgCallback } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Deadlines from "../../runtime/Deadlines.ts"
import type { AdapterError } from "../Adapter.ts"
import type { Published } from "../ClusterBus.ts"
import { MessageTooLarge, rejected, TooMuchPending, unavailable } from "./NatsErrors.ts"
import type { NatsLink } from "./NatsLink.ts"
import type { Done } from "./NatsMailbox.ts"
import { headerRoom } from "./NatsParts.ts"

/** The header with the number that a writer gave to a message. */
export const numberHeader = "Sio-Number"

/** How much may be on its way, and for how long. */
export interface WriterLimits {
  /** In milliseconds. */
  readonly publishTimeout: number
  /** In messages. */
  readonly maxInFlight: number
  /** In bytes. */
  readonly maxPendingBytes: number
}

/** A message on its way. */
class Entry implements Deadlines.Expirable {
  readonly number: number
  readonly bytes: number
  readonly done: Done
  result: Published | undefined
  deadline: Deadlines.Deadline | undefined
  readonly #writer: LogWriter

  constructor(writer: LogWriter, number: number, bytes: number, done: Done) {
    this.#writer = writer
    this.number = number
    this.bytes = bytes
    this.done = done
  }

  onDeadline(): void {
    this.#writer.refused(this.number, unavailable("publish", new Error("not confirmed in time")))
    this.#writer.onSilence()
  }
}

/** What a server says that has nobody to take the message: no JetStream, or no such stream. */
const isStatus = ({ headers }: Msg): boolean => headers !== undefined && headers.code !== 0

const refusalOf = (message: Msg): Error | undefined => {
  if (isStatus(message)) return new Error(`JetStream does not answer: ${message.headers?.code}`)
  try {
    const ack: unknown = message.json()
    if (typeof ack !== "object" || ack === null || !("error" in ack)) return undefined
    const { error } = ack
    const described = typeof error === "object" && error !== null && "description" in error
    return new Error(described ? String(error.description) : "JetStream has refused a message")
  } catch {
    return new Error("no acknowledgement of JetStream")
  }
}

/** Writes for one namespace of one node. */
export class LogWriter {
  readonly #link: NatsLink
  readonly #deadlines: Deadlines.Deadlines
  readonly #limits: WriterLimits
  readonly #inbox: string
  /** In the order of the calls; those before `#head` are told. */
  #entries: Array<Entry> = []
  #head = 0
  #number = 0
  #bytes = 0
  #telling = false
  /** Whether the log is being read: without that nothing would ever be confirmed. */
  open = false
  /** Told when a message was not answered: the stream may be gone, or reading it may have stopped. */
  onSilence: () => void = () => {}

  constructor(link: NatsLink, deadlines: Deadlines.Deadlines, limits: WriterLimits, inbox: string) {
    this.#link = link
    this.#deadlines = deadlines
    this.#limits = limits
    this.#inbox = inbox
  }

  /** Messages on their way. */
  get inFlight(): number {
    return this.#entries.length - this.#head
  }

  /** Hands over a message. Never throws; `done` is told once, in the order of the calls. */
  write(subject: string, bytes: Uint8Array, done: Done): void {
    const { maxInFlight, maxPendingBytes, publishTimeout } = this.#limits
    const entry = new Entry(this, ++this.#number, bytes.length, done)
    const limit = this.#link.maxPayload - headerRoom
    if (!this.#link.ready || !this.open) return this.#refuse(entry, unavailable("publish"))
    if (bytes.length > limit) {
      return this.#refuse(entry, rejected("publish", new MessageTooLarge({ size: bytes.length, limit })))
    }
    if (this.inFlight >= maxInFlight) {
      return this.#refuse(entry, unavailable("publish", new TooMuchPending({ limit: maxInFlight })))
    }
    if (this.#bytes + bytes.length > maxPendingBytes) {
      return this.#refuse(entry, unavailable("publish", new TooMuchPending({ limit: maxPendingBytes })))
    }
    const numbered = headers()
    numbered.set(numberHeader, String(entry.number))
    try {
      this.#link.connection.publish(subject, bytes, { headers: numbered, reply: `${this.#inbox}.${entry.number}` })
    } catch (cause) {
      return this.#refuse(entry, unavailable("publish", cause))
    }
    this.#bytes += bytes.length
    entry.deadline = this.#deadlines.set(publishTimeout, entry)
    this.#entries.push(entry)
  }

  /** Fails a message for a reason that is known before it is sent. */
  fail(done: Done, error: AdapterError): void {
    this.#refuse(new Entry(this, ++this.#number, 0, done), error)
  }

  /** The node has read its own message. What it wrote before, and has not read, is not in the log. */
  readBack(number: number, offset: string): void {
    const found = this.#find(number)
    if (found === undefined) return
    for (let index = this.#head; this.#entries[index] !== found; index++) {
      const entry = this.#entries[index]
      if (entry !== undefined) entry.result ??= failed(unavailable("publish", new Error("not in the log")))
    }
    found.result ??= { _tag: "Published", offset }
    this.#tell()
  }

  /** A message is not in the log, as far as is known. */
  refused(number: number, error: AdapterError): void {
    const entry = this.#find(number)
    if (entry === undefined) return
    entry.result ??= failed(error)
    this.#tell()
  }

  /** Nobody knows what has become of what is on its way. */
  lost(cause: unknown): void {
    for (let index = this.#head; index < this.#entries.length; index++) {
      const entry = this.#entries[index]
      if (entry !== undefined) entry.result ??= failed(unavailable("publish", cause))
    }
    this.#tell()
  }

  #refuse(entry: Entry, error: AdapterError): void {
    entry.result = failed(error)
    if (this.inFlight === 0 && !this.#telling) return entry.done(entry.result)
    this.#entries.push(entry)
    this.#bytes += entry.bytes
  }

  /** Entries are numbered without holes only where none was refused at once, so this looks from where it would be at most. */
  #find(number: number): Entry | undefined {
    let low = this.#head
    let high = this.#entries.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const entry = this.#entries[middle]
      if (entry === undefined) return undefined
      if (entry.number === number) return entry
      if (entry.number < number) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }

  #tell(): void {
    // Whoever is told may write again at once.
    if (this.#telling) return
    this.#telling = true
    for (;;) {
      const entry = this.#entries[this.#head]
      if (entry?.result === undefined) break
      this.#head++
      this.#bytes -= entry.bytes
      if (entry.deadline !== undefined) this.#deadlines.cancel(entry.deadline)
      entry.done(entry.result)
    }
    this.#telling = false
    if (this.#head > 1024 || this.#head === this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }
}

const failed = (error: AdapterError): Published => ({ _tag: "Failed", error })

/** A writer, closed at first; what is on its way when the scope closes is told as failed. */
export const make = Effect.fnUntraced(function* (
  link: NatsLink,
  limits: WriterLimits
): Effect.fn.Return<LogWriter, AdapterError, Scope.Scope> {
  const deadlines = yield* Deadlines.make
  const inbox = createInbox()
  const writer = new LogWriter(link, deadlines, limits, inbox)
  const callback: MsgCallback<Msg> = (error, message) => {
    if (error !== null) return
    const refusal = refusalOf(message)
    if (refusal === undefined) return
    writer.refused(Number(message.subject.slice(inbox.length + 1)), unavailable("publish", refusal))
    if (isStatus(message)) writer.onSilence()
  }
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => link.connection.subscribe(`${inbox}.*`, { callback }),
      catch: (cause) => unavailable("subscribe", cause)
    }),
    (subscription) => Effect.sync(() => subscription.unsubscribe())
  )
  const unlisten = link.listen({
    onLost: (cause) => {
      writer.open = false
      writer.lost(cause)
    },
    onBack: () => {}
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      unlisten()
      writer.open = false
      writer.lost(new Error("closed"))
    })
  )
  return writer
})
