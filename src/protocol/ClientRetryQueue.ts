/**
 * Delivery at least once and in order: the `retries` option of Socket.IO's client.
 */
import type { AckWaiter, PendingAck } from "./ClientAck.ts"
import type { EmitOptions, EmitResult } from "./ClientSocket.ts"
import type { ClientDisconnectReason } from "./DisconnectReason.ts"
import type { EncodeFailure } from "./SocketCodec.ts"

/** What the queue sends through. */
export interface RetryChannel {
  readonly connected: boolean
  check(data: ReadonlyArray<unknown>, options: EmitOptions): EncodeFailure | undefined
  emitNow(
    data: ReadonlyArray<unknown>,
    options: EmitOptions,
    waiter: AckWaiter | undefined,
    timeout: number | undefined
  ): EmitResult
  cancelAck(waiter: AckWaiter): void
}

/** One event, from `emit` until it is acknowledged or has been sent too often. It waits for the acknowledgement itself. */
class QueuedEvent implements AckWaiter {
  readonly data: ReadonlyArray<unknown>
  readonly options: EmitOptions
  readonly waiter: AckWaiter | undefined
  readonly timeout: number | undefined
  tries = 0
  /** Sent, and neither answered nor given up. */
  underWay = false
  pending: PendingAck | undefined = undefined
  readonly #queue: RetryQueue

  constructor(
    data: ReadonlyArray<unknown>,
    options: EmitOptions,
    waiter: AckWaiter | undefined,
    timeout: number | undefined,
    queue: RetryQueue
  ) {
    this.data = data
    this.options = options
    this.waiter = waiter
    this.timeout = timeout
    this.#queue = queue
  }

  onAck(args: ReadonlyArray<unknown>): void {
    this.#queue.done(this)
    this.waiter?.onAck(args)
    this.#queue.drain()
  }

  onTimeout(): void {
    if (!this.#queue.mayRetry(this)) this.waiter?.onTimeout()
    this.#queue.drain()
  }

  onDisconnect(reason: ClientDisconnectReason): void {
    if (!this.#queue.mayRetry(this)) this.waiter?.onDisconnect(reason)
    this.#queue.drain()
  }
}

/** Events that wait for their turn; the first one may be under way. */
export class RetryQueue {
  readonly #retries: number
  readonly #channel: RetryChannel
  #events: Array<QueuedEvent> = []

  constructor(retries: number, channel: RetryChannel) {
    this.#retries = retries
    this.#channel = channel
  }

  /** Appends an event, unless it cannot be encoded. */
  add(
    data: ReadonlyArray<unknown>,
    options: EmitOptions,
    waiter: AckWaiter | undefined,
    timeout: number | undefined
  ): EmitResult {
    const event = new QueuedEvent(data, options, waiter, timeout, this)
    if (this.#events.length === 0 && this.#channel.connected) {
      this.#events.push(event)
      return this.#send(event)
    }
    const failure = this.#channel.check(data, options)
    if (failure !== undefined) return failure
    this.#events.push(event)
    return "buffered"
  }

  /** Sends the first event, unless it is under way or the socket is not connected. */
  drain(): void {
    for (;;) {
      const first = this.#events[0]
      if (first === undefined || first.underWay || !this.#channel.connected) return
      if (typeof this.#send(first) === "string") return
      // It could be encoded when it was added, and somebody has changed it since: it will never be answered.
      first.waiter?.onTimeout()
    }
  }

  #send(event: QueuedEvent): EmitResult {
    event.underWay = true
    event.tries++
    const result = this.#channel.emitNow(event.data, event.options, event, event.timeout)
    if (typeof result !== "string") this.done(event)
    return result
  }

  /** Takes an event out. */
  done(event: QueuedEvent): void {
    this.#events = this.#events.filter((other) => other !== event)
  }

  /** Whether an event that failed stays for another try; otherwise it is taken out. */
  mayRetry(event: QueuedEvent): boolean {
    event.underWay = false
    if (event.tries <= this.#retries) return true
    this.done(event)
    return false
  }

  /** Takes out the event of this waiter, sent or not. Whether there was one. */
  cancel(waiter: AckWaiter): boolean {
    const event = this.#events.find((event) => event.waiter === waiter)
    if (event === undefined) return false
    this.done(event)
    if (event.underWay) this.#channel.cancelAck(event)
    this.drain()
    return true
  }

  /** Nobody waits any longer. */
  dispose(reason: ClientDisconnectReason): void {
    const events = this.#events
    this.#events = []
    for (const event of events) {
      if (event.underWay) this.#channel.cancelAck(event)
      event.waiter?.onDisconnect(reason)
    }
  }
}
