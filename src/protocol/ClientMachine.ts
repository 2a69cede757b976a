/**
 * The client's whole behaviour above Engine.IO: namespaces over one connection, and when to connect again.
 *
 * It is deterministic and knows neither clock nor chance nor Effect: what happens is told by its methods, what is to be done it asks
 * of a `ClientHost`. The Effect client and the plain facade client drive the same machine.
 */
import type { ClientError, ClientHost, ClientSocketSink, ClientTimer, ClientTimerTarget } from "./ClientHost.ts"
import { ClientSocket, type ClientSocketOptions, type ClientSocketOwner } from "./ClientSocket.ts"
import * as CloseReason from "./CloseReason.ts"
import * as DisconnectReason from "./DisconnectReason.ts"
import type { Frame } from "./FrameGroup.ts"
import { isDecodeFailure, type SocketCodec, type SocketDecoder } from "./SocketCodec.ts"
import type { SocketPacket } from "./SocketPacket.ts"

/** How the machine behaves. */
export interface ClientMachineOptions {
  readonly codec: SocketCodec
  /** Whether to connect again after a lost connection or a failed attempt. */
  readonly reconnection: boolean
  /** Milliseconds that an attempt may take; `undefined` for any time. */
  readonly timeout: number | undefined
}

/** Where the machine is between two connections. */
type Retry =
  | { readonly _tag: "Idle" }
  /** The host has not said yet how long to wait. */
  | { readonly _tag: "Deciding"; readonly decision: number; connectWanted: boolean }
  | { readonly _tag: "Waiting"; readonly timer: ClientTimer }
  /** The attempt is being made. */
  | { readonly _tag: "Trying" }

const idle: Retry = { _tag: "Idle" }
const trying: Retry = { _tag: "Trying" }

const timeoutError: ClientError = { kind: "transport", message: "timeout" }

/** A manager, in Socket.IO's word: one connection at a time, any number of namespaces. */
export class ClientMachine implements ClientSocketOwner {
  readonly host: ClientHost
  readonly codec: SocketCodec
  readonly #options: ClientMachineOptions
  readonly #decoder: SocketDecoder
  readonly #sockets = new Map<string, ClientSocket>()
  #state: "closed" | "opening" | "open" = "closed"
  #retry: Retry = idle
  #attempts = 0
  #decisions = 0
  #openTimer: ClientTimer = undefined
  #held = false
  #disposed = false

  constructor(options: ClientMachineOptions, host: ClientHost) {
    this.#options = options
    this.host = host
    this.codec = options.codec
    this.#decoder = options.codec.makeDecoder()
  }

  get isOpen(): boolean {
    return this.#state === "open"
  }

  /** Where the connection is. */
  get state(): "closed" | "opening" | "open" {
    return this.#state
  }

  /** Whether the next connection will be one more try after others. */
  get isReconnecting(): boolean {
    return this.#retry._tag !== "Idle"
  }

  /** The namespace, made if it was not there; it does not connect by itself. */
  socket(
    nsp: string,
    options: ClientSocketOptions,
    makeSink: (socket: () => ClientSocket) => ClientSocketSink
  ): ClientSocket {
    const name = nsp.startsWith("/") ? nsp : "/" + nsp
    const existing = this.#sockets.get(name)
    if (existing !== undefined) return existing
    const socket: ClientSocket = new ClientSocket(
      name,
      options,
      this,
      makeSink(() => socket)
    )
    this.#sockets.set(name, socket)
    return socket
  }

  /** Whether the namespace was made. */
  has(nsp: string): boolean {
    return this.#sockets.has(nsp.startsWith("/") ? nsp : "/" + nsp)
  }

