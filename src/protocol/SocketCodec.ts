/**
 * Socket.IO packets on the wire: the interface of codecs, and the default one (JSON with attachments).
 *
 * A packet is encoded down to the frames of Engine.IO, so that a broadcast is encoded once.
 */
import type { FrameGroup } from "./FrameGroup.ts"
import * as Group from "./FrameGroup.ts"
import * as SocketBinary from "./SocketBinary.ts"
import type { SocketPacket } from "./SocketPacket.ts"
import { ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, isEventName, isJsonObject } from "./SocketPacket.ts"

/** The packet cannot be written: a cycle, a BigInt, a `toJSON` that throws. */
export interface EncodeFailure {
  readonly _tag: "SocketEncodeFailure"
  readonly message: string
  readonly cause: unknown
}

/** The peer sent what is no packet: the connection ends. The messages are those of the official parser. */
export interface SocketDecodeFailure {
  readonly _tag: "SocketDecodeFailure"
  readonly message: string
}

/** An encoding failure. */
export const encodeFailure = (message: string, cause?: unknown): EncodeFailure => ({
  _tag: "SocketEncodeFailure",
  message,
  cause
})

/** A decoding failure. */
export const decodeFailure = (message: string): SocketDecodeFailure => ({ _tag: "SocketDecodeFailure", message })

/** Whether encoding failed. */
export const isEncodeFailure = (result: FrameGroup | EncodeFailure): result is EncodeFailure =>
  (result as EncodeFailure)._tag === "SocketEncodeFailure"

/** Whether decoding failed. */
export const isDecodeFailure = (
  result: SocketPacket | SocketDecodeFailure | undefined
): result is SocketDecodeFailure => (result as SocketDecodeFailure | undefined)?._tag === "SocketDecodeFailure"

/** What an encoder may know beforehand. */
export interface EncodeOptions {
  /** Whether the data contains binary; without it the data is searched. */
  readonly hasBinary?: boolean | undefined
}

/** What a decoder accepts. */
export interface DecoderLimits {
  /** The number of attachments of one packet. Default: that of the codec, 10. */
  readonly maxAttachments?: number | undefined
}

/** Turns the messages of one connection into packets; it remembers a packet whose attachments are still to come. */
export interface SocketDecoder {
  /**
   * Takes the next message (without the Engine.IO type digit). Gives a packet, or `undefined` while attachments are missing.
   * After a failure the decoder is empty again.
   */
  add(data: string | Uint8Array): SocketPacket | SocketDecodeFailure | undefined
  /** Forgets an unfinished packet. */
  destroy(): void
}

/** How packets are written: both ends must use the same. */
export interface SocketCodec {
  readonly name: string
  /** The Engine.IO frames of a packet: text frames begin with `4`, binary ones are raw. */
  encode(packet: SocketPacket, options?: EncodeOptions): FrameGroup | EncodeFailure
  makeDecoder(limits?: DecoderLimits): SocketDecoder
  /** The frames of an event with one more argument at its end, without encoding it again. Left out by codecs that cannot. */
  readonly extend?: ((event: FrameGroup, argument: string) => FrameGroup) | undefined
}

/** Options of the default codec, as in the official parser. */
export interface JsonCodecOptions {
  /** Default 10. */
  readonly maxAttachments?: number | undefined
  /** Passed to `JSON.stringify`. */
  readonly replacer?: ((this: unknown, key: string, value: unknown) => unknown) | undefined
  /** Passed to `JSON.parse`. */
  readonly reviver?: ((this: unknown, key: string, value: unknown) => unknown) | undefined
}

type Replacer = JsonCodecOptions["replacer"]
type Reviver = JsonCodecOptions["reviver"]

/** What an encoder's user reads about something that was thrown while encoding. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : "data cannot be encoded")

/** `<nsp>,<id>` with what may be left out left out. */
const address = (packet: SocketPacket): string => {
  const nsp = packet.nsp === "/" || packet.nsp === "" ? "" : packet.nsp + ","
  return packet.id === undefined ? nsp : nsp + packet.id
}

const encodePlain = (packet: SocketPacket, replacer: Replacer): FrameGroup | EncodeFailure => {
  const head = "4" + packet.type + address(packet)
  if (packet.data === undefined) return Group.make(head)
  const json = JSON.stringify(packet.data, replacer) as string | undefined
  return json === undefined ? encodeFailure("data has no JSON form") : Group.make(head + json)
}

const encodeBinary = (packet: SocketPacket, replacer: Replacer): FrameGroup | EncodeFailure => {
  const taken = SocketBinary.deconstruct(packet.data)
  if (SocketBinary.isFailure(taken)) return encodeFailure(taken.message)
  const count = taken.attachments.length
  if (count === 0) return encodePlain(packet, replacer)
  const json = JSON.stringify(taken.data, replacer) as string | undefined
  if (json === undefined) return encodeFailure("data has no JSON form")
  const type = packet.type === EVENT ? "45" : "46"
  return Group.make(type + count + "-" + address(packet) + json, taken.attachments)
}

const illegalAttachments = decodeFailure("Illegal attachments")
const tooManyAttachments = decodeFailure("too many attachments")
const invalidPayload = decodeFailure("invalid payload")
const invalidId = decodeFailure("invalid packet id")
const unexpectedText = decodeFailure("got plaintext data when reconstructing a packet")
const unexpectedBinary = decodeFailure("got binary data when not reconstructing a packet")

const slash = 0x2f
const dash = 0x2d

