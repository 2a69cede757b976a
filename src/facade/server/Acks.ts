/**
 * Acknowledgements that callbacks and promises wait for.
 */
import type { Askable, PendingAck } from "../../socket/Ack.ts"
import { SingleAck } from "../../socket/Ack.ts"
import type { ServerSocket } from "../../socket/ServerSocket.ts"

/** Takes an acknowledgement. With a timeout its first argument is an error or `null`. */
export type AckCallback = (...args: Array<unknown>) => unknown

/** The error of an acknowledgement that did not come in time; Socket.IO's words. */
export const timedOut = (): Error => new Error("operation has timed out")

/** The error of an acknowledgement that cannot come any more; the words of Socket.IO's client. */
export const disconnected = (): Error => new Error("socket has been disconnected")

/** One without timeout: waits for as long as the socket is there. */
class Open implements PendingAck {
  readonly #reply: AckCallback
  readonly #gone: (() => void) | undefined

  constructor(reply: AckCallback, gone: (() => void) | undefined) {
    this.#reply = reply
    this.#gone = gone
  }

  onReply(_socket: Askable, args: ReadonlyArray<unknown>): void {
    this.#reply(...args)
  }

  onDisconnect(): void {
    this.#gone?.()
  }
}

/** Starts to wait without a timeout. `gone` is called when the socket goes first: plain callbacks have no way to learn it. */
export const open = (socket: ServerSocket, id: number, reply: AckCallback, gone: (() => void) | undefined): void =>
  socket.expect(id, new Open(reply, gone))

/** Starts to wait for at most `millis` milliseconds; the callback gets an error first. */
export const timed = (socket: ServerSocket, id: number, millis: number, reply: AckCallback): SingleAck =>
  new SingleAck(socket, id, socket.core.deadlines, millis, {
    reply: (args) => reply(null, ...args),
    disconnected: () => reply(disconnected()),
    expired: () => {
      socket.core.counters.ackTimeouts++
      reply(timedOut())
    }
  })

/** The answers that a socket waits for, as adapters written for Socket.IO see them (`socket.acks`). */
export class AckMap {
  readonly #socket: ServerSocket

  constructor(socket: ServerSocket) {
    this.#socket = socket
  }

  set(id: number, ack: AckCallback): this {
    open(this.#socket, id, ack, undefined)
    return this
  }

  delete(id: number): boolean {
    this.#socket.forget(id)
    return true
  }
}
