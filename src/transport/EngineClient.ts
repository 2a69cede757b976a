/**
 * The Engine.IO client: a session over whatever transports reach the server, with its heartbeat and its upgrade.
 *
 * Decisions are those of the `EngineMachine`; here are the transports, the buffer of what is to be sent and the timers. A session is
 * used once: to reconnect is to make another.
 */
import * as CloseReason from "../protocol/CloseReason.ts"
import * as EngineMachine from "../protocol/EngineMachine.ts"
import * as EnginePacket from "../protocol/EnginePacket.ts"
import * as Group from "../protocol/FrameGroup.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import type { ClientPlatform } from "./ClientPlatform.ts"
import type { ClientTimers, Flushable } from "./ClientTimers.ts"
import type { ClientTransport, ClientTransportSink, TransportFailure } from "./ClientTransport.ts"
import type { EngineClientOptions, TransportName } from "./EngineClientOptions.ts"
import * as EngineUrl from "./EngineUrl.ts"
import * as PollingClient from "./PollingClient.ts"
import * as WebSocketClient from "./WebSocketClient.ts"

/** What is told about a session. */
export interface EngineClientSink {
  /** The handshake is done: what is written now is sent. */
  onOpen(): void
  /** The payload of a message: text without the engine's "4", or binary. */
  onMessage(data: Frame): void
  /** The server's ping arrived and was answered. */
  onPing?(): void
  /** Everything written has been given to the transport. */
  onDrain?(): void
  /** A packet arrived that is no message. */
  onPacket?(packet: EnginePacket.EnginePacket): void
  /** A packet that is no message was written. */
  onPacketCreate?(packet: EnginePacket.EnginePacket): void
  /** What was written is with the transport, which may still be busy with it. */
  onFlush?(): void
  /** The other transport works: what is written waits until it has taken over. */
  onUpgrading?(transport: string): void
  /** From now on another transport carries the session. */
  onUpgrade?(transport: string): void
  /** The session stays on the transport it has. */
  onUpgradeError?(failure: TransportFailure): void
  /** The last call. Before `onOpen` it means that the attempt failed. `failure` is what is known beyond the reason. */
  onClose(reason: CloseReason.CloseReason, failure: TransportFailure | undefined): void
}

/** What outlives a session: whether a WebSocket worked the last time (`rememberUpgrade`). */
export interface EngineMemory {
  webSocketWorked: boolean
}

/** What a session is made of. */
export interface EngineClientParts {
  readonly address: EngineUrl.EngineAddress
  readonly options: EngineClientOptions
  readonly platform: ClientPlatform
  readonly timers: ClientTimers
  readonly memory: EngineMemory
  readonly sink: EngineClientSink
}

/** Milliseconds for which a closing session waits until what was written has left. */
export const closeGrace = 10_000

const messageDigit = 0x34

const noTransports: TransportFailure = { message: "No transports available", description: undefined }

/** One session of the client. */
export class EngineClient implements ClientTransportSink, Flushable {
  /** The session's id, once the handshake is done. */
  id: string | undefined = undefined
  #state: "opening" | "open" | "closing" | "closed" = "opening"
  #machine: EngineMachine.State = EngineMachine.initialClient
  #current: ClientTransport | undefined = undefined
  #probe: ClientTransport | undefined = undefined
  #upgrading = false
  #buffer: Array<FrameGroup> = []
  #uncompressed: Set<FrameGroup> | undefined = undefined
  #flushScheduled = false
  #maxPayload = Number.POSITIVE_INFINITY
  #stopPingTimer: (() => void) | undefined = undefined
  #stopGrace: (() => void) | undefined = undefined
  readonly #stopWatching: Array<() => void> = []
  #pingDue = Number.POSITIVE_INFINITY
  #failure: TransportFailure | undefined = undefined
  readonly #transports: Array<TransportName>
  readonly #parts: EngineClientParts
  readonly #platform: ClientPlatform

  constructor(parts: EngineClientParts) {
    this.#parts = parts
    this.#platform = parts.platform.connection?.() ?? parts.platform
    this.#transports = [...parts.options.transports]
    const remembered = parts.options.rememberUpgrade && parts.memory.webSocketWorked
    if (remembered && this.#transports.includes("websocket")) {
      this.#transports.splice(this.#transports.indexOf("websocket"), 1)
      this.#transports.unshift("websocket")
    }
  }

