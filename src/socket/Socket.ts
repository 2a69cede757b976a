/**
 * One client in one namespace, as programs use it.
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Event, Namespace } from "../contract/index.ts"
import type { WriteResult } from "../engine/Session.ts"
import { BroadcastOperator, type Broadcast, roomsOf } from "./Broadcast.ts"
import * as Conn from "./Conn.ts"
import * as Emitter from "./Emitter.ts"
import type { EventHandler } from "./EventHandler.ts"
import * as Gates from "./Gates.ts"
import * as Handshake from "./Handshake.ts"
import type { OutgoingPacket, Packet } from "./Packet.ts"
import type { Recovery } from "./Recovery.ts"
import { reliable, ServerSocket } from "./ServerSocket.ts"
import type { AckError, Disconnected } from "./SocketError.ts"
import * as Subscription from "./Subscription.ts"

/** What a handler returns: the contract's ack, or whatever it likes where the contract declares none. */
export type HandlerResult<E extends Event.Any> = void extends Event.Ack<E> ? unknown : Event.Ack<E>

/**
 * What handles an event. The value it returns is the answer, if the client wants one; it may fail with the errors that the contract
 * declares. Everything else that goes wrong in it goes to the error sink.
 */
export type Handler<E extends Event.Any, R> = (
  ...args: Event.Args<E>
) => Effect.Effect<HandlerResult<E>, Event.Error<E>, R>

/** A socket of a namespace with this contract. */
export interface Socket<N extends Namespace.Any> extends Emitter.Emitter<N> {
  readonly id: string
  /** The name of the namespace. */
  readonly name: string
  /** The parameters of a dynamic namespace's name. */
  readonly params: Namespace.Params<N>
  readonly handshake: Handshake.Handshake
  readonly auth: Namespace.Auth<N>
  /** What the program attached to the socket; also seen by `fetchSockets`, on other nodes too. */
  readonly data: Namespace.Data<N> | undefined
  setData(data: Namespace.Data<N>): Effect.Effect<void>
  /** The rooms it is in, a snapshot; its own, named by its id, among them. */
  readonly rooms: ReadonlySet<string>
  readonly connected: boolean
  /** Whether it was recovered after a lost connection: id, rooms and data are those of before, and the client gets all that it missed. */
  readonly recovered: boolean
  /** What became of the client's earlier session: where it was not recovered, why. See docs/recovery.md. */
  readonly recovery: Recovery
  readonly conn: Conn.Conn
  /** Waits until the socket has gone, and says why. */
  readonly disconnected: Effect.Effect<Disconnected>

