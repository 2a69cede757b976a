/**
 * A client of a server: one connection with its sockets in as many namespaces as it has joined.
 */
import type { IncomingMessage } from "node:http"
import type { Session } from "../../engine/Session.ts"
import type { FrameGroup } from "../../protocol/FrameGroup.ts"
import { Connection } from "../../socket/Connection.ts"
import type { ServerCore } from "../../socket/ServerCore.ts"
import type { EngineSocket } from "./EngineSocket.ts"
import { groupOf } from "./Parser.ts"

/** How adapters write what they have encoded. */
export interface WriteOptions {
  readonly compress?: boolean | undefined
  readonly volatile?: boolean | undefined
}

/** What the connections of a server need of it. */
export interface ClientEnvironment {
  readonly core: ServerCore
  readonly socketOf: (session: Session) => EngineSocket
}

/** A connection with the objects that programs may ask for. */
export class ClientConnection extends Connection {
  readonly #environment: ClientEnvironment
  #client: Client | undefined = undefined

  constructor(environment: ClientEnvironment, session: Session) {
    super(environment.core, session)
    this.#environment = environment
  }

  get conn(): EngineSocket {
    return this.#environment.socketOf(this.session)
  }

  get client(): Client {
    return (this.#client ??= new Client(this))
  }
}

/** Adapters encode once and write the same array to many clients: the frames are built once for it, too. */
const groups = new WeakMap<ReadonlyArray<string | Uint8Array>, FrameGroup>()

const sharedGroup = (encoded: ReadonlyArray<string | Uint8Array>): FrameGroup => {
  let group = groups.get(encoded)
  if (group === undefined) groups.set(encoded, (group = groupOf(encoded)))
  return group
}

/** A client: `socket.client`. */
export class Client {
  readonly #connection: ClientConnection

  /** @internal */
  constructor(connection: ClientConnection) {
    this.#connection = connection
  }

  /** The id of the connection, which is not the socket's. */
  get id(): string {
    return this.#connection.session.id
  }

  /** The engine socket. */
  get conn(): EngineSocket {
    return this.#connection.conn
  }

  /** The first request. */
  get request(): IncomingMessage {
    return this.conn.request
  }

  /** Writes what an adapter has encoded. */
  writeToEngine(encodedPackets: string | Uint8Array | Array<string | Uint8Array>, opts: WriteOptions = {}): void {
    const { volatile = false, compress = true } = opts
    const group = Array.isArray(encodedPackets) ? sharedGroup(encodedPackets) : groupOf([encodedPackets])
    this.#connection.session.write(group, { volatile, compress })
  }

  /** Leaves all namespaces and closes the connection. */
  _disconnect(): void {
    this.#connection.disconnect()
  }
}
