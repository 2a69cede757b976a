/**
 * Entry `effect-socketio/parser`: how packets are written. Server and client must use the same, each by its option `parser`:
 *
 * ```ts
 * import { msgpack } from "effect-socketio/parser"
 *
 * SocketServer.serve(ChatLive, { parser: msgpack })
 * SocketClient.connect(Chat, { url, parser: msgpack })
 * ```
 *
 * A parser of one's own is a {@link SocketCodec}; what it throws is contained.
 */
export type { FrameGroup } from "./FrameGroup.ts"
export * as FrameGroups from "./FrameGroup.ts"
export { msgpack } from "./MsgpackCodec.ts"
export type {
  DecoderLimits,
  EncodeFailure,
  EncodeOptions,
  JsonCodecOptions,
  SocketCodec,
  SocketDecodeFailure,
  SocketDecoder
} from "./SocketCodec.ts"
export { decodeFailure, encodeFailure, json, make as makeJson } from "./SocketCodec.ts"
export * as SocketPacket from "./SocketPacket.ts"
