/**
 * Events for many sockets: an immutable value that says whom, and how.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type {
  AdapterError,
  AckReply,
  BroadcastFlags,
  EventData,
  SocketDescription,
  Target
} from "../adapter/Adapter.ts"
import { type Event, type Namespace, PayloadIssue } from "../contract/index.ts"
import { HandlerFailed, InvalidPayload } from "../runtime/PayloadError.ts"
import type * as Handshake from "./Handshake.ts"
import type { ServerNamespace } from "./ServerNamespace.ts"
import { type AckError, AckTimeout, PartialResult, type ReplyFailure } from "./SocketError.ts"

/** An answer to a broadcast. The id is absent for clients of nodes whose wire does not carry it. */
export interface Reply<A> {
  readonly socketId: string | undefined
  readonly value: A
}

/** The names of the events that have an answer. */
export type EventNameWithAck<M extends Namespace.AnyEvents> = {
  [K in Namespace.EventName<M>]: Event.HasAck<M[K]> extends true ? K : never
}[Namespace.EventName<M>]

/** A socket of this or another node, as far as it can be described and reached from here. */
export interface RemoteSocket<N extends Namespace.Any> {
  readonly id: string
  readonly handshake: Handshake.Handshake
  readonly rooms: ReadonlySet<string>
  /** What the socket carries; `undefined` where nothing was set, or where it does not fit the contract. */
  readonly data: Namespace.Data<N> | undefined
  readonly emit: Broadcast<N>["emit"]
  join(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  leave(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  disconnect(close?: boolean): Effect.Effect<void, AdapterError>
}

/**
 * Whom a broadcast is for and how it travels. Every method gives a new value; nothing happens before `emit` and its like are run.
 * Rooms add up: `to("a").to("b")` reaches whoever is in one of them, once.
 */
export interface Broadcast<N extends Namespace.Any> {
  to(rooms: string | ReadonlyArray<string>): Broadcast<N>
  /** The same as `to`. */
  in(rooms: string | ReadonlyArray<string>): Broadcast<N>
  except(rooms: string | ReadonlyArray<string>): Broadcast<N>
  /** To the sockets of this node only. */
  readonly local: Broadcast<N>
  /** May be dropped for clients that cannot take it now. */
  readonly volatile: Broadcast<N>
  /** Whether transports may compress it. Default true. */
  compress(compress: boolean): Broadcast<N>
  /** How long `emitWithAck` waits for answers. Default: the server's `ackTimeout` (10 seconds). */
  timeout(timeout: Duration.Input): Broadcast<N>
  /** Sends an event. Arguments that do not fit their schema are a defect: an `InvalidPayload`. */
  emit<K extends Namespace.EventName<Namespace.FromServer<N>>>(
    event: K,
    ...args: Event.Args<Namespace.FromServer<N>[K]>
  ): Effect.Effect<void>
  /**
   * Sends an event whenever the stream is run, and gives the answers as they come. When all have answered the stream ends; when some
   * failed, left or stayed silent it fails, after the last answer, with a `PartialResult` that says who and why.
   */
  emitWithAck<K extends EventNameWithAck<Namespace.FromServer<N>>>(
    event: K,
    ...args: Event.Args<Namespace.FromServer<N>[K]>
  ): Stream.Stream<
    Reply<Event.Ack<Namespace.FromServer<N>[K]>>,
    PartialResult<Event.Error<Namespace.FromServer<N>[K]>> | InvalidPayload | AdapterError
  >
  /** The sockets it would reach. */
  fetchSockets(): Effect.Effect<ReadonlyArray<RemoteSocket<N>>, AdapterError>
  socketsJoin(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  socketsLeave(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError>
  /** Disconnects the sockets from the namespace; with `close` also closes their connections. */
  disconnectSockets(close?: boolean): Effect.Effect<void, AdapterError>
}

const noRooms: ReadonlySet<string> = new Set()

const plainFlags: BroadcastFlags = { volatile: false, compress: true, timeout: undefined, expectSingleResponse: false }

/** Rooms as they may be given. */
export const roomsOf = (rooms: string | ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof rooms === "string" ? [rooms] : rooms

const union = (set: ReadonlySet<string>, rooms: string | ReadonlyArray<string>): ReadonlySet<string> =>
  new Set([...set, ...roomsOf(rooms)])

/** The milliseconds of a timeout. */
export const millisOf = (timeout: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(timeout))

/** The server's event with this name. Names that the contract lacks and names that Socket.IO keeps for itself are defects. */
export const serverEvent = (contract: Namespace.Any, name: string): Event.Any => {
  const event = contract.serverEvent(name)
  if (event === undefined) throw new TypeError(`"${name}" is a reserved event name, or no event of "${contract.path}"`)
  return event
}

/** The encoded arguments of an event of ours, or why there are none. */
export const encodeArgs = (
  event: Event.Any,
  name: string,
  args: ReadonlyArray<unknown>
): Result.Result<EventData["data"], InvalidPayload> => {
  const encoded = event.codec.encodeArgs(args as Array<unknown>)
  return Exit.isSuccess(encoded)
    ? Result.succeed([name, ...encoded.value])
    : Result.fail(new InvalidPayload({ event: name, ...PayloadIssue.fromCause(encoded.cause) }))
}

/** What an answer on the wire says. */
export const decodeAck = (
  event: Event.Any,
  name: string,
  args: ReadonlyArray<unknown>
): Result.Result<unknown, AckError<unknown>> => {
  const decoded = event.codec.decodeAck(args)
  if (Exit.isFailure(decoded))
    return Result.fail(new InvalidPayload({ event: name, ...PayloadIssue.fromCause(decoded.cause) }))
  const reply = decoded.value
  switch (reply._tag) {
    case "Success":
      return Result.succeed(reply.value)
    case "Failure":
      return Result.fail(reply.error)
    case "HandlerFailed":
      return Result.fail(new HandlerFailed({ event: name }))
    case "InvalidPayload":
      return Result.fail(new InvalidPayload({ event: name, path: reply.path, message: reply.message }))
  }
}

/** All other nodes have said how many of their sockets they asked, and nothing but answers of those is missing. */
const onlySocketsAreSilent = (error: AdapterError): error is AdapterError & { readonly unanswered: number } =>
  error.reason === "Timeout" && error.missing?.count === 0 && error.unanswered !== undefined && error.unanswered > 0

/** The untyped value under {@link Broadcast}. */
export class BroadcastOperator {
  readonly #namespace: () => ServerNamespace | undefined
  readonly #rooms: ReadonlySet<string>
  readonly #except: ReadonlySet<string>
  readonly #flags: BroadcastFlags
  readonly #local: boolean

  constructor(
    namespace: () => ServerNamespace | undefined,
    rooms: ReadonlySet<string> = noRooms,
    except: ReadonlySet<string> = noRooms,
    flags: BroadcastFlags = plainFlags,
    local = false
  ) {
    this.#namespace = namespace
    this.#rooms = rooms
    this.#except = except
    this.#flags = flags
    this.#local = local
  }

  to(rooms: string | ReadonlyArray<string>): BroadcastOperator {
    return new BroadcastOperator(this.#namespace, union(this.#rooms, rooms), this.#except, this.#flags, this.#local)
  }

  in(rooms: string | ReadonlyArray<string>): BroadcastOperator {
    return this.to(rooms)
  }

  except(rooms: string | ReadonlyArray<string>): BroadcastOperator {
    return new BroadcastOperator(this.#namespace, this.#rooms, union(this.#except, rooms), this.#flags, this.#local)
  }

  get local(): BroadcastOperator {
    return new BroadcastOperator(this.#namespace, this.#rooms, this.#except, this.#flags, true)
  }

  get volatile(): BroadcastOperator {
    return this.#with({ volatile: true })
  }

  compress(compress: boolean): BroadcastOperator {
    return this.#with({ compress })
  }

  timeout(timeout: Duration.Input): BroadcastOperator {
    return this.#with({ timeout: millisOf(timeout) })
  }

  #with(flags: Partial<BroadcastFlags>): BroadcastOperator {
    return new BroadcastOperator(this.#namespace, this.#rooms, this.#except, { ...this.#flags, ...flags }, this.#local)
  }

  get #target(): Target {
    return { rooms: this.#rooms, except: this.#except }
  }

  emit(name: string, ...args: Array<unknown>): Effect.Effect<void> {
    return Effect.sync(() => {
      const namespace = this.#namespace()
      if (namespace === undefined) return
      const event = serverEvent(namespace.definition.contract, name)
      const data = Result.getOrThrow(encodeArgs(event, name, args))
      namespace.outbox.broadcast({ rooms: this.#rooms, except: this.#except }, { data }, this.#flags, this.#local)
    })
  }

  emitWithAck(
    name: string,
    ...args: Array<unknown>
  ): Stream.Stream<Reply<unknown>, PartialResult<unknown> | InvalidPayload | AdapterError> {
    return Stream.suspend((): Stream.Stream<Reply<unknown>, PartialResult<unknown> | InvalidPayload | AdapterError> => {
      const namespace = this.#namespace()
      if (namespace === undefined) return Stream.empty
      const event = serverEvent(namespace.definition.contract, name)
      const encoded = encodeArgs(event, name, args)
      return Result.isFailure(encoded)
        ? Stream.fail(encoded.failure)
        : this.#ask(namespace, event, { data: encoded.success })
    })
  }

  #ask(
    namespace: ServerNamespace,
    event: Event.Any,
    data: EventData
  ): Stream.Stream<Reply<unknown>, PartialResult<unknown> | AdapterError> {
    const name = data.data[0]
    const timeout = this.#flags.timeout ?? namespace.core.settings.ackTimeout
    const flags: BroadcastFlags = { ...this.#flags, timeout }
    const failures: Array<ReplyFailure<unknown>> = []
    let received = 0
    const take = (socketId: string | undefined, args: ReadonlyArray<unknown>): Reply<unknown> | undefined => {
      const reply = decodeAck(event, name, args)
      if (Result.isFailure(reply)) {
        failures.push({ socketId, error: reply.failure })
        return undefined
      }
      received++
      return { socketId, value: reply.success }
    }
    const here = Stream.callback<Reply<unknown>>((queue) =>
      Effect.acquireRelease(
        Effect.sync(() =>
          namespace.outbox.poll(this.#target, data, flags, {
            asked: () => {},
            reply: (socketId, args) => {
              const reply = take(socketId, args)
              if (reply !== undefined) Queue.offerUnsafe(queue, reply)
            },
            disconnected: (socketId, error) => failures.push({ socketId, error }),
            expired: (socketId) => {
              namespace.core.counters.ackTimeouts++
              failures.push({ socketId, error: new AckTimeout({ event: name, timeout }) })
            },
            done: () => Queue.endUnsafe(queue)
          })
        ),
        (cancel) => Effect.sync(cancel)
      )
    )
    const adapter = namespace.adapter
    const everywhere: Stream.Stream<Reply<unknown>, AdapterError> = adapter === undefined ||
    !adapter.remote ||
    this.#local
      ? here
      : Stream.merge(
          // Other nodes are asked first, as the outbox does it for events without answers.
          adapter.publishWithAcks(this.#target, data, flags).pipe(
            Stream.catchIf(onlySocketsAreSilent, ({ unanswered }) => {
              for (let n = 0; n < unanswered; n++) {
                namespace.core.counters.ackTimeouts++
                failures.push({ socketId: undefined, error: new AckTimeout({ event: name, timeout }) })
              }
              return Stream.empty
            }),
            Stream.filterMap(({ socketId, args }: AckReply) => {
              const reply = take(socketId, args)
              return reply === undefined ? Result.failVoid : Result.succeed(reply)
            })
          ),
          here
        )
    const end = Stream.suspend(() =>
      failures.length === 0
        ? Stream.empty
        : Stream.fail(new PartialResult<unknown>({ event: name, received, missing: failures.length, failures }))
    )
    return Stream.concat(everywhere, end)
  }

  fetchSockets(): Effect.Effect<ReadonlyArray<RemoteSocket<Namespace.Any>>, AdapterError> {
    return Effect.suspend(() => {
      const namespace = this.#namespace()
      if (namespace === undefined) return Effect.succeed([])
      const here = namespace.describe(this.#target).map((socket) => this.#remoteSocket(namespace, socket))
      const { adapter } = namespace
      if (adapter === undefined || !adapter.remote || this.#local) return Effect.succeed(here)
      return Effect.map(adapter.fetchSockets(this.#target), (sockets) => [
        ...here,
        ...sockets.map((socket) => this.#remoteSocket(namespace, socket))
      ])
    })
  }

  socketsJoin(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError> {
    return this.#everywhere((namespace) => {
      namespace.join(this.#target, roomsOf(rooms))
      return namespace.adapter?.join(this.#target, roomsOf(rooms))
    })
  }

  socketsLeave(rooms: string | ReadonlyArray<string>): Effect.Effect<void, AdapterError> {
    return this.#everywhere((namespace) => {
      namespace.leave(this.#target, roomsOf(rooms))
      return namespace.adapter?.leave(this.#target, roomsOf(rooms))
    })
  }

  disconnectSockets(close = false): Effect.Effect<void, AdapterError> {
    return this.#everywhere((namespace) => {
      namespace.disconnect(this.#target, close)
      return namespace.adapter?.disconnect(this.#target, close)
    })
  }

  #everywhere(
    act: (namespace: ServerNamespace) => Effect.Effect<void, AdapterError> | undefined
  ): Effect.Effect<void, AdapterError> {
    return Effect.suspend(() => {
      const namespace = this.#namespace()
      if (namespace === undefined) return Effect.void
      if (this.#local) {
        act(namespace)
        return Effect.void
      }
      return act(namespace) ?? Effect.void
    })
  }

  #remoteSocket(namespace: ServerNamespace, socket: SocketDescription): RemoteSocket<Namespace.Any> {
    const self = new BroadcastOperator(this.#namespace, new Set([socket.id]))
    const data = namespace.definition.contract.data.decode(socket.data)
    return {
      id: socket.id,
      handshake: socket.handshake as Handshake.Handshake,
      rooms: new Set(socket.rooms),
      data: Option.getOrUndefined(Exit.getSuccess(data)),
      emit: (name, ...args) => self.emit(name, ...args),
      join: (rooms) => self.socketsJoin(rooms),
      leave: (rooms) => self.socketsLeave(rooms),
      disconnect: (close) => self.disconnectSockets(close)
    }
  }
}
