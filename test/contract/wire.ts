/**
 * What a packet does to a payload: JSON for the text, attachments for the binary leaves.
 */

/** The classes in which platforms hand out attachments. */
export type Platform = "Uint8Array" | "Buffer" | "ArrayBuffer" | "DataView"

const isBytes = (value: unknown): value is ArrayBuffer | ArrayBufferView =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value)

/** The bytes as a platform hands them out; a Buffer and a DataView as a part of a larger buffer. */
export const bytesOf = (bytes: ArrayBuffer | ArrayBufferView, platform: Platform): ArrayBuffer | ArrayBufferView => {
  const view = ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
  const padded = Buffer.concat([Buffer.from([0xff, 0xfe, 0xfd]), view, Buffer.from([0xfc])])
  switch (platform) {
    case "Uint8Array":
      return view.slice()
    case "ArrayBuffer":
      return view.slice().buffer
    case "Buffer":
      return padded.subarray(3, 3 + view.length)
    case "DataView":
      return new DataView(padded.buffer, padded.byteOffset + 3, view.length)
  }
}

/** Sends a value through JSON and attachments. Throws when JSON loses something of it, which a wire form must not let happen. */
export const throughWire = (value: unknown, platform: Platform): unknown => {
  const attachments: Array<ArrayBuffer | ArrayBufferView> = []
  const checkAndExtract = (part: unknown): unknown => {
    if (isBytes(part)) return { _placeholder: true, num: attachments.push(part) - 1 }
    if (Array.isArray(part)) return part.map(checkAndExtract)
    if (typeof part === "object" && part !== null) {
      const prototype: unknown = Object.getPrototypeOf(part)
      if (prototype !== Object.prototype && prototype !== null) throw new Error(`not JSON: ${String(part)}`)
      return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, checkAndExtract(item)]))
    }
    const isJson =
      part === null ||
      typeof part === "string" ||
      typeof part === "boolean" ||
      (typeof part === "number" && Number.isFinite(part))
    if (!isJson) throw new Error(`not JSON: ${String(part)}`)
    return part
  }
  const text = JSON.stringify(checkAndExtract(value))
  const restore = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(restore)
    if (typeof part !== "object" || part === null) return part
    if ("_placeholder" in part && part._placeholder === true && "num" in part && typeof part.num === "number") {
      return bytesOf(attachments[part.num]!, platform)
    }
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, restore(item)]))
  }
  return restore(JSON.parse(text))
}
