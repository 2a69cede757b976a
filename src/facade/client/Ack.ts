/**
 * Acknowledgement callbacks of the program, as the client machine knows them.
 */
import type { AckWaiter, PendingAck } from "../../protocol/ClientAck.ts"
import { callUser } from "./Rethrow.ts"

/** A callback of the program. */
export type AckFunction = (...args: Array<never>) => unknown

/**
 * The last argument of `emit`. With `withError` it gets an error first, or null: `operation has timed out`, or `socket has been
 * disconnected` when the connection was lost after the event had left. Without, it is only ever called by an answer.
 */
export class AckCallback implements AckWaiter {
  pending: PendingAck | undefined = undefined
  readonly #callback: AckFunction
  readonly #withError: boolean
  readonly #self: object

  constructor(callback: AckFunction, withError: boolean, self: object) {
    this.#callback = callback
    this.#withError = withError
    this.#self = self
  }

  onAck(args: ReadonlyArray<unknown>): void {
    callUser(this.#callback, this.#self, this.#withError ? [null, ...args] : args)
  }

  onTimeout(): void {
    this.fail(new Error("operation has timed out"))
  }

  onDisconnect(): void {
    this.fail(new Error("socket has been disconnected"))
  }

  /** Whether the callback could be told. */
  fail(error: unknown): boolean {
    if (this.#withError) callUser(this.#callback, this.#self, [error])
    return this.#withError
  }
}
