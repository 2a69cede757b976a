/**
 * The messages of `@socket.io/redis-adapter` over plain Pub/Sub, and their reading. It is an older format than that of all other adapters.
 *
 * Reading is total: what is malformed is `undefined`. Keys are written in the order of official nodes.
 */
import * as MsgpackEncode from "../../protocol/MsgpackEncode.ts"
import * as MsgpackDecode from "../../protocol/MsgpackDecode.ts"
import * as SocketBinary from "../../protocol/SocketBinary.ts"
import type { BroadcastFlags, EventData, SocketDescription, Target } from "../Adapter.ts"
import * as Fields from "../ClusterFields.ts"
import { emitterUid } from "../ClusterMessage.ts"

/** The numbers of the requests and answers on the wire. */
export const RequestType = {
  SOCKETS: 0,
  ALL_ROOMS: 1,
  REMOTE_JOIN: 2,
  REMOTE_LEAVE: 3,
  REMOTE_DISCONNECT: 4,
  REMOTE_FETCH: 5,
  SERVER_SIDE_EMIT: 6,
  BROADCAST: 7,
  BROADCAST_CLIENT_COUNT: 8,
  BROADCAST_ACK: 9
} as const

/** How values become bytes where it is not JSON: msgpack, as `notepack.io` writes it, unless all nodes of a cluster use another. */
export interface RedisParser {
  encode(value: unknown): string | Uint8Array
  /** May throw. */
  decode(bytes: Uint8Array): unknown
}

/** Msgpack. */
export const msgpack: RedisParser = {
  encode: (value) => MsgpackEncode.encodeOrThrow(value, "notepack3"),
  decode: (bytes) => {
    const decoded = MsgpackDecode.decode(bytes)
    if (decoded._tag === "MsgpackValue") return decoded.value
    throw new TypeError(decoded.message)
  }
}

/** Whom a request is for: the sockets that a target selects, or one socket by its id, as nodes before version 7 of the adapter ask. */
export type Addressees =
  | { readonly _tag: "Target"; readonly target: Target }
  | { readonly _tag: "Socket"; readonly id: string; readonly requestId: string | undefined }

/** A request of another node, or of an emitter. */
export type Request =
  | { readonly type: typeof RequestType.SOCKETS; readonly requestId: string; readonly target: Target }
  | { readonly type: typeof RequestType.ALL_ROOMS; readonly requestId: string }
  | {
      readonly type: typeof RequestType.REMOTE_JOIN | typeof RequestType.REMOTE_LEAVE
      readonly addressees: Addressees
      readonly rooms: ReadonlyArray<string>
    }
  | {
      readonly type: typeof RequestType.REMOTE_DISCONNECT
      readonly addressees: Addressees
      readonly close: boolean
    }
  | { readonly type: typeof RequestType.REMOTE_FETCH; readonly requestId: string; readonly target: Target }
  | {
      readonly type: typeof RequestType.SERVER_SIDE_EMIT
      readonly event: EventData
      /** Present when an answer is wanted. */
      readonly requestId: string | undefined
    }
  | {
      readonly type: typeof RequestType.BROADCAST
      readonly requestId: string
      readonly target: Target
      readonly event: EventData
      readonly flags: BroadcastFlags
    }

/** A request with its sender. */
export interface SentRequest {
  readonly uid: string
  readonly request: Request
}

/** An answer. Which kind it is says the request, but for the answers of clients. */
export type Response =
  | { readonly _tag: "Sockets"; readonly requestId: string; readonly sockets: ReadonlyArray<SocketDescription> }
  | { readonly _tag: "ServerSideEmit"; readonly requestId: string; readonly answer: unknown }
  | { readonly _tag: "ClientCount"; readonly requestId: string; readonly count: number }
  | {
      readonly _tag: "Ack"
      readonly requestId: string
      readonly answer: unknown
      readonly socketId: string | undefined
    }

/** A broadcast of another node, or of an emitter. */
export interface Broadcast {
  readonly uid: string
  readonly target: Target
  readonly event: EventData
  readonly flags: BroadcastFlags
}

const eventType = 2
const nobody: ReadonlyArray<string> = []

const packetOf = ({ data }: EventData, nsp: string): object => ({ type: eventType, data, nsp })

// ---- writing

/** A broadcast. May throw for what has no form. */
export const encodeBroadcast = (
  parser: RedisParser,
  uid: string,
  nsp: string,
  target: Target,
  event: EventData,
  flags: BroadcastFlags
): string | Uint8Array => parser.encode([uid, packetOf(event, nsp), Fields.wireOptions(target, flags)])

/** A broadcast of an emitter, which has another order. May throw for what has no form. */
export const encodeEmitted = (
  parser: RedisParser,
  nsp: string,
  target: Target,
  event: EventData,
  flags: Readonly<Record<string, unknown>>
): string | Uint8Array => {
  const options = { rooms: Array.from(target.rooms), flags, except: Array.from(target.except) }
  return parser.encode([emitterUid, packetOf(event, nsp), options])
}

