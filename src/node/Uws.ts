/**
 * The part of µWebSockets.js that a host needs, by its shape: nothing is imported, whichever package or build the program has.
 */

/** What µWebSockets.js takes for text. */
type Text = string | Uint8Array

/** An app of µWebSockets.js, with TLS or without. */
export interface UwsApp {
  any(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): unknown
  ws(pattern: string, behavior: UwsBehavior): unknown
}

/** A request, which can be read only until its handler returns. */
export interface UwsRequest {
  getMethod(): string
  getUrl(): string
  getQuery(): string
  getHeader(name: string): string
  forEach(each: (key: string, value: string) => void): void
}

/** A response. It throws when it is used after it ended or was aborted. */
export interface UwsResponse {
  writeStatus(status: string): unknown
  writeHeader(key: string, value: string): unknown
  end(body?: Text, closeConnection?: boolean): unknown
  endWithoutBody(reportedContentLength?: number, closeConnection?: boolean): unknown
  onAborted(handler: () => void): unknown
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown
  getRemoteAddressAsText(): ArrayBuffer
  cork(write: () => void): unknown
  upgrade(userData: unknown, key: string, protocol: string, extensions: string, context: unknown): void
}

/** A WebSocket. It throws when it is used after it closed. */
export interface UwsSocket {
  /** 1: sent; 0: waits; 2: dropped, since `maxBackpressure` was reached. */
  send(message: Text, isBinary?: boolean, compress?: boolean): number
  getBufferedAmount(): number
  end(code?: number, reason?: string): void
  close(): void
  cork(write: () => void): unknown
  getUserData(): unknown
}

/** How the WebSockets of a pattern behave. */
export interface UwsBehavior {
  maxPayloadLength?: number
  idleTimeout?: number
  compression?: number
  maxBackpressure?: number
  upgrade?(response: UwsResponse, request: UwsRequest, context: unknown): void
  open?(socket: UwsSocket): void
  message?(socket: UwsSocket, message: ArrayBuffer, isBinary: boolean): void
  drain?(socket: UwsSocket): void
  close?(socket: UwsSocket, code: number, message: ArrayBuffer): void
}
