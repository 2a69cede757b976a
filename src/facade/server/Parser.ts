/**
 * Parsers written for Socket.IO's contract, as codecs of this library, and the encoder that adapters written for it expect.
 */
import type { EventEmitter } from "node:events"
import type { FrameGroup } from "../../protocol/FrameGroup.ts"
import * as Group from "../../protocol/FrameGroup.ts"
import * as SocketCodec from "../../protocol/SocketCodec.ts"
import {
  ACK,
  CONNECT,
  CONNECT_ERROR,
  DISCONNECT,
  EVENT,
  isEventName,
  isJsonObject,
  type SocketPacket
} from "../../protocol/SocketPacket.ts"

/** A packet as Socket.IO's parsers take and give it. */
export interface OfficialPacket {
  type: number
  nsp: string
  data?: unknown
  id?: number | undefined
}

/** Encodes packets for Engine.IO: text, or a text with its attachments. */
export interface OfficialEncoder {
  encode(packet: OfficialPacket): Array<string | Uint8Array>
}

/** Decodes what comes; emits `decoded` with each packet, and throws for what is none. */
export interface OfficialDecoder extends Pick<EventEmitter, "on"> {
  add(chunk: unknown): void
  destroy?(): void
}

/** A parser for Socket.IO's option `parser`. */
export interface OfficialParser {
  readonly Encoder: new () => OfficialEncoder
  readonly Decoder: new () => OfficialDecoder
}

/** The frames of what an encoder made. */
export const groupOf = (encoded: ReadonlyArray<string | Uint8Array>): FrameGroup => {
  const [head, ...rest] = encoded
  const frame = (part: string | Uint8Array | undefined): string | Uint8Array =>
    part instanceof Uint8Array ? part : `4${part ?? ""}`
  const attachments = rest.map((part) => (typeof part === "string" ? Buffer.from(part) : part))
  return Group.make(frame(head), attachments)
}

/** In protocol types 5 and 6 are events and acknowledgements with attachments. */
const withAttachments = 3

const invalidPayload = SocketCodec.decodeFailure("invalid payload")

/** A parser of somebody else can give anything. */
const packetOf = (value: unknown): SocketPacket | SocketCodec.SocketDecodeFailure => {
  if (!isJsonObject(value)) return invalidPayload
  const { type, nsp, id, data } = value
  if (typeof nsp !== "string" || (id !== undefined && typeof id !== "number")) return invalidPayload
  switch (typeof type === "number" && type > CONNECT_ERROR ? type - withAttachments : type) {
    case CONNECT:
      return data === undefined || isJsonObject(data) ? { type: CONNECT, nsp, id, data } : invalidPayload
    case DISCONNECT:
      return { type: DISCONNECT, nsp, id }
    case EVENT:
      return Array.isArray(data) && isEventName(data[0]) ? { type: EVENT, nsp, id, data } : invalidPayload
    case ACK:
      return Array.isArray(data) ? { type: ACK, nsp, id, data } : invalidPayload
    case CONNECT_ERROR:
      return { type: CONNECT_ERROR, nsp, id }
    default:
      return SocketCodec.decodeFailure(`unknown packet type ${String(type)}`)
  }
}

class Decoder implements SocketCodec.SocketDecoder {
  readonly #decoder: OfficialDecoder
  #decoded: unknown = undefined

  constructor(decoder: OfficialDecoder) {
    this.#decoder = decoder
    decoder.on("decoded", (packet: unknown) => {
      this.#decoded = packet
    })
  }

  add(data: string | Uint8Array): SocketPacket | SocketCodec.SocketDecodeFailure | undefined {
    this.#decoded = undefined
    try {
      this.#decoder.add(data)
    } catch (error) {
      return SocketCodec.decodeFailure(error instanceof Error ? error.message : "invalid payload")
    }
    return this.#decoded === undefined ? undefined : packetOf(this.#decoded)
  }

  destroy(): void {
    this.#decoder.destroy?.()
  }
}

const isCodec = (parser: OfficialParser | SocketCodec.SocketCodec): parser is SocketCodec.SocketCodec =>
  "makeDecoder" in parser

/** The codec of a parser. */
export const codecOf = (parser: OfficialParser | SocketCodec.SocketCodec | undefined): SocketCodec.SocketCodec => {
  if (parser === undefined) return SocketCodec.json
  if (isCodec(parser)) return parser
  const encoder = new parser.Encoder()
  return {
    name: "custom",
    encode(packet) {
      try {
        return groupOf(encoder.encode({ ...packet }))
      } catch (error) {
        return SocketCodec.encodeFailure(error instanceof Error ? error.message : "data cannot be encoded", error)
      }
    },
    makeDecoder: () => new Decoder(new parser.Decoder())
  }
}

/** What cannot be encoded is a mistake of the caller, and thrown as JSON or the parser threw it. */
export const encodeOrThrow = (codec: SocketCodec.SocketCodec, packet: SocketPacket): FrameGroup => {
  const group = codec.encode(packet)
  if (SocketCodec.isEncodeFailure(group)) throw group.cause instanceof Error ? group.cause : new Error(group.message)
  return group
}

/** The encoder that adapters written for Socket.IO use (`nsp.server.encoder`). */
export const encoderOf = (codec: SocketCodec.SocketCodec): OfficialEncoder => ({
  encode(packet) {
    const { head, attachments } = encodeOrThrow(codec, packet as SocketPacket)
    return [typeof head === "string" ? head.slice(1) : head, ...(attachments ?? [])]
  }
})
