/**
 * A namespace from outside of its sockets: broadcasts to it, what happens in it, and its other nodes.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { AdapterError, type EventData } from "../adapter/Adapter.ts"
import { type Event, type Namespace, PayloadIssue } from "../contract/index.ts"
import { InvalidPayload } from "../runtime/PayloadError.ts"
import {
  BroadcastOperator,
  type Broadcast,
  decodeAck,
  encodeArgs,
  type EventNameWithAck,
  millisOf
} from "./Broadcast.ts"
import type { Incoming } from "./Incoming.ts"
import * as Middleware from "./Middleware.ts"
import { report, type ServerCore } from "./ServerCore.ts"
import type { NamespaceObserver, ServerNamespace } from "./ServerNamespace.ts"
import type { ServerSocket } from "./ServerSocket.ts"
import type { Handler, Socket } from "./Socket.ts"
import type { AckError } from "./SocketError.ts"

/** A room came to exist, got or lost a member, or ceased to exist; on this node. */
export type RoomEvent =
  | { readonly _tag: "RoomCreated"; readonly room: string }
  | { readonly _tag: "RoomDeleted"; readonly room: string }
  | { readonly _tag: "RoomJoined"; readonly room: string; readonly socketId: string }
  | { readonly _tag: "RoomLeft"; readonly room: string; readonly socketId: string }

/** A namespace by its name; a broadcast to all of it. It may be held before the namespace exists: then nobody is there. */
export interface NamespaceHandle<N extends Namespace.Any> extends Broadcast<N> {
  readonly name: string
  /** The sockets that are connected to this node. */
  readonly sockets: Effect.Effect<ReadonlyArray<Socket<N>>>
  /** A socket of this node by its id. */
  socket(id: string): Effect.Effect<Option.Option<Socket<N>>>
  /** The rooms that exist on this node, with the ids of their members. */
  readonly rooms: Effect.Effect<ReadonlyMap<string, ReadonlySet<string>>>
  /** How many nodes the server has, this one included. */
  readonly serverCount: Effect.Effect<number, AdapterError>
  readonly roomEvents: Stream.Stream<RoomEvent>
  /** Each socket that connects to this node, after its connection handler has begun. */
  readonly connections: Stream.Stream<Socket<N>>
  /**
   * Adds a middleware for clients that connect from now on, after those that are provided as layers; it refuses by failing. Of a
   * dynamic namespace it is added to the whole family. A defect where the namespace does not exist yet.
   */
  use<E = never, R = never>(
    middleware: (socket: Incoming<unknown>) => Effect.Effect<unknown, E, R>
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>>
  /** Sends an event to the other nodes. */
  serverSideEmit<K extends Namespace.EventName<Namespace.BetweenServers<N>>>(
    event: K,
    ...args: Event.Args<Namespace.BetweenServers<N>[K]>
  ): Effect.Effect<void, AdapterError>
  /** Asks the other nodes; `timeout` defaults to the server's `ackTimeout`. */
  serverSideEmitWithAck<K extends EventNameWithAck<Namespace.BetweenServers<N>>>(
    options: { readonly timeout?: Duration.Input | undefined },
    event: K,
    ...args: Event.Args<Namespace.BetweenServers<N>[K]>
  ): Stream.Stream<
    Event.Ack<Namespace.BetweenServers<N>[K]>,
    AdapterError | AckError<Event.Error<Namespace.BetweenServers<N>[K]>>
  >
  /** Handles an event of other nodes until the scope closes; what it returns is the answer. */
  onServerSide<K extends Namespace.EventName<Namespace.BetweenServers<N>>, R = never>(
    event: K,
    handler: Handler<Namespace.BetweenServers<N>[K], R>
  ): Effect.Effect<void, never, R | Scope.Scope>
}

class HandleImpl extends BroadcastOperator {
  readonly name: string
  readonly #core: ServerCore
  readonly #contract: Namespace.Any

  constructor(core: ServerCore, contract: Namespace.Any, name: string) {
    super(() => core.registry.get(name))
    this.#core = core
    this.#contract = contract
    this.name = name
  }

  #get(): ServerNamespace | undefined {
    return this.#core.registry.get(this.name)
  }

  get sockets(): Effect.Effect<ReadonlyArray<ServerSocket>> {
    return Effect.sync(() => Array.from(this.#get()?.sockets.values() ?? []))
  }

  socket(id: string): Effect.Effect<Option.Option<ServerSocket>> {
    return Effect.sync(() => Option.fromNullishOr(this.#get()?.sockets.get(id)))
  }

  get rooms(): Effect.Effect<ReadonlyMap<string, ReadonlySet<string>>> {
    return Effect.sync(() => {
      const rooms = this.#get()?.rooms
      return new Map(Array.from(rooms?.names() ?? [], (name) => [name, rooms!.ids(name)] as const))
    })
  }

  get serverCount(): Effect.Effect<number, AdapterError> {
    return Effect.suspend(() => this.#get()?.adapter?.serverCount ?? Effect.succeed(1))
  }

  get roomEvents(): Stream.Stream<RoomEvent> {
    return this.#observe((offer) => ({
      roomCreated: (room) => offer({ _tag: "RoomCreated", room }),
      roomDeleted: (room) => offer({ _tag: "RoomDeleted", room }),
      roomJoined: (room, socketId) => offer({ _tag: "RoomJoined", room, socketId }),
      roomLeft: (room, socketId) => offer({ _tag: "RoomLeft", room, socketId })
    }))
  }

  get connections(): Stream.Stream<ServerSocket> {
    return this.#observe((offer) => ({ connected: offer }))
  }

  #observe<A>(observer: (offer: (item: A) => void) => NamespaceObserver): Stream.Stream<A> {
    return Stream.callback<A>((queue) =>
      Effect.acquireRelease(
        Effect.sync(() =>
          this.#core.registry.watch(
            this.name,
            observer((item) => Queue.offerUnsafe(queue, item))
          )
        ),
        (stop) => Effect.sync(stop)
      )
    )
  }