/** The digit at a place, or something outside 0-9: a space is none. */
const digitAt = (text: string, index: number): number => text.charCodeAt(index) - 0x30

const isDigit = (digit: number): boolean => digit >= 0 && digit <= 9

/** A head that parsed, and whose attachments may still be missing. */
interface Parsed {
  readonly packet: SocketPacket
  readonly attachments: number
}

const packetOf = (
  type: number,
  nsp: string,
  id: number | undefined,
  hasData: boolean,
  data: unknown
): SocketPacket | SocketDecodeFailure => {
  switch (type) {
    case CONNECT:
      if (!hasData) return { type: CONNECT, nsp, id, data: undefined }
      return isJsonObject(data) ? { type: CONNECT, nsp, id, data } : invalidPayload
    case DISCONNECT:
      return hasData ? invalidPayload : { type: DISCONNECT, nsp, id, data: undefined }
    case EVENT:
      return Array.isArray(data) && isEventName(data[0]) ? { type: EVENT, nsp, id, data } : invalidPayload
    case ACK:
      return Array.isArray(data) ? { type: ACK, nsp, id, data } : invalidPayload
    default:
      if (!hasData) return { type: CONNECT_ERROR, nsp, id, data: undefined }
      return typeof data === "string" || isJsonObject(data) ? { type: CONNECT_ERROR, nsp, id, data } : invalidPayload
  }
}

const parse = (text: string, maxAttachments: number, reviver: Reviver): Parsed | SocketDecodeFailure => {
  let type = digitAt(text, 0)
  if (!(type >= 0 && type <= 6)) {
    return decodeFailure("unknown packet type " + (isDigit(type) ? type : Number.NaN))
  }
  let i = 1
  let attachments = 0
  if (type >= 5) {
    for (let digit = digitAt(text, i); isDigit(digit); digit = digitAt(text, ++i))
      attachments = attachments * 10 + digit
    if (attachments === 0 || text.charCodeAt(i) !== dash) return illegalAttachments
    if (attachments > maxAttachments) return tooManyAttachments
    i++
    type -= 3
  }
  let nsp = "/"
  if (text.charCodeAt(i) === slash) {
    const comma = text.indexOf(",", i)
    const end = comma === -1 ? text.length : comma
    nsp = text.slice(i, end)
    i = end + 1
  }
  let id: number | undefined
  let digit = digitAt(text, i)
  if (isDigit(digit)) {
    id = 0
    for (; isDigit(digit); digit = digitAt(text, ++i)) id = id * 10 + digit
    if (id > Number.MAX_SAFE_INTEGER) return invalidId
  }
  const hasData = i < text.length
  let data: unknown
  if (hasData) {
    try {
      data = JSON.parse(text.slice(i), reviver)
    } catch {
      return invalidPayload
    }
  }
  const packet = packetOf(type, nsp, id, hasData, data)
  return isDecodeFailure(packet) ? packet : { packet, attachments }
}

class JsonDecoder implements SocketDecoder {
  private pending: Parsed | undefined = undefined
  private received: Array<Uint8Array> | undefined = undefined
  private readonly maxAttachments: number
  private readonly reviver: Reviver

  constructor(maxAttachments: number, reviver: Reviver) {
    this.maxAttachments = maxAttachments
    this.reviver = reviver
  }

  add(data: string | Uint8Array): SocketPacket | SocketDecodeFailure | undefined {
    return typeof data === "string" ? this.addText(data) : this.addBinary(data)
  }

  private addText(text: string): SocketPacket | SocketDecodeFailure | undefined {
    if (this.pending !== undefined) {
      this.destroy()
      return unexpectedText
    }
    const parsed = parse(text, this.maxAttachments, this.reviver)
    if ("_tag" in parsed) return parsed
    if (parsed.attachments === 0) return parsed.packet
    this.pending = parsed
    return undefined
  }

  private addBinary(bytes: Uint8Array): SocketPacket | SocketDecodeFailure | undefined {
    const pending = this.pending
    if (pending === undefined) return unexpectedBinary
    const received = (this.received ??= [])
    received.push(bytes)
    if (received.length < pending.attachments) return undefined
    this.destroy()
    const data = SocketBinary.reconstruct(pending.packet.data, received)
    return SocketBinary.isFailure(data) ? decodeFailure(data.message) : pending.packet
  }

  destroy(): void {
    this.pending = undefined
    this.received = undefined
  }
}

/** The head of an event ends with its list, and the list has a name in it at least. */
const extendList = (event: FrameGroup, argument: string): FrameGroup =>
  Group.make(`${String(event.head).slice(0, -1)},${JSON.stringify(argument)}]`, event.attachments)

/** The default codec with other options. */
export const make = (options: JsonCodecOptions = {}): SocketCodec => {
  const { replacer, reviver, maxAttachments = 10 } = options
  return {
    name: "json",
    encode(packet, encodeOptions) {
      try {
        const binary =
          (packet.type === EVENT || packet.type === ACK) &&
          (encodeOptions?.hasBinary ?? SocketBinary.hasBinary(packet.data))
        return binary ? encodeBinary(packet, replacer) : encodePlain(packet, replacer)
      } catch (error) {
        return encodeFailure(messageOf(error), error)
      }
    },
    makeDecoder: (limits) => new JsonDecoder(limits?.maxAttachments ?? maxAttachments, reviver),
    // A replacer may have made anything of the list.
    extend: replacer === undefined ? extendList : undefined
  }
}

/** The codec of every Socket.IO 4 program that was not told otherwise. */
export const json: SocketCodec = make()
