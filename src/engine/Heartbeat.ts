/**
 * The heartbeat of a server: how often it pings, how long it waits, and the one fiber that watches all sessions.
 *
 * When to ping and what counts as a sign of life is decided by `EngineMachine`; this service holds the times and the deadlines that
 * run the machine's timers.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as EngineMachine from "../protocol/EngineMachine.ts"
import * as Deadlines from "../runtime/Deadlines.ts"

/** Watches sessions. */
export class Heartbeat extends Context.Service<
  Heartbeat,
  {
    /** The times, in milliseconds; told to clients in the open packet. */
    readonly config: EngineMachine.ServerConfig
    /** Where sessions, and all else of this server that is timed, set their deadlines. */
    readonly deadlines: Deadlines.Deadlines
  }
>()("effect-socketio/engine/Heartbeat") {}

/** A heartbeat with these times on these deadlines. */
export const make = (config: EngineMachine.ServerConfig, deadlines: Deadlines.Deadlines): Heartbeat["Service"] => ({
  config: {
    pingInterval: config.pingInterval,
    pingTimeout: config.pingTimeout,
    upgradeTimeout: config.upgradeTimeout
  },
  deadlines
})

/** A heartbeat of its own for an engine that is built with it, instead of the one by the engine's options. */
export const layer = (
  options: {
    /** Default 25 seconds. */
    readonly pingInterval?: Duration.Input | undefined
    /** Default 20 seconds. */
    readonly pingTimeout?: Duration.Input | undefined
    /** Default 10 seconds. */
    readonly upgradeTimeout?: Duration.Input | undefined
  } = {}
): Layer.Layer<Heartbeat> =>
  Layer.effect(
    Heartbeat,
    Effect.map(Deadlines.make, (deadlines) =>
      make(
        {
          pingInterval: Duration.toMillis(options.pingInterval ?? "25 seconds"),
          pingTimeout: Duration.toMillis(options.pingTimeout ?? "20 seconds"),
          upgradeTimeout: Duration.toMillis(options.upgradeTimeout ?? "10 seconds")
        },
        deadlines
      )
    )
  )
