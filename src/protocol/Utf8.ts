/**
 * The size of text on the wire.
 */

/** The number of bytes of the text in UTF-8. A lone surrogate counts 3, as it is sent as U+FFFD. */
export const byteLength = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) {
      bytes += 1
      continue
    }
    bytes += 2
    // Two units that make one character of 4 bytes: 2 + 2, of which the second unit is already counted as 1.
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(i + 1)
      if (next >= 0xdc00 && next < 0xe000) i++
    }
  }
  return bytes
}
