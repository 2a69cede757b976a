/**
 * Parameters of namespace paths that have a schema.
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { AnyParamSchemas, ParamCodec } from "./NamespacePath.ts"
import * as PayloadIssue from "./PayloadIssue.ts"

const fromSchema = (schema: Schema.ConstraintCodec<unknown, string>): ParamCodec => {
  const decode = Schema.decodeUnknownExit(schema)
  const encode = Schema.encodeUnknownExit(schema)
  return {
    decode: (text) => {
      try {
        return decode(text)
      } catch (defect) {
        return Exit.die(defect)
      }
    },
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
