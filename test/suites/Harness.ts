/**
 * What a behaviour suite needs to know of the world it runs in: where the server is, how its client reaches it, how time passes, and
 * what can be broken. `MemoryHarness` and `RealHarness` are the two worlds.
 */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import type { Adapter } from "../../src/adapter/Adapter.ts"
import type { EngineHost } from "../../src/engine/EngineHost.ts"
import type * as SocketServer from "../../src/socket/SocketServer.ts"

/** How a client reaches the server. */
export type Way = "polling" | "websocket" | "upgrade"

export const ways: ReadonlyArray<Way> = ["polling", "websocket", "upgrade"]

/** Client options that make it go that way. */
export const transportsOf = (
  way: Way
): { readonly transports: Array<"polling" | "websocket">; readonly upgrade: boolean } => ({
  transports: way === "websocket" ? ["websocket"] : way === "polling" ? ["polling"] : ["polling", "websocket"],
  upgrade: way === "upgrade"
})

/** The lengths of what is waited for, in milliseconds: those of production in virtual time, short ones over real sockets. */
export interface Times {
  readonly pingInterval: number
  readonly pingTimeout: number
  /** The first reconnection delay. */
  readonly reconnectionDelay: number
  /** An ack deadline that passes while a test waits for it. */
  readonly ackTimeout: number
  /** So long that what must not happen would have happened. */
  readonly while: number
}

/** A server that runs. */
export interface Running {
  /** Closes it, as a deployment does. */
  readonly stop: Effect.Effect<void>
}

/** The world of one test. */
export interface Harness {
  readonly way: Way
  /** Where every server started by `serve` is reached, also a later one. */
  readonly url: string
  readonly times: Times
  /** Starts a server until the scope closes or `stop`. */
  serve<E>(server: Layer.Layer<SocketServer.SocketServer, E, Adapter | EngineHost>): Effect.Effect<Running, E, Scope>
  /** Runs the effect while time passes, and fails when it does not end. */
  pass<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
  /** Lets so many milliseconds pass: for what must not happen. */
  elapse(millis: number): Effect.Effect<void>
  /** Breaks connections and refuses new ones. */
  readonly cut: Effect.Effect<void>
  /** Nothing passes any more, and nobody is told. */
  readonly freeze: Effect.Effect<void>
  readonly heal: Effect.Effect<void>
}

/** One behaviour, true in every world. */
export interface Case {
  readonly name: string
  /** The ways it is about; all when left out. */
  readonly ways?: ReadonlyArray<Way>
  readonly run: (harness: Harness) => Effect.Effect<void, unknown, Scope>
}
