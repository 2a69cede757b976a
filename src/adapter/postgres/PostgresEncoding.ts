/**
 * Messages as PostgreSQL carries them: JSON in a notification, or msgpack in a table and a notification that names its row.
 *
 * What is stored gets two more keys, which official nodes do not look at: `ref`, by which its sender knows it again, and `offset`, its place in
 * the log, which PostgreSQL itself writes in front.
 */
import * as MsgpackEncode from "../../protocol/MsgpackEncode.ts"
import * as Utf8 from "../../protocol/Utf8.ts"
import { AdapterError } from "../Adapter.ts"
import * as ClusterCodec from "../ClusterCodec.ts"
import * as ClusterFields from "../ClusterFields.ts"
import { type ClusterMessage, MessageType, toWire } from "../ClusterMessage.ts"
import type { PostgresSettings } from "./PostgresOptions.ts"

/** A message as one notification. */
export interface Note {
  readonly _tag: "Note"
  readonly text: string
  readonly size: number
}

/** A message as a row, and the notification around its number: `head` + id + `tail`, which ends before the closing brace. */
export interface Attachment {
  readonly _tag: "Attachment"
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly head: string
  readonly tail: string
  readonly size: number
}

/** The form of a message. */
export type Form = Note | Attachment

/** What PostgreSQL writes in front: `"offset":"<19 digits>",`. */
const offsetSize = 32

const rejected = (cause: unknown): AdapterError => new AdapterError({ reason: "Rejected", operation: "publish", cause })

/** Whether a message belongs into the log of its namespace: an event that a socket may have missed. */
export const isStored = ({ body }: ClusterMessage): boolean =>
  body.type === MessageType.BROADCAST && body.requestId === undefined && !body.flags.volatile

/** How a message is written, or why it cannot be. Never throws. */
export interface WriteOptions {
  readonly settings: PostgresSettings
  /** The number by which its sender knows a stored message again. */
  readonly ref?: number | undefined
  /** Writes the namespace into packets, too, as emitters do. */
  readonly nspInPacket?: boolean | undefined
}

/** The form of a message; fails with `Rejected` where it holds what cannot be written, or too much. Never throws. */
export const write = (message: ClusterMessage, { settings, ref, nspInPacket }: WriteOptions): Form | AdapterError => {
  try {
    const plain = toWire(message, { nspInPacket: nspInPacket === true })
    const wire = ref === undefined ? plain : { ...plain, ref }
    if (!ClusterCodec.needsMsgpack(plain)) {
      const text = JSON.stringify(wire)
      const size = Utf8.byteLength(text)
      const limit = settings.payloadThreshold - (ref === undefined ? 0 : offsetSize)
      if (size <= limit) return { _tag: "Note", text, size }
    }
    const bytes = MsgpackEncode.encodeOrThrow(wire, "notepack3")
    const size = bytes.length
    if (size > settings.maxMessageSize) {
      return rejected(new Error(`a message of ${size} bytes is larger than ${settings.maxMessageSize}`))
    }
    const { uid, type, nsp } = plain
    const head = `${JSON.stringify({ uid, type }).slice(0, -1)},"attachmentId":"`
    const tail = `"${JSON.stringify(ref === undefined ? { nsp } : { nsp, ref })
      .replace(/^\{/, ",")
      .slice(0, -1)}`
    // The namespace alone may be too long to be told; then only the row tells it.
    if (head.length + Utf8.byteLength(tail) + 2 * offsetSize > settings.payloadThreshold) {
      if (ref !== undefined) return rejected(new Error("the name of the namespace is too long"))
      return { _tag: "Attachment", bytes, head, tail: '"', size }
    }
    return { _tag: "Attachment", bytes, head, tail, size }
  } catch (cause) {
    return rejected(cause)
  }
}

/** A notification that was read. */
export interface Received {
  readonly uid: string | undefined
  /** The row that the message is in; without one, `value` is the message. */
  readonly attachmentId: string | undefined
  readonly offset: string | undefined
  readonly ref: number | undefined
  readonly value: Readonly<Record<string, unknown>>
}

/** The largest value of type bigint. */
const largest = 9_223_372_036_854_775_807n

/** A number of a row as text: 0 or more, within the bounds of the type bigint. */
export const isRowId = (value: unknown): value is string =>
  typeof value === "string" && /^(?:0|[1-9]\d{0,18})$/.test(value) && BigInt(value) <= largest

/** The parts of a message that only our nodes look at, from its value. */
export const markers = (
  value: Readonly<Record<string, unknown>>
): Pick<Received, "uid" | "attachmentId" | "offset" | "ref"> => {
  const { uid, attachmentId, offset, ref } = value
  const row = typeof attachmentId === "number" ? String(attachmentId) : attachmentId
  return {
    uid: typeof uid === "string" ? uid : undefined,
    attachmentId: isRowId(row) ? row : undefined,
    offset: isRowId(offset) ? offset : undefined,
    ref: ClusterFields.natural(ref)
  }
}

/** Reads a notification; undefined where it is none of ours. Never throws. */
export const read = (payload: string | undefined): Received | undefined => {
  if (payload === undefined || !payload.startsWith("{")) return undefined
  const decoded = ClusterCodec.decodeValue(payload)
  if (decoded._tag === "DecodeFailure" || !ClusterFields.isRecord(decoded.value)) return undefined
  const { value } = decoded
  const received = { ...markers(value), value }
  const named = value["attachmentId"] !== undefined && value["attachmentId"] !== null
  return named && received.attachmentId === undefined ? undefined : received
}
