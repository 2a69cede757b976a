/**
 * The adapters over NATS: `layer` for the core of NATS, `layerJetStream` for JetStream, which stores and so can recover sockets.
 *
 * ```ts
 * import { NatsAdapter } from "effect-socketio/nats"
 *
 * const AdapterLive = NatsAdapter.layer({ connection: { servers: "nats://127.0.0.1:4222" } })
 * ```
 */
import type { NatsConnection } from "@nats-io/transport-node"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Adapter, type AdapterError } from "../Adapter.ts"
import * as ClusterAdapter from "../ClusterAdapter.ts"
import * as NatsBus from "./NatsBus.ts"
import * as NatsJetStreamBus from "./NatsJetStreamBus.ts"
import * as NatsLink from "./NatsLink.ts"
import type { NatsJetStreamOptions, NatsOptions } from "./NatsOptions.ts"

/** How nodes ask each other, and where NATS is. */
interface Common {
  /** How to connect; everything that the client of NATS takes. Default: 127.0.0.1:4222. */
  readonly connection?: NatsLink.ConnectOptions | undefined
  /** How nodes watch and ask each other. */
  readonly cluster?: ClusterAdapter.ClusterOptions | undefined
}

/** The options of `layer`. */
export interface Options extends NatsOptions, Common {}

/** The options of `layerJetStream`. */
export interface JetStreamOptions extends NatsJetStreamOptions, Common {}

/** The adapter over the core of NATS, on a connection that belongs to the program: it is neither drained nor closed. */
export const make = (
  connection: NatsConnection,
  options: Omit<Options, "connection"> = {}
): Effect.Effect<Adapter["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const link = yield* NatsLink.watch(connection)
    return ClusterAdapter.make(yield* NatsBus.make(link, options), options.cluster)
  })

/** The adapter over JetStream, on a connection that belongs to the program. Fails with `Unavailable` where the server has no JetStream. */
export const makeJetStream = (
  connection: NatsConnection,
  options: Omit<JetStreamOptions, "connection"> = {}
): Effect.Effect<Adapter["Service"], AdapterError, Scope.Scope> =>
  Effect.gen(function* () {
    const link = yield* NatsLink.watch(connection)
    return ClusterAdapter.make(yield* NatsJetStreamBus.make(link, options), options.cluster)
  })

/** The adapter over the core of NATS, with a connection of its own. Fails with `Unavailable` when NATS cannot be reached. */
export const layer = (options: Options = {}): Layer.Layer<Adapter, AdapterError> =>
  Layer.effect(
    Adapter,
    Effect.gen(function* () {
      const link = yield* NatsLink.make(options.connection ?? {})
      return ClusterAdapter.make(yield* NatsBus.make(link, options), options.cluster)
    })
  )

/** The adapter over JetStream, with a connection of its own. Fails with `Unavailable` when NATS cannot be reached or has no JetStream. */
export const layerJetStream = (options: JetStreamOptions = {}): Layer.Layer<Adapter, AdapterError> =>
  Layer.effect(
    Adapter,
    Effect.gen(function* () {
      const link = yield* NatsLink.make(options.connection ?? {})
      return ClusterAdapter.make(yield* NatsJetStreamBus.make(link, options), options.cluster)
    })
  )

/**
 * Where NATS is, from the configuration: `NATS_URL` (servers, parted by commas; default 127.0.0.1:4222), `NATS_NAME`, and `NATS_TOKEN` or
 * `NATS_USER` with `NATS_PASSWORD`.
 */
export const connectionConfig: Config.Config<NatsLink.ConnectOptions> = Config.all({
  servers: Config.String("NATS_URL").pipe(Config.withDefault("127.0.0.1:4222")),
  name: Config.option(Config.String("NATS_NAME")),
  token: Config.option(Config.Redacted("NATS_TOKEN")),
  user: Config.option(Config.String("NATS_USER")),
  pass: Config.option(Config.Redacted("NATS_PASSWORD"))
}).pipe(
  Config.map(({ servers, name, token, user, pass }) => ({
    servers: servers.split(",").map((server) => server.trim()),
    ...(Option.isSome(name) ? { name: name.value } : {}),
    ...(Option.isSome(token) ? { token: Redacted.value(token.value) } : {}),
    ...(Option.isSome(user) ? { user: user.value } : {}),
    ...(Option.isSome(pass) ? { pass: Redacted.value(pass.value) } : {})
  }))
)

const configured = <O extends Common, A, E>(
  options: O,
  make: (options: O) => Layer.Layer<A, E>
): Layer.Layer<A, E | Config.ConfigError> =>
  Layer.unwrap(
    Effect.map(connectionConfig, (connection) =>
      make({ ...options, connection: { ...connection, ...options.connection } })
    )
  )

/** As `layer`, with what `connectionConfig` says beneath `options.connection`. */
export const layerConfig = (options: Options = {}): Layer.Layer<Adapter, AdapterError | Config.ConfigError> =>
  configured(options, layer)

/** As `layerJetStream`, with what `connectionConfig` says beneath `options.connection`. */
export const layerJetStreamConfig = (
  options: JetStreamOptions = {}
): Layer.Layer<Adapter, AdapterError | Config.ConfigError> => configured(options, layerJetStream)
