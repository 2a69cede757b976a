/**
 * What the msgpack bundle has in the place of the default parser.
 */
export { msgpack as defaultParser } from "../../protocol/MsgpackCodec.ts"
