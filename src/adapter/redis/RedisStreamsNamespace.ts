/**
 * One namespace on Redis Streams: what it writes and hears, in the order of each node.
 *
 * The two ways of a message, stream and Pub/Sub, know nothing of each other. So each message says how far its node was on the other way: an entry
 * counts the node's messages by Pub/Sub before it, a message by Pub/Sub names the node's last entry before it. Receivers wait for what comes before,
 * at most `orderTimeout`. Messages of official nodes say nothing, and wait for nothing.
 *
 * Where events are to be recovered, own broadcasts are delivered here when they are read back, and so in the order of the log: what a client has
 * seen is everything up to its offset, from whatever node it came.
 */
import * as Effect from "effect/Effect"
import type { Deadline, Deadlines } from "../../runtime/Deadlines.ts"
import { type AdapterCounters, AdapterError } from "../Adapter.ts"
import type { BusRequest, BusStore, ClusterBus, Membership, Published } from "../ClusterBus.ts"
import { type Body, type ClusterMessage, emitterUid, MessageType } from "../ClusterMessage.ts"
import * as Commands from "./RedisStreamCommands.ts"
import { type Completion, Completions } from "../Completions.ts"
import * as StreamEntry from "./RedisStreamEntry.ts"
import * as StreamId from "./RedisStreamId.ts"
import type { StreamLink } from "./RedisStreamLink.ts"
import { Patience } from "./RedisStreamPatience.ts"
import { Peers } from "./RedisStreamPeers.ts"
import * as StreamSignal from "./RedisStreamSignal.ts"
import type { RedisStreamsSettings } from "./RedisStreamsOptions.ts"

/** What a namespace has of its broker. */
export interface NamespaceHost {
  readonly settings: RedisStreamsSettings
  readonly link: StreamLink
  readonly deadlines: Deadlines
  readonly counters: AdapterCounters
  /** Messages under way to Redis, of all namespaces. */
  readonly underWay: { count: number }
  readonly stream: string
  /** How far the stream has been read. */
  readonly position: () => string
  /** Offers the entry again that was held. */
  readonly pump: () => void
  readonly store: BusStore | undefined
}

/** The channel that all nodes of a namespace hear. */
export const publicChannel = (prefix: string, namespace: string): string => `${prefix}#${namespace}#`

/** The channel that one node hears. */
export const privateChannel = (prefix: string, namespace: string, uid: string): string =>
  `${prefix}#${namespace}#${uid}#`

/** Whether a message goes by Pub/Sub: questions, and events between servers. */
export const isEphemeral = (body: Body): boolean =>
  body.type === MessageType.SERVER_SIDE_EMIT ||
  body.type === MessageType.FETCH_SOCKETS ||
  (body.type === MessageType.BROADCAST && body.requestId !== undefined)

/** Times in a row that a node waited in vain, after which it does without waiting for a while. */
const maxStrikes = 3
/** That while, and how long the other way counts as in use, in terms of `orderTimeout`. */
const impatience = 10
const recent = 2
/** Messages by Pub/Sub that wait for the stream. */
const maxHeld = 1000

/** An own entry that was not told to its caller. */
interface Pending {
  readonly completion: Completion
  /** Whether it is told when it is read back, and not when it was written. */
  inLogOrder: boolean
  deadline: Deadline | undefined
}

/** An own message by Pub/Sub that waits for the id of an own entry. */
interface Postponed {
  readonly message: ClusterMessage
  readonly sequence: number
  readonly behind: number
  readonly completion: Completion
}

/** A message of another node that waits for an entry of it. */
interface Held {
  readonly signal: StreamSignal.Signal
  readonly patience: Patience
}

const published = (offset: string | undefined): Published => ({ _tag: "Published", offset })

const failed = (reason: "Unavailable" | "Rejected", cause?: unknown): Published => ({
  _tag: "Failed",
  error: new AdapterError({ reason, operation: "publish", cause })
})

