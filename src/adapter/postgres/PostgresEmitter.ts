/**
 * Emitting to the clients of a cluster over PostgreSQL, from a program that is no node.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const emitter = yield* PostgresEmitter.PostgresEmitter
 *   yield* emitter.namespace(Chat).to("lobby").emit("message", "server", "hello")
 * }).pipe(Effect.provide(PostgresEmitter.layerConfig({ url: Config.Redacted("DATABASE_URL") })))
 * ```
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { AdapterError } from "../Adapter.ts"
import { type Body, MessageType } from "../ClusterMessage.ts"
import * as Emitter from "../Emitter.ts"
import { type ConnectionOptions, makePool } from "./PostgresAdapter.ts"
import type { PostgresPool } from "./PostgresConnection.ts"
import { Emission, type EmitterOptions } from "./PostgresEmission.ts"

/** Emits to the namespaces of a cluster. */
export class PostgresEmitter extends Context.Service<PostgresEmitter, Emitter.Emitters>()(
  "effect-socketio/adapter/postgres/PostgresEmitter"
) {}

const portOf = (emission: Emission, namespace: string): Emitter.EmitterPort => {
  const send = (body: Body): Effect.Effect<void, AdapterError> =>
    Effect.flatMap(emission.channel(namespace), (channel) =>
      Effect.callback<void, AdapterError>((resume) =>
        emission.send(namespace, channel, body, (error) =>
          resume(error === undefined ? Effect.void : Effect.fail(error))
        )
      )
    )
  return {
    emit: (target, event, flags) => send({ type: MessageType.BROADCAST, target, event, flags, requestId: undefined }),
    join: (target, rooms) => send({ type: MessageType.SOCKETS_JOIN, target, rooms }),
    leave: (target, rooms) => send({ type: MessageType.SOCKETS_LEAVE, target, rooms }),
    disconnect: (target, close) => send({ type: MessageType.DISCONNECT_SOCKETS, target, close }),
    serverSideEmit: (event) => send({ type: MessageType.SERVER_SIDE_EMIT, event, requestId: undefined })
  }
}

/** An emitter over a `Pool` of `pg`, which stays with whoever made it. Messages leave one after the other. */
export const make = (pool: PostgresPool, options: EmitterOptions = {}): Emitter.Emitters => {
  const emission = new Emission(pool, options)
  return Emitter.make((namespace) => portOf(emission, namespace))
}

/** Options of the emitter, and where PostgreSQL is. */
export interface LayerOptions extends EmitterOptions, ConnectionOptions {}

/** An emitter over connections of its own, made when they are needed and closed with the layer. */
export const layer = (options: LayerOptions = {}): Layer.Layer<PostgresEmitter> =>
  Layer.effect(
    PostgresEmitter,
    Effect.map(makePool(options), (pool) => make(pool, options))
  )

/** The same, with the url and options from the configuration; `options` are all others. */
export const layerConfig = (
  config: Config.Wrap<EmitterOptions & { readonly url: Redacted.Redacted<string> }>,
  options: LayerOptions = {}
): Layer.Layer<PostgresEmitter, Config.ConfigError> =>
  Layer.unwrap(Effect.map(Config.unwrap(config), (configured) => layer({ ...options, ...configured })))
