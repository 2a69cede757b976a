/**
 * Questions to clients that wait for their answer: by one socket, or by all that a broadcast reached.
 */
import type { Deadline, Deadlines, Expirable } from "../runtime/Deadlines.ts"
import type { Disconnected } from "./SocketError.ts"

/** Who is asked; the sockets of the server. */
export interface Askable {
  readonly id: string
  /** Waits for the answer with this id. */
  expect(id: number, pending: PendingAck): void
  /** Stops waiting. */
  forget(id: number): void
}

/** What is told about an answer. A socket tells it once at most, and no longer has it then. */
export interface PendingAck {
  onReply(socket: Askable, args: ReadonlyArray<unknown>): void
  onDisconnect(socket: Askable, disconnected: Disconnected): void
}

/** How one question ended; exactly one of these is called, once. */
export interface AnswerObserver {
  reply(args: ReadonlyArray<unknown>): void
  disconnected(disconnected: Disconnected): void
  expired(): void
}

/** One question to one socket. */
export class SingleAck implements PendingAck, Expirable {
  readonly #socket: Askable
  readonly #id: number
  readonly #deadlines: Deadlines
  readonly #deadline: Deadline
  readonly #observer: AnswerObserver

  /** Starts to wait, at most `millis` milliseconds. */
  constructor(socket: Askable, id: number, deadlines: Deadlines, millis: number, observer: AnswerObserver) {
    this.#socket = socket
    this.#id = id
    this.#deadlines = deadlines
    this.#observer = observer
    socket.expect(id, this)
    this.#deadline = deadlines.set(millis, this)
  }

  onReply(_socket: Askable, args: ReadonlyArray<unknown>): void {
    this.#deadlines.cancel(this.#deadline)
    this.#observer.reply(args)
  }

  onDisconnect(_socket: Askable, disconnected: Disconnected): void {
    this.#deadlines.cancel(this.#deadline)
    this.#observer.disconnected(disconnected)
  }

  onDeadline(): void {
    this.#socket.forget(this.#id)
    this.#observer.expired()
  }

  /** Stops waiting; nothing is called any more. */
  cancel(): void {
    this.#deadlines.cancel(this.#deadline)
    this.#socket.forget(this.#id)
  }
}

/** How a question to many goes; `done` comes once, last. */
export interface PollObserver {
  /** How many were asked; the first call. */
  asked(count: number): void
  reply(socketId: string, args: ReadonlyArray<unknown>): void
  disconnected(socketId: string, disconnected: Disconnected): void
  expired(socketId: string): void
  done(): void
}

/** One question to many sockets. */
export class Poll implements PendingAck, Expirable {
  readonly #id: number
  readonly #deadlines: Deadlines
  readonly #deadline: Deadline
  readonly #observer: PollObserver
  readonly #single: boolean
  readonly #waiting: Set<Askable>

  /** Starts to wait for all of them, at most `millis` milliseconds; with `single` for the first answer only. */
  constructor(
    sockets: ReadonlyArray<Askable>,
    id: number,
    deadlines: Deadlines,
    millis: number,
    single: boolean,
    observer: PollObserver
  ) {
    this.#id = id
    this.#deadlines = deadlines
    this.#single = single
    this.#observer = observer
    this.#waiting = new Set(sockets)
    for (const socket of sockets) socket.expect(id, this)
    this.#deadline = deadlines.set(millis, this)
    observer.asked(sockets.length)
    if (this.#waiting.size === 0) this.#finish()
  }

  onReply(socket: Askable, args: ReadonlyArray<unknown>): void {
    if (!this.#waiting.delete(socket)) return
    this.#observer.reply(socket.id, args)
    if (this.#single || this.#waiting.size === 0) this.#finish()
  }

  onDisconnect(socket: Askable, disconnected: Disconnected): void {
    if (!this.#waiting.delete(socket)) return
    this.#observer.disconnected(socket.id, disconnected)
    if (this.#waiting.size === 0) this.#finish()
  }

  onDeadline(): void {
    for (const socket of this.#waiting) this.#observer.expired(socket.id)
    this.#finish()
  }

  /** Stops waiting; nothing is called any more. */
  cancel(): void {
    this.#deadlines.cancel(this.#deadline)
    for (const socket of this.#waiting) socket.forget(this.#id)
    this.#waiting.clear()
  }

  #finish(): void {
    this.cancel()
    this.#observer.done()
  }
}