/** The bus of a namespace. */
export class StreamsNamespace implements ClusterBus {
  readonly membership: Membership
  readonly store: BusStore | undefined
  readonly #request: BusRequest
  readonly #host: NamespaceHost
  readonly #channel: string
  readonly #completions = new Completions()
  readonly #pending = new Map<number, Pending>()
  readonly #postponed: Array<Postponed> = []
  readonly #peers = new Peers()
  #held: Array<Held> = []
  /** Own entries so far, those that Redis has answered, and the last one's id. */
  #entries = 0
  #answered = 0
  #lastId: string | undefined
  /** Own messages by Pub/Sub so far. */
  #signals = 0
  #lastSignalAt = Number.NEGATIVE_INFINITY
  #gate: Patience | undefined
  /** Since when everything by Pub/Sub is heard, on the clock of Redis. */
  #heardSince = Number.POSITIVE_INFINITY
  #strikes = 0
  #impatientUntil = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(request: BusRequest, host: NamespaceHost) {
    this.#request = request
    this.#host = host
    this.store = host.store
    this.#channel = publicChannel(host.settings.channelPrefix, request.namespace)
    this.membership = {
      _tag: "Counted",
      count: Effect.suspend(() =>
        host.link.ready
          ? Effect.tryPromise({
              try: () => host.link.subscribers(this.#channel),
              catch: (cause) => new AdapterError({ reason: "Unavailable", operation: "serverCount", cause })
            })
          : Effect.fail(new AdapterError({ reason: "Unavailable", operation: "serverCount" }))
      )
    }
  }

  publish(message: ClusterMessage, done: (published: Published) => void): void {
    const completion = this.#completions.add(done)
    const { link, settings, underWay } = this.#host
    if (this.#closed || !link.ready || underWay.count >= settings.maxInFlight) {
      return this.#settle(completion, failed("Unavailable"))
    }
    if (isEphemeral(message.body)) this.#publishSignal(message, completion)
    else this.#append(message, completion)
  }

