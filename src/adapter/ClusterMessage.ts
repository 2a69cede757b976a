/**
 * What nodes tell each other: the messages of `socket.io-adapter` 2.5 as values, and their reading from what a broker delivers.
 *
 * Reading is total and lenient: official nodes and emitters of several versions leave out `nsp`, send numbers as text and add keys.
 */
import type { BroadcastFlags, EventData, SocketDescription, Target } from "./Adapter.ts"
import * as ClusterFields from "./ClusterFields.ts"

/** The numbers of the messages on the wire. */
export const MessageType = {
  INITIAL_HEARTBEAT: 1,
  HEARTBEAT: 2,
  BROADCAST: 3,
  SOCKETS_JOIN: 4,
  SOCKETS_LEAVE: 5,
  DISCONNECT_SOCKETS: 6,
  FETCH_SOCKETS: 7,
  FETCH_SOCKETS_RESPONSE: 8,
  SERVER_SIDE_EMIT: 9,
  SERVER_SIDE_EMIT_RESPONSE: 10,
  BROADCAST_CLIENT_COUNT: 11,
  BROADCAST_ACK: 12,
  ADAPTER_CLOSE: 13
} as const

/** The uid of emitters, which are no nodes: nothing answers to it, and nobody counts it. */
export const emitterUid = "emitter"

/** What a message says; its sender and namespace are beside it. */
export type Body =
  | { readonly type: typeof MessageType.INITIAL_HEARTBEAT }
  | { readonly type: typeof MessageType.HEARTBEAT }
  | {
      readonly type: typeof MessageType.BROADCAST
      readonly target: Target
      readonly flags: BroadcastFlags
      readonly event: EventData
      /** Present when answers are wanted. */
      readonly requestId: string | undefined
    }
  | {
      readonly type: typeof MessageType.SOCKETS_JOIN | typeof MessageType.SOCKETS_LEAVE
      readonly target: Target
      readonly rooms: ReadonlyArray<string>
    }
  | { readonly type: typeof MessageType.DISCONNECT_SOCKETS; readonly target: Target; readonly close: boolean }
  | { readonly type: typeof MessageType.FETCH_SOCKETS; readonly target: Target; readonly requestId: string }
  | {
      readonly type: typeof MessageType.FETCH_SOCKETS_RESPONSE
      readonly requestId: string
      readonly sockets: ReadonlyArray<SocketDescription>
    }
  | {
      readonly type: typeof MessageType.SERVER_SIDE_EMIT
      readonly event: EventData
      readonly requestId: string | undefined
    }
  | {
      readonly type: typeof MessageType.SERVER_SIDE_EMIT_RESPONSE | typeof MessageType.BROADCAST_ACK
      readonly requestId: string
      /** The first argument of the answer; the wire has no more. */
      readonly answer: unknown
      /** Who answered: with `BROADCAST_ACK` of our nodes only, a key that official nodes do not look at. */
      readonly socketId?: string | undefined
    }
  | { readonly type: typeof MessageType.BROADCAST_CLIENT_COUNT; readonly requestId: string; readonly count: number }
  | { readonly type: typeof MessageType.ADAPTER_CLOSE }

/** A message of one node to the others, or to one of them. */
export interface ClusterMessage {
  /** The node that sent it: one for each namespace of a server. */
  readonly uid: string
  readonly nsp: string
  readonly body: Body
}

/** A message as official nodes write it. The keys are in their order. */
export interface WireMessage {
  readonly type: number
  /** Absent where the type says it all. */
  readonly data?: Readonly<Record<string, unknown>>
  readonly uid: string
  readonly nsp: string
}

