/**
 * What the client machine asks for and tells: the outputs of the machine, as methods, so that an event costs no allocation of
 * its own. The Effect client and the plain facade client are its two hosts; tests are a third.
 */
import type { FrameGroup } from "./FrameGroup.ts"
import type { ClientDisconnectReason } from "./DisconnectReason.ts"
import type { JsonObject } from "./SocketPacket.ts"
import type { CloseReason } from "./CloseReason.ts"

/** What is told when a timer of the machine fires. */
export interface ClientTimerTarget {
  onDeadline(): void
}

/** A timer that was set: whatever the host makes of it. */
export type ClientTimer = unknown

/**
 * Why a connection attempt failed or a namespace refused: the message of Socket.IO's `connect_error`, with `data` for a refusal by
 * the server, `description` and `context` for a failure below.
 */
export interface ClientError {
  /** `transport`: below the namespace. `refused`: CONNECT_ERROR. `auth`: the program's own auth failed. `protocol`: a CONNECT answer without `sid`. */
  readonly kind: "transport" | "refused" | "auth" | "protocol"
  readonly message: string
  readonly data?: unknown
  readonly description?: unknown
  readonly context?: unknown
}

/** The place the machine runs in. Its methods may call the machine's back. */
export interface ClientHost {
  /** Start a connection; what becomes of it is said by `engineOpened`, `engineMessage` and `engineClosed`. */
  openEngine(): void
  /** End the present connection after what was sent has left. Nothing of it may be told to the machine any more. */
  closeEngine(): void
  /** Send a group, in order. Only asked while the engine is open. */
  send(group: FrameGroup, compress: boolean): void
  /** Whether what is sent now leaves at once: volatile events are dropped otherwise. */
  isWritable(): boolean
  /** Whether the server has been silent for too long, although nobody has noticed yet. */
  hasPingExpired(): boolean
  setTimer(millis: number, target: ClientTimerTarget): ClientTimer
  cancelTimer(timer: ClientTimer): void
  /**
   * Decide how long to wait before the attempt (from 1): answer with `retryAfter(decision, millis)` or `giveUp(decision)`, now or
   * later. `error` is why there has to be an attempt.
   */
  decideRetry(decision: number, attempt: number, error: ClientError): void
  /** The connection is there; its namespaces are not yet. */
  onOpen(): void
  /** A connection that was open has ended. */
  onClose(reason: CloseReason, description: unknown): void
  /** An attempt to connect failed, the first one or a later one. */
  onError(error: ClientError): void
  /** The attempt (from 1) will be made in `millis`. */
  onWaiting(attempt: number, millis: number): void
  onReconnectAttempt(attempt: number): void
  onReconnectError(error: ClientError): void
  /** A connection was made, with the attempt of this number. */
  onReconnect(attempt: number): void
  /** There will be no more attempts. */
  onReconnectFailed(): void
}

/** What is told about one namespace. */
export interface ClientSocketSink {
  /** Find out what to authenticate with: answer with `socket.authenticated(attempt, data)` or `socket.authFailed(attempt, error)`. */
  authenticate(attempt: number): void
  /** A CONNECT was sent, or waits for the connection. */
  onConnecting(): void
  onConnect(id: string, recovered: boolean): void
  /** The attempt failed. After `refused` and `auth` the socket has given up; otherwise the next attempt is the manager's. */
  onConnectError(error: ClientError): void
  onDisconnect(reason: ClientDisconnectReason, description: unknown): void
  /** An event. With an id it is to be answered: `socket.reply(session, id, args)`, with the `socket.session` of this moment. */
  onEvent(data: ReadonlyArray<unknown>, id: number | undefined): void
  /** Whether it wants to hear of events that leave. */
  readonly watchesOutgoing: boolean
  /** An event leaves now. */
  onOutgoing(data: ReadonlyArray<unknown>): void
}

/** Auth data, as CONNECT carries it. */
export type AuthData = JsonObject | undefined
