/**
 * What changed between two versions of contracts, and which of it breaks peers that still have the old one.
 *
 * Compared are documents, since the old contract is seldom at hand as a program: keep the document of each release. What clients send must
 * still be accepted, so a schema may widen there; what the server sends must still be understood, so it may narrow.
 */
import type { AsyncApiDocument } from "./AsyncApi.ts"
import type { Json, JsonObject } from "./PayloadSchemas.ts"
import * as SchemaCompatibility from "./SchemaCompatibility.ts"

/** One difference. */
export interface Change {
  readonly breaking: boolean
  /** The namespace's channel. */
  readonly channel: string
  /** The message, such as `fromClient.message`; `undefined` where the namespace itself came or went. */
  readonly message: string | undefined
  readonly what: string
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const part = (value: Json | undefined, name: string): JsonObject => {
  const found = isObject(value) ? value[name] : undefined
  return isObject(found) ? found : {}
}

const resolverOf =
  (document: AsyncApiDocument): SchemaCompatibility.Resolve =>
  (reference) => {
    let current: Json | undefined = document
    for (const name of reference.replace(/^#\//, "").split("/")) current = isObject(current) ? current[name] : undefined
    return current
  }

/** Whether the server reads this message. Acknowledgements go the other way than their events. */
const isReadByServer = (message: string): boolean => {
  if (message === "connect") return true
  const ack = message.endsWith(".ack")
  return message.startsWith("fromClient.") ? !ack : message.startsWith("fromServer.") ? ack : false
}

const describe = ({ at, why }: SchemaCompatibility.Incompatibility): string => `${at.replace(/^\./, "")} ${why}`

const compareMessage = (
  channel: string,
  message: string,
  before: JsonObject,
  now: JsonObject,
  sides: { readonly old: SchemaCompatibility.Resolve; readonly new: SchemaCompatibility.Resolve }
): Array<Change> => {
  const change = (breaking: boolean, what: string): Change => ({ breaking, channel, message, what })
  const forward = SchemaCompatibility.compare(before["payload"], now["payload"], { from: sides.old, to: sides.new })
  const backward = SchemaCompatibility.compare(now["payload"], before["payload"], { from: sides.new, to: sides.old })
  const between = message.startsWith("betweenServers.")
  const breaks = between ? [...forward, ...backward] : isReadByServer(message) ? forward : backward
  if (breaks.length > 0) return breaks.map((found) => change(true, describe(found)))
  const compatible = isReadByServer(message) ? backward : forward
  return compatible.map((found) => change(false, `${describe(found)} (compatible)`))
}

/** The changes from an old document to a new one, breaking ones first. */
export const compare = (old: AsyncApiDocument, current: AsyncApiDocument): ReadonlyArray<Change> => {
  const sides = { old: resolverOf(old), new: resolverOf(current) }
  const before = part(old, "channels")
  const now = part(current, "channels")
  const changes: Array<Change> = []
  for (const channel of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (now[channel] === undefined) {
      changes.push({ breaking: true, channel, message: undefined, what: "the namespace was removed" })
      continue
    }
    if (before[channel] === undefined) {
      changes.push({ breaking: false, channel, message: undefined, what: "the namespace is new" })
      continue
    }
    const oldMessages = part(before[channel], "messages")
    const newMessages = part(now[channel], "messages")
    for (const message of new Set([...Object.keys(oldMessages), ...Object.keys(newMessages)])) {
      const was = oldMessages[message]
      const is = newMessages[message]
      if (isObject(was) && isObject(is)) changes.push(...compareMessage(channel, message, was, is, sides))
      else changes.push({ channel, message, ...cameOrWent(message, is !== undefined) })
    }
  }
  return changes.sort((a, b) => Number(b.breaking) - Number(a.breaking))
}

/** An event that is new on the side that sends it surprises nobody who does not listen; an answer that is gone is missed. */
const cameOrWent = (message: string, came: boolean): Pick<Change, "breaking" | "what"> => {
  if (message.endsWith(".ack")) {
    return { breaking: true, what: came ? "is acknowledged now" : "is not acknowledged any more" }
  }
  return came ? { breaking: false, what: "the event is new" } : { breaking: true, what: "the event was removed" }
}
