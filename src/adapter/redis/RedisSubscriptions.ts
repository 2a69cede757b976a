/**
 * The subscriptions of one connection to Redis: who listens to what, whether Redis knows, and how they are made again after a loss.
 *
 * The first listener of a channel subscribes, the last one unsubscribes. A command that got lost with the connection is given again when it is
 * back, so a subscription is a wish that stays until it is withdrawn.
 */
import type { Kind, Listener, Subscription } from "./RedisClient.ts"

/** Gives the command to subscribe, or to unsubscribe. */
export type Command = (kind: Kind, name: string, listener: Listener) => Promise<unknown>

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Entry {
  readonly kind: Kind
  readonly name: string
  readonly listeners: Set<Listener>
  /** What the client calls. */
  readonly listener: Listener
  readonly waiters: Set<Waiter>
  state: "asked" | "active" | "lost" | "closed"
}

/** Redis has answered, with a refusal, or the client cannot do it; all other failures are the connection's. */
const isRefusal = (error: unknown): boolean =>
  error instanceof TypeError ||
  (error instanceof Error && /^(?:NOPERM|NOAUTH|ERR|WRONGPASS|MOVED|CROSSSLOT)\b/.test(error.message))

/** All subscriptions of a connection. */
export class Subscriptions {
  readonly #entries = new Map<string, Entry>()
  readonly #subscribe: Command
  readonly #unsubscribe: Command
  readonly #onEmpty: () => void

  constructor(subscribe: Command, unsubscribe: Command, onEmpty: () => void) {
    this.#subscribe = subscribe
    this.#unsubscribe = unsubscribe
    this.#onEmpty = onEmpty
  }

  get size(): number {
    return this.#entries.size
  }

  /** Subscribes, where nobody has yet. */
  add(kind: Kind, name: string, listener: Listener): Subscription {
    const key = `${kind} ${name}`
    const entry = this.#entries.get(key) ?? this.#open(key, kind, name)
    entry.listeners.add(listener)
    let waiter: Waiter | undefined
    const active =
      entry.state === "active"
        ? Promise.resolve()
        : new Promise<void>((resolve, reject) => {
            waiter = { resolve, reject }
            entry.waiters.add(waiter)
          })
    // Whoever does not wait for it must not be told by an unhandled rejection.
    active.catch(() => {})
    return {
      active,
      close: () => {
        if (!entry.listeners.delete(listener)) return
        if (waiter !== undefined && entry.waiters.delete(waiter)) waiter.resolve()
        if (entry.listeners.size === 0) this.#close(key, entry)
      }
    }
  }

  /** Tells the listeners of a subscription. */
  tell(kind: Kind, name: string, payload: unknown, channel: unknown): void {
    this.#entries.get(`${kind} ${name}`)?.listener(payload as Uint8Array, channel as string)
  }

  /** The connection is back: what was lost is asked for again, or everything. Settles when Redis has answered. */
  async restore(all: boolean): Promise<void> {
    const asked: Array<Promise<void>> = []
    for (const entry of this.#entries.values()) {
      if (all || entry.state === "lost") asked.push(this.#ask(entry))
    }
    await Promise.all(asked)
  }

  #open(key: string, kind: Kind, name: string): Entry {
    const listeners = new Set<Listener>()
    const entry: Entry = {
      kind,
      name,
      listeners,
      listener: (payload, channel) => {
        const text = typeof channel === "string" ? channel : String(channel)
        for (const listener of listeners) listener(payload, text)
      },
      waiters: new Set(),
      state: "lost"
    }
    this.#entries.set(key, entry)
    void this.#ask(entry)
    return entry
  }

  #close(key: string, entry: Entry): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
    entry.state = "closed"
    this.#unsubscribe(entry.kind, entry.name, entry.listener).catch(() => {
      // The connection is lost, and the subscription with it.
    })
    if (this.#entries.size === 0) this.#onEmpty()
  }

  async #ask(entry: Entry): Promise<void> {
    entry.state = "asked"
    try {
      await this.#subscribe(entry.kind, entry.name, entry.listener)
      if (entry.state !== "asked") return
      entry.state = "active"
      for (const waiter of entry.waiters) waiter.resolve()
      entry.waiters.clear()
    } catch (error) {
      if (entry.state !== "asked") return
      entry.state = "lost"
      if (!isRefusal(error)) return
      for (const waiter of entry.waiters) waiter.reject(error)
      entry.waiters.clear()
    }
  }
}
