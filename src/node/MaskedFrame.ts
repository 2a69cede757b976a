/**
 * WebSocket messages as a client sends them (RFC 6455 sections 5.2 and 5.3): one masked frame each, many of them in one buffer.
 */
import { randomFillSync } from "node:crypto"
import { endianness } from "node:os"
import type { FrameGroup } from "../protocol/FrameGroup.ts"
import * as WebSocketFrame from "./WebSocketFrame.ts"

const maskBit = 0x80
const maskSize = 4

/** From this many bytes on, words are masked instead of bytes. */
const wordsFrom = 64

/** Masks must be unpredictable (section 5.3), and drawing random bytes costs the same for one mask as for many. */
const pool = Buffer.alloc(8192)
let drawn = pool.length

const nextMask = (): number => {
  if (drawn === pool.length) {
    randomFillSync(pool)
    drawn = 0
  }
  const mask = pool.readUInt32BE(drawn)
  drawn += maskSize
  return mask
}

const littleEndian = endianness() === "LE"

const swap = (word: number): number =>
  ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)

const maskBytes = (target: Buffer, start: number, end: number, mask: number, phase: number): void => {
  for (let i = start; i < end; i++) target[i]! ^= (mask >>> (24 - (((i - start + phase) & 3) << 3))) & 0xff
}

/** Masks the bytes in place. */
const applyMask = (target: Buffer, start: number, end: number, mask: number): void => {
  if (end - start < wordsFrom) return maskBytes(target, start, end, mask, 0)
  // A view of words begins where the memory under the buffer is aligned.
  const first = start + ((maskSize - ((target.byteOffset + start) & 3)) & 3)
  const count = (end - first) >>> 2
  maskBytes(target, start, first, mask, 0)
  const phase = (first - start) & 3
  const rotated = phase === 0 ? mask : (mask << (phase * 8)) | (mask >>> (32 - phase * 8))
  const word = littleEndian ? swap(rotated) : rotated
  const words = new Int32Array(target.buffer, target.byteOffset + first, count)
  for (let i = 0; i < count; i++) words[i]! ^= word
  maskBytes(target, first + count * maskSize, end, rotated, 0)
}

/** The frames of the groups in one buffer, each with a mask of its own. */
export const encode = (groups: ReadonlyArray<FrameGroup>): Buffer => {
  let size = 0
  for (const group of groups) {
    size += WebSocketFrame.sizeOf(group) + maskSize
    if (group.attachments !== undefined) size += group.attachments.length * maskSize
  }
  const target = Buffer.allocUnsafe(size)
  let offset = 0
  const write = (frame: FrameGroup["head"]): void => {
    const length = WebSocketFrame.byteLength(frame)
    const start = WebSocketFrame.writeHeader(target, offset, WebSocketFrame.opcodeOf(frame), length) + maskSize
    target[offset + 1]! |= maskBit
    const mask = nextMask()
    target.writeUInt32BE(mask, start - maskSize)
    if (typeof frame === "string") target.write(frame, start, "utf8")
    else target.set(frame, start)
    offset = start + length
    applyMask(target, start, offset, mask)
  }
  for (const group of groups) {
    write(group.head)
    if (group.attachments !== undefined) for (const attachment of group.attachments) write(attachment)
  }
  return target
}
