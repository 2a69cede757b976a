/** What the client suites need of a client: official and ours are two values of `ClientDriver`. */
import type { Endpoint } from "../conformance/raw/Http.ts"

/** How to reach a server. Times in milliseconds; names and defaults are Socket.IO's unless a suite says otherwise. */
export interface ClientOptions {
  readonly endpoint: Endpoint
  readonly transports: ReadonlyArray<"polling" | "websocket">
  readonly msgpack?: boolean
  readonly reconnection?: boolean
  readonly reconnectionDelay?: number
  /** Connection attempts are given up after this. */
  readonly timeout?: number
  readonly retries?: number
  readonly ackTimeout?: number
  readonly query?: Readonly<Record<string, string>>
}

/** Auth data, or what makes them for each attempt. */
export type Auth = Readonly<Record<string, unknown>> | (() => Readonly<Record<string, unknown>>)

/** A refusal or a failed attempt. */
export interface ConnectError {
  readonly message: string
  readonly data: unknown
}

/** One namespace of a client. Binary values are given out as Buffers, whatever the client hands to its user. */
export interface ClientSocket {
  readonly connected: boolean
  readonly id: string | undefined
  /** The next time it is connected: its id. */
  connects(): Promise<string>
  /** The next disconnection: its reason. */
  disconnects(): Promise<string>
  /** The next failed attempt or refusal. */
  refusals(): Promise<ConnectError>
  /** The arguments of the next event of this name; one waiter or queue a name. */
  next(event: string): Promise<ReadonlyArray<unknown>>
  /** Answers events of this name that ask for an acknowledgement. */
  answer(event: string, reply: (...args: ReadonlyArray<unknown>) => unknown): void
  emit(event: string, ...args: ReadonlyArray<unknown>): void
  emitVolatile(event: string, ...args: ReadonlyArray<unknown>): void
  /** The first argument of the acknowledgement; fails after `timeout`, or with the connection. */
  ask(timeout: number | undefined, event: string, ...args: ReadonlyArray<unknown>): Promise<unknown>
  connect(): void
  disconnect(): void
}

/** A connection with its namespaces. */
export interface Client {
  /** A namespace; it connects at once. */
  socket(nsp: string, auth?: Auth): ClientSocket
  /** The name of the transport in use, "" when there is none. */
  readonly transport: string
  /** Closes everything for good. */
  close(): Promise<void>
}

/** A client implementation. */
export interface ClientDriver {
  readonly name: string
  readonly official: boolean
  open(options: ClientOptions): Client
}

/** The same value with every kind of bytes as Buffer. */
export const withBuffers = (value: unknown): unknown => {
  if (value instanceof ArrayBuffer) return Buffer.from(value)
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (Array.isArray(value)) return value.map(withBuffers)
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withBuffers(each)]))
  }
  return value
}
