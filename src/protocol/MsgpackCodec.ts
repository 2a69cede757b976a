/**
 * The codec of `socket.io-msgpack-parser` 3: one packet, one binary message, with `type`, `nsp`, `data` and `id`.
 */
import * as Group from "./FrameGroup.ts"
import * as MsgpackDecode from "./MsgpackDecode.ts"
import * as MsgpackEncode from "./MsgpackEncode.ts"
import type { SocketCodec, SocketDecodeFailure, SocketDecoder } from "./SocketCodec.ts"
import { decodeFailure, encodeFailure, messageOf } from "./SocketCodec.ts"
import type { SocketPacket } from "./SocketPacket.ts"
import { ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, isEventName, isJsonObject } from "./SocketPacket.ts"

const invalidType = decodeFailure("invalid packet type")
const invalidNamespace = decodeFailure("invalid namespace")
const invalidPayload = decodeFailure("invalid payload")
const invalidId = decodeFailure("invalid packet id")
const unexpectedText = decodeFailure("got plaintext data instead of msgpack")

const isId = (id: unknown): id is number | undefined =>
  id === undefined || (typeof id === "number" && Number.isSafeInteger(id) && id >= 0)

const packetOf = (value: unknown): SocketPacket | SocketDecodeFailure => {
  if (!isJsonObject(value)) return invalidType
  const { type, nsp, data, id } = value
  if (!Number.isInteger(type) || (type as number) < CONNECT || (type as number) > CONNECT_ERROR) return invalidType
  if (typeof nsp !== "string") return invalidNamespace
  if (!isId(id)) return invalidId
  switch (type) {
    case CONNECT:
      return data === undefined || isJsonObject(data) ? { type, nsp, id, data } : invalidPayload
    case DISCONNECT:
      return data === undefined ? { type, nsp, id, data } : invalidPayload
    case EVENT:
      return Array.isArray(data) && isEventName(data[0]) ? { type, nsp, id, data } : invalidPayload
    case ACK:
      return Array.isArray(data) ? { type, nsp, id, data } : invalidPayload
    default:
      return typeof data === "string" || isJsonObject(data) ? { type: CONNECT_ERROR, nsp, id, data } : invalidPayload
  }
}

// Messages are complete in themselves: all connections share the decoder.
const decoder: SocketDecoder = {
  add(data) {
    if (typeof data === "string") return unexpectedText
    const decoded = MsgpackDecode.decode(data)
    return decoded._tag === "MsgpackFailure" ? decodeFailure(decoded.message) : packetOf(decoded.value)
  },
  destroy() {}
}

/**
 * The msgpack codec. As in the default codec, and unlike in the official one, events with reserved names are refused; `maxAttachments`
 * has no meaning here, since binary stays where it is.
 */
export const msgpack: SocketCodec = {
  name: "msgpack",
  encode(packet) {
    try {
      const { type, nsp, data, id } = packet
      // Absent fields must not be written at all: peers check them.
      const fields: Record<string, unknown> = { type, nsp }
      if (data !== undefined) fields["data"] = data
      if (id !== undefined) fields["id"] = id
      return Group.make(MsgpackEncode.encodeOrThrow(fields, "notepack2"))
    } catch (error) {
      return encodeFailure(messageOf(error), error)
    }
  },
  makeDecoder: () => decoder
}
