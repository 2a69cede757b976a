/**
 * What a consumer of JetStream delivers: entries of the log, and what the server says between them.
 */
import type { Msg } from "@nats-io/transport-node"

/** An entry of the log. */
export interface LogEntry {
  readonly _tag: "Entry"
  readonly subject: string
  readonly data: Uint8Array
  /** Its place in the stream. */
  readonly sequence: number
  /** Which delivery of its consumer it is, from 1: one that is left out was lost on the way. */
  readonly delivery: number
  /** How many more the consumer has to deliver. */
  readonly pending: number
  /** The value of a header, "" where it is absent. */
  header(name: string): string
}

/** What the server says. */
export type LogSignal =
  | LogEntry
  /** It is there; `delivery` is the last of the consumer's. */
  | { readonly _tag: "Heartbeat"; readonly delivery: number | undefined; readonly answerTo: string | undefined }
  /** It waits for an answer before it delivers more. */
  | { readonly _tag: "FlowControl"; readonly answerTo: string }
  /** The consumer is gone. */
  | { readonly _tag: "Ended"; readonly reason: string }

const natural = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^[0-9]{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

/**
 * The numbers in `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<delivery>.<time>.<pending>`; newer servers put domain and account
 * after `ACK` and a token at the end.
 */
const entry = (message: Msg): LogEntry | undefined => {
  const tokens = message.reply?.split(".") ?? []
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK") return undefined
  const at = tokens.length === 9 ? 5 : tokens.length >= 11 ? 7 : undefined
  if (at === undefined) return undefined
  const sequence = natural(tokens[at])
  const delivery = natural(tokens[at + 1])
  const pending = natural(tokens[at + 3])
  if (sequence === undefined || delivery === undefined || pending === undefined) return undefined
  const { subject, data, headers } = message
  return { _tag: "Entry", subject, data, sequence, delivery, pending, header: (name) => headers?.get(name) ?? "" }
}

/** Reads what came on the subject of a consumer; undefined for what no consumer delivers. */
export const read = (message: Msg): LogSignal | undefined => {
  const code = message.headers?.code ?? 0
  if (code === 0) return entry(message)
  const description = message.headers?.description.toLowerCase() ?? ""
  if (code !== 100) return { _tag: "Ended", reason: `${code} ${description}` }
  if (description.startsWith("flow")) {
    return message.reply === undefined || message.reply === ""
      ? undefined
      : { _tag: "FlowControl", answerTo: message.reply }
  }
  const stalled = message.headers?.get("Nats-Consumer-Stalled") ?? ""
  return {
    _tag: "Heartbeat",
    delivery: natural(message.headers?.get("Nats-Last-Consumer")),
    answerTo: stalled === "" ? undefined : stalled
  }
}
