/** Client frames of RFC 6455, made once and written many times: the generator must be cheaper than any server. */

// ws skips the unmasking loop when the key is zero, which no real client sends; so the key has four non-zero bytes.
const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

const masked = (opcode: number, value: Uint8Array): Buffer => {
  const payload = Buffer.from(value)
  const { length } = payload
  const header = Buffer.alloc(length > 65_535 ? 14 : length > 125 ? 8 : 6)
  header[0] = opcode
  header[1] = 0x80 | (length > 65_535 ? 127 : length > 125 ? 126 : length)
  if (length > 65_535) header.writeUInt32BE(length, 6)
  else if (length > 125) header.writeUInt16BE(length, 2)
  key.copy(header, header.length - 4)
  for (let i = 0; i < length; i++) payload[i] = payload[i]! ^ key[i & 3]!
  return Buffer.concat([header, payload])
}

/** A masked, unfragmented text frame. */
export const text = (value: string): Buffer => masked(0x81, Buffer.from(value))

/** A masked, unfragmented binary frame. */
export const binary = (value: Uint8Array): Buffer => masked(0x82, value)

/** An unmasked text frame, as servers send it. Texts up to 65,535 bytes. */
export const fromServer = (value: string): Buffer => {
  const payload = Buffer.from(value)
  const extended = payload.length > 125
  const header = Buffer.alloc(extended ? 4 : 2)
  header[0] = 0x81
  header[1] = extended ? 126 : payload.length
  if (extended) header.writeUInt16BE(payload.length, 2)
  return Buffer.concat([header, payload])
}

/** The same frame many times in one buffer: `n` of them are its first `n * frame.length` bytes. */
export const repeat = (frame: Buffer, times: number): Buffer =>
  Buffer.concat(Array.from({ length: times }, () => frame))
