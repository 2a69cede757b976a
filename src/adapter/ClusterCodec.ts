/**
 * Messages between nodes as text and bytes: JSON, or msgpack where there is binary in them, as the sharded Redis adapter has it. For brokers
 * that carry payloads without a form of their own.
 */
import * as MsgpackDecode from "../protocol/MsgpackDecode.ts"
import * as MsgpackEncode from "../protocol/MsgpackEncode.ts"
import * as SocketBinary from "../protocol/SocketBinary.ts"
import * as Utf8 from "../protocol/Utf8.ts"
import { type ClusterMessage, fromWire, MessageType, toWire, type WireMessage } from "./ClusterMessage.ts"

/** A payload larger than this is neither sent nor read, unless an option says otherwise: 16 MiB. */
export const defaultMaxSize = 16 * 1024 * 1024

/** How payloads are written and read. */
export interface CodecOptions {
  /** The most bytes that a payload may have. Default 16 MiB. */
  readonly maxSize?: number | undefined
  /** Writes the namespace into the packets of broadcasts, too, as emitters do. Default false. */
  readonly nspInPacket?: boolean | undefined
}

/** The payload of a message: text is JSON, bytes are msgpack. */
export interface Encoded {
  readonly _tag: "Encoded"
  readonly payload: string | Uint8Array<ArrayBuffer>
}

/** Why a message has no payload: it holds something that neither JSON nor msgpack can say, or is larger than allowed. */
export interface EncodeFailure {
  readonly _tag: "EncodeFailure"
  readonly message: string
  readonly cause: unknown
}

/** A value that came as a payload. */
export interface DecodedValue {
  readonly _tag: "DecodedValue"
  readonly value: unknown
}

/** The payload is no JSON and no msgpack, or is larger than allowed. */
export interface DecodeFailure {
  readonly _tag: "DecodeFailure"
  readonly message: string
}

const failure = (message: string, cause: unknown): EncodeFailure => ({ _tag: "EncodeFailure", message, cause })

/** The types whose data may hold binary. */
const binaryTypes: ReadonlySet<number> = new Set([
  MessageType.BROADCAST,
  MessageType.FETCH_SOCKETS_RESPONSE,
  MessageType.SERVER_SIDE_EMIT,
  MessageType.SERVER_SIDE_EMIT_RESPONSE,
  MessageType.BROADCAST_ACK
])

/** Whether the message has to travel as msgpack. */
export const needsMsgpack = ({ type, data }: WireMessage): boolean =>
  binaryTypes.has(type) && SocketBinary.hasBinary(data)

/** The payload of a message. Never throws. */
export const encode = (message: ClusterMessage, options: CodecOptions = {}): Encoded | EncodeFailure => {
  const maxSize = options.maxSize ?? defaultMaxSize
  try {
    const wire = toWire(message, { nspInPacket: options.nspInPacket === true })
    const payload = needsMsgpack(wire) ? MsgpackEncode.encodeOrThrow(wire, "notepack3") : JSON.stringify(wire)
    const size = typeof payload === "string" ? Utf8.byteLength(payload) : payload.length
    if (size > maxSize) return failure(`a message of ${size} bytes is larger than ${maxSize}`, undefined)
    return { _tag: "Encoded", payload }
  } catch (cause) {
    return failure(cause instanceof Error ? cause.message : "the message cannot be written", cause)
  }
}

const textDecoder = new TextDecoder("utf-8")

const parse = (text: string): DecodedValue | DecodeFailure => {
  try {
    return { _tag: "DecodedValue", value: JSON.parse(text) }
  } catch (error) {
    return { _tag: "DecodeFailure", message: error instanceof Error ? error.message : "no JSON" }
  }
}

const openingBrace = 0x7b

/** What a payload holds: text, and bytes that begin with `{`, are JSON, all else is msgpack. Never throws. */
export const decodeValue = (payload: string | Uint8Array, options: CodecOptions = {}): DecodedValue | DecodeFailure => {
  const maxSize = options.maxSize ?? defaultMaxSize
  const size = payload.length <= maxSize && typeof payload === "string" ? Utf8.byteLength(payload) : payload.length
  if (size > maxSize) return { _tag: "DecodeFailure", message: `a payload of ${size} bytes is larger than ${maxSize}` }
  if (typeof payload === "string") return parse(payload)
  if (payload[0] === openingBrace) return parse(textDecoder.decode(payload))
  const decoded = MsgpackDecode.decode(payload)
  return decoded._tag === "MsgpackValue"
    ? { _tag: "DecodedValue", value: decoded.value }
    : { _tag: "DecodeFailure", message: decoded.message }
}

/** The message in a payload that came for a namespace; `undefined` where it is malformed, oversized or not for it. Never throws. */
export const decode = (
  payload: string | Uint8Array,
  namespace: string,
  options: CodecOptions = {}
): ClusterMessage | undefined => {
  const decoded = decodeValue(payload, options)
  return decoded._tag === "DecodedValue" ? fromWire(decoded.value, namespace) : undefined
}
