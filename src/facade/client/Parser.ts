/**
 * The `parser` option: one of our codecs, or a parser written for Socket.IO's contract, an object with the classes `Encoder` and
 * `Decoder`.
 */
import * as Group from "../../protocol/FrameGroup.ts"
import type { Frame, FrameGroup } from "../../protocol/FrameGroup.ts"
import * as SocketBinary from "../../protocol/SocketBinary.ts"
import type { EncodeFailure, SocketCodec, SocketDecodeFailure } from "../../protocol/SocketCodec.ts"
import { decodeFailure, encodeFailure, isDecodeFailure, messageOf } from "../../protocol/SocketCodec.ts"
import type { SocketPacket } from "../../protocol/SocketPacket.ts"
import { ACK, CONNECT, EVENT } from "../../protocol/SocketPacket.ts"
import { type BinaryType, convertBinary, toBinary } from "./Binary.ts"
import { hasBlob } from "./Blobs.ts"
import { rethrowLater } from "./Rethrow.ts"
import type { Anything } from "./TypedEvents.ts"

/**
 * Socket.IO's contract of an encoder: an array of the messages of a packet, the first one before its attachments. Published parsers
 * declare what they give in different ways, so it is only looked at when it is there.
 */
export interface ParserEncoder {
  encode(packet: Anything): Anything
}

/** Socket.IO's contract of a decoder: an emitter of `decoded`, with the packet. */
export interface ParserDecoder {
  on(event: "decoded", listener: (packet: Anything) => void): unknown
  /** May throw: the connection then ends with `parse error`. */
  add(message: Anything): void
  destroy?(): void
}

/** Socket.IO's contract of a parser. */
export interface Parser {
  readonly Encoder: new () => ParserEncoder
  readonly Decoder: new () => ParserDecoder
}

/** What the manager is to a codec. */
export interface ParserOwner {
  binaryType(): BinaryType
  /** A packet was decoded, and is delivered by the machine. */
  decoded(packet: SocketPacket): void
  /** A packet was decoded, and is to be delivered. */
  deliver(packet: SocketPacket): void
  /** What was decoded is no packet. */
  violated(message: string): void
}

/** The codec that stands for the parser. */
export const toCodec = (parser: SocketCodec | Parser, owner: ParserOwner): SocketCodec =>
  "makeDecoder" in parser ? handingOut(parser, owner) : adapted(parser, owner)

/** Our codecs give `Uint8Array`s: they become what the program expects. */
const handingOut = (codec: SocketCodec, owner: ParserOwner): SocketCodec => ({
  name: codec.name,
  encode: (packet, options) => codec.encode(packet, options),
  makeDecoder(limits) {
    const decoder = codec.makeDecoder(limits)
    return {
      add(message) {
        const packet = decoder.add(message)
        if (packet === undefined || isDecodeFailure(packet)) return packet
        if (typeof message !== "string") convertBinary(packet.data, owner.binaryType())
        owner.decoded(packet)
        return packet
      },
      destroy: () => decoder.destroy()
    }
  }
})

const unknownMessage = "the parser's encoder gave what is neither text nor binary"

/** A message of an encoder as a frame of the engine; `undefined` if it is none. */
const frameOf = (message: unknown): Frame | undefined => {
  if (typeof message === "string") return "4" + message
  if (typeof message !== "object" || message === null || !SocketBinary.isBinary(message)) return undefined
  return SocketBinary.bytesOf(message)
}

const groupOf = (messages: unknown): FrameGroup | EncodeFailure => {
  const frames: Array<Frame> = []
  for (const message of Array.isArray(messages) ? messages : []) {
    const frame = frameOf(message)
    if (frame === undefined) return encodeFailure(unknownMessage)
    frames.push(frame)
  }
  const [head, ...rest] = frames
  // Attachments of other parsers may be text: transports of the client send whatever frame it is.
  return head === undefined ? encodeFailure(unknownMessage) : Group.make(head, rest as Array<Uint8Array>)
}

const adapted = (parser: Parser, owner: ParserOwner): SocketCodec => {
  const encoder = new parser.Encoder()
  return {
    name: "custom",
    encode(packet) {
      try {
        if (hasBlob(packet.data)) return encodeFailure(SocketBinary.blobMessage)
        const fields = packet.id === undefined ? withoutId(packet) : { ...packet }
        return groupOf(encoder.encode(fields))
      } catch (error) {
        return encodeFailure(messageOf(error), error)
      }
    },
    makeDecoder() {
      const decoder = new parser.Decoder()
      decoder.on("decoded", (decoded: unknown) => {
        const packet = packetOf(decoded)
        if (isDecodeFailure(packet)) return owner.violated(packet.message)
        owner.decoded(packet)
        owner.deliver(packet)
      })
      return {
        add(message) {
          try {
            decoder.add(typeof message === "string" ? message : toBinary(message, owner.binaryType()))
            return undefined
          } catch (error) {
            return decodeFailure(messageOf(error))
          }
        },
        destroy() {
          try {
            decoder.destroy?.()
          } catch (error) {
            rethrowLater(error)
          }
        }
      }
    }
  }
}

/** Encoders look whether there is an id, or data, at all. */
const withoutId = ({ type, nsp, data }: SocketPacket): object =>
  data === undefined ? { type, nsp } : { type, nsp, data }

const invalid = decodeFailure("invalid payload")

/** The packet of a decoder, whose types 5 and 6 are events and acknowledgements with attachments. */
const packetOf = (decoded: unknown): SocketPacket | SocketDecodeFailure => {
  if (typeof decoded !== "object" || decoded === null) return invalid
  const { type, nsp = "/", id, data } = decoded as Readonly<Record<"type" | "nsp" | "id" | "data", unknown>>
  if (typeof type !== "number" || typeof nsp !== "string") return invalid
  const kind = type > 4 ? type - 3 : type
  const needsList = kind === EVENT || kind === ACK
  if (kind < CONNECT || kind > 4 || (needsList && !Array.isArray(data))) return invalid
  return { type: kind, nsp, id: typeof id === "number" ? id : undefined, data } as SocketPacket
}
