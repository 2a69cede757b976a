/**
 * A contract under a namespace of the facade: its types as maps of events, and its validation of everything that crosses the wire.
 */
import * as Exit from "effect/Exit"
import type { Event, Namespace, PayloadIssue } from "../../contract/index.ts"
import { fromFault, InvalidPayload } from "../../runtime/PayloadError.ts"
import type { AckCallback } from "./Acks.ts"

/** What a client emits: an acknowledgement takes the contract's answer, or one of the errors it declares. */
type ListenerOf<E extends Event.Any> =
  Event.HasAck<E> extends true
    ? (...args: [...Event.Args<E>, answer: (value: Event.Ack<E> | Event.Error<E>) => void]) => void
    : (...args: Event.Args<E>) => void

/** What the server emits: an acknowledgement gives the contract's answer. */
type EmitterOf<E extends Event.Any> =
  Event.HasAck<E> extends true
    ? (...args: [...Event.Args<E>, answer: (value: Event.Ack<E>) => void]) => void
    : (...args: Event.Args<E>) => void

/** The events of a contract that the server listens to. */
export type ListenEventsOf<M extends Namespace.AnyEvents> = { [K in Namespace.EventName<M>]: ListenerOf<M[K]> }

/** The events of a contract that the server emits. */
export type EmitEventsOf<M extends Namespace.AnyEvents> = { [K in Namespace.EventName<M>]: EmitterOf<M[K]> }

const brand = "~effect-socketio/contract/Namespace"

/** Whether it is a contract. */
export const isContract = (value: unknown): value is Namespace.Any =>
  typeof value === "object" && value !== null && brand in value

const undescribed: PayloadIssue.PayloadIssue = { path: [], message: "does not fit its schema" }

const issueOf = (event: Event.Any, exit: Exit.Exit<unknown, unknown>): PayloadIssue.PayloadIssue =>
  Exit.isFailure(exit) ? event.codec.issueOf(exit.cause as Parameters<Event.Any["codec"]["issueOf"]>[0]) : undescribed

/** An event of a client: its decoded arguments, or why there are none, with what a caller that waits is to be told. */
export type Incoming =
  | { readonly event: Event.Any; readonly args: ReadonlyArray<unknown> }
  | { readonly failure: InvalidPayload; readonly answer: ReadonlyArray<unknown> | undefined }

/** Decodes an event of a client. */
export const decodeEvent = (contract: Namespace.Any, data: ReadonlyArray<unknown>): Incoming => {
  const name = String(data[0])
  const event = contract.clientEvent(data[0])
  if (event === undefined) {
    return { failure: new InvalidPayload({ event: name, path: [], message: "no such event" }), answer: undefined }
  }
  const args = event.codec.decodeArgs(data.slice(1))
  if (Exit.isSuccess(args)) return { event, args: args.value }
  const issue = issueOf(event, args)
  return {
    failure: new InvalidPayload({ event: name, ...issue }),
    answer: event.codec.encodeInvalidPayload(name, issue)
  }
}

/** The arguments of an acknowledgement. Throws an `InvalidPayload` for a value that the contract does not have. */
export const encodeAnswer = (event: Event.Any, name: string, value: unknown): ReadonlyArray<unknown> => {
  const answer = event.codec.encodeAck(value)
  if (Exit.isSuccess(answer)) return answer.value
  const failure = event.codec.encodeAckFailure(value)
  if (failure !== undefined && Exit.isSuccess(failure)) return failure.value
  throw new InvalidPayload({ event: name, ...issueOf(event, answer) })
}

/** The event that the server emits, with its encoded arguments. Throws for names and arguments that the contract does not have. */
export const encodeEvent = (
  contract: Namespace.Any,
  name: string,
  args: ReadonlyArray<unknown>
): { readonly event: Event.Any; readonly data: Array<unknown> } => {
  const event = contract.serverEvent(name)
  if (event === undefined) throw new TypeError(`"${name}" is no event of "${contract.path}"`)
  const encoded = event.codec.encodeArgs(args as Array<unknown>)
  if (Exit.isFailure(encoded)) throw new InvalidPayload({ event: name, ...issueOf(event, encoded) })
  return { event, data: [name, ...encoded.value] }
}

/** What an acknowledgement says: the value. Throws what it fails with. */
export const decodeAnswer = (event: Event.Any, name: string, wire: ReadonlyArray<unknown>): unknown => {
  const decoded = event.codec.decodeAck(wire)
  if (Exit.isFailure(decoded)) throw new InvalidPayload({ event: name, ...issueOf(event, decoded) })
  const reply = decoded.value
  switch (reply._tag) {
    case "Success":
      return reply.value
    case "Failure":
      throw reply.error
    case "HandlerFailed":
      throw fromFault({ _tag: "HandlerFailed", event: name })
    case "InvalidPayload":
      throw fromFault({ _tag: "InvalidPayload", event: name, path: reply.path, message: reply.message })
  }
}

/**
 * The callback of an acknowledgement from the wire. With an error first it gets what the answer fails with; else that goes to `failed`.
 */
export const answering =
  (
    event: Event.Any,
    name: string,
    errorFirst: boolean,
    reply: AckCallback,
    failed: (error: unknown) => void
  ): AckCallback =>
  (...wire) => {
    const [error] = wire
    if (errorFirst && error !== null) return reply(error)
    let value: unknown
    try {
      value = decodeAnswer(event, name, errorFirst ? wire.slice(1) : wire)
    } catch (failure) {
      return errorFirst ? reply(failure) : failed(failure)
    }
    return errorFirst ? reply(null, value) : reply(value)
  }

/** The callback of the answers to a broadcast. An answer that is none becomes the error; the others are still given. */
export const answeringMany =
  (event: Event.Any, name: string, single: boolean, reply: AckCallback): AckCallback =>
  (error, answers) => {
    let failure = error
    const decode = (answer: unknown): ReadonlyArray<unknown> => {
      try {
        return [decodeAnswer(event, name, [answer])]
      } catch (problem) {
        failure ??= problem
        return []
      }
    }
    if (!single) {
      const decoded = (answers as ReadonlyArray<unknown>).flatMap(decode)
      return reply(failure, decoded)
    }
    const [decoded = null] = error === null ? decode(answers) : []
    return reply(failure, decoded)
  }

/** The refusal that a contract makes of an error, where it declares it. */
export const encodeRefusal = (
  contract: Namespace.Any,
  error: unknown
): { readonly message: string; readonly data?: unknown } | undefined => {
  if (contract.refusal.schema === undefined) return undefined
  const encoded = contract.refusal.encode(error)
  return Exit.isSuccess(encoded) ? encoded.value : undefined
}