  /** The transport now in use; `undefined` before `open` and after the end. */
  get transportName(): string | undefined {
    return this.#current?.name
  }

  /** Whether what is written now leaves with this turn. */
  get writable(): boolean {
    return this.#state === "open" && !this.#upgrading && this.#current?.writable === true
  }

  /** Groups written that the transport has not been given yet. */
  get bufferedGroups(): number {
    return this.#buffer.length
  }

  /** These groups themselves, in order. */
  get buffered(): ReadonlyArray<FrameGroup> {
    return this.#buffer
  }

  /** Where the session is between its first request and its end. */
  get readyState(): "opening" | "open" | "closing" | "closed" {
    return this.#state
  }

  /** Starts the first transport. */
  open(): void {
    this.#watch()
    this.#openFirst()
  }

  #openFirst(): void {
    const name = this.#transports[0]
    if (name === undefined) {
      this.#failure = noTransports
      this.#parts.timers.endOfTurn({ flush: () => this.#closeWith(CloseReason.transportError) })
      return
    }
    const transport = this.#make(name)
    this.#current = transport
    transport.open()
  }

  #make(name: TransportName): ClientTransport {
    const { timers } = this.#parts
    const options = { ...this.#parts.options, ...this.#parts.options.transportOptions[name] }
    const { extraHeaders: headers, withCredentials } = options
    if (name === "websocket") {
      const url = this.#url(name, "ws", options, options.timestampRequests === true)
      const request = { url, protocols: options.protocols, headers, withCredentials }
      return WebSocketClient.make({ platform: this.#platform, request, base64: options.forceBase64 }, this)
    }
    return PollingClient.make(
      {
        platform: this.#platform,
        timers,
        url: () => this.#url(name, "http", options, options.timestampRequests !== false),
        maxPayload: () => this.#maxPayload,
        headers,
        withCredentials,
        requestTimeout: options.requestTimeout
      },
      this
    )
  }

  #url(name: TransportName, scheme: "http" | "ws", options: EngineClientOptions, timestamp: boolean): string {
    const { address } = this.#parts
    const base64 = options.forceBase64 && (scheme === "ws" || this.id === undefined)
    return EngineUrl.make(address, scheme, [
      ["EIO", "4"],
      ["transport", name],
      ["sid", this.id],
      [options.timestampParam, timestamp ? this.#cacheBuster() : undefined],
      ["b64", base64 ? "1" : undefined]
    ])
  }

  #cacheBuster(): string {
    const { timers } = this.#parts
    return (
      timers.now().toString(36).slice(3) +
      Math.floor(timers.random() * 36 ** 3)
        .toString(36)
        .padStart(3, "0")
    )
  }

  #watch(): void {
    const { onOffline, onBeforeUnload } = this.#platform
    const host = this.#parts.address.host
    // What is on the same machine stays reachable without a network.
    if (onOffline !== undefined && host !== "localhost" && !host.startsWith("localhost:")) {
      const lost = { message: "network connection lost", description: "network connection lost" }
      this.#stopWatching.push(
        onOffline.call(this.#platform, () => {
          this.#failure = lost
          this.#step({ _tag: "TransportClosed", lane: "current", reason: CloseReason.transportClose })
        })
      )
    }
    if (onBeforeUnload !== undefined && this.#parts.options.closeOnBeforeunload) {
      this.#stopWatching.push(onBeforeUnload.call(this.#platform, () => this.#current?.close(true)))
    }
  }

  /** Sends a group with what else is written in this turn; before the handshake and during an upgrade it waits. */
  write(group: FrameGroup, compress = true): void {
    if (this.#state === "closing" || this.#state === "closed") return
    if (!compress) (this.#uncompressed ??= new Set()).add(group)
    this.#buffer.push(group)
    this.#scheduleFlush()
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#state === "opening") return
    this.#flushScheduled = true
    this.#parts.timers.endOfTurn(this)
  }

  /** Gives the transport what was written, if it takes it. Called at the end of the turn. */
  flush(): void {
    this.#flushScheduled = false
    const transport = this.#current
    if (transport === undefined || this.#upgrading || this.#state === "opening" || this.#state === "closed") return
    if (this.#buffer.length > 0 && transport.writable) {
      const buffer = this.#buffer
      const uncompressed = this.#uncompressed
      this.#buffer = []
      this.#uncompressed = undefined
      transport.send(buffer, uncompressed)
      this.#parts.sink.onFlush?.()
      if (transport.writable && this.#state === "open") this.#parts.sink.onDrain?.()
    }
    this.#checkClosing()
  }

  /**
   * Ends the session: what was written leaves first, and a running upgrade or handshake is let finish, for at most `closeGrace`.
   */
  close(): void {
    if (this.#state === "closed" || this.#state === "closing") return
    const wasOpen = this.#state === "open"
    this.#state = "closing"
    if (wasOpen) this.flush()
    else if (this.#current?.name !== "polling") this.#closeWith(CloseReason.forcedClose)
    if (this.#isClosed()) return
    this.#stopGrace = this.#parts.timers.set(closeGrace, () => this.#closeWith(CloseReason.forcedClose))
  }

  /** Ends the session at once, dropping what waits. */
  abort(): void {
    this.#closeWith(CloseReason.forcedClose)
  }

  #checkClosing(): void {
    if (this.#state !== "closing" || this.#upgrading || this.#buffer.length > 0) return
    if (this.id !== undefined && this.#current?.writable === true) this.#closeWith(CloseReason.forcedClose)
  }

  #closeWith(reason: CloseReason.CloseReason): void {
    this.#step({ _tag: "CloseRequested", reason })
  }

  /**
   * Whether the server has been silent for too long although the timer has not told yet, as after the sleep of a machine. If so,
   * the session is closed at the end of the turn.
   */
  hasPingExpired(): boolean {
    if (this.#state !== "open" || this.#parts.timers.now() <= this.#pingDue) return false
    this.#pingDue = Number.NEGATIVE_INFINITY
    this.#parts.timers.endOfTurn({ flush: () => this.#step({ _tag: "TimerFired", timer: "pingTimeout" }) })
    return true
  }

  onOpen(transport: ClientTransport): void {
    if (transport === this.#probe) this.#step({ _tag: "ProbeOpened" })
  }

  onFrame(transport: ClientTransport, frame: Frame): void {
    if (transport !== this.#current) {
      if (transport === this.#probe) this.#receive(frame, "probe")
      return
    }
    if (this.id !== undefined) {
      if (typeof frame !== "string") return this.#parts.sink.onMessage(frame)
      if (frame.charCodeAt(0) === messageDigit) return this.#parts.sink.onMessage(frame.slice(1))
    }
    this.#receive(frame, "current")
  }

  #receive(frame: Frame, lane: EngineMachine.Lane): void {
    const packet = EnginePacket.decode(frame)
    if (EnginePacket.isFailure(packet)) this.#undecodable(lane, packet.message)
    else if (packet.type === "message" && lane === "current") this.#receiveMessage(packet.data)
    else {
      if (lane === "current") this.#parts.sink.onPacket?.(packet)
      this.#step({ _tag: "Packet", lane, packet })
    }
  }

  /** Base64 text, or a message before the handshake, which means nothing. */
  #receiveMessage(data: string | Uint8Array | undefined): void {
    if (this.id !== undefined && data !== undefined) this.#parts.sink.onMessage(data)
  }

  onUndecodable(transport: ClientTransport, message: string): void {
    if (transport === this.#current) this.#undecodable("current", message)
    else if (transport === this.#probe) this.#undecodable("probe", message)
  }

  #undecodable(lane: EngineMachine.Lane, message: string): void {
    this.#step({ _tag: "Undecodable", lane, message })
  }

  onDrain(transport: ClientTransport): void {
    if (transport !== this.#current || this.#state === "closed") return
    if (this.#buffer.length > 0) return this.flush()
    if (this.#state === "open") this.#parts.sink.onDrain?.()
    this.#checkClosing()
  }

  onClose(transport: ClientTransport, reason: CloseReason.CloseReason, failure: TransportFailure): void {
    if (transport === this.#probe) {
      // A probe that never opened is not known to the machine.
      if (EngineMachine.isProbing(this.#machine)) this.#step({ _tag: "TransportClosed", lane: "probe", reason })
      else this.#dropProbe(failure.message)
      return
    }
    if (transport !== this.#current) return
    this.#parts.memory.webSocketWorked = false
    if (this.#state === "opening" && this.#parts.options.tryAllTransports && this.#transports.length > 1) {
      this.#transports.shift()
      return this.#openFirst()
    }
    this.#failure = failure
    this.#step({ _tag: "TransportClosed", lane: "current", reason })
  }

  #step(input: EngineMachine.Input): void {
    const [state, outputs] = EngineMachine.stepAsClient(this.#machine, input)
    this.#machine = state
    for (const output of outputs) this.#perform(output)
  }

  #perform(output: EngineMachine.Output): void {
    switch (output._tag) {
      case "Send":
        return this.#sendPacket(output.lane, output.packet)
      case "StartTimer":
        return this.#startPingTimer(output.millis)
      case "StopTimer":
        return this.#clearPingTimer()
      case "Opened":
        return this.#opened(output)
      case "Heartbeat":
        return this.#parts.sink.onPing?.()
      case "PauseCurrent":
        this.#upgrading = true
        this.#parts.sink.onUpgrading?.("websocket")
        return this.#current?.pause(() => this.#step({ _tag: "CurrentPaused" }))
      case "Switch":
        return this.#switchOver()
      case "DropProbe":
        return this.#dropProbe(output.reason)
      case "Closed":
        return this.#closed(output.reason, output.description)
    }
  }

  #sendPacket(lane: EngineMachine.Lane, packet: EnginePacket.EnginePacket): void {
    const group = Group.make(EnginePacket.encode(packet))
    if (lane === "probe") return this.#probe?.send([group])
    this.#parts.sink.onPacketCreate?.(packet)
    this.#buffer.push(group)
    this.#scheduleFlush()
  }

  #startPingTimer(millis: number): void {
    this.#stopPingTimer?.()
    if (this.#isClosed()) return
    this.#pingDue = this.#parts.timers.now() + millis
    this.#stopPingTimer = this.#parts.timers.set(millis, () => this.#step({ _tag: "TimerFired", timer: "pingTimeout" }))
  }

  #clearPingTimer(): void {
    this.#stopPingTimer?.()
    this.#stopPingTimer = undefined
  }

  #opened(handshake: Extract<EngineMachine.Output, { readonly _tag: "Opened" }>): void {
    this.id = handshake.sid
    if (handshake.maxPayload > 0) this.#maxPayload = handshake.maxPayload
    if (this.#state === "closing") return this.#checkClosing()
    this.#state = "open"
    const { memory, sink } = this.#parts
    memory.webSocketWorked = this.#current?.name === "websocket"
    sink.onOpen()
    this.#scheduleFlush()
    if (this.#parts.options.upgrade && !this.#isClosed() && this.#state === "open") this.#startProbe(handshake.upgrades)
  }

  /** Of what the server offers, WebSocket is the one that this client knows. */
  #startProbe(upgrades: ReadonlyArray<string>): void {
    if (!upgrades.includes("websocket") || !this.#parts.options.transports.includes("websocket")) return
    this.#parts.memory.webSocketWorked = false
    const probe = this.#make("websocket")
    this.#probe = probe
    probe.open()
  }

  #switchOver(): void {
    const { memory, sink } = this.#parts
    this.#current?.close(false)
    this.#current = this.#probe
    this.#probe = undefined
    this.#upgrading = false
    memory.webSocketWorked = true
    if (this.#state === "open") sink.onUpgrade?.("websocket")
    this.flush()
  }

  #dropProbe(reason: string): void {
    const probe = this.#probe
    if (probe === undefined) return
    this.#probe = undefined
    probe.close(false)
    if (this.#upgrading) {
      this.#upgrading = false
      this.#current?.resume()
    }
    const message = reason === "probe error" ? reason : `probe error: ${reason}`
    if (this.#state === "open") this.#parts.sink.onUpgradeError?.({ message, description: reason, context: probe.name })
    this.flush()
  }

  #closed(reason: CloseReason.CloseReason, description: string | undefined): void {
    this.#state = "closed"
    this.#clearPingTimer()
    this.#stopGrace?.()
    for (const stop of this.#stopWatching) stop()
    const current = this.#current
    const probe = this.#probe
    this.#current = this.#probe = undefined
    probe?.close(false)
    // Before the handshake there is no session that could be ended.
    current?.close(this.id !== undefined)
    this.#buffer = []
    const failure = this.#failure ?? (description === undefined ? undefined : { message: description, description })
    this.#parts.sink.onClose(reason, failure)
  }

  #isClosed(): boolean {
    return this.#state === "closed"
  }
}
