/**
 * Declared refusals, from and to the wire.
 */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as PayloadCodec from "./PayloadCodec.ts"
import { messageOf, type RefusalCodec } from "./RefusalMessage.ts"

export type { RefusalCodec, WireRefusal } from "./RefusalMessage.ts"

/** Refusals as Socket.IO has them. */
export { refusal as untyped } from "./Untyped.ts"

/** The codec of declared refusals; without a schema nothing decodes or encodes. */
export const make = (declared: PayloadCodec.PayloadSchema | undefined): RefusalCodec<unknown> => {
  const codec = PayloadCodec.make(declared ?? Schema.Never)
  return {
    schema: declared,
    decode: ({ data }) => codec.decode(data),
    encode: (refusal) => Exit.map(codec.encode(refusal), (data) => ({ message: messageOf(refusal), data }))
  }
}
