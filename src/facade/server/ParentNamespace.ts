/**
 * A family of namespaces that come to exist when a client asks for them: `io.of(/regular expression/)` and `io.of(function)`.
 */
import type { Namespace as Contract } from "../../contract/index.ts"
import * as Adapter from "./Adapter.ts"
import { type AnyNamespace, Namespace } from "./Namespace.ts"
import type { OfficialPacket } from "./Parser.ts"
import type { RemoteSocket } from "./RemoteSocket.ts"
import type { Server } from "./Server.ts"
import type { DefaultEventsMap, EventNamesWithoutAck, EventParams, EventsMap, Unchecked } from "./TypedEvents.ts"

/** Decides about a name that a client asks for. */
export type ParentNspNameMatchFn = (
  name: string,
  auth: Record<string, Unchecked>,
  fn: (err: Error | null, success: boolean) => void
) => void

let count = 0

/** Broadcasts to all children. */
class ParentAdapter extends Adapter.Adapter {
  readonly #children: () => Iterable<AnyNamespace>

  constructor(namespace: AnyNamespace, children: () => Iterable<AnyNamespace>) {
    super(namespace)
    this.#children = children
  }

  override broadcast(packet: OfficialPacket, opts: Adapter.BroadcastOptions): void {
    for (const child of this.#children()) child.adapter.broadcast({ ...packet, nsp: child.name }, opts)
  }
}

/** The family. Middleware and `connection` listeners that it has are those of each child that comes to exist from then on. */
export class ParentNamespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Unchecked
> extends Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  /** @internal The namespaces that exist. */
  readonly _children = new Set<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>()

  /** @internal */
  constructor(server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>, contract?: Contract.Any) {
    super(server, `/_${count++}`, contract)
  }

  /** @internal */
  override _makeAdapter(): Adapter.AdapterContract {
    return new ParentAdapter(this as AnyNamespace, () => this._children as Set<AnyNamespace>)
  }

  /** Sends an event to everybody in all of them. */
  override emit<Ev extends EventNamesWithoutAck<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    for (const child of this._children) child.emit(ev, ...args)
    return true
  }

  /** Makes the namespace of this name. */
  createChild(name: string): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const child = new Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>(
      this.server,
      name,
      this._contract
    )
    child._fns = [...this._fns]
    for (const event of ["connect", "connection"] as const) {
      for (const listener of this.listeners(event)) child.on(event, listener)
    }
    this._children.add(child)
    if (this.server._opts.cleanupEmptyChildNamespaces === true) {
      child._core.onEmpty = () => {
        this._children.delete(child)
        this.server._forget(child as AnyNamespace)
      }
    }
    this.server._add(child)
    return child
  }

  /** Not possible for a family. */
  override fetchSockets(): Promise<Array<RemoteSocket<EmitEvents, SocketData>>> {
    throw new Error("fetchSockets() is not supported on parent namespaces")
  }
}
