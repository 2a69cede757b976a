/**
 * Schemas of binary payloads. `Schema.Uint8Array` needs none of this: it is an attachment wherever it stands in an event.
 */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { isArrayBuffer as isNativeArrayBuffer, toArrayBuffer } from "./Bytes.ts"

const passBytes = {
  decode: SchemaGetter.transform(toArrayBuffer),
  encode: SchemaGetter.transform((buffer: globalThis.ArrayBuffer) => new Uint8Array(buffer))
}

/**
 * An `ArrayBuffer`, which travels as a binary attachment. It arrives as an ArrayBuffer of exactly its length on every platform: the
 * bytes of a pooled Node Buffer are copied. Outside of a contract, as JSON, it is base64: its JSON form is that of
 * a Uint8Array, which a contract keeps binary.
 */
export const ArrayBuffer: Schema.declare<globalThis.ArrayBuffer> = Schema.declare(isNativeArrayBuffer, {
  expected: "ArrayBuffer",
  toCodecJson: () => Schema.link<globalThis.ArrayBuffer>()(Schema.Uint8Array, passBytes),
  toCodecArbitrary: () => Schema.link<globalThis.ArrayBuffer>()(Schema.Uint8Array, passBytes),
  toEquivalence: () => (self, that) => {
    if (self.byteLength !== that.byteLength) return false
    const other = new Uint8Array(that)
    return new Uint8Array(self).every((byte, index) => byte === other[index])
  }
})
