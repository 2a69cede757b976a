/**
 * One connection between a client and a server: two wires and two ends that can be told that it broke.
 */
import type { Flushable, Turn } from "../runtime/Turn.ts"
import type { Direction, Parties } from "./Faults.ts"
import { type LineConditions, Wire, type WireContext } from "./Wire.ts"

/** What a link needs of the network. */
export interface LinkContext extends WireContext {
  readonly turn: Turn
  /** The present condition of the line between the two. */
  readonly conditions: (parties: Parties, direction: Direction) => LineConditions
  /** Called once, when the link is over. */
  readonly over: (link: MemoryLink) => void
}

/** Runs something at the end of the turn, in order: nothing of the network is told from inside a call of its user. */
export const later = (turn: Turn, run: () => void): void => {
  const task: Flushable = { flush: run }
  turn.schedule(task)
}

/** A connection. */
export class MemoryLink {
  readonly parties: Parties
  readonly toServer: Wire
  readonly toClient: Wire
  readonly #context: LinkContext
  #over = false
  #lost = false
  /** Told at the server's end when the connection breaks. */
  onServerReset: ((cause: Error) => void) | undefined
  /** Told at the client's end when the connection breaks. */
  onClientReset: ((cause: Error) => void) | undefined

  constructor(context: LinkContext, parties: Parties) {
    this.#context = context
    this.parties = parties
    this.toServer = new Wire(context, context.conditions(parties, "toServer"))
    this.toClient = new Wire(context, context.conditions(parties, "toClient"))
  }

  /** Breaks the connection: both ends are told, what is on its way is gone. */
  reset(cause: Error): void {
    if (this.#over) return
    const { onClientReset, onServerReset } = this
    this.end()
    later(this.#context.turn, () => onServerReset?.(cause))
    later(this.#context.turn, () => onClientReset?.(cause))
  }

  /** Nothing passes from now on, and neither end is ever told. */
  lose(): void {
    this.#lost = true
    this.toServer.lose()
    this.toClient.lose()
  }

  /** Whether the two ends still hear each other. */
  get lost(): boolean {
    return this.#lost
  }

  /** The connection has come to its regular end. */
  end(): void {
    if (this.#over) return
    this.#over = true
    this.onServerReset = this.onClientReset = undefined
    this.toServer.end()
    this.toClient.end()
    this.#context.over(this)
  }

  /** Reads the conditions of the line again. */
  refresh(): void {
    if (this.#over) return
    this.toServer.conditions = this.#context.conditions(this.parties, "toServer")
    this.toClient.conditions = this.#context.conditions(this.parties, "toClient")
  }
}
