/**
 * The manager of the plain client: one connection for any number of namespaces, and when to connect again.
 *
 * It is a host of the same `ClientMachine` that drives the Effect client; here are timers, listeners and options.
 */
import { make as makePlatform } from "#client-platform"
import * as Backoff from "../../protocol/Backoff.ts"
import type { ClientHost, ClientSocketSink } from "../../protocol/ClientHost.ts"
import { ClientMachine, type ClientMachineOptions } from "../../protocol/ClientMachine.ts"
import type { ClientSocket } from "../../protocol/ClientSocket.ts"
import * as CloseReason from "../../protocol/CloseReason.ts"
import type { Frame } from "../../protocol/FrameGroup.ts"
import type { SocketPacket } from "../../protocol/SocketPacket.ts"
import type { ClientPlatform } from "../../transport/ClientPlatform.ts"
import type { ClientTimers } from "../../transport/ClientTimers.ts"
import type { TransportFailure } from "../../transport/ClientTransport.ts"
import { defaultParser } from "./DefaultParser.ts"
import { Emitter } from "./Emitter.ts"
import { Engine } from "./Engine.ts"
import { addressOf, engineOptions, type ManagerOptions, type SocketOptions } from "./Options.ts"
import { toCodec } from "./Parser.ts"
import { callUser } from "./Rethrow.ts"
import { Socket } from "./Socket.ts"
import * as Timers from "./Timers.ts"
import { describe, type DisconnectDescription, fromClientError } from "./TransportError.ts"
import type { DefaultEventsMap, EventsMap } from "./TypedEvents.ts"

/** The events of a manager. */
export interface ManagerReservedEvents {
  open: () => void
  error: (err: Error) => void
  ping: () => void
  packet: (packet: SocketPacket) => void
  close: (reason: string, description?: DisconnectDescription) => void
  reconnect_failed: () => void
  reconnect_attempt: (attempt: number) => void
  reconnect_error: (err: Error) => void
  reconnect: (attempt: number) => void
}

/** What the machine and the delays look at when it comes to it, so that it can be changed. */
type Settings = { -readonly [K in keyof ClientMachineOptions]: ClientMachineOptions[K] } & {
  -readonly [K in keyof Backoff.BackoffOptions]: Backoff.BackoffOptions[K]
} & { attempts: number }

/** `true` has no number: it means no limit, as `false` does. */
const timeoutOf = (timeout: number | boolean): number | undefined => (typeof timeout === "number" ? timeout : undefined)

type OpenCallback = (err?: Error) => void

