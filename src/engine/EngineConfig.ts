/**
 * The options of an Engine.IO server: Socket.IO's names, meanings and defaults, durations as Effect has them.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { EngineRefusal } from "../protocol/EngineHandshake.ts"
import type { Frame } from "../protocol/FrameGroup.ts"
import { EngineError } from "./EngineError.ts"
import type { EngineRequest } from "./EngineRequest.ts"

/** Response headers that a hook may change. */
export type MutableHeaders = Record<string, string | ReadonlyArray<string>>

/** The session cookie. It carries the sid on the first HTTP answer and is of use to load balancers only. */
export interface CookieOptions {
  /** Default "io". */
  readonly name?: string | undefined
  /** Default "/". */
  readonly path?: string | undefined
  readonly domain?: string | undefined
  /** Seconds. */
  readonly maxAge?: number | undefined
  /** Default true. */
  readonly httpOnly?: boolean | undefined
  readonly secure?: boolean | undefined
  /** Default "lax". */
  readonly sameSite?: "lax" | "strict" | "none" | false | undefined
}

/** A request that was refused: Engine.IO's `connection_error` event. */
export interface ConnectionError {
  readonly request: EngineRequest
  readonly refusal: EngineRefusal
}

/** What may be set; everything has a default. */
export interface EngineOptions {
  /** Between two pings. Default 25 seconds. */
  readonly pingInterval?: Duration.Input | undefined
  /** How long a pong may take. Default 20 seconds. */
  readonly pingTimeout?: Duration.Input | undefined
  /** How long an upgrade may take. Default 10 seconds. */
  readonly upgradeTimeout?: Duration.Input | undefined
  /** The largest POST body and WebSocket message, in bytes. Default 1e6. */
  readonly maxHttpBufferSize?: number | undefined
  /** The names of the transports to offer. Default: all that the `Transports` service has ("polling" and "websocket"). */
  readonly transports?: ReadonlyArray<string> | undefined
  /** Default true. */
  readonly allowUpgrades?: boolean | undefined
  /** A message that is sent right after the open packet. */
  readonly initialPacket?: Frame | undefined
  /** Default false. */
  readonly cookie?: boolean | CookieOptions | undefined
  /** Packets that one POST may carry. Default 10,000; not an option of Socket.IO, which has no limit. */
  readonly maxPacketsPerPayload?: number | undefined
  /**
   * Bytes that a session buffers for a peer that does not read. One group may go over it; the next one that is not volatile closes the
   * session at the end of the turn with `transport error` and a `BufferFull` that names the limit, since going on would mean a gap in
   * what the client gets. A client that reconnects begins anew. Default 16 MiB; Socket.IO has no limit.
   */
  readonly maxBufferedAmount?: number | undefined
  /** How long a closed polling session waits for a poll to tell it. Default 30 seconds. */
  readonly pollCloseTimeout?: Duration.Input | undefined
  /** Whether sessions keep the host's request object. Default false. */
  readonly keepRequest?: boolean | undefined
  /** Makes session ids; they must be unguessable and unique. Default: 20 characters of base64url, 120 secure random bits. */
  readonly generateId?:
    | ((request: EngineRequest) => string | PromiseLike<string> | Effect.Effect<string, unknown>)
    | undefined
  /** Decides about handshakes. A string is a refusal with that message; `false` one with "Forbidden"; a failure too. */
  readonly allowRequest?: ((request: EngineRequest) => Effect.Effect<boolean | string, unknown>) | undefined
  /** Told of each refused request. */
  readonly onConnectionError?: ((error: ConnectionError) => void) | undefined
  /** May change the headers of the first answer of a session. */
  readonly onInitialHeaders?: ((headers: MutableHeaders, request: EngineRequest) => void) | undefined
  /** May change the headers of each answer. */
  readonly onHeaders?: ((headers: MutableHeaders, request: EngineRequest) => void) | undefined
}

