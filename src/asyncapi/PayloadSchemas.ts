/**
 * Schemas of payloads as AsyncAPI has them: JSON Schema draft 07 of the form on the wire, with what has a name once, in the components.
 */
import * as JsonSchema from "effect/JsonSchema"
import type * as Schema from "effect/Schema"
import { toJsonSchemaDocument } from "effect/Schema"

/** A JSON value that a document is made of. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** A JSON object of a document. */
export type JsonObject = { readonly [key: string]: Json }

const pointer = "#/components/schemas/"

/** What marks a place where bytes travel as an attachment beside the JSON. */
export const attachment: JsonObject = {
  description: "Binary: travels as an attachment of Socket.IO, not as JSON.",
  "x-socketio-attachment": true
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isBytes = (schema: Readonly<Record<string, unknown>>): boolean =>
  schema["type"] === "string" && schema["format"] === "byte" && schema["contentEncoding"] === "base64"

/** Points references at the components, and says of bytes, which Effect's JSON form has as base64 text, that they are attachments. */
const adapt = (value: unknown, binary: boolean): Json => {
  if (Array.isArray(value)) return value.map((item) => adapt(item, binary))
  if (!isObject(value)) return value as Json
  if (binary && isBytes(value)) return attachment
  const entries = Object.entries(value).map(([key, item]): [string, Json] =>
    key === "$ref" && typeof item === "string"
      ? [key, pointer + item.slice(item.lastIndexOf("/") + 1)]
      : [key, adapt(item, binary)]
  )
  return Object.fromEntries(entries)
}

/** Collects the schemas of one document. */
export class PayloadSchemas {
  readonly #named = new Map<string, Json>()

  /** A schema as it is used in a message; `binary` says whether values can hold bytes. */
  use(schema: Schema.Constraint, binary: boolean): Json {
    const draft = JsonSchema.toDocumentDraft07(toJsonSchemaDocument(schema))
    for (const [name, definition] of Object.entries(draft.definitions)) {
      if (!this.#named.has(name)) this.#named.set(name, adapt(definition, binary))
    }
    return adapt(draft.schema, binary)
  }

  /** What has a name, for `components.schemas`. */
  get named(): JsonObject {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
