/**
 * Socket.IO packets (protocol revision 5), as programs see them: whether an event or ack travels with attachments is a matter of
 * the encoding, so there are five types, not seven.
 */

/** The client asks for a namespace, or the server answers that it is connected. */
export const CONNECT = 0

/** One side leaves the namespace. */
export const DISCONNECT = 1

/** An event: its name and arguments. */
export const EVENT = 2

/** The answer to an event that had an id. */
export const ACK = 3

/** The server refuses the namespace. */
export const CONNECT_ERROR = 4

/** Plain JSON objects, as auth data has to be. */
export type JsonObject = Readonly<Record<string, unknown>>

/** `data` is the client's auth data, or the server's `{ sid }`. */
export interface ConnectPacket {
  readonly type: typeof CONNECT
  readonly nsp: string
  readonly id?: number | undefined
  readonly data?: JsonObject | undefined
}

/** It carries nothing. */
export interface DisconnectPacket {
  readonly type: typeof DISCONNECT
  readonly nsp: string
  readonly id?: number | undefined
  readonly data?: undefined
}

/** `data` is the event's name, a number or any text that is not reserved, and its arguments. With an `id` it expects an ack. */
export interface EventPacket {
  readonly type: typeof EVENT
  readonly nsp: string
  readonly id?: number | undefined
  readonly data: ReadonlyArray<unknown>
}

/** `data` are the answer's arguments; `id` is the event's. */
export interface AckPacket {
  readonly type: typeof ACK
  readonly nsp: string
  readonly id?: number | undefined
  readonly data: ReadonlyArray<unknown>
}

/** `data` is `{ message, data? }` or, by old servers, a text; peers have been seen to send none. */
export interface ConnectErrorPacket {
  readonly type: typeof CONNECT_ERROR
  readonly nsp: string
  readonly id?: number | undefined
  readonly data?: JsonObject | string | undefined
}

/** One Socket.IO packet. */
export type SocketPacket = ConnectPacket | DisconnectPacket | EventPacket | AckPacket | ConnectErrorPacket

/** The type of a packet, as on the wire. */
export type SocketPacketType = SocketPacket["type"]

/** Event names that neither side may send, since programs listen to them for what happens to the socket itself. */
export const reservedEvents: ReadonlySet<string> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener"
])

/** Whether an event may have this name. */
export const isEventName = (name: unknown): name is string | number =>
  typeof name === "string" ? !reservedEvents.has(name) : typeof name === "number"

/** Whether it is an object other than an array, a `Date` or another built-in: what CONNECT may carry. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  Object.prototype.toString.call(value) === "[object Object]"
