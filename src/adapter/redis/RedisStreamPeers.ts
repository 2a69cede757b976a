/**
 * What was heard last of each other node: which of its messages came by the stream, and which by Pub/Sub.
 */

/** The last messages of a node, counted by the node itself. */
export interface Peer {
  /** By the stream. */
  entry: number
  /** By Pub/Sub. */
  signal: number
}

/** How many nodes are remembered; those of old servers need not be. */
const capacity = 1000

/** The nodes that were heard. */
export class Peers {
  readonly #peers = new Map<string, Peer>()

  /** The node with this uid, where it was heard before. */
  get(uid: string): Peer | undefined {
    return this.#peers.get(uid)
  }

  /** The node with this uid; the one that was first heard longest ago gives way. */
  getOrAdd(uid: string): Peer {
    const known = this.#peers.get(uid)
    if (known !== undefined) return known
    if (this.#peers.size >= capacity) {
      const [oldest] = this.#peers.keys()
      this.#peers.delete(oldest!)
    }
    const peer: Peer = { entry: 0, signal: 0 }
    this.#peers.set(uid, peer)
    return peer
  }
}
