/**
 * One namespace as programs use it: the contract mirrored, what the server handles is emitted here and the other way round.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { Event, Namespace } from "../contract/index.ts"
import * as Runner from "../runtime/Runner.ts"
import { type AckError, ConnectFailed, type ConnectRefused, Disconnected, type InvalidPayload } from "./ClientError.ts"
import type { ConnectionState } from "./ConnectionState.ts"
import type { EmitFlags, EmitOutcome, SocketDriver } from "./SocketDriver.ts"

/** What a handler returns: the contract's ack, or whatever it likes where the contract declares none. */
export type HandlerResult<E extends Event.Any> = void extends Event.Ack<E> ? unknown : Event.Ack<E>

/**
 * What handles an event. The value it returns is the answer, if the server wants one; it may fail with the errors that the contract
 * declares. Everything else that goes wrong in it goes to the error sink.
 */
export type Handler<E extends Event.Any, R> = (
  ...args: Event.Args<E>
) => Effect.Effect<HandlerResult<E>, Event.Error<E> | InvalidPayload, R>

/** The names of the events that have an answer. */
export type EventNameWithAck<M extends Namespace.AnyEvents> = {
  [K in Namespace.EventName<M>]: Event.HasAck<M[K]> extends true ? K : never
}[Namespace.EventName<M>]

/** Sends events to the server; an immutable value. */
export interface Emitter<N extends Namespace.Any> {
  /** Dropped unless it can leave at once: not kept while there is no connection. */
  readonly volatile: Emitter<N>
  /** Whether the WebSocket may compress it. Default true. */
  compress(compress: boolean): Emitter<N>
  /** How long `emitWithAck` waits. Default: the `ackTimeout` of the client (10 seconds). */
  timeout(timeout: Duration.Input): Emitter<N>
  /** Sends an event, or keeps it until there is a connection, and tells which. */
  emit<K extends Namespace.EventName<Namespace.FromClient<N>>>(
    event: K,
    ...args: Event.Args<Namespace.FromClient<N>[K]>
  ): Effect.Effect<EmitOutcome, InvalidPayload>
  /**
   * Sends an event and waits for the server's answer, at most for the timeout. It fails at once with `Disconnected` when the connection
   * goes after the event has left; one that is still kept waits on. Interrupting it takes an event back that has not left.
   */
  emitWithAck<K extends EventNameWithAck<Namespace.FromClient<N>>>(
    event: K,
    ...args: Event.Args<Namespace.FromClient<N>[K]>
  ): Effect.Effect<Event.Ack<Namespace.FromClient<N>[K]>, AckError<Event.Error<Namespace.FromClient<N>[K]>>>
}

/** What connecting can fail with; `E` is what finding out the auth can. */
export type ConnectError<N extends Namespace.Any, E = never> =
  | ConnectRefused<Namespace.Refusal<N>>
  | ConnectFailed
  | InvalidPayload
  | E

/** A client in a namespace with this contract. It lives until the scope it was made in closes. */
export interface Socket<N extends Namespace.Any, E = never> extends Emitter<N> {
  /** The name of the namespace. */
  readonly name: string
  /** Given by the server with each connection; `undefined` while there is none. */
  readonly id: string | undefined
  readonly connected: boolean
  /** Whether the connection was taken up where the last one ended. */
  readonly recovered: boolean
  /** Whether it is connected or will be by itself. */
  readonly active: boolean
  /** Where the connection stands now; see `SocketClient.states` for all of them. */
  readonly state: ConnectionState
  /** The transport in use: "polling" or "websocket"; `undefined` while there is no connection. */
  readonly transport: string | undefined
  /**
   * Connects, unless it already does or is, and waits for the outcome: needed after `disconnect`, a refusal, or a disconnect by the server,
   * after which the client does not connect by itself.
   */
  readonly connect: Effect.Effect<void, ConnectError<N, E>>
  /** Leaves the namespace; the connection is closed when no other namespace uses it. */
  readonly disconnect: Effect.Effect<void>
  /**
   * Handles an event until the scope closes. The Effect ends when the handler is registered: an event that comes after that is not missed.
   * Handlers start in the order in which events arrive and run concurrently, unless the contract bounds the event's concurrency. They
   * outlive a lost connection. Several handlers of one event all run, and the first that ends well gives the answer.
   */
  on<K extends Namespace.EventName<Namespace.FromServer<N>>, R = never>(
    event: K,
    handler: Handler<Namespace.FromServer<N>[K], R>
  ): Effect.Effect<void, never, R | Scope.Scope>
}

const millisOf = (timeout: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(timeout))

const makeFlags = (isVolatile: boolean, compress: boolean, timeout: number | undefined): EmitFlags => ({
  searched: { volatile: isVolatile, compress, hasBinary: undefined },
  plain: { volatile: isVolatile, compress, hasBinary: false },
  timeout
})

const defaultFlags = makeFlags(false, true, undefined)

class EmitterImpl {
  /** @internal */
  readonly driver: SocketDriver
  readonly #flags: EmitFlags

  constructor(driver: SocketDriver, flags: EmitFlags) {
    this.driver = driver
    this.#flags = flags
  }