/** JSON, as official nodes write all requests but one and most answers; what holds binary would not survive it, and is read either way. */
const encodeValue = (parser: RedisParser, value: object): string | Uint8Array =>
  SocketBinary.hasBinary(value) ? parser.encode(value) : JSON.stringify(value)

const optsOf = ({ rooms, except }: Target): object => ({ rooms: Array.from(rooms), except: Array.from(except) })

/** A request. Emitters have no uid, except where they emit to servers. May throw for what has no form. */
export const encodeRequest = (
  parser: RedisParser,
  uid: string | undefined,
  nsp: string,
  request: Request
): string | Uint8Array => {
  const sender = uid === undefined ? {} : { uid }
  const { type } = request
  switch (request.type) {
    case RequestType.SOCKETS:
      return JSON.stringify({ uid, requestId: request.requestId, type, rooms: Array.from(request.target.rooms) })
    case RequestType.ALL_ROOMS:
      return JSON.stringify({ uid, requestId: request.requestId, type })
    case RequestType.REMOTE_JOIN:
    case RequestType.REMOTE_LEAVE:
    case RequestType.REMOTE_DISCONNECT: {
      const { addressees } = request
      const what = request.type === RequestType.REMOTE_DISCONNECT ? { close: request.close } : { rooms: request.rooms }
      if (addressees._tag === "Target") {
        return JSON.stringify({ ...sender, type, opts: optsOf(addressees.target), ...what })
      }
      const { id: sid, requestId } = addressees
      return request.type === RequestType.REMOTE_DISCONNECT
        ? JSON.stringify({ ...sender, requestId, type, sid, close: request.close })
        : JSON.stringify({ ...sender, requestId, type, sid, room: request.rooms[0] })
    }
    case RequestType.REMOTE_FETCH:
      return JSON.stringify({ uid, requestId: request.requestId, type, opts: optsOf(request.target) })
    case RequestType.SERVER_SIDE_EMIT: {
      const { requestId, event } = request
      const id = requestId === undefined ? {} : { requestId }
      return encodeValue(parser, { ...sender, ...id, type, data: event.data })
    }
    case RequestType.BROADCAST: {
      const { requestId, event, target, flags } = request
      return parser.encode({
        uid,
        requestId,
        type,
        packet: packetOf(event, nsp),
        opts: Fields.wireOptions(target, flags)
      })
    }
  }
}

/** The ids of sockets, for a node before version 7. */
export const encodeIds = (requestId: string, sockets: ReadonlyArray<SocketDescription>): string =>
  JSON.stringify({ requestId, sockets: sockets.map(({ id }) => id) })

/** All rooms of a node. */
export const encodeRooms = (requestId: string, rooms: ReadonlySet<string>): string =>
  JSON.stringify({ requestId, rooms: Array.from(rooms) })

/** It was done, for a node before version 7. */
export const encodeDone = (requestId: string): string => JSON.stringify({ requestId })

/** An answer. May throw for what has no form. */
export const encodeResponse = (parser: RedisParser, response: Response): string | Uint8Array => {
  const { requestId } = response
  switch (response._tag) {
    case "Sockets": {
      const sockets = response.sockets.map(({ id, handshake, rooms, data }) => ({ id, handshake, rooms, data }))
      return encodeValue(parser, { requestId, sockets })
    }
    case "ServerSideEmit":
      return encodeValue(parser, { type: RequestType.SERVER_SIDE_EMIT, requestId, data: response.answer })
    case "ClientCount":
      return JSON.stringify({ type: RequestType.BROADCAST_CLIENT_COUNT, requestId, clientCount: response.count })
    case "Ack": {
      const { answer, socketId } = response
      const ack = { type: RequestType.BROADCAST_ACK, requestId, packet: answer }
      // One more key, which official nodes do not look at.
      return parser.encode(socketId === undefined ? ack : { ...ack, socketId })
    }
  }
}

// ---- reading

const textDecoder = new TextDecoder("utf-8")
const openingBrace = 0x7b

/** The value of a payload that is JSON where it begins with `{`. May throw. */
const decodeValue = (parser: RedisParser, bytes: Uint8Array): unknown =>
  bytes[0] === openingBrace ? JSON.parse(textDecoder.decode(bytes)) : parser.decode(bytes)

const total = <A>(read: () => A | undefined): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

const uidOf = (value: unknown): string | undefined => {
  if (value === undefined || value === null) return emitterUid
  return typeof value === "string" ? value : undefined
}

/** The event in a packet of this namespace. A packet without a namespace is for the main one. */
const eventOf = (packet: unknown, nsp: string): EventData | undefined => {
  if (!Fields.isRecord(packet)) return undefined
  const type = packet["type"] ?? eventType
  if (Fields.natural(type) !== eventType || (packet["nsp"] ?? "/") !== nsp) return undefined
  return Fields.event(packet["data"])
}

