/**
 * The parts that messages between nodes are made of, as they look on the wire: whom something is for, how it travels, and what it says.
 *
 * Reading is lenient about what official nodes and emitters of several versions do differently, and strict about what would reach the wrong
 * sockets: something that is no list of rooms is never taken for "everybody". It gives `undefined` where a part is malformed and never throws.
 */
import { isEventName } from "../protocol/SocketPacket.ts"
import type { BroadcastFlags, EventData, SocketDescription, Target } from "./Adapter.ts"

/** The options of a broadcast on the wire. */
export interface WireOptions {
  readonly rooms: ReadonlyArray<string>
  readonly except: ReadonlyArray<string>
  /** Only those that are set. */
  readonly flags: Readonly<Record<string, unknown>>
}

/** The flags of something that has none. */
export const plainFlags: BroadcastFlags = {
  volatile: false,
  compress: true,
  timeout: undefined,
  expectSingleResponse: false
}

/** Whether it is an object with keys. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A number that may have been sent as text; `undefined` unless it is an integer from 0 on. */
export const natural = (value: unknown): number | undefined => {
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

/** A name of one node for one request. */
export const requestId = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** A list of rooms; none where it is absent. Programs on official nodes may use numbers for rooms. */
export const rooms = (value: unknown): ReadonlyArray<string> | undefined => {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return undefined
  const names: Array<string> = []
  for (const room of value as ReadonlyArray<unknown>) {
    if (typeof room === "string") names.push(room)
    else if (typeof room === "number") names.push(String(room))
    else return undefined
  }
  return names
}

/** Whom it is for, from `{rooms, except}`. */
export const target = (options: unknown): Target | undefined => {
  if (!isRecord(options)) return undefined
  const included = rooms(options["rooms"])
  const except = rooms(options["except"])
  return included === undefined || except === undefined
    ? undefined
    : { rooms: new Set(included), except: new Set(except) }
}

/** The flags in `{flags}`; what is not understood is left out. */
export const flags = (options: unknown): BroadcastFlags => {
  const given = isRecord(options) ? options["flags"] : undefined
  if (!isRecord(given)) return plainFlags
  const timeout = given["timeout"]
  return {
    volatile: given["volatile"] === true,
    compress: given["compress"] !== false,
    timeout: typeof timeout === "number" && timeout >= 0 ? timeout : undefined,
    expectSingleResponse: given["expectSingleResponse"] === true
  }
}

/** `[event, ...args]` for clients. Names that Socket.IO keeps for itself are refused, since clients would close their connection. */
export const event = (value: unknown): EventData | undefined => {
  if (!Array.isArray(value)) return undefined
  const [name, ...args] = value as ReadonlyArray<unknown>
  return isEventName(name) ? { data: [String(name), ...args] } : undefined
}

/** Names that a server tells itself. */
const reservedBetweenServers: ReadonlySet<string> = new Set(["connect", "connection", "new_namespace"])

/** `[event, ...args]` for servers. */
export const serverEvent = (value: unknown): EventData | undefined => {
  if (!Array.isArray(value)) return undefined
  const [name, ...args] = value as ReadonlyArray<unknown>
  if (typeof name === "number") return { data: [String(name), ...args] }
  return typeof name === "string" && !reservedBetweenServers.has(name) ? { data: [name, ...args] } : undefined
}

const socket = (value: unknown): SocketDescription | undefined => {
  if (!isRecord(value)) return undefined
  const { id, handshake, data } = value
  const joined = rooms(value["rooms"])
  return typeof id !== "string" || joined === undefined ? undefined : { id, handshake, rooms: joined, data }
}

/** Descriptions of sockets: all of them or none, since a part would pass for the whole. */
export const sockets = (value: unknown): ReadonlyArray<SocketDescription> | undefined => {
  if (!Array.isArray(value)) return undefined
  const list: Array<SocketDescription> = []
  for (const item of value as ReadonlyArray<unknown>) {
    const description = socket(item)
    if (description === undefined) return undefined
    list.push(description)
  }
  return list
}

/** The flags that are set, as official nodes write them. */
export const wireFlags = (flags: BroadcastFlags): Readonly<Record<string, unknown>> => {
  const set: Record<string, unknown> = {}
  if (flags.volatile) set["volatile"] = true
  if (!flags.compress) set["compress"] = false
  if (flags.timeout !== undefined) set["timeout"] = flags.timeout
  if (flags.expectSingleResponse) set["expectSingleResponse"] = true
  return set
}

/** `{rooms, except, flags}`. */
export const wireOptions = (target: Target, flags: BroadcastFlags = plainFlags): WireOptions => ({
  rooms: Array.from(target.rooms),
  except: Array.from(target.except),
  flags: wireFlags(flags)
})
