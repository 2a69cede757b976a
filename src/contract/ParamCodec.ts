/**
 * Parameters of namespace paths that have a schema.
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { AnyParamSchemas, ParamCodec } from "./NamespacePath.ts"
import * as PayloadIssue from "./PayloadIssue.ts"

/** What a schema throws outside of its parsers, e.g. when it is first resolved, is a defect like any other. */
const total =
  <A, B, E>(parse: (input: A) => Exit.Exit<B, E>) =>
  (input: A): Exit.Exit<B, E> => {
    try {
      return parse(input)
    } catch (defect) {
      return Exit.die(defect)
    }
  }

const fromSchema = (schema: Schema.ConstraintCodec<unknown, string>): ParamCodec => {
  const encode = total(Schema.encodeUnknownExit(schema))
  return {
    decode: total(Schema.decodeUnknownExit(schema)),
    encode: (value) => {
      const encoded = encode(value)
      return Exit.isSuccess(encoded) ? Exit.succeed(encoded.value) : Exit.fail(PayloadIssue.fromCause(encoded.cause))
    }
  }
}

/** The codecs of the parameters that have a schema. */
export const fromSchemas = (schemas: AnyParamSchemas): ReadonlyMap<string, ParamCodec> => {
  const codecs = new Map<string, ParamCodec>()
  for (const [name, schema] of Object.entries(schemas)) if (schema !== undefined) codecs.set(name, fromSchema(schema))
  return codecs
}
