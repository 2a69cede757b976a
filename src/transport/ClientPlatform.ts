/**
 * What the client needs from the place it runs in: HTTP requests and WebSockets. Browsers, Node and the in-memory network each
 * bring one. No Effect here: the plain facade client uses the same.
 */
import type { Frame } from "../protocol/FrameGroup.ts"

/** An HTTP request of the polling transport. */
export interface HttpRequest {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Text for POST. */
  readonly body: string | undefined
  /** Browsers: send cookies across origins. Node: keep a cookie jar for the connection. */
  readonly withCredentials: boolean
}

/** How a request ended: an answer of any status, or none at all. */
export type HttpResult =
  | { readonly _tag: "Answer"; readonly status: number; readonly body: string }
  | { readonly _tag: "NoAnswer"; readonly cause: unknown }

/** What a client WebSocket tells its owner. `onClose` comes once, last; without a preceding `onOpen` the attempt failed. */
export interface ClientWebSocketHandlers {
  onOpen(): void
  onFrame(frame: Frame): void
  onClose(code: number, reason: string, cause: unknown): void
}

/** A client's WebSocket, from the attempt on. */
export interface ClientWebSocket {
  send(frame: Frame): void
  readonly bufferedAmount: number
  close(): void
}

/** A WebSocket to open. */
export interface WebSocketRequest {
  readonly url: string
  readonly protocols: ReadonlyArray<string>
  /** Ignored by browsers, whose WebSocket has no headers. */
  readonly headers: Readonly<Record<string, string>>
  readonly withCredentials: boolean
}

/** The place a client runs in. */
export interface ClientPlatform {
  readonly name: "browser" | "node" | "memory"
  /** Starts a request; `done` is called once, unless aborted by the returned function. */
  request(request: HttpRequest, done: (result: HttpResult) => void): () => void
  openWebSocket(request: WebSocketRequest, handlers: ClientWebSocketHandlers): ClientWebSocket
}