/** One connection to a server, with its namespaces. */
export class Manager<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents
> extends Emitter<Record<never, never>, Record<never, never>, ManagerReservedEvents> {
  /** The present connection, or the last one; `undefined` before the first. */
  declare engine: Engine
  /** The options; what is changed here holds for the next attempt. */
  opts: Partial<ManagerOptions>
  /** The namespaces that were asked for. */
  readonly nsps: { readonly [nsp: string]: Socket<ListenEvents, EmitEvents> } = {}
  /** @internal */
  readonly _autoConnect: boolean
  readonly #uri: string | undefined
  readonly #machine: ClientMachine
  readonly #settings: Settings
  readonly #timers: ClientTimers
  readonly #platform: ClientPlatform
  /** The engine whose words count. */
  #current: Engine | undefined = undefined
  #openCallbacks: Array<OpenCallback> = []
  #stopOnline: (() => void) | undefined = undefined

  constructor(opts: Partial<ManagerOptions>)
  constructor(uri?: string, opts?: Partial<ManagerOptions>)
  constructor(uri?: string | Partial<ManagerOptions>, opts?: Partial<ManagerOptions>)
  constructor(uri?: string | Partial<ManagerOptions>, opts?: Partial<ManagerOptions>) {
    super()
    const given = (uri && typeof uri === "object" ? uri : opts) ?? {}
    this.#uri = typeof uri === "string" && uri !== "" ? uri : undefined
    const options = { ...given, path: given.path || "/socket.io" }
    this.opts = options
    this._autoConnect = options.autoConnect !== false
    // What is wrong with the transports is said at once.
    engineOptions(options)
    this.#timers = Timers.make(options)
    this.#platform = makePlatform(options)
    const { defaultOptions } = Backoff
    this.#settings = {
      codec: toCodec(options.parser ?? defaultParser, {
        binaryType: () => this.engine.binaryType,
        decoded: (packet) => this.emitReserved("packet", packet),
        deliver: (packet) => this.#machine.packet(packet),
        violated: (message) => this.#machine.violated(message)
      }),
      reconnection: options.reconnection !== false,
      attempts: options.reconnectionAttempts || Number.POSITIVE_INFINITY,
      min: options.reconnectionDelay || defaultOptions.min,
      max: options.reconnectionDelayMax || defaultOptions.max,
      factor: defaultOptions.factor,
      jitter: options.randomizationFactor ?? defaultOptions.jitter,
      timeout: timeoutOf(options.timeout ?? 20_000)
    }
    this.#machine = new ClientMachine(this.#settings, this.#host())
    if (this._autoConnect) this.open()
  }

  /** Whether to connect again after a lost connection or a failed attempt; `false` also ends a wait for the next one. */
  reconnection(): boolean
  reconnection(v: boolean): this
  reconnection(v?: boolean): this | boolean
  reconnection(v?: boolean): this | boolean {
    if (v === false && this._reconnecting && this._readyState === "closed") this._close()
    return this.#setting("reconnection", v)
  }

  /** How many attempts are made before giving up. */
  reconnectionAttempts(): number
  reconnectionAttempts(v: number): this
  reconnectionAttempts(v?: number): this | number
  reconnectionAttempts(v?: number): this | number {
    return this.#setting("attempts", v)
  }

  /** Milliseconds before the first attempt. */
  reconnectionDelay(): number
  reconnectionDelay(v: number): this
  reconnectionDelay(v?: number): this | number
  reconnectionDelay(v?: number): this | number {
    return this.#setting("min", v)
  }

  /** The longest delay in milliseconds. */
  reconnectionDelayMax(): number
  reconnectionDelayMax(v: number): this
  reconnectionDelayMax(v?: number): this | number
  reconnectionDelayMax(v?: number): this | number {
    return this.#setting("max", v)
  }

  /** By which part of it a delay may be off. */
  randomizationFactor(): number
  randomizationFactor(v: number): this
  randomizationFactor(v?: number): this | number
  randomizationFactor(v?: number): this | number {
    return this.#setting("jitter", v)
  }

  /** Milliseconds that an attempt may take, `false` for any time. */
  timeout(): number | boolean
  timeout(v: number | boolean): this
  timeout(v?: number | boolean): this | number | boolean
  timeout(v?: number | boolean): this | number | boolean {
    if (v === undefined) return this.#settings.timeout ?? false
    return this.#setting("timeout", timeoutOf(v), true) as this
  }

  #setting<K extends keyof Settings>(
    key: K,
    value: Settings[K] | undefined,
    given = value !== undefined
  ): this | Settings[K] {
    if (!given) return this.#settings[key]
    this.#settings[key] = value as Settings[K]
    return this
  }

  /** @internal */
  get _readyState(): "opening" | "open" | "closed" {
    return this.#machine.state
  }

  /** @internal */
  get _reconnecting(): boolean {
    return this.#machine.isReconnecting
  }

  /**
   * Connects, at once also while the next attempt is waited for. `fn` is told how it went; a first attempt that somebody is told of is
   * not repeated unless a socket wants the connection.
   */
  open(fn?: (err?: Error) => void): this {
    const machine = this.#machine
    if (machine.isOpen) {
      if (fn !== undefined) queueMicrotask(() => fn())
      return this
    }
    if (fn !== undefined) this.#openCallbacks.push(fn)
    if (fn === undefined || machine.isReconnecting) machine.hold()
    else machine.ensureOpen()
    return this
  }

  /** The same as `open`. */
  connect(fn?: (err?: Error) => void): this {
    return this.open(fn)
  }

  /** The namespace, which connects unless `autoConnect` is off. */
  socket(nsp: string, opts?: Partial<SocketOptions>): Socket<ListenEvents, EmitEvents> {
    const existing = Object.hasOwn(this.nsps, nsp) ? this.nsps[nsp] : undefined
    if (existing === undefined) {
      const socket = new Socket<ListenEvents, EmitEvents>(this, nsp, opts)
      Object.defineProperty(this.nsps, nsp, { value: socket, enumerable: true })
      return socket
    }
    if (this._autoConnect && !existing.active) existing.connect()
    return existing
  }

  /** @internal */
  _attach(
    nsp: string,
    options: Partial<SocketOptions>,
    makeSink: (socket: () => ClientSocket) => ClientSocketSink
  ): ClientSocket {
    return this.#machine.socket(
      nsp,
      { retries: options.retries || undefined, ackTimeout: options.ackTimeout },
      makeSink
    )
  }

  /** @internal */
  _close(): void {
    this.#stopOnline?.()
    this.#machine.close()
  }

  /** Ends the connection under all namespaces, and does not connect again by itself. */
  disconnect(): void {
    this._close()
  }

  #opened(error?: Error): void {
    const callbacks = this.#openCallbacks
    this.#openCallbacks = []
    for (const callback of callbacks) callUser(callback, undefined, error === undefined ? [] : [error])
  }

  #openEngine(): void {
    const { opts } = this
    const options = engineOptions(opts)
    const engine = new Engine({
      address: addressOf(this.#uri, opts, options, this.#platform.base),
      options,
      platform: this.#platform,
      timers: this.#timers,
      binaryType: this.#platform.name === "node" ? "nodebuffer" : "arraybuffer",
      owner: this.#owner
    })
    this.engine = this.#current = engine
    engine.open()
  }

  readonly #owner = {
    engineOpened: (engine: Engine): void => {
      if (engine === this.#current) this.#machine.engineOpened()
    },
    engineMessage: (engine: Engine, data: Frame): void => {
      if (engine === this.#current) this.#machine.engineMessage(data)
    },
    enginePing: (engine: Engine): void => {
      if (engine === this.#current) this.emitReserved("ping")
    },
    engineClosed: (engine: Engine, reason: CloseReason.CloseReason, failure: TransportFailure | undefined): void => {
      if (engine !== this.#current) return
      this.#current = undefined
      this.#machine.engineClosed(reason, describe(reason, failure), failure?.message)
    }
  }

  #host(): ClientHost {
    return {
      openEngine: () => this.#openEngine(),
      closeEngine: () => {
        const engine = this.#current
        this.#current = undefined
        engine?.close()
      },
      send: (group, compress) => this.#current?._send(group, compress),
      isWritable: () => this.#current?.transport.writable === true,
      hasPingExpired: () => this.#current?._hasPingExpired() === true,
      setTimer: (millis, target) => this.#timers.set(millis, () => target.onDeadline()),
      cancelTimer: (timer) => (timer as () => void)(),
      decideRetry: (decision, attempt) => {
        const settings = this.#settings
        if (attempt > settings.attempts) return this.#machine.giveUp(decision)
        this.#machine.retryAfter(decision, Backoff.delay(settings, attempt - 1, this.#timers.random()))
      },
      onOpen: () => {
        this.emitReserved("open")
        this.#opened()
      },
      onClose: (reason, description) => {
        if (reason === CloseReason.transportError) this.emitReserved("error", description as Error)
        this.emitReserved("close", reason, descriptionOf(description))
      },
      onError: (cause) => {
        const error = fromClientError(cause)
        this.emitReserved("error", error)
        this.#opened(error)
      },
      onWaiting: () => {
        // When the network is back, there is nothing to wait for.
        this.#stopOnline = this.#platform.onOnline?.(() => this.#machine.openNow())
      },
      onReconnectAttempt: (attempt) => {
        this.#stopOnline?.()
        this.emitReserved("reconnect_attempt", attempt)
      },
      onReconnectError: (cause) => {
        this.emitReserved("reconnect_error", fromClientError(cause))
      },
      onReconnect: (attempt) => {
        this.emitReserved("reconnect", attempt)
      },
      onReconnectFailed: () => {
        this.emitReserved("reconnect_failed")
      }
    }
  }
}

/** The machine tells texts where it found the fault itself. */
export const descriptionOf = (description: unknown): DisconnectDescription | undefined =>
  typeof description === "string" ? new Error(description) : (description as DisconnectDescription | undefined)
