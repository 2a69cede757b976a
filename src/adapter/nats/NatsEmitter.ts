/**
 * Emitting to the clients of a cluster over NATS, from a program that is no node of it.
 *
 * ```ts
 * const program = Effect.gen(function* () {
 *   const emitter = yield* NatsEmitter.NatsEmitter
 *   yield* emitter.namespace(Chat).to("lobby").emit("message", "server", "hello")
 * }).pipe(Effect.provide(NatsEmitter.layerConfig()))
 * ```
 *
 * To nodes with the adapter over JetStream one emits with `layerJetStream`; what is emitted is in the log then, for clients that come back, too.
 */
import { jetstream } from "@nats-io/jetstream"
import { createInbox, type NatsConnection } from "@nats-io/transport-node"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AdapterError } from "../Adapter.ts"
import { type Body, type ClusterMessage, emitterUid, MessageType } from "../ClusterMessage.ts"
import * as Emitter from "../Emitter.ts"
import { connectionConfig } from "./NatsAdapter.ts"
import { subjectOf } from "./NatsBus.ts"
import { MessageTooLarge, rejected, unavailable } from "./NatsErrors.ts"
import { isRecoverable } from "./NatsJetStreamBus.ts"
import * as NatsLink from "./NatsLink.ts"
import * as Mailbox from "./NatsMailbox.ts"
import * as Options from "./NatsOptions.ts"
import * as Parts from "./NatsParts.ts"
import * as Streams from "./NatsStreams.ts"

/** Emits to the namespaces of a cluster. */
export class NatsEmitter extends Context.Service<NatsEmitter, Emitter.Emitters>()(
  "effect-socketio/adapter/nats/NatsEmitter"
) {}

/** Those options of the adapter over the core that concern what is written; they have to be the same. */
export type NatsEmitterOptions = Pick<Options.NatsOptions, "prefix" | "maxMessageSize">

/** Those options of the adapter over JetStream that concern what is written; they have to be the same. */
export type NatsJetStreamEmitterOptions = Pick<
  Options.NatsJetStreamOptions,
  "prefix" | "maxMessageSize" | "publishTimeout"
>

type Send = (message: ClusterMessage, bytes: Uint8Array) => Effect.Effect<void, AdapterError>

const portOf = (nsp: string, maxMessageSize: number, send: Send): Emitter.EmitterPort => {
  const emit = (body: Body): Effect.Effect<void, AdapterError> =>
    Effect.suspend(() => {
      const message = { uid: emitterUid, nsp, body }
      const encoded = Mailbox.encode(message, "emit", maxMessageSize)
      return "error" in encoded ? Effect.fail(encoded.error) : send(message, encoded.bytes)
    })
  return {
    emit: (target, event, flags) => emit({ type: MessageType.BROADCAST, target, flags, event, requestId: undefined }),
    join: (target, rooms) => emit({ type: MessageType.SOCKETS_JOIN, target, rooms }),
    leave: (target, rooms) => emit({ type: MessageType.SOCKETS_LEAVE, target, rooms }),
    disconnect: (target, close) => emit({ type: MessageType.DISCONNECT_SOCKETS, target, close }),
    serverSideEmit: (event) => emit({ type: MessageType.SERVER_SIDE_EMIT, event, requestId: undefined })
  }
}

const usualMaxPayload = 1024 * 1024

/** How an emitter writes for a namespace by the core of NATS: it succeeds when the server has read the message. */
export const port = (
  connection: NatsConnection,
  options: NatsEmitterOptions = {}
): ((namespace: string) => Emitter.EmitterPort) => {
  const { prefix, maxMessageSize } = Options.settings(options)
  const sender = createInbox().slice("_INBOX.".length)
  let number = 0
  return (nsp) =>
    portOf(nsp, maxMessageSize, (_, bytes) =>
      Effect.flatMap(subjectOf(prefix, nsp), (subject) =>
        Effect.tryPromise({
          try: () => {
            const maxPayload = connection.info?.max_payload ?? usualMaxPayload
            for (const { bytes: part, headers } of Parts.split(bytes, maxPayload, sender, number++)) {
              if (headers === undefined) connection.publish(subject, part)
              else connection.publish(subject, part, { headers })
            }
            // Rejects when the connection is lost before.
            return connection.flush()
          },
          catch: (cause) => unavailable("emit", cause)
        })
      )
    )
}

