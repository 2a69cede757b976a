/**
 * Fuzzing of the codecs: whatever arrives is a packet or a failure, never an exception, and what was read once is read the same again.
 */
import { isDeepStrictEqual } from "node:util"
import * as EngineHandshake from "../../src/protocol/EngineHandshake.ts"
import * as EnginePacket from "../../src/protocol/EnginePacket.ts"
import * as EnginePayload from "../../src/protocol/EnginePayload.ts"
import type { FrameGroup } from "../../src/protocol/FrameGroup.ts"
import * as MsgpackCodec from "../../src/protocol/MsgpackCodec.ts"
import * as SocketCodec from "../../src/protocol/SocketCodec.ts"
import type * as SocketPacket from "../../src/protocol/SocketPacket.ts"
import { comparable, random, type Random } from "../protocol/generate.ts"
import * as Grammar from "./Grammar.ts"

/** What a run has seen. */
export interface CodecStats {
  frames: number
  /** Packets that were complete and valid. */
  decoded: number
  failed: number
}

const limits = { maxPackets: 100 }

type Codec = SocketCodec.SocketCodec

/** Feeds frames to a new decoder until a packet or a failure comes. */
const read = (
  codec: Codec,
  frames: ReadonlyArray<Grammar.Frame>
): SocketPacket.SocketPacket | SocketCodec.SocketDecodeFailure | undefined => {
  const decoder = codec.makeDecoder()
  for (const frame of frames) {
    const result = decoder.add(frame)
    if (result !== undefined) return result
  }
  decoder.destroy()
  return undefined
}

/** Messages as the decoder gets them: without the engine's "4", which a codec writes in front of text. */
const messagesOf = ({ attachments, head }: FrameGroup): Array<Grammar.Frame> => [
  typeof head === "string" ? head.slice(1) : head,
  ...(attachments ?? [])
]

/** JSON reads 1e999 as infinite, and has no form for that. */
const hasInfinite = (value: unknown): boolean => {
  if (typeof value === "number") return !Number.isFinite(value)
  return typeof value === "object" && value !== null && Object.values(value).some(hasInfinite)
}

const check = (codec: Codec, frames: ReadonlyArray<Grammar.Frame>, stats: CodecStats): void => {
  const first = read(codec, frames)
  if (first === undefined) return
  if (SocketCodec.isDecodeFailure(first)) {
    stats.failed++
    return
  }
  stats.decoded++
  if (codec === SocketCodec.json && hasInfinite(first.data)) return
  const group = codec.encode(first)
  if (SocketCodec.isEncodeFailure(group)) throw new Error(`read, but not to be written: ${group.message}`)
  const second = read(codec, messagesOf(group))
  if (!isDeepStrictEqual(comparable(first), comparable(second))) throw new Error("read differently the second time")
}

const one = (random: Random, stats: CodecStats): void => {
  const frames = Grammar.hostile(random, 0.7)
  stats.frames += frames.length
  const messages: Array<Grammar.Frame> = []
  for (const frame of frames) {
    const packet = EnginePacket.decode(frame)
    if (EnginePacket.isFailure(packet)) stats.failed++
    else if (packet.type === "message" && packet.data !== undefined) messages.push(packet.data)
    else if (packet.type === "open") EngineHandshake.decode(packet.data)
  }
  if (messages.length > 0) check(SocketCodec.json, messages, stats)
  const payload = frames.map((frame) => (typeof frame === "string" ? frame : EnginePacket.toText(frame))).join("\x1e")
  EnginePayload.decodePayload(payload, limits)
  EngineHandshake.parseQuery(new URLSearchParams(payload))
  const binary = frames.find((frame) => typeof frame !== "string")
  if (binary !== undefined) check(MsgpackCodec.msgpack, [binary], stats)
  else if (random.below(4) === 0) {
    // A valid packet in msgpack, then damaged.
    const group = MsgpackCodec.msgpack.encode({
      type: 2,
      nsp: "/",
      id: undefined,
      data: ["echo", 1, { a: [true, null, "x"] }]
    })
    if (SocketCodec.isEncodeFailure(group)) throw new Error(group.message)
    stats.frames++
    check(MsgpackCodec.msgpack, [Grammar.mutate(random, group.head)], stats)
  }
}

/** Runs until so many frames were read. A failure names the seed that repeats it. */
export const fuzz = (seed: number, frames: number): CodecStats => {
  const stats: CodecStats = { frames: 0, decoded: 0, failed: 0 }
  for (let current = seed; stats.frames < frames; current++) {
    try {
      one(random(current), stats)
    } catch (error) {
      throw new Error(`seed ${current}: ${String(error)}`, { cause: error })
    }
  }
  return stats
}
