/**
 * How an Engine.IO session begins: the query of its first request, the open packet that answers it, and the error codes of
 * requests that are refused.
 */
import * as EnginePacket from "./EnginePacket.ts"

/** What the server tells the client in the open packet. Times in milliseconds. */
export interface EngineHandshake {
  readonly sid: string
  /** The transports the client may move to. */
  readonly upgrades: ReadonlyArray<string>
  readonly pingInterval: number
  readonly pingTimeout: number
  /** The largest body or frame the server accepts, in bytes. Servers before 4.5 do not say it: `Infinity`. */
  readonly maxPayload: number
}

/** The data of the open packet. */
export const encode = (handshake: EngineHandshake): string =>
  JSON.stringify({
    sid: handshake.sid,
    upgrades: handshake.upgrades,
    pingInterval: handshake.pingInterval,
    pingTimeout: handshake.pingTimeout,
    maxPayload: handshake.maxPayload === Number.POSITIVE_INFINITY ? undefined : handshake.maxPayload
  })

// The longest timer of browsers and Node; the client waits for pingInterval + pingTimeout.
const maxTimer = 2 ** 31 - 1

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const isNumber = (value: unknown, least: number, most: number): value is number =>
  typeof value === "number" && value >= least && value <= most

const invalid = EnginePacket.failure("invalid handshake")

/** The handshake in the data of an open packet. Unknown fields are ignored. */
export const decode = (data: string | Uint8Array | undefined): EngineHandshake | EnginePacket.EngineDecodeFailure => {
  if (typeof data !== "string") return invalid
  const value = parse(data)
  if (!isRecord(value)) return invalid
  const { sid, upgrades, pingInterval, pingTimeout } = value
  const maxPayload = value["maxPayload"] === undefined ? Number.POSITIVE_INFINITY : value["maxPayload"]
  if (typeof sid !== "string" || sid === "") return invalid
  if (!Array.isArray(upgrades) || !upgrades.every((name): name is string => typeof name === "string")) return invalid
  if (!isNumber(pingInterval, 1, maxTimer) || !isNumber(pingTimeout, 0, maxTimer - pingInterval)) return invalid
  if (!isNumber(maxPayload, 1, Number.POSITIVE_INFINITY)) return invalid
  return { sid, upgrades, pingInterval, pingTimeout, maxPayload }
}

/** Reads query parameters, as `URLSearchParams` does. */
export interface QuerySource {
  get(name: string): string | null
}

/** What Engine.IO reads in the query of a request. */
export interface EngineQuery {
  /** The protocol revision in `EIO`: 3 where it is missing, as old clients have it, and 0 if it is no number. */
  readonly protocol: number
  /** Which transport the request belongs to; empty if missing. */
  readonly transport: string
  /** The session, absent in the first request. */
  readonly sid: string | undefined
  /** Whether the client takes text only. */
  readonly b64: boolean
  /** The cache-buster. */
  readonly t: string | undefined
}

/** The protocol revision of this library. */
export const protocol = 4

const revision = /^[1-9][0-9]{0,2}$/

/** The Engine.IO part of a query. Total: what is missing or wrong shows in the result, and `EngineServer` answers by code. */
export const parseQuery = (query: QuerySource): EngineQuery => {
  const eio = query.get("EIO")
  const sid = query.get("sid")
  const b64 = query.get("b64")
  return {
    protocol: eio === null ? 3 : revision.test(eio) ? Number(eio) : 0,
    transport: query.get("transport") ?? "",
    sid: sid === null || sid === "" ? undefined : sid,
    b64: b64 !== null && b64 !== "",
    t: query.get("t") ?? undefined
  }
}

/** The codes of refused requests. */
export const EngineErrorCode = {
  unknownTransport: 0,
  unknownSid: 1,
  badHandshakeMethod: 2,
  badRequest: 3,
  forbidden: 4,
  unsupportedProtocolVersion: 5
} as const

/** The code of a refused request. */
export type EngineErrorCode = (typeof EngineErrorCode)[keyof typeof EngineErrorCode]

/** The messages of the codes, in their order. */
export const messages = [
  "Transport unknown",
  "Session ID unknown",
  "Bad handshake method",
  "Bad request",
  "Forbidden",
  "Unsupported protocol version"
] as const

/** What more is known about a bad request (code 3). */
export type BadRequestContext =
  | { readonly name: "INVALID_ORIGIN"; readonly origin: string }
  | { readonly name: "TRANSPORT_MISMATCH"; readonly transport: string; readonly previousTransport: string }
  | { readonly name: "TRANSPORT_HANDSHAKE_ERROR"; readonly error?: unknown }
  | { readonly name: "ID_GENERATION_ERROR"; readonly error: unknown }
  | { readonly name: "MIDDLEWARE_FAILURE" }
  | { readonly name: "PROTOCOL_MISMATCH"; readonly protocol: number; readonly previousProtocol: number }

/** A refused request: what the peer reads (`code`, `message`) and what the server's user may learn (`context`). */
export type EngineRefusal = { readonly _tag: "EngineRefusal"; readonly message: string } & (
  | { readonly code: 0; readonly context: { readonly transport: string } }
  | { readonly code: 1; readonly context: { readonly sid: string } }
  | { readonly code: 2; readonly context: { readonly method: string } }
  | { readonly code: 3; readonly context: BadRequestContext }
  | { readonly code: 4; readonly context: { readonly message: string } }
  | { readonly code: 5; readonly context: { readonly protocol: number } }
)

/** Code 0: the transport is not one of the server's. */
export const unknownTransport = (transport: string): EngineRefusal => ({
  _tag: "EngineRefusal",
  code: 0,
  message: messages[0],
  context: { transport }
})

/** Code 1: there is no session of that id. */
export const unknownSid = (sid: string): EngineRefusal => ({
  _tag: "EngineRefusal",
  code: 1,
  message: messages[1],
  context: { sid }
})

/** Code 2: a session begins with GET. */
export const badHandshakeMethod = (method: string): EngineRefusal => ({
  _tag: "EngineRefusal",
  code: 2,
  message: messages[2],
  context: { method }
})

/** Code 3: everything else that is wrong with a request. */
export const badRequest = (context: BadRequestContext): EngineRefusal => ({
  _tag: "EngineRefusal",
  code: 3,
  message: messages[3],
  context
})

/** Code 4: the server's own check refused it, with a message of its own or `Forbidden`. */
export const forbidden = (message: string = messages[4]): EngineRefusal => ({
  _tag: "EngineRefusal",
  code: 4,
  message,
  context: { message }
})

/** Code 5: the client speaks another revision. */
export const unsupportedProtocolVersion = (protocol: number): EngineRefusal => ({
  _tag: "EngineRefusal",
  code: 5,
  message: messages[5],
  context: { protocol }
})

/** The HTTP status of a refusal: 403 for `Forbidden`, else 400. */
export const statusOf = (refusal: EngineRefusal): 400 | 403 => (refusal.code === 4 ? 403 : 400)

/** The JSON body that answers a refused request. */
export const refusalBody = (refusal: EngineRefusal): string =>
  JSON.stringify({ code: refusal.code, message: refusal.message })