  /**
   * Handles an event from now on; the Effect ends when the handler is registered. Handlers start in the order in which events arrive
   * and run concurrently, unless the contract bounds the event's concurrency; they are interrupted when the socket goes. A `Scope` that
   * they ask for is the socket's. Several handlers of one event all run, and the first that ends well gives the answer.
   */
  on<K extends Namespace.EventName<Namespace.FromClient<N>>, R = never>(
    event: K,
    handler: Handler<Namespace.FromClient<N>[K], R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>>
  /**
   * The arguments of an event, each time it comes; ends when the socket goes. What comes between this call and the first run is kept
   * (up to 1,024). A stream that is not read fast enough pauses the client.
   */
  events<K extends Namespace.EventName<Namespace.FromClient<N>>>(
    event: K
  ): Stream.Stream<Event.Args<Namespace.FromClient<N>[K]>>
  /** All events that come in, as the client sent them. */
  readonly incoming: Stream.Stream<Packet>
  /** All events that go out to this socket, broadcasts too, with their encoded arguments. */
  readonly outgoing: Stream.Stream<OutgoingPacket>
  /**
   * Lets each event that comes in pass through a function, which runs `next` with the packet or a changed one, later, or not at all.
   * Packets pass one after the other. A failure drops the packet and goes to the error sink.
   */
  use<E = never, R = never>(
    gate: (packet: Packet, next: (packet: Packet) => Effect.Effect<void>) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>>
  /**
   * Lets the events that come in pass through a stream that may map, filter, throttle or delay them. If it ends, later events are
   * dropped; if it fails, the socket is disconnected.
   */
  transform<E = never, R = never>(
    f: (packets: Stream.Stream<Packet>) => Stream.Stream<Packet, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>>

  /** Joins rooms. Done at once on this node; with an adapter for several nodes it also waits for its subscription. */
  join(rooms: string | ReadonlyArray<string>): Effect.Effect<void>
  leave(rooms: string | ReadonlyArray<string>): Effect.Effect<void>
  /** A broadcast to rooms, without this socket. */
  to(rooms: string | ReadonlyArray<string>): Broadcast<N>
  /** The same as `to`. */
  in(rooms: string | ReadonlyArray<string>): Broadcast<N>
  /** A broadcast to everybody but those in the rooms, without this socket. */
  except(rooms: string | ReadonlyArray<string>): Broadcast<N>
  /** A broadcast to everybody in the namespace but this socket. */
  readonly broadcast: Broadcast<N>
  /** The same, on this node only. */
  readonly local: Broadcast<N>

  /** Leaves the namespace; with `close` also closes the connection and with it the client's other namespaces. */
  disconnect(close?: boolean): Effect.Effect<void>
  /** Runs when the socket begins to leave, while it is still in its rooms. What it waits for does not delay the leaving. */
  onDisconnecting<E = never, R = never>(
    hook: (disconnected: Disconnected) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>>
  /** Runs when the socket has gone, before what belongs to it ends. */
  onDisconnect<E = never, R = never>(
    hook: (disconnected: Disconnected) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>>
}

/** The socket with the methods of {@link Socket}, untyped: the namespace knows the contract, this does not. */
export class SocketImpl extends ServerSocket {
  get name(): string {
    return this.namespace.name
  }

  /** What assertions and logs print: not the server behind it. */
  toJSON(): unknown {
    return { _id: "SocketServer/Socket", name: this.name, id: this.id, connected: this.connected }
  }

  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    return this.toJSON()
  }

  get params(): Readonly<Record<string, unknown>> {
    return this.namespace.params
  }

  get handshake(): Handshake.Handshake {
    return Handshake.describe(this)
  }

  setData(data: unknown): Effect.Effect<void> {
    return Effect.sync(() => {
      this.data = data
      this.namespace.recovering?.changed(this)
    })
  }

  get rooms(): ReadonlySet<string> {
    return this.namespace.rooms.of(this)
  }

  get conn(): Conn.Conn {
    return Conn.make(this.connection.session)
  }

  // ---- in

  on(name: string, run: EventHandler["run"]): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      const event = this.namespace.definition.contract.clientEvent(name)
      if (event === undefined) {
        return Effect.die(new TypeError(`"${name}" is a reserved event name, or no event of "${this.name}"`))
      }
      const context = fiber.context === this.services() ? undefined : Gates.servicesFor(this, fiber.context)
      const handler: EventHandler = { name, event, run, shared: false, context, next: undefined }
      let last = this.handlers
      if (last === undefined) this.handlers = handler
      else {
        while (last.next !== undefined) last = last.next
        last.next = handler
      }
      return Effect.void
    })
  }

  events(name: string): Stream.Stream<ReadonlyArray<unknown>> {
    if (this.namespace.definition.contract.clientEvent(name) === undefined) {
      return Stream.die(new TypeError(`"${name}" is a reserved event name, or no event of "${this.name}"`))
    }
    const subscribe = (subscription: Subscription.Subscription<ReadonlyArray<unknown>>): void => {
      const subscriptions = (this.extra().subscriptions ??= new Map())
      const set = subscriptions.get(name)
      if (set === undefined) subscriptions.set(name, new Set([subscription]))
      else set.add(subscription)
    }
    const unsubscribe = (subscription: Subscription.Subscription<ReadonlyArray<unknown>>): void => {
      const set = this.extras?.subscriptions?.get(name)
      if (set === undefined || !set.delete(subscription) || set.size > 0) return
      this.extras!.subscriptions!.delete(name)
      if (this.extras!.subscriptions!.size === 0) this.extras!.subscriptions = undefined
    }
    return Subscription.stream(this.#source(subscribe, unsubscribe))
  }

  get incoming(): Stream.Stream<Packet> {
    return Subscription.stream(
      this.#source<Packet>(
        (subscription) => (this.extra().incoming ??= new Set()).add(subscription),
        (subscription) => this.extras?.incoming?.delete(subscription)
      )
    )
  }

  get outgoing(): Stream.Stream<OutgoingPacket> {
    return Subscription.stream(
      this.#source<OutgoingPacket>(
        (subscription) => (this.extra().outgoing ??= new Set()).add(subscription),
        (subscription) => this.extras?.outgoing?.delete(subscription)
      )
    )
  }

