/**
 * Codecs beside `engine.io-parser` and `socket.io-parser`. Our codec gives Engine.IO frames at once, so the official side of a Socket.IO
 * packet is both of its packages, one after the other, as its server calls them.
 */
import { decodePacket, decodePayload, encodePacket, encodePayload, type Packet } from "engine.io-parser"
import { Decoder, Encoder, PacketType } from "socket.io-parser"
import * as EnginePacket from "../../src/protocol/EnginePacket.ts"
import * as EnginePayload from "../../src/protocol/EnginePayload.ts"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"
import * as SocketCodec from "../../src/protocol/SocketCodec.ts"
import * as SocketPacket from "../../src/protocol/SocketPacket.ts"
import * as Message from "../Message.ts"
import type { Case } from "./Case.ts"

let kept: unknown

/** The official packages answer by callback: what they give is kept as a result of ours is. */
const keep = (value: unknown): void => {
  kept = value
}
const encoder = new Encoder()
const decoder = new Decoder()
decoder.on("decoded", keep)
const ourDecoder = SocketCodec.json.makeDecoder()

const bytes = Buffer.alloc(1000, 7)
const text = Message.echo.slice(1)
const head = Message.binary.slice(1)
const tenFrames = Array.from({ length: 10 }, () => Message.echo)
const tenPackets: Array<Packet> = tenFrames.map((frame) => ({ type: "message", data: frame.slice(1) }))
const tenGroups = tenFrames.map((frame) => FrameGroup.make(frame))
const payload = tenFrames.join(EnginePayload.separator)
const limits = { maxPackets: Number.POSITIVE_INFINITY }

const officialEncode = (packet: Parameters<Encoder["encode"]>[0]): void => {
  for (const part of encoder.encode(packet)) {
    encodePacket({ type: "message", data: part as string }, true, keep)
  }
}

/** The last result of the official packages, so that none can be left out by the compiler. */
export const last = (): unknown => kept

/** Engine.IO. */
export const engine: ReadonlyArray<Case> = [
  {
    name: "Engine.IO: encode a message",
    official: () => encodePacket({ type: "message", data: text }, true, keep),
    ours: () => EnginePacket.encode(EnginePacket.make("message", text))
  },
  {
    name: "Engine.IO: decode a message",
    official: () => decodePacket(Message.echo),
    ours: () => EnginePacket.decode(Message.echo)
  },
  {
    name: "Engine.IO: encode a payload of 10",
    official: () => encodePayload(tenPackets, keep),
    ours: () => EnginePayload.encodePayload(tenGroups)
  },
  {
    name: "Engine.IO: decode a payload of 10",
    official: () => decodePayload(payload),
    ours: () => EnginePayload.decodePayload(payload, limits)
  }
]

/** Socket.IO. */
export const socket: ReadonlyArray<Case> = [
  {
    name: "Socket.IO: encode an event, frames included",
    official: () => officialEncode({ type: PacketType.EVENT, nsp: "/", data: ["echo", Message.message] }),
    ours: () =>
      SocketCodec.json.encode({ type: SocketPacket.EVENT, nsp: "/", id: undefined, data: ["echo", Message.message] })
  },
  {
    name: "Socket.IO: decode an event",
    official: () => decoder.add(text),
    ours: () => ourDecoder.add(text)
  },
  {
    name: "Socket.IO: encode an ack",
    official: () => officialEncode({ type: PacketType.ACK, nsp: "/", id: 12, data: [Message.answer] }),
    ours: () => SocketCodec.json.encode({ type: SocketPacket.ACK, nsp: "/", id: 12, data: [Message.answer] })
  },
  {
    name: "Socket.IO: encode an event with 1 kB binary",
    official: () => officialEncode({ type: PacketType.EVENT, nsp: "/", data: ["binary", bytes] }),
    ours: () => SocketCodec.json.encode({ type: SocketPacket.EVENT, nsp: "/", id: undefined, data: ["binary", bytes] })
  },
  {
    name: "Socket.IO: decode an event with 1 kB binary",
    official: () => {
      decoder.add(head)
      decoder.add(bytes)
    },
    ours: () => {
      ourDecoder.add(head)
      ourDecoder.add(bytes)
    }
  }
]
