/**
 * The codec of programs that name no parser. The msgpack bundle has MsgpackParser.ts in its place.
 */
export { json as defaultParser } from "../../protocol/SocketCodec.ts"