const {
  INITIAL_HEARTBEAT,
  HEARTBEAT,
  BROADCAST,
  SOCKETS_JOIN,
  SOCKETS_LEAVE,
  DISCONNECT_SOCKETS,
  FETCH_SOCKETS,
  FETCH_SOCKETS_RESPONSE,
  SERVER_SIDE_EMIT,
  SERVER_SIDE_EMIT_RESPONSE,
  BROADCAST_CLIENT_COUNT,
  BROADCAST_ACK,
  ADAPTER_CLOSE
} = MessageType

/** Whether a message is an answer, for the one node that asked. */
export const isResponse = ({ body }: ClusterMessage): boolean => {
  switch (body.type) {
    case FETCH_SOCKETS_RESPONSE:
    case SERVER_SIDE_EMIT_RESPONSE:
    case BROADCAST_CLIENT_COUNT:
    case BROADCAST_ACK:
      return true
    default:
      return false
  }
}

const eventType = 2

const wireData = (body: Body, nsp: string | undefined): Readonly<Record<string, unknown>> | undefined => {
  switch (body.type) {
    case BROADCAST: {
      const { requestId, event } = body
      const data = { type: eventType, data: event.data }
      const packet = nsp === undefined ? data : { ...data, nsp }
      const opts = ClusterFields.wireOptions(body.target, body.flags)
      return requestId === undefined ? { packet, opts } : { packet, requestId, opts }
    }
    case SOCKETS_JOIN:
    case SOCKETS_LEAVE:
      return { opts: ClusterFields.wireOptions(body.target), rooms: Array.from(body.rooms) }
    case DISCONNECT_SOCKETS:
      return { opts: ClusterFields.wireOptions(body.target), close: body.close }
    case FETCH_SOCKETS:
      return { opts: ClusterFields.wireOptions(body.target), requestId: body.requestId }
    case FETCH_SOCKETS_RESPONSE:
      return { requestId: body.requestId, sockets: body.sockets }
    case SERVER_SIDE_EMIT: {
      const { requestId, event } = body
      return requestId === undefined ? { packet: event.data } : { requestId, packet: event.data }
    }
    case SERVER_SIDE_EMIT_RESPONSE:
    case BROADCAST_ACK: {
      const { requestId, answer, socketId } = body
      return socketId === undefined ? { requestId, packet: answer } : { requestId, packet: answer, socketId }
    }
    case BROADCAST_CLIENT_COUNT:
      return { requestId: body.requestId, clientCount: body.count }
    default:
      return undefined
  }
}

/**
 * The plain object that official nodes send for a message, with keys in their order. Its arguments are those of the message, not copied.
 *
 * `nspInPacket` also writes the namespace into the packet of a broadcast, as emitters do.
 */
export const toWire = (message: ClusterMessage, options?: { readonly nspInPacket?: boolean }): WireMessage => {
  const { uid, nsp, body } = message
  const data = wireData(body, options?.nspInPacket === true ? nsp : undefined)
  return data === undefined ? { type: body.type, uid, nsp } : { type: body.type, data, uid, nsp }
}

const broadcast = (data: Readonly<Record<string, unknown>>, nsp: string): Body | undefined => {
  const { packet, opts } = data
  if (!ClusterFields.isRecord(packet)) return undefined
  if (packet["type"] !== undefined && ClusterFields.natural(packet["type"]) !== eventType) return undefined
  if (packet["nsp"] !== undefined && namespaceOf(packet["nsp"]) !== nsp) return undefined
  const event = ClusterFields.event(packet["data"])
  const target = ClusterFields.target(opts)
  const asked = data["requestId"] !== undefined && data["requestId"] !== null
  const requestId = ClusterFields.requestId(data["requestId"])
  if (event === undefined || target === undefined || (asked && requestId === undefined)) return undefined
  return { type: BROADCAST, target, flags: ClusterFields.flags(opts), event, requestId }
}

const move = (
  type: typeof SOCKETS_JOIN | typeof SOCKETS_LEAVE,
  data: Readonly<Record<string, unknown>>
): Body | undefined => {
  const target = ClusterFields.target(data["opts"])
  const rooms = ClusterFields.rooms(typeof data["rooms"] === "string" ? [data["rooms"]] : data["rooms"])
  return target === undefined || rooms === undefined ? undefined : { type, target, rooms }
}

