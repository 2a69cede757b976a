/**
 * Handlers of events, as the server keeps them.
 */
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Event } from "../contract/index.ts"

/** A handler with what is needed to run it. */
export interface EventHandler {
  readonly name: string
  readonly event: Event.Any
  /** Takes the arguments of the event, after the socket where it is shared. */
  readonly run: (...args: Array<unknown>) => Effect.Effect<unknown, unknown>
  /** One handler for all sockets, which gets the socket as its first argument. */
  readonly shared: boolean
  /** The services to run with; `undefined` stands for those of the socket. */
  readonly context: Context.Context<never> | undefined
  /** The handler that was registered next, of whichever event. A list, since a map would be the largest object of an idle socket. */
  next: EventHandler | undefined
}

/** The first handler of an event among this one and those after it. */
export const find = (handler: EventHandler | undefined, name: string): EventHandler | undefined => {
  let found = handler
  while (found !== undefined && found.name !== name) found = found.next
  return found
}

/** One call that arrived, waiting for its turn where the event has a bounded concurrency. */
export interface Call {
  readonly handler: EventHandler
  readonly args: ReadonlyArray<unknown>
  readonly reply: Reply | undefined
}

/** The answer that a peer waits for. Several handlers may share it: the first one that ends well gives it. */
export interface Reply {
  readonly id: number
  done: boolean
}

/** The calls of one event of one socket, where not all may run at once. */
export interface Lane {
  running: number
  readonly waiting: Array<Call>
}
