/**
 * One connection of a client, whatever transports it uses: what the levels above and the rest of the engine see of it.
 */
import type * as CloseReason from "../protocol/CloseReason.ts"
import type * as FrameGroup from "../protocol/FrameGroup.ts"
import type { Turn } from "../runtime/Turn.ts"
import type { EngineCounters } from "./EngineCounters.ts"
import type { Exchange, Headers } from "./EngineRequest.ts"
import type { Heartbeat } from "./Heartbeat.ts"
import type { Sessions } from "./Sessions.ts"
import type { Transport } from "./Transport.ts"

type Frame = FrameGroup.Frame

/** What is kept of the first HTTP request; small and immutable. */
export interface Handshake {
  /** Path and query, as received. */
  readonly url: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Headers
  readonly address: string | undefined
  readonly secure: boolean
  /** Whether it came with an Origin of another host. */
  readonly crossOrigin: boolean
  /** Epoch milliseconds. */
  readonly issued: number
}

/**
 * What became of a group that was written. `full`: more waits than `maxBufferedAmount` allows, and since what follows would have a gap
 * before it, the session takes nothing more and closes at the end of the turn (`transport error`, described by a `BufferFull`).
 */
export type WriteResult = "sent" | "buffered" | "dropped" | "full"

/** How to write a group. */
export interface WriteOptions {
  /** Drop it when the transport is not writable now. */
  readonly volatile: boolean
  readonly compress: boolean
}

/** Why a session ended. `description` has what is known beyond the reason (an error, a code). */
export interface Closed {
  readonly reason: CloseReason.CloseReason
  readonly description: unknown
}

/** What is told about a session to those who ask: the engine socket's events of Socket.IO. */
export interface SessionObserver {
  readonly upgrading?: (transport: string) => void
  readonly upgrade?: (transport: string) => void
  readonly packet?: (frame: Frame) => void
  readonly packetCreate?: (group: FrameGroup.FrameGroup) => void
  readonly heartbeat?: () => void
  readonly drain?: () => void
  readonly close?: (closed: Closed) => void
}

/** The level above a session. */
export interface SessionSink {
  /** The payload of a message packet: text without the "4", or binary. */
  onMessage(data: Frame): void
  /** What was buffered has left. */
  onDrain(): void
  /** The last call. */
  onClose(closed: Closed): void
}

/** A session, open from the moment the sink is made. */
export interface Session {
  readonly id: string
  readonly handshake: Handshake
  /** The host's request object, where the server was told to keep it; `undefined` it to free its memory. */
  request: unknown
  /** "polling" or "websocket": the transport now in use. */
  readonly transportName: string
  readonly upgraded: boolean
  /** Bytes written that have not left yet. */
  readonly bufferedAmount: number
  /** What was written and has not been given to the transport, a snapshot. */
  readonly buffered: ReadonlyArray<FrameGroup.FrameGroup>
  readonly closed: Closed | undefined
  /** Sends a group of engine frames, at the end of the turn together with what else was written; in order. */
  write(group: FrameGroup.FrameGroup, options: WriteOptions): WriteResult
  /** The only door out: idempotent, flushes what was written in this turn. */
  close(reason: CloseReason.CloseReason, description?: unknown): void
  /** Stops and resumes reading from the peer. */
  pause(): void
  resume(): void
  observe(observer: SessionObserver): () => void
}

/** What all sessions of a server share. */
export interface SessionHost {
  readonly heartbeat: Heartbeat["Service"]
  readonly sessions: Sessions["Service"]
  readonly turn: Turn
  readonly counters: EngineCounters
  /** Bytes, see `EngineOptions.maxBufferedAmount`. */
  readonly maxBufferedAmount: number
}

/** A session as the engine sees it. */
export interface EngineSession extends Session {
  /** Gives the session the level above it and sends the open packet; once, right after it was made. */
  start(sink: SessionSink): void
  /** Whether a second transport may try to take over now. */
  readonly canUpgrade: boolean
  /** Lets a second transport try to take over. */
  probe(transport: Transport): void
  /** Takes a request that carries the session's id, whose transport the caller has checked. */
  handle(exchange: Exchange): void
}

/** What a session begins with. */
export interface SessionOptions {
  readonly id: string
  readonly handshake: Handshake
  readonly request: unknown
  /** The first one. */
  readonly transport: Transport
  /** What the client is told it may move to. */
  readonly upgrades: ReadonlyArray<string>
  /** Bytes. */
  readonly maxPayload: number
  /** A message that is sent right behind the open packet. */
  readonly initialPacket: Frame | undefined
}
