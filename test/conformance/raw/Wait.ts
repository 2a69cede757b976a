/** Waiting with deadlines: nothing in the suites waits for ever, and nothing sleeps in the hope that something has happened. */

/** Milliseconds any single wait may take before it fails. */
export const deadline = 5_000

/** The failure of a wait that met its deadline. */
export class Overdue extends Error {
  override readonly name = "Overdue"
}

/** Settles as `promise`, or fails with {@link Overdue} naming `what` after `ms`. */
export const within = <A>(promise: Promise<A>, what: string, ms: number = deadline): Promise<A> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Overdue(`waited ${ms} ms for ${what}`)), ms)
  })
  return Promise.race([promise, overdue]).finally(() => clearTimeout(timer))
}

/** Lets `ms` pass; only for cases whose subject is time itself. */
export const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A first-in first-out line of values with waiting readers; after `end` the readers of an empty line fail. */
export class Inbox<A> {
  readonly #values: Array<A> = []
  readonly #readers: Array<{ readonly resolve: (value: A) => void; readonly reject: (error: Error) => void }> = []
  #ended: Error | undefined

  /** Values that arrived and were not read yet. */
  get size(): number {
    return this.#values.length
  }

  /** Adds a value. */
  push(value: A): void {
    const reader = this.#readers.shift()
    if (reader === undefined) this.#values.push(value)
    else reader.resolve(value)
  }

  /** No value follows; waiting readers fail with `error`. */
  end(error: Error): void {
    this.#ended ??= error
    for (const reader of this.#readers.splice(0)) reader.reject(error)
  }

  /** The next value. */
  next(what: string, ms: number = deadline): Promise<A> {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift() as A)
    if (this.#ended !== undefined) return Promise.reject(new Error(`${what}: ${this.#ended.message}`))
    const value = new Promise<A>((resolve, reject) => this.#readers.push({ resolve, reject }))
    return within(value, what, ms)
  }

  /** All values that arrived and were not read, taken out. */
  drain(): Array<A> {
    return this.#values.splice(0)
  }
}

/** A record of things that happen once each, by key: whoever asks before it happened waits. */
export class Ledger<A> {
  readonly #entries = new Map<string, A>()
  readonly #waiting = new Map<string, Array<(value: A) => void>>()

  /** Notes what happened; the first note of a key counts. */
  note(key: string, value: A): void {
    if (this.#entries.has(key)) return
    this.#entries.set(key, value)
    for (const resolve of this.#waiting.get(key) ?? []) resolve(value)
    this.#waiting.delete(key)
  }

  /** What happened to `key`. */
  of(key: string, what: string): Promise<A> {
    const entry = this.#entries.get(key)
    if (entry !== undefined) return Promise.resolve(entry)
    const value = new Promise<A>((resolve) => {
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), resolve])
    })
    return within(value, what)
  }
}
