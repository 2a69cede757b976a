/**
 * The codec of `socket.io-msgpack-parser`: one packet, one binary message.
 */
import type { SocketCodec } from "./SocketCodec.ts"
import { encodeFailure, decodeFailure } from "./SocketCodec.ts"

/** The msgpack codec. */
export const msgpack: SocketCodec = {
  name: "msgpack",
  encode: () => encodeFailure("not yet"),
  makeDecoder: () => ({ add: () => decodeFailure("not yet"), destroy: () => {} })
}
