/**
 * Events for many sockets: an immutable value that says whom, and how.
 */
import type * as Acks from "./Acks.ts"
import type * as Adapter from "./Adapter.ts"
import * as Contract from "./Contract.ts"
import * as Question from "./Question.ts"
import { RemoteSocket, type RemoteSocketDetails } from "./RemoteSocket.ts"
import * as ReservedEvents from "./ReservedEvents.ts"
import type {
  AllButLast,
  DecorateAcknowledgements,
  EventNames,
  EventNamesWithError,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  TypedEventBroadcaster,
  Unchecked
} from "./TypedEvents.ts"

const eventPacket = 2

const listOf = (room: string | Array<string>): Array<string> => (Array.isArray(room) ? room : [room])

/** Whom a broadcast is for, and how it travels. Every method gives a new value; rooms add up. */
export class BroadcastOperator<EmitEvents extends EventsMap, SocketData> implements TypedEventBroadcaster<EmitEvents> {
  readonly #adapter: Adapter.AdapterContract
  readonly #rooms: ReadonlySet<string>
  readonly #except: ReadonlySet<string>
  readonly #flags: Adapter.BroadcastFlags

  /** Normally made by `to`, `except` and the like. */
  constructor(
    adapter: Adapter.AdapterContract,
    rooms: ReadonlySet<string> = new Set(),
    exceptRooms: ReadonlySet<string> = new Set(),
    flags: Adapter.BroadcastFlags = {}
  ) {
    this.#adapter = adapter
    this.#rooms = rooms
    this.#except = exceptRooms
    this.#flags = flags
  }

  /** To these rooms too: to whoever is in one of them, once. */
  to(room: string | Array<string>): BroadcastOperator<EmitEvents, SocketData> {
    const rooms = new Set([...this.#rooms, ...listOf(room)])
    return new BroadcastOperator(this.#adapter, rooms, this.#except, this.#flags)
  }

  /** The same as `to`. */
  in(room: string | Array<string>): BroadcastOperator<EmitEvents, SocketData> {
    return this.to(room)
  }

  /** Not to those who are in these rooms. */
  except(room: string | Array<string>): BroadcastOperator<EmitEvents, SocketData> {
    const except = new Set([...this.#except, ...listOf(room)])
    return new BroadcastOperator(this.#adapter, this.#rooms, except, this.#flags)
  }

  /** Whether it may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData> {
    return this.#with({ compress })
  }

  /** Dropped for clients that cannot take it now. */
  get volatile(): BroadcastOperator<EmitEvents, SocketData> {
    return this.#with({ volatile: true })
  }

  /** To the sockets of this server only. */
  get local(): BroadcastOperator<EmitEvents, SocketData> {
    return this.#with({ local: true })
  }

  /** How many milliseconds acknowledgements may take. */
  timeout(timeout: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return this.#with({ timeout }) as Unchecked
  }

  #with(flags: Adapter.BroadcastFlags): BroadcastOperator<EmitEvents, SocketData> {
    return new BroadcastOperator(this.#adapter, this.#rooms, this.#except, { ...this.#flags, ...flags })
  }

  get #options(): Adapter.BroadcastOptions {
    return { rooms: new Set(this.#rooms), except: new Set(this.#except), flags: { ...this.#flags } }
  }

  /**
   * Sends an event. A function as the last argument gets an error, or `null`, and the answers of the clients. There is an error when one
   * of them did not answer in time or went before; without `timeout` the option `ackTimeout` of the server counts.
   */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    ReservedEvents.refuse(ReservedEvents.socketEvents, ev)
    const { _contract, name: nsp, server } = this.#adapter.nsp
    const name = String(ev)
    const last: unknown = args.at(-1)
    const callback = typeof last === "function" ? (args.pop() as Acks.AckCallback) : undefined
    const { data, event } =
      _contract === undefined ? { data: [ev, ...args], event: undefined } : Contract.encodeEvent(_contract, name, args)
    const packet = { type: eventPacket, nsp, data }
    if (callback === undefined) {
      this.#adapter.broadcast(packet, this.#options)
      return true
    }
    const reply: Acks.AckCallback = (...answer) => {
      try {
        callback(...answer)
      } catch (error) {
        server._listenerFailed(error, { event: name, namespace: nsp })
      }
    }
    Question.ask(
      this.#adapter,
      packet,
      this.#options,
      event === undefined
        ? reply
        : Contract.answeringMany(event, name, this.#flags.expectSingleResponse === true, reply)
    )
    return true
  }

  /**
   * Sends an event and waits for the answers of all clients. Rejects when one of them did not answer in time or went before: the
   * `responses` of the error are the answers that did come.
   */
  emitWithAck<Ev extends EventNamesWithError<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>> {
    return new Promise((resolve, reject) => {
      const settle: Acks.AckCallback = (error, responses) => {
        if (error === null) resolve(responses as Unchecked)
        else reject(Object.assign(error as Error, { responses }))
      }
      this.emit(ev, ...([...args, settle] as Unchecked))
    })
  }

  /** The ids of the sockets; of rooms only, exceptions do not count, as in Socket.IO. Use `fetchSockets`. */
  allSockets(): Promise<Set<string>> {
    return this.#adapter.sockets(new Set(this.#rooms))
  }

  /** The sockets that it would reach. */
  fetchSockets(): Promise<Array<RemoteSocket<EmitEvents, SocketData>>> {
    return this.#adapter.fetchSockets(this.#options).then((sockets) =>
      sockets.map((socket) => {
        // Sockets of this server come as they are: they can do all that a remote one can.
        if ("nsp" in socket) return socket as Unchecked as RemoteSocket<EmitEvents, SocketData>
        return this.#remote(socket as RemoteSocketDetails<SocketData>)
      })
    )
  }

  #remote(details: RemoteSocketDetails<SocketData>): RemoteSocket<EmitEvents, SocketData> {
    const operator = new BroadcastOperator<EmitEvents, SocketData>(
      this.#adapter,
      new Set([details.id]),
      undefined,
      // One socket answers, not many.
      { expectSingleResponse: true }
    )
    return new RemoteSocket(operator, details)
  }

  /** Puts the sockets into rooms. */
  socketsJoin(room: string | Array<string>): void {
    this.#adapter.addSockets(this.#options, listOf(room))
  }

  /** Takes the sockets out of rooms. */
  socketsLeave(room: string | Array<string>): void {
    this.#adapter.delSockets(this.#options, listOf(room))
  }

  /** Disconnects the sockets; with `close` also their connections. */
  disconnectSockets(close = false): void {
    this.#adapter.disconnectSockets(this.#options, close)
  }
}