  /** Forgets a namespace, which is disconnected and settles what waits. */
  remove(socket: ClientSocket): void {
    socket.dispose()
    if (this.#sockets.get(socket.nsp) === socket) this.#sockets.delete(socket.nsp)
  }

  // --- the connection

  ensureOpen(): void {
    if (this.#disposed || this.#state !== "closed") return
    if (this.#retry._tag === "Idle") this.#open()
    else if (this.#retry._tag === "Deciding") this.#retry.connectWanted = true
  }

  /**
   * Wants a connection although no namespace may want one, and does not wait for the time of the next attempt. So until a namespace is
   * left and no other wants it, or until `close`.
   */
  hold(): void {
    this.#held = true
    this.openNow()
  }

  /** As `ensureOpen`, but the next attempt is made at once if one is waited for. */
  openNow(): void {
    if (this.#retry._tag !== "Waiting") return this.ensureOpen()
    this.host.cancelTimer(this.#retry.timer)
    this.#onRetry.onDeadline()
  }

  #open(): void {
    this.#state = "opening"
    const { timeout } = this.#options
    if (timeout !== undefined) this.#openTimer = this.host.setTimer(timeout, this.#onOpenTimeout)
    this.host.openEngine()
  }

  readonly #onOpenTimeout: ClientTimerTarget = {
    onDeadline: () => {
      if (this.#state !== "opening") return
      this.#state = "closed"
      this.host.closeEngine()
      this.#attemptFailed(timeoutError)
    }
  }

  /** The handshake of the engine is done. */
  engineOpened(): void {
    if (this.#state !== "opening") return
    this.#state = "open"
    this.#clearOpenTimer()
    const attempt = this.#attempts
    const wasRetry = this.#retry._tag === "Trying"
    this.#retry = idle
    this.#attempts = 0
    this.host.onOpen()
    this.#each((socket) => {
      if (this.isOpen) socket.engineOpened()
    })
    if (wasRetry) this.host.onReconnect(attempt)
  }

  /** A message of the engine. */
  engineMessage(data: Frame): void {
    if (this.#state !== "open") return
    const packet = this.#decoder.add(data)
    if (packet === undefined) return
    if (isDecodeFailure(packet)) return this.violated(packet.message)
    this.packet(packet)
  }

  /** A packet that was decoded elsewhere, as by a parser of the program that tells when it likes. */
  packet(packet: SocketPacket): void {
    if (this.#state === "open") this.#sockets.get(packet.nsp)?.receive(packet)
  }

  /** The engine has ended by itself, or could not be opened. */
  engineClosed(reason: CloseReason.CloseReason, description: unknown, message?: string): void {
    if (this.#state === "opening") {
      this.#attemptFailed({ kind: "transport", message: message ?? reason, description })
    } else if (this.#state === "open") {
      this.#down(reason, description)
    }
  }

  violated(message: string): void {
    if (this.#state !== "open") return
    this.#state = "closed"
    this.host.closeEngine()
    this.#down(CloseReason.parseError, message)
  }

  #attemptFailed(error: ClientError): void {
    this.#state = "closed"
    this.#clearOpenTimer()
    const wasRetry = this.#retry._tag === "Trying"
    // Whoever is told may connect or disconnect: the next attempt is decided before.
    this.#retry = { _tag: "Deciding", decision: ++this.#decisions, connectWanted: false }
    const decision = this.#decisions
    this.host.onError(error)
    this.#each((socket) => socket.engineFailed(error))
    if (wasRetry) this.host.onReconnectError(error)
    this.#decide(decision, error)
  }

  #down(reason: CloseReason.CloseReason, description: unknown): void {
    this.#state = "closed"
    this.#decoder.destroy()
    this.#attempts = 0
    this.#retry = { _tag: "Deciding", decision: ++this.#decisions, connectWanted: false }
    const decision = this.#decisions
    this.host.onClose(reason, description)
    this.#each((socket) => socket.engineClosed(DisconnectReason.clientFromCloseReason(reason), description))
    this.#decide(decision, { kind: "transport", message: reason, description })
  }

  #decide(decision: number, error: ClientError): void {
    const retry = this.#retry
    if (retry._tag !== "Deciding" || retry.decision !== decision) return
    if (this.#options.reconnection && this.#isWanted()) {
      return this.host.decideRetry(decision, this.#attempts + 1, error)
    }
    this.#retry = idle
    // Somebody who was told has asked for a connection of his own accord.
    if (retry.connectWanted && this.#isWanted()) this.#open()
  }

  #isDeciding(decision: number): boolean {
    return this.#retry._tag === "Deciding" && this.#retry.decision === decision
  }

  /** The host's answer to `decideRetry`. An answer that comes too late is ignored. */
  retryAfter(decision: number, millis: number): void {
    if (!this.#isDeciding(decision)) return
    this.#attempts++
    this.#retry = { _tag: "Waiting", timer: this.host.setTimer(millis, this.#onRetry) }
    this.host.onWaiting(this.#attempts, millis)
  }

  /** The host's other answer: no more attempts, until a socket is told to connect. */
  giveUp(decision: number): void {
    if (!this.#isDeciding(decision)) return
    this.#retry = idle
    this.#attempts = 0
    this.host.onReconnectFailed()
  }

  readonly #onRetry: ClientTimerTarget = {
    onDeadline: () => {
      if (this.#retry._tag !== "Waiting") return
      this.#retry = trying
      this.host.onReconnectAttempt(this.#attempts)
      if (this.#isTrying() && this.#state === "closed") this.#open()
    }
  }

  #isTrying(): boolean {
    return this.#retry._tag === "Trying"
  }

  release(): void {
    if (!this.#anyActive()) this.close()
  }

  /** Ends the connection or the attempts, also for sockets that would like to go on; they are told `forced close`. */
  close(): void {
    this.#held = false
    if (this.#retry._tag === "Waiting") this.host.cancelTimer(this.#retry.timer)
    this.#retry = idle
    this.#attempts = 0
    this.#clearOpenTimer()
    if (this.#state === "closed") return
    const wasOpen = this.#state === "open"
    this.#state = "closed"
    this.host.closeEngine()
    this.#decoder.destroy()
    if (!wasOpen) return
    this.host.onClose(CloseReason.forcedClose, undefined)
    this.#each((socket) => socket.engineClosed(CloseReason.forcedClose, undefined))
  }

  /** The end: every socket is disconnected, nobody waits any longer, nothing connects again. */
  dispose(): void {
    this.#disposed = true
    this.#each((socket) => socket.dispose())
    this.#sockets.clear()
    this.close()
  }

  #clearOpenTimer(): void {
    if (this.#openTimer !== undefined) this.host.cancelTimer(this.#openTimer)
    this.#openTimer = undefined
  }

  #isWanted(): boolean {
    return this.#held || this.#anyActive()
  }

  #anyActive(): boolean {
    for (const socket of this.#sockets.values()) if (socket.active) return true
    return false
  }

  /** Sockets may be made and removed meanwhile. */
  #each(f: (socket: ClientSocket) => void): void {
    for (const socket of [...this.#sockets.values()]) f(socket)
  }
}
