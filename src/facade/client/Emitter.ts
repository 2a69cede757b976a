/**
 * The event emitter under `Socket`, `Manager` and `Engine`: the methods of the one that Socket.IO's client has in browsers and Node.
 */
import { callUser } from "./Rethrow.ts"
import type {
  Anything,
  EventNames,
  EventParams,
  EventsMap,
  ReservedOrUserEventNames,
  ReservedOrUserListener
} from "./TypedEvents.ts"

type Listener = (...args: Array<Anything>) => unknown

interface Entry {
  readonly listener: Listener
  readonly once: boolean
}

const none: ReadonlyArray<Entry> = []

/**
 * Typed by what can be listened to (`ListenEvents` and `ReservedEvents`) and what can be emitted.
 *
 * A listener that throws keeps neither the other listeners nor the connection from their work: its error is thrown again from a
 * microtask of its own.
 */
export class Emitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap = Record<never, never>
> {
  // Lists are replaced, never changed: one that is being called stays as it was.
  readonly #entries = new Map<string | symbol, ReadonlyArray<Entry>>()

  /** Adds a listener. */
  on<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>
  ): this {
    return this.#add(ev, listener, false)
  }

  /** The same as `on`. */
  addEventListener<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>
  ): this {
    return this.#add(ev, listener, false)
  }

  /** Adds a listener that is removed when it is called. */
  once<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>
  ): this {
    return this.#add(ev, listener, true)
  }

  #add(ev: string | symbol, listener: Listener, once: boolean): this {
    const name = keyOf(ev)
    this.#entries.set(name, [...(this.#entries.get(name) ?? none), { listener, once }])
    return this
  }

  /** Removes a listener, or all of an event, or all. */
  off<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev?: Ev,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>
  ): this {
    if (ev === undefined) {
      this.#entries.clear()
      return this
    }
    const name = keyOf(ev)
    const entries = this.#entries.get(name) ?? none
    const index = listener === undefined ? -1 : entries.findIndex((entry) => entry.listener === listener)
    const left = listener === undefined ? none : entries.filter((_, i) => i !== index)
    if (left.length === 0) this.#entries.delete(name)
    else this.#entries.set(name, left)
    return this
  }

  /** The same as `off`. */
  removeListener<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev?: Ev,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>
  ): this {
    return this.off(ev, listener)
  }

  /** The same as `off`. */
  removeEventListener<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev?: Ev,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>
  ): this {
    return this.off(ev, listener)
  }

  /** Removes all listeners of an event, or all. */
  removeAllListeners<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(ev?: Ev): this {
    return this.off(ev)
  }

  /** Calls the listeners here, or, for a `Socket`, sends the event. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): this {
    return this._dispatch(ev, args)
  }

  /** The listeners of an event, in order. */
  listeners<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Ev
  ): Array<ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>> {
    const entries = this.#entries.get(keyOf(event)) ?? none
    return entries.map((entry) => entry.listener as ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>)
  }

  /** Whether anybody listens to an event. */
  hasListeners<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(event: Ev): boolean {
    return this.#entries.has(keyOf(event))
  }

  /** Calls the listeners of one of the emitter's own events. */
  protected emitReserved<Ev extends EventNames<ReservedEvents>>(
    ev: Ev,
    ...args: EventParams<ReservedEvents, Ev>
  ): this {
    return this._dispatch(ev, args)
  }

  /** @internal */
  protected _dispatch(ev: string | symbol, args: ReadonlyArray<unknown>): this {
    const name = keyOf(ev)
    for (const entry of this.#entries.get(name) ?? none) {
      if (entry.once) this.#remove(name, entry)
      callUser(entry.listener, this, args)
    }
    return this
  }

  #remove(name: string | symbol, entry: Entry): void {
    const left = (this.#entries.get(name) ?? none).filter((each) => each !== entry)
    if (left.length === 0) this.#entries.delete(name)
    else this.#entries.set(name, left)
  }
}

/** Numbers, which the wire allows as names, are the same as their text. */
const keyOf = (name: string | symbol | number): string | symbol => (typeof name === "symbol" ? name : String(name))