  use<E>(middleware: (socket: Incoming<unknown>) => Effect.Effect<unknown, E>): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      const namespace = this.#get()
      if (namespace === undefined) return Effect.die(new TypeError(`there is no namespace "${this.name}" yet`))
      const around = Middleware.aroundOf(fiber.context)
      namespace.definition.middleware.push(Middleware.fromFunction(middleware, around))
      return Effect.void
    })
  }

  serverSideEmit(name: string, ...args: Array<unknown>): Effect.Effect<void, AdapterError> {
    return Effect.suspend(() => {
      const { adapter, data } = this.#prepare(name, args)
      return adapter === undefined ? Effect.fail(nobody) : adapter.serverSideEmit({ data })
    })
  }

  serverSideEmitWithAck(
    options: { readonly timeout?: Duration.Input | undefined },
    name: string,
    ...args: Array<unknown>
  ): Stream.Stream<unknown, AdapterError | AckError<unknown>> {
    return Stream.suspend((): Stream.Stream<unknown, AdapterError | AckError<unknown>> => {
      const { adapter, data, event } = this.#prepare(name, args)
      if (adapter === undefined) return Stream.fail(nobody)
      const timeout = options.timeout === undefined ? this.#core.settings.ackTimeout : millisOf(options.timeout)
      return Stream.mapEffect(adapter.serverSideEmitWithAck({ data }, timeout), (wire) =>
        Effect.fromResult(decodeAck(event, name, wire))
      )
    })
  }

  #prepare(name: string, args: ReadonlyArray<unknown>) {
    const event = this.#contract.betweenServersEvent(name)
    if (event === undefined) throw new TypeError(`"${name}" is no event between the servers of "${this.name}"`)
    const data: EventData["data"] = Result.getOrThrow(encodeArgs(event, name, args))
    return { event, data, adapter: this.#get()?.adapter }
  }

  onServerSide(
    name: string,
    handler: (...args: Array<unknown>) => Effect.Effect<unknown, unknown>
  ): Effect.Effect<void, never, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      const event = this.#contract.betweenServersEvent(name)
      if (event === undefined) {
        return yield* Effect.die(new TypeError(`"${name}" is no event between the servers of "${this.name}"`))
      }
      const context = yield* Effect.context<Scope.Scope>()
      const scope = yield* Effect.scope
      const failed = (cause: Cause.Cause<unknown>): void => {
        this.#core.counters.handlerFailures++
        report(context, { cause, stage: "event", event: name, socketId: undefined, namespace: this.name })
      }
      const answered = (
        exit: Exit.Exit<unknown, unknown>,
        reply: ((args: ReadonlyArray<unknown>) => void) | undefined
      ): void => {
        const { codec } = event
        if (Exit.isSuccess(exit)) {
          const answer = codec.encodeAck(exit.value)
          if (Exit.isSuccess(answer)) return reply?.(answer.value)
          return failed(answer.cause)
        }
        const error = exit.cause.reasons.find(Cause.isFailReason)?.error
        const answer = error === undefined ? undefined : codec.encodeAckFailure(error)
        if (answer !== undefined && Exit.isSuccess(answer)) return reply?.(answer.value)
        const fault = codec.encodeHandlerFailed(name)
        if (fault !== undefined) reply?.(fault)
        failed(exit.cause)
      }
      const stop = this.#core.registry.watch(this.name, {
        serverSideEvent: ({ data }, reply) => {
          if (data[0] !== name) return
          const decoded = event.codec.decodeArgs(data.slice(1))
          if (Exit.isFailure(decoded)) {
            const issue = PayloadIssue.fromCause(decoded.cause)
            const fault = event.codec.encodeInvalidPayload(name, issue)
            if (fault !== undefined) reply?.(fault)
            this.#core.counters.invalidPayloads++
            const cause = Cause.fail(new InvalidPayload({ event: name, ...issue }))
            return report(context, { cause, stage: "packet", event: name, socketId: undefined, namespace: this.name })
          }
          Effect.runForkWith(context)(
            Effect.forkIn(
              Effect.onExit(
                Effect.suspend(() => handler(...decoded.value)),
                (exit) => Effect.sync(() => answered(exit, reply))
              ),
              scope,
              { startImmediately: true }
            )
          )
        }
      })
      yield* Effect.addFinalizer(() => Effect.sync(stop))
    })
  }
}

const nobody = new AdapterError({ reason: "Unsupported", operation: "serverSideEmit" })

/** The handle of the namespace with this name. */
export const make = <N extends Namespace.Any>(core: ServerCore, contract: N, name: string): NamespaceHandle<N> =>
  new HandleImpl(core, contract, name) as unknown as NamespaceHandle<N>
