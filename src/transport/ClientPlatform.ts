/**
 * What the client needs from the place it runs in: HTTP requests and WebSockets. Browsers, Node and the in-memory network each
 * bring one. No Effect here: the plain facade client uses the same.
 */
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"

/** An HTTP request of the polling transport. */
export interface HttpRequest {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Text for POST. */
  readonly body: string | undefined
  /** Browsers: send cookies across origins. Node: keep a cookie jar for the connection. */
  readonly withCredentials: boolean
  /**
   * The last request of a connection, which nobody waits for: the platform sends it even while a page unloads, and gives it up
   * after a few seconds by itself.
   */
  readonly farewell?: boolean | undefined
}

/** How a request ended: an answer of any status, or none at all. */
export type HttpResult =
  | { readonly _tag: "Answer"; readonly status: number; readonly body: string }
  | { readonly _tag: "NoAnswer"; readonly cause: unknown }

/**
 * What a client WebSocket tells its owner. `onClose` comes once, last; without a preceding `onOpen` the attempt failed. A `cause`
 * other than `undefined` means that it failed and was not just closed.
 */
export interface ClientWebSocketHandlers {
  onOpen(): void
  onFrame(frame: Frame): void
  onClose(code: number, reason: string, cause: unknown): void
}

/** A client's WebSocket, from the attempt on. Nothing here throws; sending on a closed socket does nothing. */
export interface ClientWebSocket {
  send(frame: Frame): void
  /**
   * Sends the frames of the groups in order, in one system call where the platform can; those in `uncompressed` as they are. Without it
   * they are sent one by one.
   */
  sendGroups?(groups: ReadonlyArray<FrameGroup>, uncompressed: ReadonlySet<FrameGroup> | undefined): void
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

/** The place a client runs in. Its calls of handlers never come from inside a call to it. */
export interface ClientPlatform {
  readonly name: "browser" | "node" | "memory"
  /** What relative URLs are relative to: a page's own URL. */
  readonly base?: string | undefined
  /** Starts a request; `done` is called once, unless aborted by the returned function. */
  request(request: HttpRequest, done: (result: HttpResult) => void): () => void
  openWebSocket(request: WebSocketRequest, handlers: ClientWebSocketHandlers): ClientWebSocket
  /** A view of the platform for one Engine.IO connection, where connections keep something of their own (cookies in Node). */
  connection?(): ClientPlatform
  /** Tells when the network is known to be lost (browsers). Returns how to stop. */
  onOffline?(listener: () => void): () => void
  /** Tells when the network is back (browsers). Returns how to stop. */
  onOnline?(listener: () => void): () => void
  /** Tells when the page is about to go. Returns how to stop. */
  onBeforeUnload?(listener: () => void): () => void
}

/**
 * What Node's platform can be told (the names are those of `node:tls`, `node:http` and `ws`); browsers ignore it all, since they
 * do it themselves.
 */
export interface PlatformOptions {
  /** An `http.Agent` or `https.Agent` for requests and WebSockets; without one, a keep-alive agent of the platform's own. */
  readonly agent?: unknown
  readonly pfx?: unknown
  readonly key?: unknown
  readonly passphrase?: string | undefined
  readonly cert?: unknown
  readonly ca?: unknown
  readonly ciphers?: string | undefined
  /** Default true. */
  readonly rejectUnauthorized?: boolean | undefined
  readonly localAddress?: string | undefined
  readonly family?: number | undefined
  /** Default `{ threshold: 1024 }`; false turns compression of WebSocket messages off. */
  readonly perMessageDeflate?: boolean | { readonly threshold?: number | undefined } | undefined
  /** Does not keep the process alive for its connections. Default false. */
  readonly autoUnref?: boolean | undefined
}
