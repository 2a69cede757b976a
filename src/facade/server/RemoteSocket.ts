/**
 * A socket of another server, as far as it can be described and reached from here.
 */
import type { BroadcastOperator } from "./BroadcastOperator.ts"
import type { Handshake } from "./Handshake.ts"
import type {
  DecorateAcknowledgements,
  EventNames,
  EventParams,
  EventsMap,
  TypedEventBroadcaster
} from "./TypedEvents.ts"

/** What a server tells of one of its sockets. */
export interface RemoteSocketDetails<SocketData = unknown> {
  readonly id: string
  readonly handshake: Handshake
  readonly rooms: ReadonlyArray<string>
  readonly data: SocketData
}

/** A socket of some server. It is a copy: `rooms` and `data` do not follow. */
export class RemoteSocket<EmitEvents extends EventsMap, SocketData> implements TypedEventBroadcaster<EmitEvents> {
  readonly id: string
  readonly handshake: Handshake
  readonly rooms: Set<string>
  readonly data: SocketData
  readonly #operator: BroadcastOperator<EmitEvents, SocketData>

  /** @internal */
  constructor(operator: BroadcastOperator<EmitEvents, SocketData>, details: RemoteSocketDetails<SocketData>) {
    this.id = details.id
    this.handshake = details.handshake
    this.rooms = new Set(details.rooms)
    this.data = details.data
    this.#operator = operator
  }

  /** How many milliseconds an acknowledgement may take; it then gets an error first. */
  timeout(timeout: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.#operator.timeout(timeout)
  }

  /** Sends an event to the socket. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    return this.#operator.emit(ev, ...args)
  }

  /** Puts the socket into rooms. */
  join(room: string | Array<string>): void {
    this.#operator.socketsJoin(room)
  }

  /** Takes the socket out of a room. */
  leave(room: string): void {
    this.#operator.socketsLeave(room)
  }

  /** Disconnects the socket; with `close` also its connection. */
  disconnect(close = false): this {
    this.#operator.disconnectSockets(close)
    return this
  }
}
