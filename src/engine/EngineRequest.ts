/**
 * An HTTP request as the engine sees it, and the way to answer it: filled by `node:http`, by Effect's HTTP server and by the
 * in-memory network alike.
 */
import type { WebSocketLike } from "./WebSocketLike.ts"

/** Header names in lower case. */
export type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** A request whose head has arrived. */
export interface EngineRequest {
  readonly method: string
  /** Path and query, as received. */
  readonly url: string
  readonly headers: Headers
  readonly remoteAddress: string | undefined
  /** Whether it came over TLS. */
  readonly secure: boolean
  /** The host's own request object, for hooks and the facade. */
  readonly raw: unknown
}

/** The body of a POST, or why there is none. */
export type EngineBody =
  | { readonly _tag: "Body"; readonly text: string }
  /** More bytes than allowed were announced or came. `size` is what was seen. */
  | { readonly _tag: "TooLarge"; readonly size: number }
  | { readonly _tag: "Aborted" }

/** An answer of the engine. */
export interface EngineResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body: string | Uint8Array | undefined
}

/** One request waiting for its answer. */
export interface Exchange {
  readonly request: EngineRequest
  /** Reads the body as UTF-8 text, counting bytes as they arrive. At most once; `done` is called exactly once. */
  readBody(maxBytes: number, done: (body: EngineBody) => void): void
  /** Answers; later calls do nothing. `compress` allows content encoding where the host has it. */
  respond(response: EngineResponse, compress: boolean): void
  /** Called at most once, when the peer goes away before the answer. */
  onAbort(listener: () => void): void
}

/** One request to become a WebSocket. Exactly one of the two is called. */
export interface UpgradeExchange {
  readonly request: EngineRequest
  /** Completes the handshake with extra response headers. `ready` is called at once or later, or never if the peer has gone. */
  accept(
    headers: Readonly<Record<string, string | ReadonlyArray<string>>>,
    ready: (socket: WebSocketLike) => void
  ): void
  /** Refuses with an HTTP answer and closes the connection. */
  reject(response: EngineResponse): void
}