  #source<A>(
    subscribe: (subscription: Subscription.Subscription<A>) => void,
    unsubscribe: (subscription: Subscription.Subscription<A>) => void
  ): Subscription.Source<A> {
    const isOpen = (): boolean => this.goneBecause === undefined
    return {
      get open() {
        return isOpen()
      },
      subscribe,
      unsubscribe,
      hold: () => this.connection.hold(),
      release: () => this.connection.release()
    }
  }

  use<E = never, R = never>(
    gate: (packet: Packet, next: (packet: Packet) => Effect.Effect<void>) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>> {
    return Gates.use(this, gate)
  }

  transform<E = never, R = never>(
    f: (packets: Stream.Stream<Packet>) => Stream.Stream<Packet, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>> {
    return Gates.transform(this, f)
  }

  // ---- out

  get volatile(): Emitter.EmitterOperator {
    return new Emitter.EmitterOperator(this).volatile
  }

  compress(compress: boolean): Emitter.EmitterOperator {
    return new Emitter.EmitterOperator(this).compress(compress)
  }

  timeout(timeout: Duration.Input): Emitter.EmitterOperator {
    return new Emitter.EmitterOperator(this).timeout(timeout)
  }

  emit(name: string, ...args: Array<unknown>): Effect.Effect<WriteResult> {
    return Effect.sync(() => Emitter.emitNow(this, name, args, reliable))
  }

  emitWithAck(name: string, ...args: Array<unknown>): Effect.Effect<unknown, AckError<unknown>> {
    return Emitter.ask(this, name, args, reliable, undefined)
  }

  get broadcast(): BroadcastOperator {
    return new BroadcastOperator(() => this.namespace, undefined, new Set([this.id]))
  }

  get local(): BroadcastOperator {
    return this.broadcast.local
  }

  to(rooms: string | ReadonlyArray<string>): BroadcastOperator {
    return this.broadcast.to(rooms)
  }

  in(rooms: string | ReadonlyArray<string>): BroadcastOperator {
    return this.broadcast.to(rooms)
  }

  except(rooms: string | ReadonlyArray<string>): BroadcastOperator {
    return this.broadcast.except(rooms)
  }

  // ---- rooms and life

  join(rooms: string | ReadonlyArray<string>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.joinNow(rooms)
      const { adapter } = this.namespace
      if (adapter === undefined || !adapter.remote) return Effect.void
      return Effect.forEach(roomsOf(rooms), (room) => adapter.subscribed(room), { discard: true }).pipe(
        Effect.catchCause((cause) => Effect.sync(() => this.report("adapter", undefined, cause)))
      )
    })
  }

  leave(rooms: string | ReadonlyArray<string>): Effect.Effect<void> {
    return Effect.sync(() => this.leaveNow(rooms))
  }

  disconnect(close = false): Effect.Effect<void> {
    return Effect.sync(() => {
      if (!this.connected) return
      if (close) this.connection.disconnect()
      else this.leaveNamespace()
    })
  }

  get disconnected(): Effect.Effect<Disconnected> {
    return Effect.suspend(() => {
      if (this.goneBecause !== undefined) return Effect.succeed(this.goneBecause)
      return Deferred.await((this.extra().gone ??= Deferred.makeUnsafe()))
    })
  }

  onDisconnecting<E = never, R = never>(
    hook: (disconnected: Disconnected) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>> {
    return Effect.withFiber((fiber) => {
      const run = hook as (disconnected: Disconnected) => Effect.Effect<unknown, E>
      ;(this.extra().disconnecting ??= []).push({ run, context: Gates.servicesFor(this, fiber.context) })
      return Effect.void
    })
  }

  onDisconnect<E = never, R = never>(
    hook: (disconnected: Disconnected) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>> {
    return Effect.withFiber((fiber) => {
      const run = hook as (disconnected: Disconnected) => Effect.Effect<unknown, E>
      ;(this.extra().disconnect ??= []).push({ run, context: Gates.servicesFor(this, fiber.context) })
      return Effect.void
    })
  }
}

/** The typed view of a socket whose namespace has this contract. */
export const typed = <N extends Namespace.Any>(socket: ServerSocket): Socket<N> => socket as unknown as Socket<N>