/** How an emitter writes for a namespace to the log: it succeeds when the message is stored. Nodes make the stream; without it this fails. */
export const portJetStream = (
  connection: NatsConnection,
  options: NatsJetStreamEmitterOptions = {}
): ((namespace: string) => Emitter.EmitterPort) => {
  const settings = Options.jetStreamSettings(options)
  const client = jetstream(connection, { timeout: settings.publishTimeout })
  return (nsp) =>
    portOf(nsp, settings.maxMessageSize, (message, bytes) => {
      const limit = (connection.info?.max_payload ?? usualMaxPayload) - Parts.headerRoom
      if (bytes.length > limit) {
        return Effect.fail(rejected("emit", new MessageTooLarge({ size: bytes.length, limit })))
      }
      return Effect.flatMap(subjectOf(Streams.logPrefix(settings), nsp), (log) =>
        Effect.asVoid(
          Effect.tryPromise({
            try: () => client.publish(`${log}.${isRecoverable(message) ? "event" : "other"}`, bytes),
            catch: (cause) => unavailable("emit", cause)
          })
        )
      )
    })
}

/** An emitter to nodes with the adapter over the core, on a connection that stays with whoever made it. */
export const make = (connection: NatsConnection, options: NatsEmitterOptions = {}): Emitter.Emitters =>
  Emitter.make(port(connection, options))

/** An emitter to nodes with the adapter over JetStream, on a connection that stays with whoever made it. */
export const makeJetStream = (
  connection: NatsConnection,
  options: NatsJetStreamEmitterOptions = {}
): Emitter.Emitters => Emitter.make(portJetStream(connection, options))

interface Connected {
  /** How to connect. Default: 127.0.0.1:4222. */
  readonly connection?: NatsLink.ConnectOptions | undefined
}

/** An emitter over a connection of its own, to be closed with the layer. Fails with `Unavailable` when NATS cannot be reached. */
export const layer = (options: NatsEmitterOptions & Connected = {}): Layer.Layer<NatsEmitter, AdapterError> =>
  Layer.effect(
    NatsEmitter,
    Effect.map(NatsLink.make(options.connection ?? {}), ({ connection }) => make(connection, options))
  )

/** The same to nodes with the adapter over JetStream. */
export const layerJetStream = (
  options: NatsJetStreamEmitterOptions & Connected = {}
): Layer.Layer<NatsEmitter, AdapterError> =>
  Layer.effect(
    NatsEmitter,
    Effect.map(NatsLink.make(options.connection ?? {}), ({ connection }) => makeJetStream(connection, options))
  )

const configured = <O extends Connected>(
  options: O,
  make: (options: O) => Layer.Layer<NatsEmitter, AdapterError>
): Layer.Layer<NatsEmitter, AdapterError | Config.ConfigError> =>
  Layer.unwrap(
    Effect.map(connectionConfig, (connection) =>
      make({ ...options, connection: { ...connection, ...options.connection } })
    )
  )

/** As `layer`, with what `NatsAdapter.connectionConfig` says beneath `options.connection`. */
export const layerConfig = (
  options: NatsEmitterOptions & Connected = {}
): Layer.Layer<NatsEmitter, AdapterError | Config.ConfigError> => configured(options, layer)

/** As `layerJetStream`, with what `NatsAdapter.connectionConfig` says beneath `options.connection`. */
export const layerJetStreamConfig = (
  options: NatsJetStreamEmitterOptions & Connected = {}
): Layer.Layer<NatsEmitter, AdapterError | Config.ConfigError> => configured(options, layerJetStream)
