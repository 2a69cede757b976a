/**
 * One session of a client and its sockets in as many namespaces as it has joined.
 */
import * as Cause from "effect/Cause"
import type { Closed, Session, SessionSink } from "../engine/Session.ts"
import * as CloseReason from "../protocol/CloseReason.ts"
import * as DisconnectReason from "../protocol/DisconnectReason.ts"
import type { Frame } from "../protocol/FrameGroup.ts"
import * as SocketCodec from "../protocol/SocketCodec.ts"
import * as SocketPacket from "../protocol/SocketPacket.ts"
import type { Deadline, Expirable } from "../runtime/Deadlines.ts"
import { Admission } from "./Admission.ts"
import type { ServerCore } from "./ServerCore.ts"
import { reliable, type ServerSocket } from "./ServerSocket.ts"
import { Disconnected } from "./SocketError.ts"

/** Namespaces that the server has left and the client may not know of yet: the last ones are remembered. */
const maxLeft = 32

/** What the client sent cannot be a packet; the message is the official parser's. */
export class UndecodablePacket extends Error {
  override readonly name = "UndecodablePacket"
}

/** The sink of a session. */
export class Connection implements SessionSink, Expirable {
  readonly core: ServerCore
  readonly session: Session
  readonly #decoder: SocketCodec.SocketDecoder
  /** Most clients are in one namespace: the map exists for the others. */
  #first: ServerSocket | undefined = undefined
  #others: Map<string, ServerSocket> | undefined = undefined
  #admissions: Map<string, Admission> | undefined = undefined
  #left: Set<string> | undefined = undefined
  #deadline: Deadline | undefined
  #holds = 0
  #closed = false

  constructor(core: ServerCore, session: Session) {
    this.core = core
    this.session = session
    this.#decoder = core.settings.codec.makeDecoder()
    this.#deadline = core.deadlines.set(core.settings.connectTimeout, this)
  }

  /** The socket in a namespace, if the client is there. */
  socket(name: string): ServerSocket | undefined {
    return this.#first?.namespace.name === name ? this.#first : this.#others?.get(name)
  }

