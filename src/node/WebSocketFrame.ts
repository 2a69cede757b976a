/**
 * WebSocket messages as a server sends them (RFC 6455 section 5): one unmasked frame each, many of them in one buffer.
 *
 * Writing a turn's messages as one buffer is one system call without the cost of a vector; a broadcast builds it once.
 */
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"

const textOpcode = 0x81
const binaryOpcode = 0x82

/** The opcode byte of a message in one frame: text or binary, with the final bit. */
export const opcodeOf = (frame: Frame): number => (typeof frame === "string" ? textOpcode : binaryOpcode)

/** The bytes of a payload. */
export const byteLength = (frame: Frame): number =>
  typeof frame === "string" ? Buffer.byteLength(frame) : frame.byteLength

const headerSize = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)

/** The bytes that a group takes on the wire. */
export const sizeOf = (group: FrameGroup): number => {
  const head = byteLength(group.head)
  let size = headerSize(head) + head
  if (group.attachments !== undefined) {
    for (const { byteLength } of group.attachments) size += headerSize(byteLength) + byteLength
  }
  return size
}

/** Writes opcode and length, without a mask; gives the offset behind them. */
export const writeHeader = (target: Buffer, offset: number, opcode: number, length: number): number => {
  target[offset] = opcode
  if (length < 126) {
    target[offset + 1] = length
    return offset + 2
  }
  if (length < 65_536) {
    target[offset + 1] = 126
    return target.writeUInt16BE(length, offset + 2)
  }
  target[offset + 1] = 127
  target.writeUInt32BE(Math.floor(length / 2 ** 32), offset + 2)
  return target.writeUInt32BE(length % 2 ** 32, offset + 6)
}

const writeFrame = (target: Buffer, offset: number, frame: Frame): number => {
  if (typeof frame !== "string") {
    const start = writeHeader(target, offset, binaryOpcode, frame.byteLength)
    target.set(frame, start)
    return start + frame.byteLength
  }
  const start = writeHeader(target, offset, textOpcode, Buffer.byteLength(frame))
  return start + target.write(frame, start, "utf8")
}

/** Writes the frames of a group at the offset; gives the offset behind them. */
export const write = (target: Buffer, offset: number, group: FrameGroup): number => {
  let end = writeFrame(target, offset, group.head)
  if (group.attachments !== undefined) for (const frame of group.attachments) end = writeFrame(target, end, frame)
  return end
}

/** The frames of the groups in one buffer. */
export const encode = (groups: ReadonlyArray<FrameGroup>): Buffer => {
  let size = 0
  for (const group of groups) size += sizeOf(group)
  const target = Buffer.allocUnsafe(size)
  let offset = 0
  for (const group of groups) offset = write(target, offset, group)
  return target
}

/** From this many bytes on, copying a binary frame costs more than one more element of a vector. */
const largeFrom = 16 * 1024

const isLargeFrame = (frame: Frame): boolean => typeof frame !== "string" && frame.byteLength >= largeFrom

/** Whether a group has binary that is better handed over than copied. */
export const isLarge = ({ head, attachments }: FrameGroup): boolean =>
  isLargeFrame(head) || (attachments !== undefined && attachments.some(isLargeFrame))

/** The frames of a group as buffers to be written one after the other; large binary is among them as it is. */
export const encodeParts = (group: FrameGroup): Array<Uint8Array> => {
  const parts: Array<Uint8Array> = []
  for (const frame of [group.head, ...(group.attachments ?? [])]) {
    if (typeof frame === "string" || !isLargeFrame(frame)) {
      const target = Buffer.allocUnsafe(headerSize(byteLength(frame)) + byteLength(frame))
      writeFrame(target, 0, frame)
      parts.push(target)
    } else {
      const header = Buffer.allocUnsafe(headerSize(frame.byteLength))
      writeHeader(header, 0, binaryOpcode, frame.byteLength)
      parts.push(header, frame)
    }
  }
  return parts
}
