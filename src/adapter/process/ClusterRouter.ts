/**
 * Who gets a message of a worker: answers go to the worker that asked, everything else to all others.
 *
 * The content of messages is not looked at, so that workers of other versions and of the official package are served too.
 */
import { emitterUid, MessageType } from "../ClusterMessage.ts"
import { type AdapterMessage, isAdapterMessage, isNodeMessage, messageSource } from "./ClusterSource.ts"

/** A worker, as the router sees it. */
export interface RouterPeer {
  /** Hands a message over or drops it; never throws. */
  send(message: AdapterMessage): void
}

/** What a router has counted. */
export interface RouterCounters {
  /** Messages of workers that were passed on. */
  routed: number
  /** Answers to nodes that are gone, and messages without a type. */
  ignored: number
}

/** Longer uids are nobody's: they would be remembered. */
const maxUidLength = 256

const isUid = (uid: unknown): uid is string => typeof uid === "string" && uid !== "" && uid.length <= maxUidLength

/** The namespaces of a worker: a node each. */
type Nodes = Map<string, unknown>

/** Routes between workers; knows which nodes are in which. */
export class ClusterRouter {
  readonly counters: RouterCounters = { routed: 0, ignored: 0 }
  readonly #peers: () => Iterable<RouterPeer>
  readonly #nodes = new Map<RouterPeer, Nodes>()
  readonly #owners = new Map<string, RouterPeer>()

  /** `peers` gives the workers that can be reached now, each time the same objects. */
  constructor(peers: () => Iterable<RouterPeer>) {
    this.#peers = peers
  }

  /** Nodes that are known: one for each namespace of each worker. */
  get size(): number {
    return this.#owners.size
  }

  /** A worker sent something; what is not for adapters is left alone. */
  receive(from: RouterPeer, value: unknown): void {
    if (isNodeMessage(value)) return this.#learn(from, value)
    if (!isAdapterMessage(value)) return
    const { type, requesterUid } = value
    if (typeof type !== "number" && typeof type !== "string") {
      this.counters.ignored++
      return
    }
    this.#learn(from, value)
    if (requesterUid === undefined || requesterUid === null) {
      this.counters.routed++
      return this.#toOthers(from, value)
    }
    const owner = this.#owners.get(String(requesterUid))
    if (owner === undefined) {
      this.counters.ignored++
      return
    }
    this.counters.routed++
    owner.send(value)
  }

  /** A worker is gone: the others hear at once that its nodes are, which they would otherwise miss by their silence only. */
  gone(peer: RouterPeer): void {
    const nodes = this.#nodes.get(peer)
    if (nodes === undefined) return
    this.#nodes.delete(peer)
    for (const [uid, nsp] of nodes) {
      this.#owners.delete(uid)
      this.#toOthers(peer, { type: MessageType.ADAPTER_CLOSE, uid, nsp, source: messageSource } as AdapterMessage)
    }
  }

  #learn(from: RouterPeer, { type, uid, nsp }: Partial<Omit<AdapterMessage, "source">>): void {
    if (!isUid(uid) || uid === emitterUid) return
    const nodes = this.#nodes.get(from) ?? new Map<string, unknown>()
    if (Number(type) === MessageType.ADAPTER_CLOSE) {
      nodes.delete(uid)
      if (this.#owners.get(uid) === from) this.#owners.delete(uid)
      return
    }
    this.#nodes.set(from, nodes.set(uid, nsp))
    this.#owners.set(uid, from)
  }

  #toOthers(from: RouterPeer, message: AdapterMessage): void {
    for (const peer of this.#peers()) if (peer !== from) peer.send(message)
  }
}
