/**
 * What only some sockets have: made when the first of it is asked for.
 */
import type * as Deferred from "effect/Deferred"
import type * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import type { EventHandler, Lane } from "./EventHandler.ts"
import type { OutgoingPacket, Packet } from "./Packet.ts"
import type { Disconnected } from "./SocketError.ts"
import type { Subscription } from "./Subscription.ts"

/** A packet middleware: runs `next` with the packet, another one, later, or never. */
export interface Gate {
  readonly run: (packet: Packet, next: (packet: Packet) => Effect.Effect<void>) => Effect.Effect<unknown, unknown>
  readonly context: Context.Context<never>
}

/** Something to run when the socket goes. */
export interface Hook {
  readonly run: (disconnected: Disconnected) => Effect.Effect<unknown, unknown>
  readonly context: Context.Context<never>
}

/** Who is shown each item as it passes, until the end. */
export interface Watcher<A> {
  offer(item: A): void
  end(): void
}

/** The rarely used parts of a socket. */
export class Extras {
  /** Events that came before the connection handler had returned. */
  pending: Array<Packet> | undefined = undefined
  gates: Array<Gate> | undefined = undefined
  /** Packets waiting for the middleware of an earlier one. */
  gateQueue: Array<Packet> | undefined = undefined
  gateBusy = false
  /** Stream transformations: each takes a packet and passes on what it makes of it. */
  stages: Array<(packet: Packet) => void> | undefined = undefined
  subscriptions: Map<string, Set<Subscription<ReadonlyArray<unknown>>>> | undefined = undefined
  incoming: Set<Subscription<Packet>> | undefined = undefined
  outgoing: Set<Watcher<OutgoingPacket>> | undefined = undefined
  disconnecting: Array<Hook> | undefined = undefined
  disconnect: Array<Hook> | undefined = undefined
  gone: Deferred.Deferred<Disconnected> | undefined = undefined
  lanes: Map<EventHandler, Lane> | undefined = undefined
}
