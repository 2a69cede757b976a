/**
 * The class `Emitter` of Socket.IO's emitters over whatever takes their messages: whom something is for, and what is done with it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AdapterError, Target } from "../../adapter/Adapter.ts"
import type { EmitterPort } from "../../adapter/Emitter.ts"
import { type BroadcastFlags, flagsOf } from "../server/Adapter.ts"
import * as ReservedEvents from "../server/ReservedEvents.ts"
import type {
  DefaultEventsMap,
  EventNames,
  EventParams,
  EventsMap,
  TypedEventBroadcaster,
  Unchecked
} from "../server/TypedEvents.ts"

/** Makes the port of a namespace. */
export type Ports = (namespace: string) => EmitterPort

/** Emits for one namespace; what could not be published is told by a warning of the process, once for each failure in a row of them. */
class Publisher {
  readonly port: EmitterPort
  readonly #nsp: string
  #warned = false

  constructor(port: EmitterPort, nsp: string) {
    this.port = port
    this.#nsp = nsp
  }

  /** Hands it over in this call. */
  run(effect: Effect.Effect<void, AdapterError>): void {
    Effect.runFork(effect).addObserver((exit) => {
      if (Exit.isSuccess(exit)) this.#warned = false
      else if (!this.#warned) {
        this.#warned = true
        const error = Cause.squash(exit.cause) as AdapterError
        process.emitWarning(`the emitter of "${this.#nsp}" could not publish: ${String(error)}`, "EmitterWarning")
      }
    })
  }
}

const listOf = (rooms: string | Array<string>): Array<string> => (Array.isArray(rooms) ? rooms : [rooms])

const nobody: ReadonlySet<string> = new Set()

/** Whom something is for, and how it travels. Every method gives a new value; rooms add up. */
export class BroadcastOperator<EmitEvents extends EventsMap> implements TypedEventBroadcaster<EmitEvents> {
  readonly #publisher: Publisher
  readonly #target: Target
  readonly #flags: BroadcastFlags

  /** @internal Made by the methods of an `Emitter`. */
  constructor(publisher: Publisher, target: Target = { rooms: nobody, except: nobody }, flags: BroadcastFlags = {}) {
    this.#publisher = publisher
    this.#target = target
    this.#flags = flags
  }

  /** To these rooms too: to whoever is in one of them, once. */
  to(room: string | Array<string>): BroadcastOperator<EmitEvents> {
    const rooms = new Set([...this.#target.rooms, ...listOf(room)])
    return new BroadcastOperator(this.#publisher, { ...this.#target, rooms }, this.#flags)
  }

  /** The same as `to`. */
  in(room: string | Array<string>): BroadcastOperator<EmitEvents> {
    return this.to(room)
  }

  /** Not to those who are in these rooms. */
  except(room: string | Array<string>): BroadcastOperator<EmitEvents> {
    const except = new Set([...this.#target.except, ...listOf(room)])
    return new BroadcastOperator(this.#publisher, { ...this.#target, except }, this.#flags)
  }

  /** Whether it may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents> {
    return new BroadcastOperator(this.#publisher, this.#target, { ...this.#flags, compress })
  }

  /** Dropped for clients that cannot take it now. */
  get volatile(): BroadcastOperator<EmitEvents> {
    return new BroadcastOperator(this.#publisher, this.#target, { ...this.#flags, volatile: true })
  }

  /** Sends an event to clients; always true. Throws for names that Socket.IO keeps for itself. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): true {
    ReservedEvents.refuse(ReservedEvents.socketEvents, ev)
    const data: [string, ...Array<unknown>] = [ev as string, ...args]
    this.#publisher.run(this.#publisher.port.emit(this.#target, { data }, flagsOf(this.#flags)))
    return true
  }

  /** Puts the selected sockets into rooms. */
  socketsJoin(rooms: string | Array<string>): void {
    this.#publisher.run(this.#publisher.port.join(this.#target, listOf(rooms)))
  }

  /** Takes the selected sockets out of rooms. */
  socketsLeave(rooms: string | Array<string>): void {
    this.#publisher.run(this.#publisher.port.leave(this.#target, listOf(rooms)))
  }

  /** Disconnects the selected sockets from the namespace; with `close` also closes their connections. */
  disconnectSockets(close = false): void {
    this.#publisher.run(this.#publisher.port.disconnect(this.#target, close))
  }
}

/** Emits to the clients of a cluster, from a program that is no server of it. */
export abstract class PortEmitter<
  EmitEvents extends EventsMap = DefaultEventsMap,
  ServerSideEvents extends EventsMap = DefaultEventsMap
> {
  readonly nsp: string
  readonly #publisher: Publisher

  constructor(ports: Ports, nsp: string) {
    this.nsp = nsp
    this.#publisher = new Publisher(ports(nsp), nsp)
  }

  /** Sends an event to all clients; always true. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): true {
    return this.#operator().emit(ev, ...args)
  }

  /** To whoever is in one of these rooms. */
  to(room: string | Array<string>): BroadcastOperator<EmitEvents> {
    return this.#operator().to(room)
  }

  /** The same as `to`. */
  in(room: string | Array<string>): BroadcastOperator<EmitEvents> {
    return this.#operator().in(room)
  }

  /** Not to those who are in these rooms. */
  except(room: string | Array<string>): BroadcastOperator<EmitEvents> {
    return this.#operator().except(room)
  }

  /** Dropped for clients that cannot take it now. */
  get volatile(): BroadcastOperator<EmitEvents> {
    return this.#operator().volatile
  }

  /** Whether it may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents> {
    return this.#operator().compress(compress)
  }

  /** Puts all sockets into rooms. */
  socketsJoin(rooms: string | Array<string>): void {
    this.#operator().socketsJoin(rooms)
  }

  /** Takes all sockets out of rooms. */
  socketsLeave(rooms: string | Array<string>): void {
    this.#operator().socketsLeave(rooms)
  }

  /** Disconnects all sockets from the namespace; with `close` also closes their connections. */
  disconnectSockets(close = false): void {
    this.#operator().disconnectSockets(close)
  }

  /** Sends an event to the servers themselves. Throws for one that asks for an answer. */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(ev: Ev, ...args: EventParams<ServerSideEvents, Ev>): void {
    const data: [string, ...Array<Unchecked>] = [ev as string, ...args]
    if (typeof data.at(-1) === "function") throw new Error("Acknowledgements are not supported")
    this.#publisher.run(this.#publisher.port.serverSideEmit({ data }))
  }

  #operator(): BroadcastOperator<EmitEvents> {
    return new BroadcastOperator(this.#publisher)
  }
}
