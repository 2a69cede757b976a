/**
 * The commands of streams and sessions as their words, and what Redis replies to them, in RESP2 and RESP3 alike. Reading is total.
 */
import * as StreamId from "./RedisStreamId.ts"

/** The words of a command. */
export type Words = ReadonlyArray<string>

/** An entry of a stream: its id, names and values alternating. */
export interface Entry {
  readonly id: string
  readonly fields: ReadonlyArray<unknown>
}

/** What a stream says about itself. */
export interface StreamInfo {
  /** The id of the last entry that was ever added. */
  readonly last: string
  /** The first entry that is left; undefined when none is. */
  readonly first: string | undefined
  /** The newest entry that was deleted by name, not by trimming; undefined before Redis 7. */
  readonly maxDeleted: string | undefined
  /** Entries ever added; undefined before Redis 7. */
  readonly added: number | undefined
  readonly length: number
}

/** Appends an entry, and trims the stream to about `maxLen`. */
export const append = (stream: string, maxLen: number, fields: Words): Words => [
  "XADD",
  stream,
  "MAXLEN",
  "~",
  String(maxLen),
  "*",
  ...fields
]

/** Waits up to `block` milliseconds for entries after `id`. */
export const readAfter = (stream: string, id: string, count: number, block: number): Words => [
  "XREAD",
  "BLOCK",
  String(block),
  "COUNT",
  String(count),
  "STREAMS",
  stream,
  id
]

/** The entries from `start` to `end`, both included. */
export const range = (stream: string, start: string, end: string, count: number): Words => [
  "XRANGE",
  stream,
  start,
  end,
  "COUNT",
  String(count)
]

/** What the stream says about itself; an error where there is none. */
export const info = (stream: string): Words => ["XINFO", "STREAM", stream]

/** Keeps a value for so many milliseconds. */
export const keep = (key: string, value: string, millis: number): Words => ["SET", key, value, "PX", String(millis)]

/** What time it is for Redis. */
export const time: Words = ["TIME"]

/** The milliseconds of a reply to `TIME`; undefined where it is none. */
export const millisOf = (reply: unknown): number | undefined => {
  if (!Array.isArray(reply)) return undefined
  const [seconds, micros] = reply.map(number)
  return seconds === undefined || micros === undefined ? undefined : Math.floor(seconds * 1000 + micros / 1000)
}

/** Reads a value and leaves it. */
export const peek = (key: string): Words => ["GET", key]

/** Deletes a value; the reply is 1 for whoever did it. */
export const remove = (key: string): Words => ["DEL", key]

const text = (value: unknown): string | undefined =>
  typeof value === "string" ? value : value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined

/** The pairs of a map, however the client has it: a Map, an object, a flat list, a list of pairs. */
const pairs = (reply: unknown): ReadonlyArray<readonly [unknown, unknown]> => {
  if (reply instanceof Map) return [...reply]
  if (Array.isArray(reply)) {
    if (reply.every((item) => Array.isArray(item))) return reply.map((item) => [item[0], item[1]] as const)
    const list: Array<readonly [unknown, unknown]> = []
    for (let i = 0; i + 1 < reply.length; i += 2) list.push([reply[i], reply[i + 1]])
    return list
  }
  return typeof reply === "object" && reply !== null ? Object.entries(reply) : []
}

/** The entries of a reply to `XRANGE`; what is no entry is left out. */
export const entriesOf = (reply: unknown): ReadonlyArray<Entry> => {
  if (!Array.isArray(reply)) return []
  const entries: Array<Entry> = []
  for (const item of reply) {
    if (!Array.isArray(item)) continue
    const id = text(item[0])
    if (id === undefined || StreamId.parse(id) === undefined) continue
    entries.push({ id, fields: Array.isArray(item[1]) ? item[1] : [] })
  }
  return entries
}

/** The entries of a reply to `XREAD` of one stream; none when the time was up. */
export const entriesRead = (reply: unknown): ReadonlyArray<Entry> => {
  const [first] = pairs(reply)
  return first === undefined ? [] : entriesOf(first[1])
}

const number = (value: unknown): number | undefined => {
  const read = typeof value === "string" && value !== "" ? Number(value) : value
  return typeof read === "number" && Number.isFinite(read) ? read : undefined
}

/** A stream's account of itself; undefined where the reply is none. */
export const infoOf = (reply: unknown): StreamInfo | undefined => {
  const found = new Map(pairs(reply).map(([name, value]) => [text(name), value]))
  const last = text(found.get("last-generated-id"))
  if (last === undefined) return undefined
  return {
    last,
    first: entriesOf([found.get("first-entry")])[0]?.id,
    maxDeleted: text(found.get("max-deleted-entry-id")),
    added: number(found.get("entries-added")),
    length: number(found.get("length")) ?? 0
  }
}

/** A stream that is not there yet, or not there any more. */
export const emptyInfo: StreamInfo = {
  last: StreamId.beginning,
  first: undefined,
  maxDeleted: StreamId.beginning,
  added: 0,
  length: 0
}

/** Whether an error says that there is no such stream. */
export const isNoSuchKey = (error: unknown): boolean => error instanceof Error && /no such key/i.test(error.message)

/** The text of a reply to `GET`. */
export const textOf = text