  get volatile(): EmitterImpl {
    return new EmitterImpl(this.driver, makeFlags(true, this.#flags.plain.compress, this.#flags.timeout))
  }

  compress(compress: boolean): EmitterImpl {
    return new EmitterImpl(this.driver, makeFlags(this.#flags.plain.volatile, compress, this.#flags.timeout))
  }

  timeout(timeout: Duration.Input): EmitterImpl {
    const { volatile, compress } = this.#flags.plain
    return new EmitterImpl(this.driver, makeFlags(volatile, compress, millisOf(timeout)))
  }

  emit(event: string, ...args: Array<unknown>): Effect.Effect<EmitOutcome, InvalidPayload> {
    return Effect.suspend((): Effect.Effect<EmitOutcome, InvalidPayload> => {
      const result = this.driver.emit(event, args, this.#flags)
      return typeof result === "string" ? Effect.succeed(result) : Effect.fail(result)
    })
  }

  emitWithAck(event: string, ...args: Array<unknown>): Effect.Effect<unknown, AckError<unknown>> {
    return this.driver.ask(event, args, this.#flags)
  }
}

class SocketImpl extends EmitterImpl {
  get name(): string {
    return this.driver.socket.nsp
  }

  /** What assertions and logs print: not the services and connections behind it. */
  toJSON(): unknown {
    return { _id: "SocketClient/Socket", name: this.name, id: this.id, state: this.state._tag }
  }

  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    return this.toJSON()
  }

  get id(): string | undefined {
    return this.driver.socket.id
  }

  get connected(): boolean {
    return this.driver.socket.connected
  }

  get recovered(): boolean {
    return this.driver.socket.recovered
  }

  get active(): boolean {
    return this.driver.socket.active
  }

  get state(): ConnectionState {
    return this.driver.state
  }

  get transport(): string | undefined {
    return this.driver.manager.transport
  }

  get connect(): Effect.Effect<void, unknown> {
    return connect(this.driver)
  }

  get disconnect(): Effect.Effect<void> {
    return Effect.sync(() => {
      const { socket } = this.driver
      const was = socket.active && !socket.connected
      socket.disconnect()
      // One that was never connected has nobody else to tell it.
      if (was) this.driver.onDisconnect("io client disconnect", undefined)
    })
  }

  on(
    event: string,
    handler: (...args: Array<unknown>) => Effect.Effect<unknown, unknown, unknown>
  ): Effect.Effect<void, never, Scope.Scope> {
    return Effect.flatMap(Effect.context<Scope.Scope>(), (context) => {
      const { driver } = this
      if (driver.closed) return Effect.void
      const listeners = driver.listenersOf(event)
      if (listeners === undefined) {
        return Effect.die(new TypeError(`"${event}" is a reserved event name, or no event of "${this.name}"`))
      }
      // The services that the handler needs are those of this context: `on` has them in its type.
      const handle = handler as (...args: Array<unknown>) => Effect.Effect<unknown, unknown>
      const scope = contextScope(context)
      const remove = driver.addHandler(listeners, handle, Runner.make(context as never), scope)
      return Scope.addFinalizer(scope, Effect.sync(remove))
    })
  }
}

const contextScope = (context: Context.Context<Scope.Scope>): Scope.Scope => Context.get(context, Scope.Scope)

/** Asks for a connection and waits until there is one, or certainly none. */
const connect = (driver: SocketDriver): Effect.Effect<void, unknown> =>
  Effect.callback<void, unknown>((resume) => {
    if (driver.closed) {
      resume(Effect.fail(new ConnectFailed({ message: "the client's scope has closed", description: undefined })))
      return undefined
    }
    const follower = {
      offer: (state: ConnectionState): void => {
        const outcome = outcomeOf(state)
        if (outcome === undefined) return
        driver.followers.delete(follower)
        resume(outcome)
      },
      end: () => {}
    }
    // First ask, then listen: what is told at once (a `Disconnected` of the past) is not the outcome.
    driver.connect()
    const outcome = driver.socket.active ? connectedOutcome(driver.state) : outcomeOf(driver.state)
    if (outcome !== undefined) {
      resume(outcome)
      return undefined
    }
    driver.followers.add(follower)
    return Effect.sync(() => driver.followers.delete(follower))
  })

const connectedOutcome = (state: ConnectionState): Effect.Effect<void> | undefined =>
  state._tag === "Connected" ? Effect.void : undefined

const outcomeOf = (state: ConnectionState): Effect.Effect<void, unknown> | undefined => {
  switch (state._tag) {
    case "Connected":
      return Effect.void
    case "Refused":
    case "AuthFailed":
    case "GaveUp":
      return Effect.fail(state.error)
    case "Closed":
      return Effect.fail(new ConnectFailed({ message: "the client's scope has closed", description: undefined }))
    case "Disconnected":
      // A connection that was lost meanwhile comes back by itself; one that somebody ended does not.
      return state.reason === "io client disconnect" || state.reason === "io server disconnect"
        ? Effect.fail(
            new ConnectFailed({ message: state.reason, description: new Disconnected({ reason: state.reason }) })
          )
        : undefined
    case "Connecting":
    case "Waiting":
      return undefined
  }
}

/** @internal */
export const make = <N extends Namespace.Any, E>(driver: SocketDriver): Socket<N, E> =>
  new SocketImpl(driver, defaultFlags) as unknown as Socket<N, E>

/** @internal */
export const driverOf = <N extends Namespace.Any, E>(socket: Socket<N, E>): SocketDriver =>
  (socket as unknown as SocketImpl).driver
