/**
 * Example payloads, made from the schemas: always the same ones for the same schema, in their form on the wire.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { PayloadSchema } from "../contract/PayloadCodec.ts"
import type { Json } from "./PayloadSchemas.ts"

const seed = "effect-socketio"

/** How many are looked at. */
const tries = 64

/** Characters that nobody would type. */
const odd = /[^A-Za-z0-9 _.:{}[\]",@-]/g

/** The lower, the better: readable first, then neither empty nor long. */
const oddity = (example: Json): number => {
  const text = JSON.stringify(example)
  return (text.match(odd)?.length ?? 0) * 100 + (text.match(/""/g)?.length ?? 0) * 20 + Math.abs(text.length - 30)
}

const isJson = (value: unknown): value is Json =>
  value === null ||
  typeof value === "string" ||
  typeof value === "boolean" ||
  (typeof value === "number" && Number.isFinite(value)) ||
  (Array.isArray(value) && value.every(isJson)) ||
  (typeof value === "object" &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof ArrayBuffer) &&
    Object.values(value).every(isJson))

/** An example as JSON; `undefined` where there is none: bytes have no JSON form, and some schemas cannot be sampled. */
export const make = (
  schema: PayloadSchema,
  encode: (value: never) => Exit.Exit<unknown, unknown>
): Json | undefined => {
  const sampled = Effect.runSyncExit(Arbitrary.sampleEffect(Arbitrary.schema(schema), { count: tries, size: 6, seed }))
  if (Exit.isFailure(sampled)) return undefined
  let best: Json | undefined
  for (const value of sampled.value) {
    const encoded = encode(value as never)
    if (!Exit.isSuccess(encoded) || !isJson(encoded.value)) continue
    if (best === undefined || oddity(encoded.value) < oddity(best)) best = encoded.value
  }
  return best
}
