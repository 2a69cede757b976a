/**
 * The way of a worker to its primary: `process.send` and the messages of `process`, behind what the bus needs of them.
 */
import process from "node:process"

/** A channel to the primary, in order and without loss while it is connected. */
export interface WorkerChannel {
  readonly connected: boolean
  /** Hands a message over; `sent` is called once it has left or cannot leave any more. Throws what cannot be copied. */
  send(message: unknown, sent: (error: Error | null) => void): void
  /** Told of every message, the program's own too, and when the channel ends. Gives back how to stop. */
  listen(onMessage: (value: unknown) => void, onDisconnect: () => void): () => void
}

/** The channel of this process; `undefined` where nobody has forked it. */
export const ofProcess = (): WorkerChannel | undefined => {
  if (process.send === undefined) return undefined
  return {
    get connected() {
      return process.connected
    },
    send(message, sent) {
      process.send?.(message, undefined, {}, sent)
    },
    listen(onMessage, onDisconnect) {
      process.on("message", onMessage)
      process.on("disconnect", onDisconnect)
      return () => {
        process.off("message", onMessage)
        process.off("disconnect", onDisconnect)
      }
    }
  }
}
