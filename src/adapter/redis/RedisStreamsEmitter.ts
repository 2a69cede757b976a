/**
 * Emitting to the clients of a cluster over Redis Streams, from a program that is no node: the format of `@socket.io/redis-streams-emitter`. What is
 * emitted is in the log like the events of nodes, so clients that come back get it, too.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const emitter = yield* RedisStreamsEmitter.RedisStreamsEmitter
 *   yield* emitter.namespace(Chat).to("lobby").emit("message", "server", "hello")
 * }).pipe(Effect.provide(RedisStreamsEmitter.layerConfig({ url: Config.String("REDIS_URL") })))
 * ```
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AdapterError } from "../Adapter.ts"
import { type Body, emitterUid, MessageType } from "../ClusterMessage.ts"
import * as Emitter from "../Emitter.ts"
import * as RedisClient from "./RedisClient.ts"
import * as RedisConnection from "./RedisConnection.ts"
import * as Commands from "./RedisStreamCommands.ts"
import * as StreamEntry from "./RedisStreamEntry.ts"
import * as Names from "./RedisStreamNames.ts"
import * as Options from "./RedisStreamsOptions.ts"

/** Emits to the namespaces of a cluster. */
export class RedisStreamsEmitter extends Context.Service<RedisStreamsEmitter, Emitter.Emitters>()(
  "effect-socketio/adapter/redis/RedisStreamsEmitter"
) {}

/** Those options of the adapters that concern what is written; they have to be the same. */
export type RedisStreamsEmitterOptions = Pick<
  Options.RedisStreamsOptions,
  "streamName" | "streamCount" | "maxLen" | "onlyPlaintext"
>

const operations = {
  [MessageType.BROADCAST]: "emit",
  [MessageType.SOCKETS_JOIN]: "socketsJoin",
  [MessageType.SOCKETS_LEAVE]: "socketsLeave",
  [MessageType.DISCONNECT_SOCKETS]: "disconnectSockets",
  [MessageType.SERVER_SIDE_EMIT]: "serverSideEmit"
} as const

/** What emitters say. */
type Emitted = Extract<Body, { readonly type: keyof typeof operations }>

const portOf = (
  client: RedisClient.RedisClient,
  settings: Options.RedisStreamsSettings,
  offline: "fail" | "queue",
  nsp: string
): Emitter.EmitterPort => {
  const stream = Names.streamOf(nsp, settings)
  const { onlyPlaintext } = settings
  const append = (body: Emitted): Effect.Effect<void, AdapterError> =>
    Effect.suspend(() => {
      const failed = (reason: "Rejected" | "Unavailable", cause: unknown): AdapterError =>
        new AdapterError({ reason, operation: operations[body.type], cause })
      const fields = StreamEntry.fields({ uid: emitterUid, nsp, body }, undefined, { onlyPlaintext, nspInPacket: true })
      if ("_tag" in fields) return Effect.fail(failed("Rejected", fields.cause))
      // Clients queue what they cannot send, and whoever emits would wait for nobody knows how long.
      if (offline === "fail" && !client.ready) {
        return Effect.fail(failed("Unavailable", new Error("the connection to Redis is lost")))
      }
      const sent = Effect.tryPromise({
        try: () => client.command(stream, Commands.append(stream, settings.maxLen, fields)),
        catch: (cause) => failed("Unavailable", cause)
      })
      return Effect.asVoid(sent)
    })
  return {
    emit: (target, event, flags) => append({ type: MessageType.BROADCAST, target, flags, event, requestId: undefined }),
    join: (target, rooms) => append({ type: MessageType.SOCKETS_JOIN, target, rooms }),
    leave: (target, rooms) => append({ type: MessageType.SOCKETS_LEAVE, target, rooms }),
    disconnect: (target, close) => append({ type: MessageType.DISCONNECT_SOCKETS, target, close }),
    serverSideEmit: (event) => append({ type: MessageType.SERVER_SIDE_EMIT, event, requestId: undefined })
  }
}

/**
 * How an emitter writes for a namespace, over a view of a client: for those who have their own way of emitting. While the client is not connected
 * emitting fails, or is left to the `queue` of the client.
 */
export const port = (
  client: RedisClient.RedisClient,
  options: RedisStreamsEmitterOptions = {},
  offline: "fail" | "queue" = "fail"
): ((namespace: string) => Emitter.EmitterPort) => {
  const settings = Options.settings(options)
  return (namespace) => portOf(client, settings, offline, namespace)
}

/** An emitter over a client of `redis` (from 4 on) or `ioredis` (from 5 on), which stays with whoever made it. Throws a `TypeError` for anything else. */
export const make = (client: unknown, options: RedisStreamsEmitterOptions = {}): Emitter.Emitters =>
  Emitter.make(port(RedisClient.from(client), options))

/** Options of the emitter, and where Redis is. */
export interface LayerOptions extends RedisStreamsEmitterOptions, RedisConnection.ConnectionOptions {}

/** An emitter over a connection of its own, to be closed with the layer. */
export const layer = (options: LayerOptions = {}): Layer.Layer<RedisStreamsEmitter, AdapterError> =>
  Layer.effect(
    RedisStreamsEmitter,
    Effect.map(RedisConnection.acquire(options), (client) => Emitter.make(port(client, options)))
  )

/** The same, with the url and options from the configuration; `options` are all others. */
export const layerConfig = (
  config: Config.Wrap<RedisConnection.ConnectionConfig & RedisStreamsEmitterOptions>,
  options: LayerOptions = {}
): Layer.Layer<RedisStreamsEmitter, AdapterError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(RedisConnection.configured(config, options), layer))
