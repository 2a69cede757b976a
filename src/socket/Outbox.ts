/**
 * The one way out of a namespace. Every kind of emit passes here, in the order of the program: what goes to other nodes is handed to
 * the adapter before the same call writes to the sockets here, and nothing is put off, so that no emit overtakes another.
 */
import type { BroadcastFlags, EventData, NamespaceAdapter, Target } from "../adapter/Adapter.ts"
import type { WriteOptions, WriteResult } from "../engine/Session.ts"
import type { PollObserver } from "./Ack.ts"
import type { RecoveringOutbox } from "./RecoveringOutbox.ts"
import type { ServerSocket } from "./ServerSocket.ts"

/** The writing side of a namespace. */
export interface Deliverer {
  deliver(target: Target, event: EventData, flags: BroadcastFlags): void
  poll(target: Target, event: EventData, flags: BroadcastFlags, observer: PollObserver): () => void
}

/** The outbox of one namespace. */
export class Outbox {
  readonly #local: Deliverer
  #adapter: NamespaceAdapter | undefined
  /** Takes everything, where sockets can be recovered. */
  #recovering: RecoveringOutbox | undefined

  constructor(local: Deliverer) {
    this.#local = local
  }

  /** Other nodes can be reached from now on; sockets can be recovered where there is an outbox for it. */
  connect(adapter: NamespaceAdapter, recovering: RecoveringOutbox | undefined): void {
    if (adapter.remote) this.#adapter = adapter
    this.#recovering = recovering
  }

  /** To one socket of this node; with an id when an answer is wanted. */
  send(socket: ServerSocket, event: EventData["data"], id: number | undefined, options: WriteOptions): WriteResult {
    if (this.#recovering !== undefined) return this.#recovering.send(socket, event, id, options)
    return socket.deliver(event, id, options)
  }

  /** To all selected sockets, here and, unless `local`, on other nodes. */
  broadcast(target: Target, event: EventData, flags: BroadcastFlags, local: boolean): void {
    if (this.#recovering !== undefined) return this.#recovering.broadcast(target, event, flags, local)
    if (this.#adapter !== undefined && !local) this.#adapter.publish(target, event, flags)
    this.#local.deliver(target, event, flags)
  }

  /** To all selected sockets here, waiting for their answers. Gives a way to stop waiting. */
  poll(target: Target, event: EventData, flags: BroadcastFlags, observer: PollObserver): () => void {
    if (this.#recovering !== undefined) return this.#recovering.poll(target, event, flags, observer)
    return this.#local.poll(target, event, flags, observer)
  }
}
