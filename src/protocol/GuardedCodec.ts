/**
 * A codec of the program's own behind a guard: what it throws becomes a failure as a value. A packet from the network must not end the
 * process, whoever decodes it.
 */
import {
  decodeFailure,
  encodeFailure,
  json,
  messageOf,
  type SocketCodec,
  type SocketDecodeFailure,
  type SocketDecoder
} from "./SocketCodec.ts"
import type { SocketPacket } from "./SocketPacket.ts"

/** What the peer and the log are told when a decoder threw; its own words may hold anything. */
const undecodable = decodeFailure("invalid payload")

class GuardedDecoder implements SocketDecoder {
  readonly #decoder: SocketDecoder

  constructor(decoder: SocketDecoder) {
    this.#decoder = decoder
  }

  add(data: string | Uint8Array): SocketPacket | SocketDecodeFailure | undefined {
    try {
      return this.#decoder.add(data)
    } catch {
      this.destroy()
      return undecodable
    }
  }

  destroy(): void {
    try {
      this.#decoder.destroy()
    } catch {
      // Nothing is left to destroy.
    }
  }
}

/** The codec, never throwing. The default codec, which never does, is given back as it is. */
export const make = (codec: SocketCodec): SocketCodec =>
  codec === json
    ? codec
    : {
        name: codec.name,
        encode(packet, options) {
          try {
            return codec.encode(packet, options)
          } catch (error) {
            return encodeFailure(messageOf(error), error)
          }
        },
        makeDecoder: (limits) => new GuardedDecoder(codec.makeDecoder(limits))
      }
