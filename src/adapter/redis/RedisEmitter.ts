/**
 * Emitting to the clients of a cluster over plain Redis Pub/Sub, from a program that is no node: the format of `@socket.io/redis-emitter`.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const emitter = yield* RedisEmitter.RedisEmitter
 *   yield* emitter.namespace(Chat).to("lobby").emit("message", "server", "hello")
 * }).pipe(Effect.provide(RedisEmitter.layerConfig({ url: Config.String("REDIS_URL") })))
 * ```
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AdapterError } from "../Adapter.ts"
import * as Fields from "../ClusterFields.ts"
import { emitterUid } from "../ClusterMessage.ts"
import * as Emitter from "../Emitter.ts"
import * as Channels from "./RedisChannels.ts"
import * as RedisClient from "./RedisClient.ts"
import * as RedisConnection from "./RedisConnection.ts"
import { encodeEmitted, encodeRequest, msgpack, type RedisParser, type Request, RequestType } from "./RedisMessage.ts"

/** Emits to the namespaces of a cluster. */
export class RedisEmitter extends Context.Service<RedisEmitter, Emitter.Emitters>()(
  "effect-socketio/adapter/redis/RedisEmitter"
) {}

/** Options with the names, meanings and defaults of `@socket.io/redis-emitter`. */
export interface RedisEmitterOptions {
  /** The beginning of the names of channels; that of the adapters. Default "socket.io". */
  readonly key?: string | undefined
  /** How values become bytes; that of the adapters. Default: msgpack. */
  readonly parser?: RedisParser | undefined
}

const portOf = (client: RedisClient.RedisClient, options: RedisEmitterOptions, nsp: string): Emitter.EmitterPort => {
  const parser = options.parser ?? msgpack
  const channels = Channels.plain(options.key ?? "socket.io", nsp)
  const publish = (
    operation: string,
    channel: string,
    encode: () => RedisClient.Payload
  ): Effect.Effect<void, AdapterError> =>
    Effect.suspend(() => {
      const failed = (reason: "Rejected" | "Unavailable", cause: unknown): AdapterError =>
        new AdapterError({ reason, operation, cause })
      let payload: RedisClient.Payload
      try {
        payload = encode()
      } catch (cause) {
        return Effect.fail(failed("Rejected", cause))
      }
      // Clients queue what they cannot send, and whoever emits would wait for nobody knows how long.
      if (!client.ready) return Effect.fail(failed("Unavailable", new Error("the connection to Redis is lost")))
      const sent = Effect.tryPromise({
        try: () => client.publish(channel, payload),
        catch: (cause) => failed("Unavailable", cause)
      })
      return Effect.asVoid(sent)
    })
  const request = (operation: string, uid: string | undefined, value: Request): Effect.Effect<void, AdapterError> =>
    publish(operation, channels.request, () => encodeRequest(parser, uid, nsp, value))
  return {
    emit: (target, event, flags) => {
      const channel =
        target.rooms.size === 1
          ? Channels.below(channels.broadcast, target.rooms.values().next().value!)
          : channels.broadcast
      return publish("emit", channel, () => encodeEmitted(parser, nsp, target, event, Fields.wireFlags(flags)))
    },
    join: (target, rooms) =>
      request("socketsJoin", undefined, {
        type: RequestType.REMOTE_JOIN,
        addressees: { _tag: "Target", target },
        rooms
      }),
    leave: (target, rooms) =>
      request("socketsLeave", undefined, {
        type: RequestType.REMOTE_LEAVE,
        addressees: { _tag: "Target", target },
        rooms
      }),
    disconnect: (target, close) =>
      request("disconnectSockets", undefined, {
        type: RequestType.REMOTE_DISCONNECT,
        addressees: { _tag: "Target", target },
        close
      }),
    serverSideEmit: (event) =>
      request("serverSideEmit", emitterUid, { type: RequestType.SERVER_SIDE_EMIT, event, requestId: undefined })
  }
}

/** An emitter over a client of `redis` (from 4 on) or `ioredis` (from 5 on), which stays with whoever made it. Throws a `TypeError` for anything else. */
export const make = (client: unknown, options: RedisEmitterOptions = {}): Emitter.Emitters => {
  const view = RedisClient.from(client)
  return Emitter.make((namespace) => portOf(view, options, namespace))
}

/** Options of the emitter, and where Redis is. */
export interface LayerOptions extends RedisEmitterOptions, RedisConnection.ConnectionOptions {}

/** An emitter over a connection of its own, to be closed with the layer. */
export const layer = (options: LayerOptions = {}): Layer.Layer<RedisEmitter, AdapterError> =>
  Layer.effect(
    RedisEmitter,
    Effect.map(RedisConnection.acquire(options), (client) =>
      Emitter.make((namespace) => portOf(client, options, namespace))
    )
  )

/** The same, with the url and options from the configuration; `options` are all others. */
export const layerConfig = (
  config: Config.Wrap<RedisConnection.ConnectionConfig & { readonly key?: string }>,
  options: LayerOptions = {}
): Layer.Layer<RedisEmitter, AdapterError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(RedisConnection.configured(config, options), layer))
