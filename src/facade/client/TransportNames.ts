/**
 * The transports, as names and as the classes that Socket.IO's client exports.
 */
import type { TransportName } from "../../transport/EngineClientOptions.ts"

/**
 * A transport given as a class: here only its name counts. The classes below are such, and those of `engine.io-client` are understood.
 */
export interface TransportClass {
  new (...args: Array<never>): object
  readonly prototype: { readonly name: string }
}

const named = (name: string): TransportClass =>
  class {
    get name(): string {
      return name
    }
  }

/** HTTP long-polling. */
export const Fetch: TransportClass = named("polling")

/** The same as `Fetch`: which kind of request is made is the platform's choice. */
export const XHR: TransportClass = Fetch

/** The same as `Fetch`. */
export const NodeXHR: TransportClass = Fetch

/** WebSocket. */
export const WebSocketTransport: TransportClass = named("websocket")

/** WebTransport, which this client leaves out where it is listed. */
export const WebTransport: TransportClass = named("webtransport")

/** The transports of an option, in order; names that this client does not have are left out. */
export const namesOf = (transports: ReadonlyArray<string | TransportClass>): ReadonlyArray<TransportName> =>
  transports
    .map((transport) => (typeof transport === "string" ? transport : transport.prototype.name))
    .filter((name): name is TransportName => name === "polling" || name === "websocket")
