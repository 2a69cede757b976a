/**
 * A message as it goes by Pub/Sub: msgpack of the whole message, as official nodes write and read it, and beside it two keys of our own that
 * official nodes do not look at:
 *
 * - `seq`: which message of its node this is on the channel of all, from 1;
 * - `after`: the id of the last entry that the node had written to the stream before.
 */
import * as MsgpackDecode from "../../protocol/MsgpackDecode.ts"
import * as MsgpackEncode from "../../protocol/MsgpackEncode.ts"
import { isJsonObject } from "../../protocol/SocketPacket.ts"
import * as ClusterMessage from "../ClusterMessage.ts"
import type { EncodeFailure } from "./RedisStreamEntry.ts"

/** The place of a message among those of its node. */
export interface Stamp {
  readonly sequence: number
  readonly after: string | undefined
}

/** A message with what its node says about its place. */
export interface Signal {
  readonly message: ClusterMessage.ClusterMessage
  readonly sequence: number | undefined
  readonly after: string | undefined
}

/** The bytes of a message. Answers have no stamp. */
export const encode = (
  message: ClusterMessage.ClusterMessage,
  stamp: Stamp | undefined
): Uint8Array<ArrayBuffer> | EncodeFailure => {
  try {
    const wire = ClusterMessage.toWire(message)
    if (stamp === undefined) return MsgpackEncode.encodeOrThrow(wire, "notepack3")
    return MsgpackEncode.encodeOrThrow({ ...wire, seq: stamp.sequence, after: stamp.after }, "notepack3")
  } catch (cause) {
    return { _tag: "EncodeFailure", cause }
  }
}

/** Reads the bytes of a channel; undefined where they are malformed or belong to another namespace. */
export const decode = (bytes: Uint8Array, namespace: string, maxSize: number): Signal | undefined => {
  if (bytes.length > maxSize) return undefined
  const decoded = MsgpackDecode.decode(bytes)
  if (decoded._tag === "MsgpackFailure" || !isJsonObject(decoded.value)) return undefined
  const message = ClusterMessage.fromWire(decoded.value, namespace)
  if (message === undefined || message.nsp !== namespace) return undefined
  const { seq, after } = decoded.value
  return {
    message,
    sequence: typeof seq === "number" && Number.isSafeInteger(seq) && seq > 0 ? seq : undefined,
    after: typeof after === "string" ? after : undefined
  }
}
