/**
 * Entry "effect-socketio/facade/postgres-emitter": the class `Emitter` as `@socket.io/postgres-emitter` has it.
 *
 * ```ts
 * import { Emitter } from "effect-socketio/facade/postgres-emitter"
 *
 * const emitter = new Emitter(pool)
 * emitter.of("/chat").to("lobby").emit("message", "hello")
 * ```
 *
 * The pool is one of `pg` 8 and stays yours. Messages of an emitter and of those that it gives for other namespaces leave in order. What could
 * not be published is told by a warning of the process, once for each failure in a row of them.
 */
import * as Effect from "effect/Effect"
import type { AdapterError } from "../../adapter/Adapter.ts"
import { plainFlags } from "../../adapter/ClusterFields.ts"
import { type Body, MessageType } from "../../adapter/ClusterMessage.ts"
import type { PostgresPool } from "../../adapter/postgres/PostgresConnection.ts"
import { Emission, type EmitterOptions } from "../../adapter/postgres/PostgresEmission.ts"
import * as ReservedEvents from "../server/ReservedEvents.ts"
import type {
  DefaultEventsMap,
  EventNames,
  EventParams,
  EventsMap,
  TypedEventBroadcaster,
  Unchecked
} from "../server/TypedEvents.ts"

/** The options of the official package; `recovery` and the bounds are our own. */
export type PostgresEmitterOptions = EmitterOptions

/** The flags of a broadcast. */
export interface BroadcastFlags {
  volatile?: boolean
  compress?: boolean
}

/** Publishes for one namespace. */
class Publisher {
  readonly emission: Emission
  readonly #nsp: string
  readonly #channel: Promise<string>
  #warned = false

  constructor(emission: Emission, nsp: string) {
    this.emission = emission
    this.#nsp = nsp
    this.#channel = Effect.runPromise(emission.channel(nsp))
  }

  send(body: Body): void {
    void this.#channel.then((channel) => {
      this.emission.send(this.#nsp, channel, body, (error) => this.#settled(error))
    })
  }

  #settled(error: AdapterError | undefined): void {
    const first = error !== undefined && !this.#warned
    this.#warned = error !== undefined
    if (!first) return
    const cause = error.cause === undefined ? "" : `: ${String(error.cause)}`
    process.emitWarning(`the emitter of "${this.#nsp}" could not publish: ${error.message}${cause}`, "EmitterWarning")
  }
}

const listOf = (rooms: string | Array<string>): Array<string> => (Array.isArray(rooms) ? rooms : [rooms])

