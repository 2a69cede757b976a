/**
 * Names that programs may listen to and never emit.
 */
import { reservedEvents } from "../../protocol/SocketPacket.ts"

/** Of sockets: those of the protocol. */
export const socketEvents: ReadonlySet<string | symbol> = reservedEvents

/** Of namespaces and servers. */
export const namespaceEvents: ReadonlySet<string | symbol> = new Set(["connect", "connection", "new_namespace"])

/** Throws for a name that is reserved, in Socket.IO's words. */
export const refuse = (reserved: ReadonlySet<string | symbol>, event: string | symbol): void => {
  if (reserved.has(event)) throw new Error(`"${String(event)}" is a reserved event name`)
}