/** The broadcast in a payload. */
export const decodeBroadcast = (parser: RedisParser, bytes: Uint8Array, nsp: string): Broadcast | undefined =>
  total(() => {
    const value = parser.decode(bytes)
    if (!Array.isArray(value)) return undefined
    const [sender, packet, opts] = value as ReadonlyArray<unknown>
    const uid = uidOf(sender)
    const event = eventOf(packet, nsp)
    const target = Fields.target(opts)
    return uid === undefined || event === undefined || target === undefined
      ? undefined
      : { uid, event, target, flags: Fields.flags(opts) }
  })

/** Sockets that a request is for; `undefined` where it does not say, since that is not everybody. */
const addresseesOf = (value: Readonly<Record<string, unknown>>): Addressees | undefined => {
  if (value["opts"] !== undefined && value["opts"] !== null) {
    const target = Fields.target(value["opts"])
    return target === undefined ? undefined : { _tag: "Target", target }
  }
  const { sid } = value
  return typeof sid === "string" && sid !== ""
    ? { _tag: "Socket", id: sid, requestId: Fields.requestId(value["requestId"]) }
    : undefined
}

const requestOf = (value: Readonly<Record<string, unknown>>, nsp: string): Request | undefined => {
  const type = Fields.natural(value["type"])
  const requestId = Fields.requestId(value["requestId"])
  switch (type) {
    case RequestType.SOCKETS: {
      const rooms = Fields.rooms(value["rooms"])
      return requestId === undefined || rooms === undefined
        ? undefined
        : { type, requestId, target: { rooms: new Set(rooms), except: new Set(nobody) } }
    }
    case RequestType.ALL_ROOMS:
      return requestId === undefined ? undefined : { type, requestId }
    case RequestType.REMOTE_JOIN:
    case RequestType.REMOTE_LEAVE: {
      const addressees = addresseesOf(value)
      const given = addressees?._tag === "Socket" ? value["room"] : value["rooms"]
      const rooms = Fields.rooms(Array.isArray(given) ? given : [given])
      return addressees === undefined || rooms === undefined ? undefined : { type, addressees, rooms }
    }
    case RequestType.REMOTE_DISCONNECT: {
      const addressees = addresseesOf(value)
      return addressees === undefined ? undefined : { type, addressees, close: value["close"] === true }
    }
    case RequestType.REMOTE_FETCH: {
      const target = Fields.target(value["opts"])
      return requestId === undefined || target === undefined ? undefined : { type, requestId, target }
    }
    case RequestType.SERVER_SIDE_EMIT: {
      const event = Fields.serverEvent(value["data"])
      const asked = value["requestId"] !== undefined && value["requestId"] !== null
      return event === undefined || (asked && requestId === undefined) ? undefined : { type, event, requestId }
    }
    case RequestType.BROADCAST: {
      const target = Fields.target(value["opts"])
      const event = eventOf(value["packet"], nsp)
      return requestId === undefined || target === undefined || event === undefined
        ? undefined
        : { type, requestId, target, event, flags: Fields.flags(value["opts"]) }
    }
    default:
      return undefined
  }
}

/** The request in a payload. */
export const decodeRequest = (parser: RedisParser, bytes: Uint8Array, nsp: string): SentRequest | undefined =>
  total(() => {
    const value = decodeValue(parser, bytes)
    if (!Fields.isRecord(value)) return undefined
    const uid = uidOf(value["uid"])
    const request = requestOf(value, nsp)
    return uid === undefined || request === undefined ? undefined : { uid, request }
  })

const responseOf = (value: Readonly<Record<string, unknown>>): Response | undefined => {
  const requestId = Fields.requestId(value["requestId"])
  if (requestId === undefined) return undefined
  switch (Fields.natural(value["type"])) {
    case RequestType.BROADCAST_CLIENT_COUNT: {
      const count = Fields.natural(value["clientCount"])
      return count === undefined ? undefined : { _tag: "ClientCount", requestId, count }
    }
    case RequestType.BROADCAST_ACK: {
      const { packet, socketId } = value
      return {
        _tag: "Ack",
        requestId,
        answer: packet,
        socketId: typeof socketId === "string" ? socketId : undefined
      }
    }
    case RequestType.SERVER_SIDE_EMIT:
      return { _tag: "ServerSideEmit", requestId, answer: value["data"] }
    default: {
      if (value["sockets"] === undefined) return undefined
      const sockets = Fields.sockets(value["sockets"])
      return sockets === undefined ? undefined : { _tag: "Sockets", requestId, sockets }
    }
  }
}

/** The answer in a payload. */
export const decodeResponse = (parser: RedisParser, bytes: Uint8Array): Response | undefined =>
  total(() => {
    const value = decodeValue(parser, bytes)
    return Fields.isRecord(value) ? responseOf(value) : undefined
  })
