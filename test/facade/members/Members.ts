/** The members of Socket.IO's objects and of ours, by reflection over living ones: a server with one connected client, of each package. */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** The members of each kind of object. */
export type Members = ReadonlyMap<string, ReadonlySet<string>>

/** What both packages have, as far as it is needed to get at the objects. */
interface Peer {
  readonly connected: boolean
  readonly io: { readonly engine: object }
  once(event: string, listener: () => void): unknown
  close(): unknown
}
interface Connected {
  readonly conn: { readonly transport: { readonly name: string } }
  readonly client: object
}
interface Io {
  readonly engine: object
  on(event: string, listener: (socket: Connected) => void): unknown
  of(name: string | RegExp): { readonly adapter: object }
  to(room: string): object
  fetchSockets(): Promise<ReadonlyArray<object>>
  close(): unknown
}

/** A package: how to make its server and its client. */
export interface Package {
  readonly server: (http: HttpServer<typeof IncomingMessage, typeof ServerResponse>) => unknown
  readonly client: (url: string) => unknown
}

/** Names of an object and its classes, down to the emitters of Node and of the official client, whose own are the same everywhere. */
const namesOf = (object: object): ReadonlySet<string> => {
  const names = new Set<string>()
  for (let level = object; level !== null && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    const name: unknown = level.constructor?.name
    if (name === "EventEmitter" && level !== object) break
    for (const key of Object.getOwnPropertyNames(level)) names.add(key)
  }
  for (const name of ["constructor", "_events", "_eventsCount", "_maxListeners", "_callbacks"]) names.delete(name)
  return names
}

/** Reflects over the objects of a package. */
export const reflect = async (made: Package): Promise<Members> => {
  const http = createServer()
  const io = made.server(http) as Io
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  const connected = new Promise<Connected>((resolve) => io.on("connection", resolve))
  const client = made.client(`http://127.0.0.1:${(http.address() as AddressInfo).port}`) as Peer
  try {
    const socket = await connected
    if (!client.connected) await new Promise<void>((resolve) => client.once("connect", resolve))
    // Some members come with the upgrade.
    while (socket.conn.transport.name !== "websocket") await new Promise((resolve) => setImmediate(resolve))
    const [remote] = await io.fetchSockets()
    const objects: ReadonlyArray<readonly [string, object]> = [
      ["Server", io],
      ["Namespace", io.of("/")],
      ["ParentNamespace", io.of(/^\/never$/)],
      ["Socket", socket],
      ["BroadcastOperator", io.to("room")],
      ["RemoteSocket", remote!],
      ["Client", socket.client],
      ["Adapter", io.of("/").adapter],
      ["engine: Server", io.engine],
      ["engine: Socket", socket.conn],
      ["client: Socket", client],
      ["client: Manager", client.io],
      ["client: engine", client.io.engine]
    ]
    return new Map(objects.map(([name, object]) => [name, namesOf(object)]))
  } finally {
    client.close()
    io.close()
  }
}
