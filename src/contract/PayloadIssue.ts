/**
 * What a peer, a log or an error sink is told about a payload that did not fit its schema.
 */
import type * as Cause from "effect/Cause"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { undescribed } from "./Untyped.ts"

/**
 * Where a payload failed and what was expected there. It is made to travel: positions that are not strings or numbers are written as
 * strings, and the texts are cut to {@link maxMessageLength} and {@link maxPathLength}.
 */
export interface PayloadIssue {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/** The most characters of a message, and of one key in a path, that an issue keeps. */
export const maxMessageLength = 300

/** The most positions that the path of an issue keeps. */
export const maxPathLength = 32

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** Cuts a text to {@link maxMessageLength}, with an ellipsis in place of the rest. */
export const cut = (text: string): string =>
  text.length > maxMessageLength ? `${text.slice(0, maxMessageLength)}…` : text

const position = (key: unknown): string | number => (typeof key === "number" ? key : cut(String(key)))

/** The first problem of a schema's issue tree. Effect keeps the rejected value out of it unless a schema's own message repeats it. */
export const fromSchemaError = (error: Schema.SchemaError): PayloadIssue => {
  const first = format(error.issue).issues[0]
  if (first === undefined) return { path: [], message: "Expected a valid value" }
  const keys = (first.path ?? []).slice(0, maxPathLength)
  return {
    path: keys.map((segment) => position(typeof segment === "object" ? segment.key : segment)),
    message: cut(first.message)
  }
}

/**
 * The issue behind a failed decode or encode. A defect (an asynchronous schema, a transformation that throws, input nested deeper than
 * the stack) is not described, since its text is not meant for a peer.
 */
export const fromCause = (cause: Cause.Cause<Schema.SchemaError>): PayloadIssue => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Fail" && Schema.isSchemaError(reason.error)) return fromSchemaError(reason.error)
  }
  return undescribed
}
