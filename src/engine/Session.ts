/**
 * One connection of a client, whatever transports it uses.
 */
import type { CloseReason } from "../protocol/CloseReason.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import type { Headers } from "./EngineRequest.ts"

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

/** What became of a group that was written. */
export type WriteResult = "sent" | "buffered" | "dropped" | "full"

/** How to write a group. */
export interface WriteOptions {
  /** Drop it when the transport is not writable now. */
  readonly volatile: boolean
  readonly compress: boolean
}

/** Why a session ended. `description` has what is known beyond the reason (an error, a code). */
export interface Closed {
  readonly reason: CloseReason
  readonly description: unknown
}

/** What is told about a session to those who ask: the engine socket's events of Socket.IO. */
export interface SessionObserver {
  readonly upgrading?: (transport: string) => void
  readonly upgrade?: (transport: string) => void
  readonly packet?: (frame: Frame) => void
  readonly packetCreate?: (group: FrameGroup) => void
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
  /** The host's request object, where the server was told to keep it. */
  readonly request: unknown
  /** "polling" or "websocket": the transport now in use. */
  readonly transportName: string
  readonly upgraded: boolean
  /** Bytes written that have not left yet. */
  readonly bufferedAmount: number
  readonly closed: Closed | undefined
  /** Sends a group of engine frames, at the end of the turn together with what else was written; in order. */
  write(group: FrameGroup, options: WriteOptions): WriteResult
  /** The only door out: idempotent, flushes what was written in this turn. */
  close(reason: CloseReason, description?: unknown): void
  /** Stops and resumes reading from the peer. */
  pause(): void
  resume(): void
  observe(observer: SessionObserver): () => void
}
