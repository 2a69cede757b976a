/**
 * The one way out of a namespace. Every kind of emit passes here, in the order of the program: what goes to other nodes is handed to
 * the adapter before the same call writes to the sockets here, and nothing is put off, so that no emit overtakes another.
 */
import type { BroadcastFlags, EventData, NamespaceAdapter, Target } from "../adapter/Adapter.ts"
import type { WriteOptions, WriteResult } from "../engine/Session.ts"
import type { PollObserver } from "./Ack.ts"

/** The writing side of a namespace. */
export interface Deliverer {
  deliver(target: Target, event: EventData, flags: BroadcastFlags): void
  poll(target: Target, event: EventData, flags: BroadcastFlags, observer: PollObserver): () => void
}

/** One socket, as the outbox writes to it. */
export interface Addressee {
  deliver(event: EventData["data"], id: number | undefined, options: WriteOptions): WriteResult
}

/** The outbox of one namespace. */
export class Outbox {
  readonly #local: Deliverer
  #adapter: NamespaceAdapter | undefined

  constructor(local: Deliverer) {
    this.#local = local
  }

  /** Other nodes can be reached from now on. */
  connect(adapter: NamespaceAdapter): void {
    if (adapter.remote) this.#adapter = adapter
  }

  /** To one socket of this node; with an id when an answer is wanted. */
  send(socket: Addressee, event: EventData["data"], id: number | undefined, options: WriteOptions): WriteResult {
    return socket.deliver(event, id, options)
  }

  /** To all selected sockets, here and, unless `local`, on other nodes. */
  broadcast(target: Target, event: EventData, flags: BroadcastFlags, local: boolean): void {
    if (this.#adapter !== undefined && !local) this.#adapter.publish(target, event, flags)
    this.#local.deliver(target, event, flags)
  }

  /** To all selected sockets here, waiting for their answers. Gives a way to stop waiting. */
  poll(target: Target, event: EventData, flags: BroadcastFlags, observer: PollObserver): () => void {
    return this.#local.poll(target, event, flags, observer)
  }
}
