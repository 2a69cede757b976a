/**
 * The only Engine.IO 4 state machine: what a session does about opening, heartbeats, upgrades and closing.
 *
 * Pure: `step(state, input)` gives the next state and what to do. Messages do not pass through it. It does not know transports,
 * only two *lanes*: the current transport, which carries the messages, and a probing one that may replace it.
 */
import type { CloseReason } from "./CloseReason.ts"
import type { EnginePacket } from "./EnginePacket.ts"

/** The transport an input came from or an output goes to. */
export type Lane = "current" | "probe"

/** The timers a session may have running; each at most once. */
export type Timer = "pingInterval" | "pingTimeout" | "upgradeTimeout"

/** What happened. */
export type Input =
  | { readonly _tag: "Packet"; readonly lane: Lane; readonly packet: EnginePacket }
  | { readonly _tag: "Undecodable"; readonly lane: Lane; readonly message: string }
  | { readonly _tag: "TimerFired"; readonly timer: Timer }
  /** A transport is gone, for a reason of its own. */
  | { readonly _tag: "TransportClosed"; readonly lane: Lane; readonly reason: CloseReason }
  /** Server: a second transport came with the session's id. Client: a second transport opened. */
  | { readonly _tag: "ProbeOpened" }
  /** Client: the current transport has nothing in flight any more, as `PauseCurrent` asked. */
  | { readonly _tag: "CurrentPaused" }
  /** We end it. */
  | { readonly _tag: "CloseRequested"; readonly reason: CloseReason }

/** What to do about it, in this order. */
export type Output =
  | { readonly _tag: "Send"; readonly lane: Lane; readonly packet: EnginePacket }
  | { readonly _tag: "StartTimer"; readonly timer: Timer; readonly millis: number }
  | { readonly _tag: "StopTimer"; readonly timer: Timer }
  /** Client: the handshake arrived. */
  | { readonly _tag: "Opened"; readonly sid: string; readonly upgrades: ReadonlyArray<string>; readonly maxPayload: number }
  /** The peer's ping or pong arrived: it is alive. */
  | { readonly _tag: "Heartbeat" }
  /** Stop sending on the current transport and let what is in flight settle; the server releases a waiting poll with a noop. */
  | { readonly _tag: "PauseCurrent" }
  /** The probe becomes the current transport; the old one is discarded without closing the session. */
  | { readonly _tag: "Switch" }
  /** The upgrade failed: close the probing transport and resume the current one. */
  | { readonly _tag: "DropProbe"; readonly reason: string }
  /** The session has ended, for this reason: close every transport. Always the last output of a session. */
  | { readonly _tag: "Closed"; readonly reason: CloseReason }