const serverSideEmit = (data: Readonly<Record<string, unknown>>): Body | undefined => {
  const event = ClusterFields.serverEvent(data["packet"])
  const asked = data["requestId"] !== undefined && data["requestId"] !== null
  const requestId = ClusterFields.requestId(data["requestId"])
  if (event === undefined || (asked && requestId === undefined)) return undefined
  return { type: SERVER_SIDE_EMIT, event, requestId }
}

const response = (type: number, data: Readonly<Record<string, unknown>>): Body | undefined => {
  const requestId = ClusterFields.requestId(data["requestId"])
  if (requestId === undefined) return undefined
  switch (type) {
    case FETCH_SOCKETS_RESPONSE: {
      const sockets = ClusterFields.sockets(data["sockets"])
      return sockets === undefined ? undefined : { type, requestId, sockets }
    }
    case SERVER_SIDE_EMIT_RESPONSE:
      return { type, requestId, answer: data["packet"] }
    case BROADCAST_ACK: {
      const { packet, socketId } = data
      return { type, requestId, answer: packet, socketId: typeof socketId === "string" ? socketId : undefined }
    }
    case BROADCAST_CLIENT_COUNT: {
      const count = ClusterFields.natural(data["clientCount"])
      return count === undefined ? undefined : { type, requestId, count }
    }
    default:
      return undefined
  }
}

const bodyOf = (type: number | undefined, data: unknown, nsp: string): Body | undefined => {
  switch (type) {
    case INITIAL_HEARTBEAT:
    case HEARTBEAT:
    case ADAPTER_CLOSE:
      return { type }
  }
  if (type === undefined || !ClusterFields.isRecord(data)) return undefined
  switch (type) {
    case BROADCAST:
      return broadcast(data, nsp)
    case SOCKETS_JOIN:
    case SOCKETS_LEAVE:
      return move(type, data)
    case DISCONNECT_SOCKETS: {
      const target = ClusterFields.target(data["opts"])
      return target === undefined ? undefined : { type, target, close: data["close"] === true }
    }
    case FETCH_SOCKETS: {
      const target = ClusterFields.target(data["opts"])
      const requestId = ClusterFields.requestId(data["requestId"])
      return target === undefined || requestId === undefined ? undefined : { type, target, requestId }
    }
    case SERVER_SIDE_EMIT:
      return serverSideEmit(data)
    default:
      return response(type, data)
  }
}

const namespaceOf = (value: unknown): string | undefined =>
  typeof value !== "string" ? undefined : value.startsWith("/") ? value : `/${value}`

/** Longer uids are not ours: they would be remembered. */
const maxUidLength = 256

const uidOf = (value: unknown): string | undefined => {
  if (value === undefined || value === null) return emitterUid
  return typeof value === "string" && value !== "" && value.length <= maxUidLength ? value : undefined
}

/**
 * The message in a value from a broker, or `undefined` where it is malformed or belongs to a namespace other than `channelNamespace`, the
 * one that the value came for. Never throws for JSON, msgpack and structured clones.
 *
 * A missing `nsp` is that of the channel, a missing `uid` that of emitters; numbers may be text; further keys are ignored.
 */
export const fromWire = (value: unknown, channelNamespace: string): ClusterMessage | undefined => {
  if (!ClusterFields.isRecord(value)) return undefined
  const { nsp } = value
  if (nsp !== undefined && nsp !== null && namespaceOf(nsp) !== channelNamespace) return undefined
  const uid = uidOf(value["uid"])
  const body = bodyOf(ClusterFields.natural(value["type"]), value["data"], channelNamespace)
  return uid === undefined || body === undefined ? undefined : { uid, nsp: channelNamespace, body }
}
