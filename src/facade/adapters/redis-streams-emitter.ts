/**
 * Entry "effect-socketio/facade/redis-streams-emitter": the class `Emitter` as `@socket.io/redis-streams-emitter` has it.
 *
 * ```ts
 * import { Emitter } from "effect-socketio/facade/redis-streams-emitter"
 *
 * const emitter = new Emitter(redisClient)
 * emitter.of("/chat").to("lobby").emit("message", "hello")
 * ```
 *
 * The client is one of `redis` (from 4 on) or `ioredis` (from 5 on) and stays yours. What could not be published is told by a warning of the
 * process, once for each failure in a row of them.
 */
import * as RedisClient from "../../adapter/redis/RedisClient.ts"
import * as RedisStreamsEmitter from "../../adapter/redis/RedisStreamsEmitter.ts"
import type { DefaultEventsMap, EventsMap } from "../server/TypedEvents.ts"
import { BroadcastOperator, PortEmitter } from "./PortEmitter.ts"

export { BroadcastOperator } from "./PortEmitter.ts"

/** The options of the official package; `streamCount` and `onlyPlaintext` are to be those of the adapters. */
export type RedisStreamsEmitterOptions = RedisStreamsEmitter.RedisStreamsEmitterOptions

/** Emits to the clients of a cluster, from a program that is no server of it. */
export class Emitter<
  EmitEvents extends EventsMap = DefaultEventsMap,
  ServerSideEvents extends EventsMap = DefaultEventsMap
> extends PortEmitter<EmitEvents, ServerSideEvents> {
  readonly redisClient: unknown
  readonly opts: RedisStreamsEmitterOptions

  /** For the main namespace, or the one that is named. Throws a `TypeError` for what is no client of Redis. */
  constructor(redisClient: unknown, opts: RedisStreamsEmitterOptions = {}, nsp = "/") {
    super(RedisStreamsEmitter.port(RedisClient.from(redisClient), opts, "queue"), nsp)
    this.redisClient = redisClient
    this.opts = opts
  }

  /** An emitter for another namespace. */
  of<E extends EventsMap = EmitEvents, S extends EventsMap = ServerSideEvents>(nsp: string): Emitter<E, S> {
    return new Emitter(this.redisClient, this.opts, nsp.startsWith("/") ? nsp : `/${nsp}`)
  }
}

const requirable = { Emitter, BroadcastOperator }

export { requirable as "module.exports" }
