/**
 * A message as the fields of a stream entry, as official nodes write and read them (`uid`, `nsp`, `type`, `data`), and beside these three
 * fields of our own that official nodes do not look at:
 *
 * - `seq`: which message of its node this is in the stream, from 1: finds the writer's own entries, and those that a client has written twice;
 * - `after`: how many messages the node had published by Pub/Sub before; absent where there were none for a while;
 * - `ago`: how long before the last of them was published, in milliseconds.
 */
import * as Base64 from "../../protocol/Base64.ts"
import * as MsgpackDecode from "../../protocol/MsgpackDecode.ts"
import * as MsgpackEncode from "../../protocol/MsgpackEncode.ts"
import * as SocketBinary from "../../protocol/SocketBinary.ts"
import * as ClusterMessage from "../ClusterMessage.ts"

/** The place of a message among those of its node. */
export interface Stamp {
  readonly sequence: number
  readonly after: { readonly count: number; readonly ago: number } | undefined
}

/** An entry whose fields are there, its data not looked at yet. */
export interface RawEntry {
  readonly uid: string
  readonly nsp: string
  readonly type: number
  readonly data: string | undefined
  readonly sequence: number | undefined
  readonly after: number | undefined
  readonly ago: number | undefined
}

/** The message has no form on the wire: it is cyclic, or has a BigInt in it. */
export interface EncodeFailure {
  readonly _tag: "EncodeFailure"
  readonly cause: unknown
}

const { BROADCAST, FETCH_SOCKETS_RESPONSE, SERVER_SIDE_EMIT, SERVER_SIDE_EMIT_RESPONSE, BROADCAST_ACK } =
  ClusterMessage.MessageType

/** Where binary is looked for. */
const mayHaveBinary: ReadonlySet<number> = new Set([
  BROADCAST,
  FETCH_SOCKETS_RESPONSE,
  SERVER_SIDE_EMIT,
  SERVER_SIDE_EMIT_RESPONSE,
  BROADCAST_ACK
])

const dataText = (type: number, data: unknown, onlyPlaintext: boolean): string =>
  !onlyPlaintext && mayHaveBinary.has(type) && SocketBinary.hasBinary(data)
    ? Base64.encode(MsgpackEncode.encodeOrThrow(data, "notepack3"))
    : JSON.stringify(data)

/** The fields of a message, names and values alternating. */
export const fields = (
  message: ClusterMessage.ClusterMessage,
  stamp: Stamp | undefined,
  options: { readonly onlyPlaintext: boolean; readonly nspInPacket?: boolean }
): ReadonlyArray<string> | EncodeFailure => {
  const wire = ClusterMessage.toWire(message, { nspInPacket: options.nspInPacket === true })
  const list: Array<string> = ["uid", wire.uid, "nsp", wire.nsp, "type", String(wire.type)]
  try {
    if (wire.data !== undefined) list.push("data", dataText(wire.type, wire.data, options.onlyPlaintext))
  } catch (cause) {
    return { _tag: "EncodeFailure", cause }
  }
  if (stamp !== undefined) {
    list.push("seq", String(stamp.sequence))
    if (stamp.after !== undefined) list.push("after", String(stamp.after.count), "ago", String(stamp.after.ago))
  }
  return list
}

const count = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

/** Looks at the fields of an entry; undefined where it cannot be a message: no namespace, no type, too large. */
export const read = (list: ReadonlyArray<unknown>, maxSize: number): RawEntry | undefined => {
  const found: { [name in "uid" | "nsp" | "type" | "data" | "seq" | "after" | "ago"]?: string } = {}
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i]
    const value = list[i + 1]
    if (typeof value !== "string") continue
    switch (name) {
      case "uid":
      case "nsp":
      case "type":
      case "data":
      case "seq":
      case "after":
      case "ago":
        found[name] = value
    }
  }
  const type = count(found.type)
  if (found.nsp === undefined || type === undefined || (found.data?.length ?? 0) > maxSize) return undefined
  return {
    uid: found.uid ?? ClusterMessage.emitterUid,
    nsp: found.nsp.startsWith("/") ? found.nsp : `/${found.nsp}`,
    type,
    data: found.data === "" ? undefined : found.data,
    sequence: count(found.seq),
    after: count(found.after),
    ago: count(found.ago)
  }
}

const dataOf = (text: string): unknown => {
  if (text.startsWith("{")) {
    try {
      return JSON.parse(text)
    } catch {
      return undefined
    }
  }
  const bytes = Base64.decode(text)
  if (bytes === undefined) return undefined
  const decoded = MsgpackDecode.decode(bytes)
  return decoded._tag === "MsgpackValue" ? decoded.value : undefined
}

/** The message of an entry; undefined where it is malformed. */
export const decode = (entry: RawEntry): ClusterMessage.ClusterMessage | undefined => {
  const data = entry.data === undefined ? undefined : dataOf(entry.data)
  if (entry.data !== undefined && data === undefined) return undefined
  return ClusterMessage.fromWire({ uid: entry.uid, nsp: entry.nsp, type: entry.type, data }, entry.nsp)
}
