/**
 * Entry "effect-socketio/facade/redis-emitter": the class `Emitter` as `@socket.io/redis-emitter` has it.
 *
 * ```ts
 * import { Emitter } from "effect-socketio/facade/redis-emitter"
 *
 * const emitter = new Emitter(redisClient)
 * emitter.of("/chat").to("lobby").emit("message", "hello")
 * ```
 *
 * The client is one of `redis` (from 4 on) or `ioredis` (from 5 on) and stays yours. What could not be published is told by a warning of the
 * process, once for each failure in a row of them.
 */
import * as Channels from "../../adapter/redis/RedisChannels.ts"
import * as RedisClient from "../../adapter/redis/RedisClient.ts"
import {
  encodeEmitted,
  encodeRequest,
  msgpack,
  type RedisParser,
  type Request,
  RequestType
} from "../../adapter/redis/RedisMessage.ts"
import { emitterUid } from "../../adapter/ClusterMessage.ts"
import * as ReservedEvents from "../server/ReservedEvents.ts"
import type {
  DefaultEventsMap,
  EventNames,
  EventParams,
  EventsMap,
  TypedEventBroadcaster,
  Unchecked
} from "../server/TypedEvents.ts"

/** The options of the official package. */
export interface EmitterOptions {
  /** The beginning of the names of channels; that of the adapters. Default "socket.io". */
  key?: string
  /** How values become bytes; that of the adapters. Default: msgpack. */
  parser?: RedisParser
}

/** The flags of a broadcast. */
export interface BroadcastFlags {
  volatile?: boolean
  compress?: boolean
}

/** Publishes for one namespace. */
class Publisher {
  readonly parser: RedisParser
  readonly nsp: string
  readonly channels: Channels.PlainChannels
  readonly #client: RedisClient.RedisClient
  #warned = false

  constructor(client: RedisClient.RedisClient, opts: EmitterOptions, nsp: string) {
    this.#client = client
    this.parser = opts.parser ?? msgpack
    this.nsp = nsp
    this.channels = Channels.plain(opts.key ?? "socket.io", nsp)
  }

  publish(channel: string, payload: RedisClient.Payload): void {
    const sent = async (): Promise<unknown> => this.#client.publish(channel, payload)
    sent().then(
      () => {
        this.#warned = false
      },
      (error: unknown) => {
        if (this.#warned) return
        this.#warned = true
        process.emitWarning(`the emitter of "${this.nsp}" could not publish: ${String(error)}`, "EmitterWarning")
      }
    )
  }

  request(uid: string | undefined, request: Request): void {
    this.publish(this.channels.request, encodeRequest(this.parser, uid, this.nsp, request))
  }
}

const listOf = (rooms: string | Array<string>): Array<string> => (Array.isArray(rooms) ? rooms : [rooms])

/** Whom something is for, and how it travels. Every method gives a new value; rooms add up. */
export class BroadcastOperator<EmitEvents extends EventsMap> implements TypedEventBroadcaster<EmitEvents> {
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
  to(room: string | Array<string>): BroadcastOperator<EmitEvents> {
    const rooms = new Set([...this.#rooms, ...listOf(room)])
    return new BroadcastOperator(this.#publisher, rooms, this.#except, this.#flags)
  }

  /** The same as `to`. */
  in(room: string | Array<string>): BroadcastOperator<EmitEvents> {
    return this.to(room)
  }

  /** Not to those who are in these rooms. */
  except(room: string | Array<string>): BroadcastOperator<EmitEvents> {
    const except = new Set([...this.#except, ...listOf(room)])
    return new BroadcastOperator(this.#publisher, this.#rooms, except, this.#flags)
  }

  /** Whether it may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents> {
    return this.#with({ compress })
  }

  /** Dropped for clients that cannot take it now. */
  get volatile(): BroadcastOperator<EmitEvents> {
    return this.#with({ volatile: true })
  }

  /** Sends an event to clients; always true. Throws for names that Socket.IO keeps for itself. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
    ReservedEvents.refuse(ReservedEvents.socketEvents, ev)
    const { channels, nsp, parser } = this.#publisher
    const data: [string, ...Array<unknown>] = [ev as string, ...args]
    const target = { rooms: this.#rooms, except: this.#except }
    const [room] = this.#rooms
    const channel =
      room !== undefined && this.#rooms.size === 1 ? Channels.below(channels.broadcast, room) : channels.broadcast
    this.#publisher.publish(channel, encodeEmitted(parser, nsp, target, { data }, { ...this.#flags }))
    return true
  }

  /** Puts the selected sockets into rooms. */
  socketsJoin(rooms: string | Array<string>): void {
    this.#publisher.request(undefined, {
      type: RequestType.REMOTE_JOIN,
      addressees: this.#addressees,
      rooms: listOf(rooms)
    })
  }

  /** Takes the selected sockets out of rooms. */
  socketsLeave(rooms: string | Array<string>): void {
    this.#publisher.request(undefined, {
      type: RequestType.REMOTE_LEAVE,
      addressees: this.#addressees,
      rooms: listOf(rooms)
    })
  }

  /** Disconnects the selected sockets from the namespace; with `close` also closes their connections. */
  disconnectSockets(close = false): void {
    this.#publisher.request(undefined, { type: RequestType.REMOTE_DISCONNECT, addressees: this.#addressees, close })
  }

  get #addressees() {
    return { _tag: "Target", target: { rooms: this.#rooms, except: this.#except } } as const
  }

  #with(flags: BroadcastFlags): BroadcastOperator<EmitEvents> {
    return new BroadcastOperator(this.#publisher, this.#rooms, this.#except, { ...this.#flags, ...flags })
  }
}

/** Emits to the clients of a cluster, from a program that is no server of it. */
export class Emitter<
  EmitEvents extends EventsMap = DefaultEventsMap,
  ServerSideEvents extends EventsMap = DefaultEventsMap
> {
  readonly redisClient: unknown
  readonly opts: EmitterOptions
  readonly nsp: string
  readonly #publisher: Publisher

  /** For the main namespace, or the one that is named. Throws a `TypeError` for what is no client of Redis. */
  constructor(redisClient: unknown, opts: EmitterOptions = {}, nsp = "/") {
    this.redisClient = redisClient
    this.opts = opts
    this.nsp = nsp
    this.#publisher = new Publisher(RedisClient.from(redisClient), opts, nsp)
  }

  /** An emitter for another namespace. */
  of<E extends EventsMap = EmitEvents, S extends EventsMap = ServerSideEvents>(nsp: string): Emitter<E, S> {
    return new Emitter(this.redisClient, this.opts, nsp.startsWith("/") ? nsp : `/${nsp}`)
  }

  /** Sends an event to all clients; always true. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean {
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
    this.#publisher.request(emitterUid, {
      type: RequestType.SERVER_SIDE_EMIT,
      event: { data },
      requestId: undefined
    })
  }

  #operator(): BroadcastOperator<EmitEvents> {
    return new BroadcastOperator(this.#publisher)
  }
}

const requirable = { Emitter, BroadcastOperator }

export { requirable as "module.exports" }
