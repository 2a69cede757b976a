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