  publishTo(uid: string, message: ClusterMessage, done: (published: Published) => void): void {
    const { link, settings, underWay } = this.#host
    if (this.#closed || !link.ready || underWay.count >= settings.maxInFlight) return done(failed("Unavailable"))
    const bytes = StreamSignal.encode(message, undefined)
    if ("_tag" in bytes) return done(failed("Rejected", bytes.cause))
    const channel = privateChannel(settings.channelPrefix, this.#request.namespace, uid)
    this.#send(link.publish(channel, bytes), done)
  }

  /** An entry of the stream; `offset` is its id where it is a place in the log. `false` holds it. */
  entry(raw: StreamEntry.RawEntry, offset: string | undefined): boolean {
    if (raw.uid === this.#request.uid) return this.#ownEntry(raw, offset)
    if (raw.sequence !== undefined && raw.uid !== emitterUid) {
      const peer = this.#peers.getOrAdd(raw.uid)
      // Some clients of Redis write again what they had no reply to.
      if (raw.sequence <= peer.entry) return true
      if (!this.#hasHeard(raw, offset)) return false
      peer.entry = raw.sequence
    }
    const message = StreamEntry.decode(raw)
    if (message === undefined) this.#host.counters.ignored++
    else this.#request.sink.onMessage(message, this.#request.recovery === undefined ? undefined : offset)
    return true
  }

  /** The stream was read on: what waited for it may go. */
  advanced(): void {
    if (this.#held.length === 0) return
    const position = this.#host.position()
    const held = this.#held
    this.#held = []
    for (const item of held) {
      if (StreamId.isAfter(item.signal.after!, position)) {
        this.#held.push(item)
      } else {
        item.patience.cancel()
        this.#deliverSignal(item.signal)
      }
    }
  }

  /** Both channels are heard, since this time of Redis' clock in milliseconds. */
  listening(since: number): void {
    this.#heardSince = since
  }

  /** Bytes from the channel of all. */
  signal(bytes: Uint8Array): void {
    const signal = this.#decode(bytes)
    if (signal === undefined) return
    const { after } = signal
    if (after === undefined || this.#held.length >= maxHeld || !StreamId.isAfter(after, this.#host.position())) {
      return this.#deliverSignal(signal)
    }
    const { deadlines, settings } = this.#host
    const patience = new Patience(deadlines, settings.orderTimeout, () => {
      this.#held = this.#held.filter((item) => item.signal !== signal)
      this.#deliverSignal(signal)
    })
    this.#held.push({ signal, patience })
  }

  /** Bytes from this node's own channel: answers. */
  answer(bytes: Uint8Array): void {
    const signal = this.#decode(bytes)
    if (signal !== undefined) this.#request.sink.onMessage(signal.message, undefined)
  }

  /** Nothing is written or heard any more; whoever waits is told. */
  close(): void {
    this.#closed = true
    const { deadlines } = this.#host
    for (const { patience } of this.#held) patience.cancel()
    for (const { deadline } of this.#pending.values()) if (deadline !== undefined) deadlines.cancel(deadline)
    this.#held = []
    this.#pending.clear()
    this.#host.underWay.count -= this.#postponed.length
    this.#postponed.length = 0
    this.#opened()
    this.#completions.settleAll(failed("Unavailable"))
  }

  #decode(bytes: Uint8Array): StreamSignal.Signal | undefined {
    if (this.#closed) return undefined
    const { namespace, uid } = this.#request
    const signal = StreamSignal.decode(bytes, namespace, this.#host.settings.maxMessageSize)
    if (signal === undefined) this.#host.counters.ignored++
    return signal?.message.uid === uid ? undefined : signal
  }

  #deliverSignal({ message, sequence }: StreamSignal.Signal): void {
    this.#request.sink.onMessage(message, undefined)
    if (sequence === undefined || message.uid === emitterUid) return
    const peer = this.#peers.getOrAdd(message.uid)
    if (sequence > peer.signal) peer.signal = sequence
    if (this.#gate !== undefined) this.#host.pump()
  }

  #append(message: ClusterMessage, completion: Completion): void {
    const { settings, link, stream, deadlines } = this.#host
    const sequence = this.#entries + 1
    const ago = deadlines.now() - this.#lastSignalAt
    const inUse = ago <= recent * settings.orderTimeout
    const stamp = { sequence, after: inUse ? { count: this.#signals, ago } : undefined }
    const fields = StreamEntry.fields(message, stamp, settings)
    // A number that is never answered would be waited for.
    if ("_tag" in fields) return this.#settle(completion, failed("Rejected", fields.cause))
    this.#entries = sequence
    const inLogOrder = this.#request.recovery !== undefined && message.body.type === MessageType.BROADCAST
    this.#pending.set(sequence, { completion, inLogOrder, deadline: undefined })
    const writing = link.command(stream, Commands.append(stream, settings.maxLen, fields))
    this.#host.underWay.count++
    writing.then(
      (reply) => this.#appended(sequence, Commands.textOf(reply)),
      (cause) => this.#notAppended(sequence, cause)
    )
  }

  #appended(sequence: number, id: string | undefined): void {
    this.#host.underWay.count--
    if (this.#closed) return
    this.#reached(sequence, id)
    const pending = this.#pending.get(sequence)
    if (pending === undefined) return
    if (!pending.inLogOrder) {
      this.#pending.delete(sequence)
      return this.#settle(pending.completion, published(id))
    }
    const onDeadline = (): void => {
      // Written, but not to be told apart from what was not: its place among what was delivered is lost.
      this.#pending.delete(sequence)
      this.#settle(pending.completion, published(undefined))
    }
    pending.deadline = this.#host.deadlines.set(this.#host.settings.orderTimeout, { onDeadline })
  }

  #notAppended(sequence: number, cause: unknown): void {
    this.#host.underWay.count--
    if (this.#closed) return
    this.#reached(sequence, undefined)
    const pending = this.#pending.get(sequence)
    if (pending === undefined) return
    this.#pending.delete(sequence)
    this.#settle(pending.completion, failed("Unavailable", cause))
  }

  /** It is known where an own entry is: what was said after it may go. */
  #reached(sequence: number, id: string | undefined): void {
    if (id !== undefined && (this.#lastId === undefined || StreamId.isAfter(id, this.#lastId))) this.#lastId = id
    if (sequence > this.#answered) this.#answered = sequence
    while (this.#postponed.length > 0 && this.#postponed[0]!.behind <= this.#answered) {
      const { message, sequence: place, completion } = this.#postponed.shift()!
      this.#host.underWay.count--
      const bytes = StreamSignal.encode(message, { sequence: place, after: this.#lastId })
      if ("_tag" in bytes) this.#settle(completion, failed("Rejected", bytes.cause))
      else this.#sendSignal(bytes, completion)
    }
  }

  #ownEntry(raw: StreamEntry.RawEntry, id: string | undefined): boolean {
    const pending = raw.sequence === undefined ? undefined : this.#pending.get(raw.sequence)
    if (pending === undefined) return true
    // Callers are told in the order of their calls: what they said before by Pub/Sub has its reply first.
    const early = pending.inLogOrder && !this.#completions.isNext(pending.completion)
    if (early && this.#mayWait(() => (pending.inLogOrder = false))) return false
    this.#opened()
    this.#pending.delete(raw.sequence!)
    if (pending.deadline !== undefined) this.#host.deadlines.cancel(pending.deadline)
    this.#settle(pending.completion, published(id))
    this.#reached(raw.sequence!, id)
    return true
  }

  #publishSignal(message: ClusterMessage, completion: Completion): void {
    const sequence = this.#signals + 1
    const bytes = StreamSignal.encode(message, { sequence, after: this.#lastId })
    // A number that is never heard would be waited for.
    if ("_tag" in bytes) return this.#settle(completion, failed("Rejected", bytes.cause))
    this.#signals = sequence
    this.#lastSignalAt = this.#host.deadlines.now()
    if (this.#answered >= this.#entries) return this.#sendSignal(bytes, completion)
    this.#host.underWay.count++
    this.#postponed.push({ message, sequence, behind: this.#entries, completion })
  }

  #sendSignal(bytes: Uint8Array, completion: Completion): void {
    this.#send(this.#host.link.publish(this.#channel, bytes), (result) => {
      // What did not get there is not to be waited for.
      if (result._tag === "Failed") this.#lastSignalAt = Number.NEGATIVE_INFINITY
      this.#settle(completion, result)
    })
  }

  #send(sending: Promise<unknown>, done: (published: Published) => void): void {
    const { underWay } = this.#host
    underWay.count++
    sending.then(
      () => {
        underWay.count--
        done(published(undefined))
      },
      (cause) => {
        underWay.count--
        done(failed("Unavailable", cause))
      }
    )
  }

  #settle(completion: Completion, result: Published): void {
    this.#completions.settle(completion, result)
    if (this.#gate !== undefined) this.#host.pump()
  }

  /** Whether everything has come from a node by Pub/Sub that an entry of it follows, or is not waited for any more. */
  #hasHeard({ uid, after, ago = 0 }: StreamEntry.RawEntry, id: string | undefined): boolean {
    const peer = this.#peers.getOrAdd(uid)
    if (after !== undefined && after > peer.signal) {
      // Of a node that was not heard yet: said before this one listened?
      const at = id === undefined ? undefined : StreamId.parse(id)?.millis
      const inTime = peer.signal > 0 || (at !== undefined && at - ago >= this.#heardSince)
      if (inTime && this.#mayWait(() => (peer.signal = after))) return false
      if (!inTime) peer.signal = after
    }
    this.#opened()
    return true
  }

  /** Whether the stream may be held now; `giveUp` is called when it has been for long enough. */
  #mayWait(giveUp: () => void): boolean {
    const { deadlines, settings, pump } = this.#host
    if (this.#gate !== undefined) return true
    if (deadlines.now() < this.#impatientUntil) return false
    this.#gate = new Patience(deadlines, settings.orderTimeout, () => {
      this.#gate = undefined
      // What does not come was perhaps said before this node was there. Whoever claims such things all the time must not stop the stream.
      if (++this.#strikes >= maxStrikes) {
        this.#strikes = 0
        this.#impatientUntil = deadlines.now() + impatience * settings.orderTimeout
      }
      giveUp()
      pump()
    })
    return true
  }

  /** What the stream was held for is there. */
  #opened(): void {
    if (this.#gate === undefined) return
    this.#gate.cancel()
    this.#gate = undefined
    this.#strikes = 0
  }
}
