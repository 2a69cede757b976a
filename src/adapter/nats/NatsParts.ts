/**
 * Messages larger than the server's `max_payload`, in parts: each carries the header `Sio-Part: <sender>;<number>;<index>;<count>`.
 *
 * NATS keeps the order of what one connection publishes on a subject, so the parts of a message follow each other; those of other senders may
 * come between.
 */
import { headers, type MsgHdrs } from "@nats-io/transport-node"

/** The name of the header. */
export const header = "Sio-Part"

/** What headers may take of a payload, in bytes. */
export const headerRoom = 256

/** A part as it is published. */
export interface Part {
  readonly bytes: Uint8Array
  readonly headers: MsgHdrs | undefined
}

/** A message in as many parts as it takes. `sender` is short and has no semicolon; `number` differs from message to message. */
export const split = (bytes: Uint8Array, maxPayload: number, sender: string, number: number): ReadonlyArray<Part> => {
  if (bytes.length <= maxPayload) return [{ bytes, headers: undefined }]
  const size = Math.max(maxPayload - headerRoom, 1)
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, index) => {
    const partHeaders = headers()
    partHeaders.set(header, `${sender};${number};${index};${count}`)
    return { bytes: bytes.subarray(index * size, (index + 1) * size), headers: partHeaders }
  })
}

interface Incomplete {
  readonly number: string
  readonly count: number
  readonly parts: Array<Uint8Array>
  size: number
}

const pattern = /^([^;]{1,64});([0-9]{1,16});([0-9]{1,6});([0-9]{1,6})$/

/** Puts messages together again; holds no more than a bound, whatever arrives. */
export class Reassembly {
  readonly #maxSize: number
  readonly #maxHeld: number
  readonly #incomplete = new Map<string, Incomplete>()
  readonly #dropped: () => undefined
  #held = 0

  /** `maxSize` is that of a message, in bytes; of all incomplete ones four times as much is kept. `dropped` hears of what is thrown away. */
  constructor(maxSize: number, dropped: () => void) {
    this.#maxSize = maxSize
    this.#maxHeld = maxSize * 4
    this.#dropped = () => {
      dropped()
      return undefined
    }
  }

  /** The bytes of a message when they are complete. `value` is that of the header. */
  add(bytes: Uint8Array, value: string | undefined): Uint8Array | undefined {
    if (value === undefined || value === "") return bytes
    const [, sender, number, indexText, countText] = pattern.exec(value) ?? []
    if (sender === undefined || number === undefined) return this.#dropped()
    const index = Number(indexText)
    const count = Number(countText)
    if (index === 0) {
      this.#abandon(sender)
      this.#incomplete.set(sender, { number, count, parts: [], size: 0 })
    }
    const found = this.#incomplete.get(sender)
    if (found === undefined) return this.#dropped()
    const { parts } = found
    const next = found.number === number && found.count === count && parts.length === index && index < count
    if (!next || found.size + bytes.length > this.#maxSize) return this.#abandon(sender)
    // A copy: these bytes may be a view of everything that came in one read.
    parts.push(bytes.slice())
    found.size += bytes.length
    this.#held += bytes.length
    if (parts.length < count) return this.#shrink()
    this.#incomplete.delete(sender)
    this.#held -= found.size
    return join(parts, found.size)
  }

  /** Forgets what is incomplete: its rest was missed. */
  clear(): void {
    for (const sender of Array.from(this.#incomplete.keys())) this.#abandon(sender)
  }

  /** Messages of which parts are held. */
  get size(): number {
    return this.#incomplete.size
  }

  #abandon(sender: string): undefined {
    const found = this.#incomplete.get(sender)
    if (found === undefined) return
    this.#incomplete.delete(sender)
    this.#held -= found.size
    this.#dropped()
  }

  #shrink(): undefined {
    while (this.#held > this.#maxHeld || this.#incomplete.size > maxSenders) {
      const [oldest] = this.#incomplete.keys()
      if (oldest === undefined) return
      this.#abandon(oldest)
    }
  }
}

const join = (parts: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Senders whose messages may be incomplete at one time. */
const maxSenders = 256
