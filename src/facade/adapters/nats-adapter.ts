/**
 * Entry "effect-socketio/facade/nats-adapter": adapters and an emitter over NATS, in Socket.IO's shapes. There is no official one.
 *
 * ```ts
 * import { connect } from "@nats-io/transport-node"
 * import { Server } from "effect-socketio/facade"
 * import { createJetStreamAdapter, Emitter } from "effect-socketio/facade/nats-adapter"
 *
 * const connection = await connect({ servers: "127.0.0.1:4222", maxReconnectAttempts: -1 })
 * const io = new Server({ adapter: createJetStreamAdapter(connection), connectionStateRecovery: {} })
 * new Emitter(connection, { jetStream: true }).of("/chat").to("lobby").emit("message", "hello")
 * ```
 *
 * The connection stays yours, and yours to close. The client gives up after ten attempts to reconnect unless it is told otherwise.
 */
import type { NatsConnection } from "@nats-io/transport-node"
import * as Layer from "effect/Layer"
import { Adapter, type AdapterError } from "../../adapter/Adapter.ts"
import type { ClusterOptions } from "../../adapter/ClusterAdapter.ts"
import * as NatsAdapter from "../../adapter/nats/NatsAdapter.ts"
import * as NatsEmitter from "../../adapter/nats/NatsEmitter.ts"
import type { NatsJetStreamOptions, NatsOptions } from "../../adapter/nats/NatsOptions.ts"
import type { DefaultEventsMap, EventsMap } from "../server/TypedEvents.ts"
import { BroadcastOperator, PortEmitter } from "./PortEmitter.ts"

export { BroadcastOperator } from "./PortEmitter.ts"

/** How servers watch and ask each other; names and defaults as in Socket.IO's adapters. All in milliseconds. */
interface Requests {
  /** Default 5,000. */
  readonly heartbeatInterval?: number | undefined
  /** Default 10,000. */
  readonly heartbeatTimeout?: number | undefined
  /** How long `fetchSockets` waits for the other servers. Default 5,000. */
  readonly requestsTimeout?: number | undefined
}

/** The options of `createAdapter`. */
export interface NatsAdapterOptions extends NatsOptions, Requests {}

/** The options of `createJetStreamAdapter`. */
export interface NatsJetStreamAdapterOptions extends NatsJetStreamOptions, Requests {}

const clusterOf = ({ heartbeatInterval, heartbeatTimeout, requestsTimeout }: Requests): ClusterOptions => ({
  heartbeatInterval,
  heartbeatTimeout,
  requestTimeout: requestsTimeout
})

const check = (connection: NatsConnection): void => {
  if (typeof connection?.publish !== "function" || typeof connection.subscribe !== "function") {
    throw new TypeError("this is no connection to NATS")
  }
}

/** The adapter over the core of NATS, for the option `adapter` and for `io.adapter()`. Throws a `TypeError` for what is no connection. */
export const createAdapter = (connection: NatsConnection, opts: NatsAdapterOptions = {}): Layer.Layer<Adapter> => {
  check(connection)
  return Layer.effect(Adapter, NatsAdapter.make(connection, { ...opts, cluster: clusterOf(opts) }))
}

/**
 * The adapter over JetStream, which stores, so that `connectionStateRecovery` works between servers. Throws a `TypeError` for what is no
 * connection. Where the server of NATS has no JetStream, that is told as a `listener_error`, and the server serves its own clients.
 */
export const createJetStreamAdapter = (
  connection: NatsConnection,
  opts: NatsJetStreamAdapterOptions = {}
): Layer.Layer<Adapter, AdapterError> => {
  check(connection)
  return Layer.effect(Adapter, NatsAdapter.makeJetStream(connection, { ...opts, cluster: clusterOf(opts) }))
}

/** The options of an `Emitter`; those that the adapters have, too, are to be the same. */
export interface EmitterOptions extends NatsEmitter.NatsJetStreamEmitterOptions {
  /** Whether the servers have the adapter over JetStream. Default false. */
  readonly jetStream?: boolean | undefined
}

/** Emits to the clients of a cluster, from a program that is no server of it. */
export class Emitter<
  EmitEvents extends EventsMap = DefaultEventsMap,
  ServerSideEvents extends EventsMap = DefaultEventsMap
> extends PortEmitter<EmitEvents, ServerSideEvents> {
  readonly connection: NatsConnection
  readonly opts: EmitterOptions

  /** For the main namespace, or the one that is named. Throws a `TypeError` for what is no connection. */
  constructor(connection: NatsConnection, opts: EmitterOptions = {}, nsp = "/") {
    check(connection)
    super(
      opts.jetStream === true ? NatsEmitter.portJetStream(connection, opts) : NatsEmitter.port(connection, opts),
      nsp
    )
    this.connection = connection
    this.opts = opts
  }

  /** An emitter for another namespace. */
  of<E extends EventsMap = EmitEvents, S extends EventsMap = ServerSideEvents>(nsp: string): Emitter<E, S> {
    return new Emitter(this.connection, this.opts, nsp.startsWith("/") ? nsp : `/${nsp}`)
  }
}

const requirable = { createAdapter, createJetStreamAdapter, Emitter, BroadcastOperator }

export { requirable as "module.exports" }