/** Checked options: milliseconds, bytes, all defaults filled in. One value shared by all sessions. */
export interface EngineConfig {
  readonly pingInterval: number
  readonly pingTimeout: number
  readonly upgradeTimeout: number
  readonly maxPayload: number
  readonly transports: ReadonlyArray<string> | undefined
  readonly allowUpgrades: boolean
  readonly initialPacket: Frame | undefined
  readonly cookie: CookieOptions | undefined
  readonly maxPacketsPerPayload: number
  readonly maxBufferedAmount: number
  readonly pollCloseTimeout: number
  readonly keepRequest: boolean
  readonly generateId: EngineOptions["generateId"]
  readonly allowRequest: EngineOptions["allowRequest"]
  readonly onConnectionError: EngineOptions["onConnectionError"]
  readonly onInitialHeaders: EngineOptions["onInitialHeaders"]
  readonly onHeaders: EngineOptions["onHeaders"]
}

const invalid = (message: string): EngineError => new EngineError({ reason: "Config", message })

// The longest timer of the platforms. The client waits for pingInterval + pingTimeout and must be able to.
const longestTimer = 2 ** 31 - 1

const millis = (name: string, input: Duration.Input | undefined, fallback: number, least: number): number => {
  if (input === undefined) return fallback
  const duration = Duration.fromInput(input)
  const value = duration._tag === "Some" ? Duration.toMillis(duration.value) : Number.NaN
  if (!(value >= least && value <= longestTimer))
    throw invalid(`${name} must be between ${least} ms and ${longestTimer} ms`)
  return value
}

const count = (name: string, value: number | undefined, fallback: number): number => {
  if (value === undefined) return fallback
  if (!(value >= 1)) throw invalid(`${name} must be at least 1`)
  return value
}

/** The configuration of these options. Throws an `EngineError` (`Config`) where one makes no sense: a mistake of the program. */
export const makeUnsafe = (options: EngineOptions = {}): EngineConfig => {
  const pingInterval = millis("pingInterval", options.pingInterval, 25_000, 1)
  const pingTimeout = millis("pingTimeout", options.pingTimeout, 20_000, 0)
  if (pingInterval + pingTimeout > longestTimer) {
    throw invalid(`pingInterval and pingTimeout together must not exceed ${longestTimer} ms`)
  }
  return {
    pingInterval,
    pingTimeout,
    upgradeTimeout: millis("upgradeTimeout", options.upgradeTimeout, 10_000, 0),
    maxPayload: count("maxHttpBufferSize", options.maxHttpBufferSize, 1e6),
    transports: options.transports,
    allowUpgrades: options.allowUpgrades ?? true,
    initialPacket: options.initialPacket,
    cookie: options.cookie === true ? {} : options.cookie === false ? undefined : options.cookie,
    maxPacketsPerPayload: count("maxPacketsPerPayload", options.maxPacketsPerPayload, 10_000),
    maxBufferedAmount: count("maxBufferedAmount", options.maxBufferedAmount, 16 * 1024 * 1024),
    pollCloseTimeout: millis("pollCloseTimeout", options.pollCloseTimeout, 30_000, 0),
    keepRequest: options.keepRequest ?? false,
    generateId: options.generateId,
    allowRequest: options.allowRequest,
    onConnectionError: options.onConnectionError,
    onInitialHeaders: options.onInitialHeaders,
    onHeaders: options.onHeaders
  }
}

/** The configuration of these options, or why it makes no sense. */
export const make = (options?: EngineOptions): Effect.Effect<EngineConfig, EngineError> =>
  Effect.try({
    try: () => makeUnsafe(options),
    catch: (cause) =>
      cause instanceof EngineError ? cause : new EngineError({ reason: "Config", message: String(cause), cause })
  })

/** The Set-Cookie header that carries the sid. */
export const cookieHeader = (cookie: CookieOptions, sid: string): string => {
  let header = `${cookie.name ?? "io"}=${encodeURIComponent(sid)}`
  if (cookie.maxAge !== undefined) header += `; Max-Age=${Math.floor(cookie.maxAge)}`
  if (cookie.domain !== undefined) header += `; Domain=${cookie.domain}`
  header += `; Path=${cookie.path ?? "/"}`
  if (cookie.httpOnly ?? true) header += "; HttpOnly"
  if (cookie.secure ?? false) header += "; Secure"
  const sameSite = cookie.sameSite ?? "lax"
  if (sameSite !== false) header += `; SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`
  return header
}
