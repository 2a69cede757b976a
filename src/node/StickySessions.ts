/**
 * Which worker has which session: what the primary learns from the answers to handshakes that pass through it.
 *
 * An entry lives as long as its session can without a request: Engine.IO's `pingInterval` and `pingTimeout`, which the handshake names. So
 * nobody has to tell when a session ends, and a worker need not cooperate.
 */

/** The handshake that an answer of the polling transport begins with. */
export interface OpenPacket {
  readonly sid: string
  /** How long the session may go without a request, in milliseconds. */
  readonly lifetime: number
}

/** Sids that are longer are not remembered. */
const maxSidLength = 256
/** Where a handshake does not say how long it lives. */
const defaultLifetime = 45_000
/** Beyond what it says: requests are on their way, and timers are late. */
const grace = 15_000
const longestLifetime = 24 * 3600_000

/** So much of an answer is looked at for its open packet. */
export const maxOpenPacket = 4096

const positive = (value: unknown): number => (typeof value === "number" && value > 0 ? value : Number.NaN)

/** The handshake at the beginning of an answer; `undefined` where there is none, or not all of it is there yet. */
export const openPacket = (body: string): OpenPacket | undefined => {
  if (!body.startsWith("0{")) return undefined
  const end = body.indexOf("\u001e")
  try {
    const value: unknown = JSON.parse(end === -1 ? body.slice(1) : body.slice(1, end))
    if (typeof value !== "object" || value === null) return undefined
    const { sid, pingInterval, pingTimeout } = value as Readonly<Record<string, unknown>>
    if (typeof sid !== "string" || sid === "" || sid.length > maxSidLength) return undefined
    const lifetime = positive(pingInterval) + (pingTimeout === 0 ? 0 : positive(pingTimeout))
    return { sid, lifetime: Math.min(Number.isNaN(lifetime) ? defaultLifetime : lifetime, longestLifetime) }
  } catch {
    return undefined
  }
}

/** The sid that a URL names. */
export const sidOf = (url: string): string | undefined => {
  const query = url.indexOf("?")
  if (query === -1) return undefined
  const sid = new URLSearchParams(url.slice(query + 1)).get("sid")
  return sid === null || sid === "" ? undefined : sid
}

interface Entry {
  readonly worker: number
  readonly lifetime: number
  /** Requests that are not answered. */
  pending: number
  /** It goes on over a WebSocket, which is counted itself. */
  upgraded: boolean
  expires: number
}

/** The sessions of the workers, by sid. Times in milliseconds of a clock that never goes back. */
export class StickySessions {
  readonly #now: () => number
  readonly #limit: number
  /** The one that was used least recently is first. */
  readonly #entries = new Map<string, Entry>()
  readonly #load = new Map<number, number>()

  /** Beyond `limit` sessions the one that was used least recently is forgotten. */
  constructor(now: () => number, limit: number) {
    this.#now = now
    this.#limit = limit
  }

  /** Sessions that are remembered. */
  get size(): number {
    return this.#entries.size
  }

  /** How many sessions of a worker live by polling. */
  load(worker: number): number {
    return this.#load.get(worker) ?? 0
  }

  /** The worker that has a session. */
  workerOf(sid: string): number | undefined {
    return this.#live(sid)?.worker
  }

  /** A worker has begun a session. */
  add({ sid, lifetime }: OpenPacket, worker: number): void {
    this.#remove(sid)
    this.#entries.set(sid, { worker, lifetime, pending: 0, upgraded: false, expires: this.#now() + lifetime + grace })
    this.#count(worker, 1)
    this.prune()
    if (this.#entries.size > this.#limit) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#remove(oldest)
    }
  }

  /** A request of a session begins; what this gives is called when it has ended. */
  use(sid: string): () => void {
    const entry = this.#live(sid)
    if (entry === undefined) return () => {}
    entry.pending++
    this.#touch(sid, entry)
    return () => {
      entry.pending--
      if (this.#entries.get(sid) === entry) this.#touch(sid, entry)
    }
  }

  /** A session has a WebSocket of its own from now on. */
  upgrade(sid: string): void {
    const entry = this.#live(sid)
    if (entry === undefined || entry.upgraded) return
    entry.upgraded = true
    this.#count(entry.worker, -1)
  }

  /** A worker is gone, and its sessions with it. */
  forget(worker: number): void {
    for (const [sid, entry] of this.#entries) if (entry.worker === worker) this.#remove(sid)
    this.#load.delete(worker)
  }

  /** Forgets what has expired. */
  prune(): void {
    const now = this.#now()
    for (const [sid, entry] of this.#entries) {
      if (entry.pending > 0 || entry.expires > now) return
      this.#remove(sid)
    }
  }

  #live(sid: string): Entry | undefined {
    const entry = this.#entries.get(sid)
    if (entry === undefined || entry.pending > 0 || entry.expires > this.#now()) return entry
    this.#remove(sid)
    return undefined
  }

  #touch(sid: string, entry: Entry): void {
    entry.expires = this.#now() + entry.lifetime + grace
    this.#entries.delete(sid)
    this.#entries.set(sid, entry)
  }

  #remove(sid: string): void {
    const entry = this.#entries.get(sid)
    if (entry === undefined) return
    this.#entries.delete(sid)
    if (!entry.upgraded) this.#count(entry.worker, -1)
  }

  #count(worker: number, by: number): void {
    this.#load.set(worker, Math.max(0, this.load(worker) + by))
  }
}
