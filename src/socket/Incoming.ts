/**
 * A client that asks for a namespace, as middleware sees it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Gates from "./Gates.ts"
import * as Handshake from "./Handshake.ts"
import type { Packet } from "./Packet.ts"
import type { ServerSocket } from "./ServerSocket.ts"

/** A socket that is not connected yet. */
export interface Incoming<Auth> {
  /** The id it will have. */
  readonly id: string
  readonly namespace: string
  /** The parameters of a dynamic namespace's name. */
  readonly params: Readonly<Record<string, unknown>>
  readonly handshake: Handshake.Handshake
  readonly auth: Auth
  /** What the program attached to the socket. */
  readonly data: unknown
  /** Attaches data to the socket; the contract's `data` is what handlers expect. */
  setData(data: unknown): Effect.Effect<void>
  /** Puts the socket into rooms, as soon as it is connected. */
  join(rooms: string | ReadonlyArray<string>): Effect.Effect<void>
  /** Lets each event of the socket pass through a function; see `Socket.use`. */
  use<E = never, R = never>(
    gate: (packet: Packet, next: (packet: Packet) => Effect.Effect<void>) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>>
  /** Lets the events of the socket pass through a stream; see `Socket.transform`. */
  transform<E = never, R = never>(
    f: (packets: Stream.Stream<Packet>) => Stream.Stream<Packet, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>>
}

class IncomingSocket implements Incoming<unknown> {
  readonly #socket: ServerSocket
  readonly auth: unknown

  constructor(socket: ServerSocket, auth: unknown) {
    this.#socket = socket
    this.auth = auth
  }

  get id(): string {
    return this.#socket.id
  }

  get namespace(): string {
    return this.#socket.namespace.name
  }

  get params(): Readonly<Record<string, unknown>> {
    return this.#socket.namespace.params
  }

  get handshake(): Handshake.Handshake {
    return Handshake.describe(this.#socket)
  }

  get data(): unknown {
    return this.#socket.data
  }

  setData(data: unknown): Effect.Effect<void> {
    return Effect.sync(() => {
      this.#socket.data = data
    })
  }

  join(rooms: string | ReadonlyArray<string>): Effect.Effect<void> {
    return Effect.sync(() => this.#socket.joinNow(rooms))
  }

  use<E = never, R = never>(
    gate: (packet: Packet, next: (packet: Packet) => Effect.Effect<void>) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>> {
    return Gates.use(this.#socket, gate)
  }

  transform<E = never, R = never>(
    f: (packets: Stream.Stream<Packet>) => Stream.Stream<Packet, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>> {
    return Gates.transform(this.#socket, f)
  }
}

/** A socket before it is connected, with the auth that its middleware decoded. */
export const make = (socket: ServerSocket, auth: unknown): Incoming<unknown> => new IncomingSocket(socket, auth)
