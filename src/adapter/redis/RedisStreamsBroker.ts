/**
 * The broker over Redis Streams with its connections: over a client that a program has made, or over connections of its own.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { AdapterError } from "../Adapter.ts"
import type { Broker } from "../ClusterBus.ts"
import * as Connections from "./RedisStreamConnections.ts"
import * as Health from "./RedisStreamHealth.ts"
import * as Link from "./RedisStreamLink.ts"
import * as Bus from "./RedisStreamsBus.ts"
import * as Options from "./RedisStreamsOptions.ts"
import { Writer } from "./RedisStreamWriter.ts"

/** When to connect again after an attempt has failed. */
export type Reconnection = Schedule.Schedule<unknown, unknown>

/** How the broker is reached. */
export interface BrokerOptions extends Options.RedisStreamsOptions {
  /** When to connect again after an attempt has failed. Default: after 100 ms, each time twice as long, 5 seconds at most, with jitter. */
  readonly reconnection?: Reconnection | undefined
}

/** The default: exponential from 100 ms to 5 s, with jitter. */
export const defaultReconnection: Reconnection = Schedule.jittered(
  Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])
)

interface Connected {
  readonly writer: Link.LinkParts["writer"]
  readonly duplicate: () => Connections.ClosableConnection
}

const make = ({ writer, duplicate }: Connected, options: BrokerOptions): Effect.Effect<Broker, never, Scope.Scope> =>
  Effect.gen(function* () {
    const settings = Options.settings(options)
    const reconnection = options.reconnection ?? defaultReconnection
    const health = yield* Health.make
    const sharded = settings.useShardedPubSub
    const link = yield* Link.make({ writer, duplicate, sharded, health, reconnection })
    return yield* Bus.make({ link, settings, health, reconnection })
  })

/**
 * The broker over a client of `redis` or `ioredis`, which writes. It must be connected, or connecting; it is never closed here. What is heard and
 * read comes over duplicates of it, which are closed with the scope.
 */
export const overClient = (
  client: Connections.RedisStreamsClient,
  options: BrokerOptions = {}
): Effect.Effect<Broker, never, Scope.Scope> =>
  Effect.suspend(() => {
    const writer = Connections.fromClient(client)
    return make({ writer, duplicate: () => writer.duplicate() }, options)
  })

/**
 * The broker over connections of its own, each made by `connect` and made again by the schedule when it is lost. `whenUnreachable` says what
 * happens when the first one cannot be made: `fail` with `Unavailable`, or `wait`.
 */
export const overConnections = (
  connect: () => Connections.ClosableConnection,
  options: BrokerOptions,
  whenUnreachable: "fail" | "wait"
): Effect.Effect<Broker, AdapterError, Scope.Scope> =>
  Effect.gen(function* () {
    const writer = new Writer()
    const connected = yield* Deferred.make<void, AdapterError>()
    const observer = {
      connected: () => void Deferred.doneUnsafe(connected, Effect.void),
      disconnected: (cause: unknown) => {
        if (whenUnreachable === "wait") return
        Deferred.doneUnsafe(
          connected,
          Effect.fail(new AdapterError({ reason: "Unavailable", operation: "connect", cause }))
        )
      }
    }
    const running = writer.run(Connections.open(connect), options.reconnection ?? defaultReconnection, observer)
    yield* Effect.forkScoped(running, { startImmediately: true })
    yield* Deferred.await(connected)
    return yield* make({ writer, duplicate: connect }, options)
  })
