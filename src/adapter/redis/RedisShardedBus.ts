/**
 * Redis as a broker over sharded Pub/Sub (Redis 7 and newer): in a cluster of Redis a message travels to one shard instead of all nodes, and
 * nodes hear only of rooms that have members there.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { AdapterError } from "../Adapter.ts"
import type { Broker, BusRequest, ClusterBus, Membership, Published } from "../ClusterBus.ts"
import * as ClusterCodec from "../ClusterCodec.ts"
import { type ClusterMessage, MessageType } from "../ClusterMessage.ts"
import * as Channels from "./RedisChannels.ts"
import type { Subscription } from "./RedisClient.ts"
import type { Link } from "./RedisLink.ts"
import { MovedRooms } from "./RedisMovedRooms.ts"

/**
 * Which rooms have a channel of their own: with `dynamic` all but those that each socket is in alone, with `dynamic-private` these, too, with
 * `static` none. The same on all nodes of a cluster.
 */
export type SubscriptionMode = "dynamic" | "static" | "dynamic-private"

/** How messages are carried. */
export interface BusSettings {
  readonly channelPrefix: string
  readonly subscriptionMode: SubscriptionMode
  /** Bytes. */
  readonly maxMessageSize: number
}

/** Official nodes take a room whose name is so long for that of a socket. */
const socketIdLength = 20

const hasOwnChannel = (mode: SubscriptionMode, room: string): boolean => {
  switch (mode) {
    case "dynamic":
      return room.length !== socketIdLength
    case "dynamic-private":
      return true
    case "static":
      return false
  }
}

const failed = (reason: "Rejected" | "Unavailable", operation: string, cause: unknown): Published => ({
  _tag: "Failed",
  error: new AdapterError({ reason, operation, cause })
})

class RedisShardedBus implements ClusterBus {
  readonly membership: Membership
  readonly #request: BusRequest
  readonly #link: Link
  readonly #settings: BusSettings
  readonly #channel: string
  readonly #codec: ClusterCodec.CodecOptions
  readonly #rooms = new Map<string, Subscription>()
  readonly #moved: MovedRooms
  #closed = false

  constructor(request: BusRequest, link: Link, settings: BusSettings, moved: MovedRooms) {
    this.#moved = moved
    this.#request = request
    this.#link = link
    this.#settings = settings
    this.#channel = `${settings.channelPrefix}#${request.namespace}#`
    this.#codec = { maxSize: settings.maxMessageSize }
    this.membership = { _tag: "Counted", count: link.subscribers("shard", this.#channel) }
  }

  readonly open: Effect.Effect<void, AdapterError, Scope.Scope> = Effect.gen({ self: this }, function* () {
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        this.#closed = true
        for (const subscription of this.#rooms.values()) subscription.close()
        this.#rooms.clear()
      })
    )
    const own = Channels.below(this.#channel, this.#request.uid)
    yield* Effect.all(
      [
        this.#link.subscribe("shard", this.#channel, this.#onMessage),
        this.#link.subscribe("shard", own, this.#onMessage)
      ],
      { concurrency: "unbounded", discard: true }
    )
  })

  publish(message: ClusterMessage, done: (published: Published) => void): void {
    const { body } = message
    if (body.type === MessageType.SOCKETS_JOIN) for (const room of body.rooms) this.#moved.add(room)
    this.#send(this.#channelOf(message), message, done)
  }

  publishTo(uid: string, message: ClusterMessage, done: (published: Published) => void): void {
    this.#send(Channels.below(this.#channel, uid), message, done)
  }

  /** The channel of a room hears what is for that room alone; of what is to be answered it is known only how many hear all. */
  #channelOf({ body }: ClusterMessage): string {
    if (body.type !== MessageType.BROADCAST || body.requestId !== undefined) return this.#channel
    const { rooms } = body.target
    if (rooms.size !== 1) return this.#channel
    const room = rooms.values().next().value!
    // Nodes whose sockets we have just put there need a moment to subscribe; the channel of the namespace they hear.
    const own = hasOwnChannel(this.#settings.subscriptionMode, room) && !this.#moved.has(room)
    return own ? Channels.below(this.#channel, room) : this.#channel
  }

  #send(channel: string, message: ClusterMessage, done: (published: Published) => void): void {
    if (this.#closed) return done(failed("Unavailable", "publish", new Error("the bus is closed")))
    const encoded = ClusterCodec.encode(message, this.#codec)
    if (encoded._tag === "EncodeFailure") {
      return done(failed("Rejected", "publish", encoded.cause ?? new TypeError(encoded.message)))
    }
    this.#link.publish("shard", channel, encoded.payload, done)
  }

  readonly #onMessage = (payload: Uint8Array): void => {
    if (this.#closed) return
    const message = ClusterCodec.decode(payload, this.#request.namespace, this.#codec)
    if (message === undefined) this.#link.counters.ignored++
    else this.#request.sink.onMessage(message, undefined)
  }

  // ---- rooms

  roomCreated(room: string): void {
    if (this.#closed || this.#rooms.has(room) || !hasOwnChannel(this.#settings.subscriptionMode, room)) return
    const channel = Channels.below(this.#channel, room)
    this.#rooms.set(room, this.#link.subscribeUnsafe("shard", channel, this.#onMessage))
  }

  roomDeleted(room: string): void {
    this.#rooms.get(room)?.close()
    this.#rooms.delete(room)
  }

  subscribed(room: string): Effect.Effect<void, AdapterError> {
    return Effect.suspend(() => {
      const subscription = this.#rooms.get(room)
      return subscription === undefined ? Effect.void : this.#link.awaitActive(subscription.active)
    })
  }
}

/** The broker over a link. */
export const make = (link: Link, settings: BusSettings): Broker => ({
  name: "redis-sharded",
  health: link.health.changes,
  counters: link.counters,
  open: (request) =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const moved = new MovedRooms(() => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n))
      const bus = new RedisShardedBus(request, link, settings, moved)
      yield* bus.open
      return bus
    })
})
