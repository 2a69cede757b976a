/**
 * What arrives for one namespace, taken in the order in which it was committed: a message whose row has to be fetched holds those behind it.
 *
 * Where there is a log, what was missed while the connection was away is read from it before anything newer is taken.
 */
import type { AdapterCounters } from "../Adapter.ts"
import * as ClusterCodec from "../ClusterCodec.ts"
import * as ClusterFields from "../ClusterFields.ts"
import { type ClusterMessage, fromWire } from "../ClusterMessage.ts"
import * as Encoding from "./PostgresEncoding.ts"
import * as Names from "./PostgresNames.ts"
import type { Result } from "./PostgresConnection.ts"
import type { PostgresSettings } from "./PostgresOptions.ts"

/** Takes messages one after the other; never throws. */
export interface InboxSink {
  onMessage(message: ClusterMessage, offset: string | undefined): void
  /** One of our own that was stored has come to its turn; `message` where it was read from the log. */
  onOwn(ref: number, offset: string, message: ClusterMessage | undefined): void
  /** The position has changed, and what is at it was taken. */
  onMoved(): void
  /** Messages were missed. */
  onGap(): void
}

/** What an inbox works with. */
export interface InboxParts {
  readonly namespace: string
  readonly channel: string
  readonly uid: string
  readonly settings: PostgresSettings
  readonly counters: AdapterCounters
  /** Whether the log is kept: then there are offsets. */
  readonly log: boolean
  readonly query: (text: string, values: Array<unknown>) => Promise<Result>
  readonly sink: InboxSink
}

/** Rows of the log that are read at once. */
const page = 500

/** The row of a query with a value of type bytea. */
const bytesOf = (row: Result["rows"][number] | undefined): Uint8Array | undefined => {
  const payload = row?.["payload"]
  return payload instanceof Uint8Array ? payload : undefined
}

/** The inbox of a namespace. */
export class Inbox {
  readonly #parts: InboxParts
  readonly #selectAttachment: string
  readonly #selectLogged: string
  readonly #selectLog: string
  #waiting: Array<Encoding.Received> = []
  #head = 0
  /** Changes with the connection: what was asked before is nobody's answer after. */
  #epoch = 0
  #busy = false
  /** Up to here the log was read; what is told of it again was taken already. */
  #filledTo = 0n
  /** The last place in the log that was taken. */
  position: string | undefined = undefined

  constructor(parts: InboxParts) {
    this.#parts = parts
    const { tableName, logTableName } = parts.settings
    this.#selectAttachment = `SELECT payload FROM ${Names.table(tableName)} WHERE id = $1`
    this.#selectLogged = `SELECT payload FROM ${Names.table(logTableName)} WHERE id = $1 AND channel = $2`
    this.#selectLog = `SELECT id::text AS place, payload FROM ${Names.table(logTableName)} WHERE channel = $1 AND id > $2 ORDER BY id LIMIT ${page}`
  }

  /** A notification of the namespace's channel. */
  add(payload: string | undefined): void {
    const received = Encoding.read(payload)
    if (received === undefined) return this.#ignore()
    const { maxPending } = this.#parts.settings
    if (this.#waiting.length - this.#head >= maxPending) return this.#overflow()
    this.#waiting.push(received)
    this.#drain()
  }

  /** The connection is gone, and with it what waits. */
  lost(): void {
    this.#epoch++
    this.#busy = false
    this.#forget()
  }

  /** The channel is heard again: reads what was missed, where it was kept. */
  resume(): void {
    if (this.#parts.log && this.position !== undefined) this.#fill()
  }

  #forget(): void {
    this.#waiting = []
    this.#head = 0
  }

  #ignore(): void {
    this.#parts.counters.ignored++
  }

  /** More has come than can be kept while a row is fetched. */
  #overflow(): void {
    this.#parts.counters.ignored += this.#waiting.length - this.#head + 1
    this.#epoch++
    this.#busy = false
    this.#forget()
    this.#parts.sink.onGap()
    this.resume()
  }

  #drain(): void {
    while (!this.#busy && this.#head < this.#waiting.length) {
      const received = this.#waiting[this.#head++]!
      if (this.#head === this.#waiting.length) this.#forget()
      this.#take(received)
    }
  }

  #take(received: Encoding.Received): void {
    const { log, uid } = this.#parts
    const offset = log ? received.offset : undefined
    if (offset !== undefined && BigInt(offset) <= this.#filledTo) return
    if (received.uid === uid) {
      // Our own have been delivered here, or are when they come to their turn: their rows are not needed.
      if (offset !== undefined && received.ref !== undefined) this.#own(received.ref, offset, undefined)
      return
    }
    if (received.attachmentId === undefined) return this.#deliver(received.value, offset)
    this.#fetch(received.attachmentId, offset)
  }

  #own(ref: number, offset: string, message: ClusterMessage | undefined): void {
    this.position = offset
    this.#parts.sink.onOwn(ref, offset, message)
    this.#parts.sink.onMoved()
  }

  #deliver(value: unknown, offset: string | undefined): void {
    const message = fromWire(value, this.#parts.namespace)
    if (offset !== undefined) this.position = offset
    if (message === undefined) this.#ignore()
    else this.#parts.sink.onMessage(message, offset)
    if (offset !== undefined) this.#parts.sink.onMoved()
  }

  #deliverBytes(bytes: Uint8Array | undefined, offset: string | undefined): void {
    const { maxMessageSize } = this.#parts.settings
    const decoded = bytes === undefined ? undefined : ClusterCodec.decodeValue(bytes, { maxSize: maxMessageSize })
    this.#deliver(decoded?._tag === "DecodedValue" ? decoded.value : undefined, offset)
  }

  /** Asks, and goes on with what waits when the answer is there. A failed question costs its message. */
  #ask(text: string, values: Array<unknown>, answered: (result: Result | undefined) => void): void {
    this.#busy = true
    const epoch = this.#epoch
    const settle = (result: Result | undefined): void => {
      if (epoch !== this.#epoch) return
      this.#busy = false
      answered(result)
      this.#drain()
    }
    this.#parts.query(text, values).then(settle, () => settle(undefined))
  }

  /** What is in the log is there for longer. */
  #fetch(id: string, offset: string | undefined): void {
    const [text, values] =
      offset === undefined ? [this.#selectAttachment, [id]] : [this.#selectLogged, [offset, this.#parts.channel]]
    this.#ask(text, values, (result) => this.#deliverBytes(bytesOf(result?.rows[0]), offset))
  }

  #fill(): void {
    const { channel, sink } = this.#parts
    this.#ask(this.#selectLog, [channel, this.position], (result) => {
      // A connection that is lost is followed by another attempt.
      if (result === undefined) return sink.onGap()
      for (const row of result.rows) this.#logged(row)
      if (result.rows.length === page) this.#fill()
    })
  }

  #logged(row: Result["rows"][number]): void {
    const { uid, settings } = this.#parts
    const id = row["place"]
    if (!Encoding.isRowId(id)) return
    this.#filledTo = BigInt(id)
    const bytes = bytesOf(row)
    if (bytes === undefined) {
      this.position = id
      return this.#parts.sink.onMoved()
    }
    const decoded = ClusterCodec.decodeValue(bytes, { maxSize: settings.maxMessageSize })
    const value = decoded._tag === "DecodedValue" && ClusterFields.isRecord(decoded.value) ? decoded.value : {}
    const { uid: sender, ref } = Encoding.markers(value)
    if (sender === uid && ref !== undefined) this.#own(ref, id, fromWire(value, this.#parts.namespace))
    else this.#deliver(value, id)
  }
}
