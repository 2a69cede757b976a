/**
 * Payloads of the polling transport: the frames of one HTTP body, separated by the record separator, binary as `b` and base64.
 *
 * Text must not contain the separator; what Socket.IO sends never does, as JSON escapes it.
 */
import * as Base64 from "./Base64.ts"
import * as EnginePacket from "./EnginePacket.ts"
import type { Frame, FrameGroup } from "./FrameGroup.ts"
import * as Utf8 from "./Utf8.ts"

/** Between two frames. */
export const separator = "\x1e"

/** What a receiver accepts. */
export interface PayloadLimits {
  /** The number of packets in one payload. */
  readonly maxPackets: number
}

/** The frames of the groups, in order. */
export const framesOf = (groups: ReadonlyArray<FrameGroup>): Array<Frame> => {
  const frames: Array<Frame> = []
  for (const group of groups) {
    frames.push(group.head)
    if (group.attachments !== undefined) frames.push(...group.attachments)
  }
  return frames
}

/** The body that carries these frames. */
export const encodeFrames = (frames: ReadonlyArray<Frame>): string => frames.map(EnginePacket.toText).join(separator)

/** The body that carries these groups. */
export const encodePayload = (groups: ReadonlyArray<FrameGroup>): string => encodeFrames(framesOf(groups))

const tooManyPackets = EnginePacket.failure("too many packets")
const invalidBase64 = EnginePacket.failure("invalid base64")

/**
 * The frames in a body, not yet decoded; binary ones as bytes. An empty body is one empty frame, which is no packet.
 * Fails on base64 that is none, and past `maxPackets` before anything is allocated for them.
 */
export const decodePayload = (
  body: string,
  limits: PayloadLimits
): ReadonlyArray<Frame> | EnginePacket.EngineDecodeFailure => {
  const frames: Array<Frame> = []
  let start = 0
  while (true) {
    if (frames.length >= limits.maxPackets) return tooManyPackets
    const found = body.indexOf(separator, start)
    const end = found === -1 ? body.length : found
    if (body.charCodeAt(start) === 0x62 && start < end) {
      const bytes = Base64.decode(body.slice(start + 1, end))
      if (bytes === undefined) return invalidBase64
      frames.push(bytes)
    } else {
      frames.push(body.slice(start, end))
    }
    if (found === -1) return frames
    start = found + 1
  }
}

/** The bytes that a frame takes in a body, without separator. */
export const frameSize = (frame: Frame): number =>
  typeof frame === "string" ? Utf8.byteLength(frame) : 1 + Base64.encodedLength(frame.byteLength)

/** The bytes that a group takes in a body, with the separators between its frames. */
export const payloadSize = (group: FrameGroup): number => {
  let size = frameSize(group.head)
  if (group.attachments !== undefined) {
    for (const attachment of group.attachments) size += 1 + frameSize(attachment)
  }
  return size
}

/** How many of the items from `start` on fit together, at least one if there is any: what never fits must still be sent. */
const select = <A>(items: ReadonlyArray<A>, size: (item: A) => number, maxPayload: number, start: number): number => {
  let total = 0
  let index = start
  for (; index < items.length; index++) {
    total += size(items[index]!) + (index > start ? 1 : 0)
    if (index > start && total > maxPayload) break
  }
  return index - start
}

/**
 * How many of the groups from `start` on make up the next body of at most `maxPayload` bytes: at least one if there is any, also
 * when it is too large by itself. Then `selectFrames` may still spread its frames over several bodies.
 */
export const selectBatch = (groups: ReadonlyArray<FrameGroup>, maxPayload: number, start = 0): number =>
  select(groups, payloadSize, maxPayload, start)

/**
 * How many of the frames from `start` on make up the next body of at most `maxPayload` bytes. The frames of one packet may be
 * cut apart, since bodies arrive in order: this is how the official client cuts.
 */
export const selectFrames = (frames: ReadonlyArray<Frame>, maxPayload: number, start = 0): number =>
  select(frames, frameSize, maxPayload, start)