  /** All sockets, a snapshot. */
  sockets(): Array<ServerSocket> {
    const sockets = this.#first === undefined ? [] : [this.#first]
    if (this.#others !== undefined) sockets.push(...this.#others.values())
    return sockets
  }

  // ---- from the session

  onMessage(data: Frame): void {
    if (this.#closed) return
    const packet = this.#decoder.add(data)
    if (packet === undefined) return
    if (SocketCodec.isDecodeFailure(packet)) return this.#undecodable(packet.message)
    const socket = this.socket(packet.nsp)
    if (socket !== undefined) {
      if (packet.type === SocketPacket.CONNECT) return this.#connectAgain()
      if (packet.type === SocketPacket.CONNECT_ERROR) return this.#invalidState()
      return socket.receive(packet)
    }
    if (packet.type === SocketPacket.CONNECT) return this.#connect(packet.nsp, packet.data)
    const admission = this.#admissions?.get(packet.nsp)
    if (admission !== undefined && packet.type === SocketPacket.DISCONNECT) {
      return admission.abandon(new Disconnected({ reason: DisconnectReason.clientNamespaceDisconnect }))
    }
    // The client did not know yet that the server had disconnected it.
    if (this.#left?.has(packet.nsp) === true && packet.type !== SocketPacket.CONNECT_ERROR) {
      if (packet.type === SocketPacket.DISCONNECT) this.#left.delete(packet.nsp)
      return
    }
    this.#invalidState()
  }

  onDrain(): void {}

  onClose(closed: Closed): void {
    if (this.#closed) return
    const reason = DisconnectReason.serverFromCloseReason(closed.reason, this.core.shuttingDown)
    this.#end(new Disconnected({ reason, description: closed.description }))
  }

  /** No namespace was joined in time. */
  onDeadline(): void {
    this.#deadline = undefined
    this.session.close(CloseReason.forcedClose)
  }

  // ---- from the sockets

  /** A socket was admitted. */
  attach(socket: ServerSocket): void {
    this.#stopDeadline()
    if (this.#first === undefined) this.#first = socket
    else (this.#others ??= new Map()).set(socket.namespace.name, socket)
  }

  /** An admission has ended, whichever way. */
  settled(admission: Admission): void {
    this.#admissions?.delete(admission.name)
    if (this.#admissions?.size === 0) this.#admissions = undefined
  }

  /** A socket leaves while the connection stays. */
  left(socket: ServerSocket): void {
    const name = socket.namespace.name
    if (this.#first === socket) this.#first = undefined
    else this.#others?.delete(name)
  }

  /** The server has left a namespace: what the client sent before it knew is no offence. */
  leftByServer(name: string): void {
    const left = (this.#left ??= new Set())
    left.delete(name)
    left.add(name)
    // Clients do not confirm that they know; what they sent before they did is most likely about the last ones.
    if (left.size > maxLeft) for (const oldest of left) return void left.delete(oldest)
  }

  /** Leaves all namespaces and closes the session. */
  disconnect(): void {
    for (const socket of this.sockets()) socket.leaveNamespace()
    this.#end(new Disconnected({ reason: DisconnectReason.forcedServerClose }))
    this.session.close(CloseReason.forcedClose)
  }

  /** The server closes: handlers are told at once. The engine closes the session. */
  shutDown(): void {
    this.#end(new Disconnected({ reason: DisconnectReason.serverShuttingDown }))
  }

  /** Takes no more input, until as many releases. */
  hold(): void {
    if (++this.#holds === 1 && !this.#closed) this.session.pause()
  }

  release(): void {
    if (--this.#holds === 0 && !this.#closed) this.session.resume()
  }

  /** Writes a packet that belongs to no socket, or tells why it has no form on the wire. */
  send(packet: SocketPacket.SocketPacket): SocketCodec.EncodeFailure | undefined {
    if (this.#closed) return undefined
    const group = this.core.settings.codec.encode(packet)
    if (SocketCodec.isEncodeFailure(group)) return group
    this.session.write(group, reliable)
    return undefined
  }

  // ----

  #connect(name: string, auth: unknown): void {
    this.#left?.delete(name)
    // A second CONNECT while the first one is being decided would make a second socket on the same connection.
    if (this.#admissions?.has(name) === true) {
      this.core.counters.duplicateConnects++
      return
    }
    const admission = new Admission(this, name)
    const joined = (this.#first === undefined ? 0 : 1) + (this.#others?.size ?? 0) + (this.#admissions?.size ?? 0)
    if (joined >= this.core.settings.maxNamespaces) return admission.refuse({ message: "too many namespaces" })
    ;(this.#admissions ??= new Map()).set(name, admission)
    admission.start(auth)
  }

  /** CONNECT for a namespace that the client is in: no offence before our answer has left, since official clients may ask twice at once. */
  #connectAgain(): void {
    if (this.session.bufferedAmount > 0) this.core.counters.duplicateConnects++
    else this.#invalidState()
  }

  #undecodable(message: string): void {
    this.core.counters.protocolErrors++
    for (const socket of this.sockets()) socket.report("packet", undefined, Cause.fail(new UndecodablePacket(message)))
    this.session.close(CloseReason.forcedClose, message)
  }

  /** A packet that is not allowed now: as the official server does, the connection ends. */
  #invalidState(): void {
    this.core.counters.protocolErrors++
    this.#end(new Disconnected({ reason: DisconnectReason.forcedServerClose }))
    this.session.close(CloseReason.forcedClose, "invalid state")
  }

  #end(disconnected: Disconnected): void {
    if (this.#closed) return
    this.#closed = true
    this.#stopDeadline()
    this.#decoder.destroy()
    const sockets = this.sockets()
    this.#first = undefined
    this.#others = undefined
    if (this.#admissions !== undefined)
      for (const admission of this.#admissions.values()) admission.abandon(disconnected)
    for (const socket of sockets) socket.close(disconnected)
  }

  #stopDeadline(): void {
    if (this.#deadline === undefined) return
    this.core.deadlines.cancel(this.#deadline)
    this.#deadline = undefined
  }
}
