/**
 * What the engine counts, in plain numbers that are cheap to bump on the hot path. Telemetry reads them; nobody resets them.
 */
import * as CloseReason from "../protocol/CloseReason.ts"

/** Totals since the server was made, but for `open`, which is now. */
export interface EngineCounters {
  /** Sessions that are open now. */
  open: number
  /** Sessions begun, by the transport they began with. */
  readonly opened: Record<string, number>
  /** Sessions ended, by reason. */
  readonly closed: Record<CloseReason.CloseReason, number>
  /** Upgrades begun, completed and given up. */
  upgradesStarted: number
  upgraded: number
  upgradesFailed: number
  /** Frames received and sent, and their size: bytes of binary ones, UTF-16 units of text, which is bytes for ASCII. */
  framesIn: number
  framesOut: number
  sizeIn: number
  sizeOut: number
  /** Groups not sent: volatile while the transport was busy, or written after the end. */
  dropped: number
  /** Groups refused because the session's buffer was full. */
  full: number
  /** Refused requests by error code 0-5. */
  readonly refused: [number, number, number, number, number, number]
  /** Bodies and messages over the limit. */
  tooLarge: number
}

/** All zero. */
export const make = (): EngineCounters => ({
  open: 0,
  opened: {},
  closed: {
    [CloseReason.transportError]: 0,
    [CloseReason.transportClose]: 0,
    [CloseReason.forcedClose]: 0,
    [CloseReason.pingTimeout]: 0,
    [CloseReason.parseError]: 0
  },
  upgradesStarted: 0,
  upgraded: 0,
  upgradesFailed: 0,
  framesIn: 0,
  framesOut: 0,
  sizeIn: 0,
  sizeOut: 0,
  dropped: 0,
  full: 0,
  refused: [0, 0, 0, 0, 0, 0],
  tooLarge: 0
})
