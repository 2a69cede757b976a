/**
 * Engine.IO packets (protocol revision 4) and the frames they travel in.
 *
 * A text frame is the digit of the packet type and its data. A binary frame is the data of a message, nothing else. Where a
 * connection carries only text, binary is written as `b` and its base64.
 */
import * as Base64 from "./Base64.ts"
import type { Frame } from "./FrameGroup.ts"

/** The packet types; their places in this list are their digits on the wire. */
export const types = ["open", "close", "ping", "pong", "message", "upgrade", "noop"] as const

/** The type of an Engine.IO packet. */
export type EnginePacketType = (typeof types)[number]

/** One Engine.IO packet. Only messages carry binary data. */
export interface EnginePacket {
  readonly type: EnginePacketType
  readonly data: string | Uint8Array | undefined
}

/** The frame is no Engine.IO packet: the connection ends with `parse error`. */
export interface EngineDecodeFailure {
  readonly _tag: "EngineDecodeFailure"
  readonly message: string
}

/** A failure with that message. */
export const failure = (message: string): EngineDecodeFailure => ({ _tag: "EngineDecodeFailure", message })

/** Whether decoding failed. */
export const isFailure = (value: unknown): value is EngineDecodeFailure =>
  typeof value === "object" && value !== null && (value as Partial<EngineDecodeFailure>)._tag === "EngineDecodeFailure"

/** A packet; without data it is the type alone. */
export const make = (type: EnginePacketType, data?: string | Uint8Array): EnginePacket => ({ type, data })

const digits: { readonly [type in EnginePacketType]: string } = {
  open: "0",
  close: "1",
  ping: "2",
  pong: "3",
  message: "4",
  upgrade: "5",
  noop: "6"
}

/** The frame of a packet. The data of a binary message is the frame itself, not a copy. */
export const encode = (packet: EnginePacket): Frame => {
  const data = packet.data
  if (data === undefined) return digits[packet.type]
  return typeof data === "string" ? digits[packet.type] + data : data
}

/** The frame as text: a binary one becomes `b` and base64, for payloads of the polling transport and text-only WebSockets. */
export const toText = (frame: Frame): string => (typeof frame === "string" ? frame : "b" + Base64.encode(frame))

const messageDigit = 0x34
const base64Mark = 0x62

const emptyFrame = failure("empty frame")
const invalidBase64 = failure("invalid base64")

/**
 * The packet in a frame. A message always has data, possibly the empty text; other packets have `undefined` where nothing
 * follows their digit.
 */
export const decode = (frame: Frame): EnginePacket | EngineDecodeFailure => {
  if (typeof frame !== "string") return { type: "message", data: frame }
  if (frame.length === 0) return emptyFrame
  const first = frame.charCodeAt(0)
  if (first === messageDigit) return { type: "message", data: frame.slice(1) }
  if (first === base64Mark) {
    const bytes = Base64.decode(frame.slice(1))
    return bytes === undefined ? invalidBase64 : { type: "message", data: bytes }
  }
  const type = types[first - 0x30]
  if (type === undefined) return failure("unknown engine packet type")
  return { type, data: frame.length > 1 ? frame.slice(1) : undefined }
}
