/**
 * The options of connection state recovery.
 */
import type * as Duration from "effect/Duration"
import { count, millis } from "./OptionChecks.ts"
import type { RecoverySettings } from "./Recovery.ts"

/** How sessions are recovered. */
export interface RecoveryOptions {
  /** How long the session of a lost socket and what it missed are kept. Default 2 minutes. */
  readonly maxDisconnectionDuration?: Duration.Input | undefined
  /**
   * Whether middleware does without recovered sockets; one that provides a service runs all the same. Default false: whoever may not come in
   * any more does not get what was missed. Socket.IO: true.
   */
  readonly skipMiddlewares?: boolean | undefined
  /**
   * `always` also keeps sessions of sockets that are connected, so that with a store outside of this process nothing is lost when it is
   * killed. Default "disconnect": when the connection is lost, and when the server closes.
   */
  readonly persist?: "disconnect" | "always" | undefined
  /** How many events the log in memory keeps for a namespace. Default 100,000. */
  readonly maxEvents?: number | undefined
  /** How many bytes of them. Default 64 MiB. */
  readonly maxBytes?: number | undefined
  /** How long the store may take to answer; an event is then delivered without a place in the log. Default 5 seconds. */
  readonly storeTimeout?: Duration.Input | undefined
}

/** The options of recovery, checked; throws an `EngineError` (`Config`) for those that make no sense. */
export const recoverySettings = (options: RecoveryOptions | undefined): RecoverySettings | undefined =>
  options && {
    maxDisconnectionDuration: millis("maxDisconnectionDuration", options.maxDisconnectionDuration, 120_000),
    skipMiddlewares: options.skipMiddlewares ?? false,
    persist: options.persist ?? "disconnect",
    maxEvents: options.maxEvents === undefined ? undefined : count("maxEvents", options.maxEvents, 1),
    maxBytes: options.maxBytes === undefined ? undefined : count("maxBytes", options.maxBytes, 1),
    storeTimeout: millis("storeTimeout", options.storeTimeout, 5000)
  }
