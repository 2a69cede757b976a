/**
 * Emitting to the clients of a cluster from a program that is no node of it: the same for every broker, over the few messages that it sends.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Event, Namespace } from "../contract/index.ts"
import { InvalidPayload } from "../runtime/PayloadError.ts"
import type { AdapterError, BroadcastFlags, EventData, Target } from "./Adapter.ts"
import { plainFlags } from "./ClusterFields.ts"

/** How the messages of an emitter get to the nodes of one namespace. Everything is handed over when the Effect is run. */
export interface EmitterPort {
  emit(target: Target, event: EventData, flags: BroadcastFlags): Effect.Effect<void, AdapterError>
  join(target: Target, rooms: ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  leave(target: Target, rooms: ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  disconnect(target: Target, close: boolean): Effect.Effect<void, AdapterError>
  serverSideEmit(event: EventData): Effect.Effect<void, AdapterError>
}

/**
 * Whom something is for and how it travels. Every method gives a new value; nothing happens before `emit` and its like are run. Rooms add up:
 * `to("a").to("b")` reaches whoever is in one of them, once.
 *
 * All of it succeeds when the broker has taken it; how many clients there are nobody tells. It fails with an `AdapterError`: `Unavailable`
 * where the broker cannot be reached. Arguments that do not fit their schema are a defect: an `InvalidPayload`.
 */
export interface Emitter<N extends Namespace.Any> {
  to(rooms: string | ReadonlyArray<string>): Emitter<N>
  /** The same as `to`. */
  in(rooms: string | ReadonlyArray<string>): Emitter<N>
  except(rooms: string | ReadonlyArray<string>): Emitter<N>
  /** May be dropped for clients that cannot take it now. */
  readonly volatile: Emitter<N>
  /** Whether transports may compress it. Default true. */
  compress(compress: boolean): Emitter<N>
  /** Sends an event to clients. */
  emit<K extends Namespace.EventName<Namespace.FromServer<N>>>(
    event: K,
    ...args: Event.Args<Namespace.FromServer<N>[K]>
  ): Effect.Effect<void, AdapterError>
  socketsJoin(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  socketsLeave(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  /** Disconnects the sockets from the namespace; with `close` also closes their connections. */
  disconnectSockets(close?: boolean): Effect.Effect<void, AdapterError>
  /** Sends an event to the servers themselves. */
  serverSideEmit<K extends Namespace.EventName<Namespace.BetweenServers<N>>>(
    event: K,
    ...args: Event.Args<Namespace.BetweenServers<N>[K]>
  ): Effect.Effect<void, AdapterError>
}

/** What a namespace is asked for by: nothing for a contract with a fixed name, else the parameters, or the name of one with a pattern. */
export type NameArgs<N extends Namespace.Any> =
  Namespace.Kind<N> extends "static"
    ? []
    : Namespace.Kind<N> extends "parameters"
      ? [params: Namespace.Params<N>]
      : [name: string]

/** Emits to the namespaces of a cluster. */
export interface Emitters {
  /** A namespace by its contract; one without is `Namespace.untyped("/name")`. Parameters that do not fit are a defect: a `TypeError`. */
  namespace<N extends Namespace.Any>(contract: N, ...name: NameArgs<N>): Emitter<N>
}

const setOf = (set: ReadonlySet<string>, rooms: string | ReadonlyArray<string>): ReadonlySet<string> =>
  new Set([...set, ...listOf(rooms)])

const listOf = (rooms: string | ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof rooms === "string" ? [rooms] : rooms

/** The encoded event. Throws what a caller got wrong: it becomes a defect of the Effect that calls this. */
const eventOf = (event: Event.Any | undefined, name: string, path: string, args: ReadonlyArray<unknown>): EventData => {
  if (event === undefined) throw new TypeError(`"${name}" is a reserved event name, or no event of "${path}"`)
  const encoded = event.codec.encodeArgs(args as Array<unknown>)
  if (Exit.isSuccess(encoded)) return { data: [name, ...encoded.value] }
  throw new InvalidPayload({ event: name, ...event.codec.issueOf(encoded.cause) })
}

class Operator implements Emitter<Namespace.Any> {
  readonly #contract: Namespace.Any
  readonly #port: EmitterPort
  readonly #target: Target
  readonly #flags: BroadcastFlags

  constructor(contract: Namespace.Any, port: EmitterPort, target: Target, flags: BroadcastFlags) {
    this.#contract = contract
    this.#port = port
    this.#target = target
    this.#flags = flags
  }

  #with(target: Partial<Target>, flags: Partial<BroadcastFlags> = {}): Operator {
    return new Operator(this.#contract, this.#port, { ...this.#target, ...target }, { ...this.#flags, ...flags })
  }

  to(rooms: string | ReadonlyArray<string>): Operator {
    return this.#with({ rooms: setOf(this.#target.rooms, rooms) })
  }

  in(rooms: string | ReadonlyArray<string>): Operator {
    return this.to(rooms)
  }

  except(rooms: string | ReadonlyArray<string>): Operator {
    return this.#with({ except: setOf(this.#target.except, rooms) })
  }

  get volatile(): Operator {
    return this.#with({}, { volatile: true })
  }

  compress(compress: boolean): Operator {
    return this.#with({}, { compress })
  }

  emit(name: string, ...args: Array<unknown>): Effect.Effect<void, AdapterError> {
    return Effect.suspend(() => {
      const event = eventOf(this.#contract.serverEvent(name), name, this.#contract.path, args)
      return this.#port.emit(this.#target, event, this.#flags)
    })
  }

  socketsJoin(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError> {
    return this.#port.join(this.#target, listOf(rooms))
  }

  socketsLeave(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError> {
    return this.#port.leave(this.#target, listOf(rooms))
  }

  disconnectSockets(close = false): Effect.Effect<void, AdapterError> {
    return this.#port.disconnect(this.#target, close)
  }

  serverSideEmit(name: string, ...args: Array<unknown>): Effect.Effect<void, AdapterError> {
    return Effect.suspend(() => {
      const event = eventOf(this.#contract.betweenServersEvent(name), name, this.#contract.path, args)
      return this.#port.serverSideEmit(event)
    })
  }
}

/** Emitters over the ports of namespaces, by their names. */
export const make = (port: (namespace: string) => EmitterPort): Emitters => ({
  namespace: <N extends Namespace.Any>(contract: N, ...[asked]: NameArgs<N>): Emitter<N> => {
    const name =
      typeof asked === "string"
        ? Exit.succeed(asked)
        : contract.nameOf((asked ?? {}) as Readonly<Record<string, unknown>>)
    if (!Exit.isSuccess(name)) throw new TypeError(`these are no parameters of "${contract.path}"`)
    const nobody: ReadonlySet<string> = new Set()
    const operator = new Operator(contract, port(name.value), { rooms: nobody, except: nobody }, plainFlags)
    return operator as unknown as Emitter<N>
  }
})
