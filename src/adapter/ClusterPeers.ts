/**
 * Who else is there: the nodes that were heard of lately. For brokers that do not know it themselves.
 */
import type { Deadline, Deadlines, Expirable } from "../runtime/Deadlines.ts"

/** What happens to the list. */
export interface PeersObserver {
  /** A node was heard for the first time; `announced` if it has just started, as it said itself. */
  peerFound(uid: string, announced: boolean): void
  /** A node has said goodbye, or was silent for too long. */
  peerLeft(uid: string): void
}

/** More nodes than any cluster has: uids come from a network, and are remembered. */
const maxPeers = 10_000

/** A sweep that comes so late says that this process stood still, in milliseconds. */
const standstill = 500

/** How often silence is looked for, in milliseconds, at most. */
const maxSweep = 1000

/** The nodes heard of within `timeout` milliseconds. */
export class ClusterPeers implements Expirable {
  readonly #deadlines: Deadlines
  readonly #timeout: number
  readonly #observer: PeersObserver
  readonly #heard = new Map<string, number>()
  /** When nodes have said goodbye: what comes of them late does not bring them back. */
  readonly #gone = new Map<string, number>()
  #sweeping: Deadline | undefined = undefined

  constructor(deadlines: Deadlines, timeout: number, observer: PeersObserver) {
    this.#deadlines = deadlines
    this.#timeout = timeout
    this.#observer = observer
  }

  get size(): number {
    return this.#heard.size
  }

  get uids(): Iterable<string> {
    return this.#heard.keys()
  }

  /** A message of this node has come. */
  heard(uid: string, announced: boolean): void {
    const known = this.#heard.has(uid)
    if (!known && (this.#heard.size >= maxPeers || this.#gone.has(uid))) return
    this.#heard.set(uid, this.#deadlines.now())
    this.#sweepLater()
    if (!known) this.#observer.peerFound(uid, announced)
  }

  /** The node has said goodbye. */
  left(uid: string): void {
    if (this.#gone.size < maxPeers) this.#gone.set(uid, this.#deadlines.now())
    this.#sweepLater()
    if (this.#heard.delete(uid)) this.#observer.peerLeft(uid)
  }

  onDeadline({ due }: Deadline): void {
    this.#sweeping = undefined
    const now = this.#deadlines.now()
    // While this process stood still it could not hear: what the others said meanwhile is read after this.
    if (now - due > standstill) for (const [uid, heard] of this.#heard) this.#heard.set(uid, heard + now - due)
    const oldest = now - this.#timeout
    for (const [uid, since] of this.#gone) if (since < oldest) this.#gone.delete(uid)
    for (const [uid, heard] of this.#heard) {
      if (heard >= oldest) continue
      this.#heard.delete(uid)
      this.#observer.peerLeft(uid)
    }
    if (this.#heard.size + this.#gone.size > 0) this.#sweepLater()
  }

  #sweepLater(): void {
    if (this.#sweeping !== undefined) return
    this.#sweeping = this.#deadlines.set(Math.min(maxSweep, this.#timeout), this)
  }
}