/** Whom something is for, and how it travels. Every method gives a new value; rooms add up. */
export class BroadcastOperator<
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap = DefaultEventsMap
> implements TypedEventBroadcaster<EmitEvents> {
  readonly #publisher: Publisher
  readonly #rooms: ReadonlySet<string>
  readonly #except: ReadonlySet<string>
  readonly #flags: BroadcastFlags

  /** @internal Made by the methods of an `Emitter`. */
  constructor(
    publisher: Publisher,
    rooms: ReadonlySet<string> = new Set(),
    except: ReadonlySet<string> = new Set(),
    flags: BroadcastFlags = {}
  ) {
    this.#publisher = publisher
    this.#rooms = rooms
    this.#except = except
    this.#flags = flags
  }

  /** To these rooms too: to whoever is in one of them, once. */
  to(room: string | Array<string>): BroadcastOperator<EmitEvents, ServerSideEvents> {
    const rooms = new Set([...this.#rooms, ...listOf(room)])
    return new BroadcastOperator(this.#publisher, rooms, this.#except, this.#flags)
  }

  /** The same as `to`. */
  in(room: string | Array<string>): BroadcastOperator<EmitEvents, ServerSideEvents> {
    return this.to(room)
  }

  /** Not to those who are in these rooms. */
  except(room: string | Array<string>): BroadcastOperator<EmitEvents, ServerSideEvents> {
    const except = new Set([...this.#except, ...listOf(room)])
    return new BroadcastOperator(this.#publisher, this.#rooms, except, this.#flags)
  }

  /** Whether it may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents, ServerSideEvents> {
    return this.#with({ compress })
  }

  /** Dropped for clients that cannot take it now. */
  get volatile(): BroadcastOperator<EmitEvents, ServerSideEvents> {
    return this.#with({ volatile: true })
  }

  /** Sends an event to clients; always true. Throws for names that Socket.IO keeps for itself. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): true {
    ReservedEvents.refuse(ReservedEvents.socketEvents, ev)
    const data: [string, ...Array<unknown>] = [ev as string, ...args]
    const { volatile, compress } = this.#flags
    const flags = { ...plainFlags, volatile: volatile === true, compress: compress !== false }
    this.#publisher.send({
      type: MessageType.BROADCAST,
      target: this.#target,
      event: { data },
      flags,
      requestId: undefined
    })
    return true
  }

  /** Puts the selected sockets into rooms. */
  socketsJoin(rooms: string | Array<string>): void {
    this.#publisher.send({ type: MessageType.SOCKETS_JOIN, target: this.#target, rooms: listOf(rooms) })
  }

  /** Takes the selected sockets out of rooms. */
  socketsLeave(rooms: string | Array<string>): void {
    this.#publisher.send({ type: MessageType.SOCKETS_LEAVE, target: this.#target, rooms: listOf(rooms) })
  }

  /** Disconnects the selected sockets from the namespace; with `close` also closes their connections. */
  disconnectSockets(close = false): void {
    this.#publisher.send({ type: MessageType.DISCONNECT_SOCKETS, target: this.#target, close })
  }

  /** Sends an event to the servers themselves. Throws for one that asks for an answer. */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(ev: Ev, ...args: EventParams<ServerSideEvents, Ev>): void {
    const data: [string, ...Array<Unchecked>] = [ev as string, ...args]
    if (typeof data.at(-1) === "function") throw new Error("Acknowledgements are not supported")
    this.#publisher.send({ type: MessageType.SERVER_SIDE_EMIT, event: { data }, requestId: undefined })
  }

  get #target() {
    return { rooms: this.#rooms, except: this.#except }
  }

  #with(flags: BroadcastFlags): BroadcastOperator<EmitEvents, ServerSideEvents> {
    return new BroadcastOperator(this.#publisher, this.#rooms, this.#except, { ...this.#flags, ...flags })
  }
}

/** Emits to the clients of a cluster, from a program that is no server of it. */
export class Emitter<
  EmitEvents extends EventsMap = DefaultEventsMap,
  ServerSideEvents extends EventsMap = DefaultEventsMap
> {
  readonly pool: PostgresPool
  readonly nsp: string
  readonly #publisher: Publisher

  /** For the main namespace, or the one that is named. */
  constructor(pool: PostgresPool, nsp = "/", opts: PostgresEmitterOptions | Emission = {}) {
    this.pool = pool
    this.nsp = nsp
    this.#publisher = new Publisher(opts instanceof Emission ? opts : new Emission(pool, opts), nsp)
  }

  /** An emitter for another namespace, with the same options. */
  of<E extends EventsMap = EmitEvents, S extends EventsMap = ServerSideEvents>(nsp: string): Emitter<E, S> {
    return new Emitter<E, S>(this.pool, nsp.startsWith("/") ? nsp : `/${nsp}`, this.#publisher.emission)
  }

  /** Sends an event to all clients; always true. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): true {
    return this.#operator().emit(ev, ...args)
  }

  /** To whoever is in one of these rooms. */
  to(room: string | Array<string>): BroadcastOperator<EmitEvents, ServerSideEvents> {
    return this.#operator().to(room)
  }

  /** The same as `to`. */
  in(room: string | Array<string>): BroadcastOperator<EmitEvents, ServerSideEvents> {
    return this.#operator().in(room)
  }

  /** Not to those who are in these rooms. */
  except(room: string | Array<string>): BroadcastOperator<EmitEvents, ServerSideEvents> {
    return this.#operator().except(room)
  }

  /** Dropped for clients that cannot take it now. */
  get volatile(): BroadcastOperator<EmitEvents, ServerSideEvents> {
    return this.#operator().volatile
  }

  /** Whether it may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents, ServerSideEvents> {
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
    this.#operator().serverSideEmit(ev, ...args)
  }

  #operator(): BroadcastOperator<EmitEvents, ServerSideEvents> {
    return new BroadcastOperator(this.#publisher)
  }
}

const requirable = { Emitter, BroadcastOperator }

export { requirable as "module.exports" }
