/**
 * `manager.engine`: the connection below the namespaces as an emitter, as programs know it from Socket.IO's client.
 */
import * as CloseReason from "../../protocol/CloseReason.ts"
import * as EnginePacket from "../../protocol/EnginePacket.ts"
import type { Frame, FrameGroup } from "../../protocol/FrameGroup.ts"
import * as Group from "../../protocol/FrameGroup.ts"
import * as SocketBinary from "../../protocol/SocketBinary.ts"
import type { ClientPlatform } from "../../transport/ClientPlatform.ts"
import type { ClientTimers } from "../../transport/ClientTimers.ts"
import type { TransportFailure } from "../../transport/ClientTransport.ts"
import { EngineClient, type EngineClientSink, type EngineMemory } from "../../transport/EngineClient.ts"
import type { EngineClientOptions } from "../../transport/EngineClientOptions.ts"
import * as EngineUrl from "../../transport/EngineUrl.ts"
import { type BinaryType, toBinary } from "./Binary.ts"
import { Emitter } from "./Emitter.ts"
import { describe, type DisconnectDescription, TransportError } from "./TransportError.ts"
import type { Anything } from "./TypedEvents.ts"

/** A packet of the engine, as its events show it: binary in the form of `binaryType`. */
export interface Packet {
  readonly type: EnginePacket.EnginePacketType
  readonly data?: Anything
}

/** What the server said at the beginning. Times in milliseconds, `maxPayload` in bytes. */
export interface HandshakeData {
  readonly sid: string
  readonly upgrades: ReadonlyArray<string>
  readonly pingInterval: number
  readonly pingTimeout: number
  readonly maxPayload: number
}

/** The transport in use. */
export interface Transport {
  /** "polling" or "websocket"; "" before there is one and after the end. */
  readonly name: string
  /** Whether what is written now leaves at once. */
  readonly writable: boolean
}

/** The events of the engine. */
export interface EngineReservedEvents {
  open: () => void
  handshake: (data: HandshakeData) => void
  packet: (packet: Packet) => void
  packetCreate: (packet: Packet) => void
  data: (data: Anything) => void
  message: (data: Anything) => void
  drain: () => void
  flush: () => void
  heartbeat: () => void
  ping: () => void
  pong: () => void
  error: (err: Error) => void
  upgrading: (transport: Transport) => void
  upgrade: (transport: Transport) => void
  upgradeError: (err: Error) => void
  close: (reason: string, description?: DisconnectDescription) => void
}

/** What an engine is made of. */
export interface EngineParts {
  readonly address: EngineUrl.EngineAddress | EngineUrl.InvalidUrl
  readonly options: EngineClientOptions
  readonly platform: ClientPlatform
  readonly timers: ClientTimers
  readonly binaryType: BinaryType
  readonly owner: EngineOwner
}

/** What an engine tells its manager. */
export interface EngineOwner {
  engineOpened(engine: Engine): void
  engineMessage(engine: Engine, data: Frame): void
  enginePing(engine: Engine): void
  engineClosed(engine: Engine, reason: CloseReason.CloseReason, failure: TransportFailure | undefined): void
}

// For the whole page, as in the official client.
const memory: EngineMemory = { webSocketWorked: false }

/** One connection; the next one is another engine. */
export class Engine extends Emitter<Record<never, never>, Record<never, never>, EngineReservedEvents> {
  /** In which form binary is handed out: by default "nodebuffer" in Node, else "arraybuffer". */
  binaryType: BinaryType
  /** The transport in use. */
  readonly transport: Transport
  readonly #parts: EngineParts
  readonly #client: EngineClient | undefined
  #handshake: string | undefined = undefined

  /** @internal */
  constructor(parts: EngineParts) {
    super()
    this.#parts = parts
    this.binaryType = parts.binaryType
    const { address, options, platform, timers } = parts
    const client = EngineUrl.isInvalid(address)
      ? undefined
      : new EngineClient({ address, options, platform, timers, memory, sink: this.#sink() })
    this.#client = client
    this.transport = {
      get name() {
        return client?.transportName ?? ""
      },
      get writable() {
        return client?.writable === true
      }
    }
  }

  /** Given by the server; `undefined` before the handshake and after the end. */
  get id(): string | undefined {
    return this.readyState === "closed" ? undefined : this.#client?.id
  }

  /** Where the connection is between its first request and its end. */
  get readyState(): "opening" | "open" | "closing" | "closed" {
    return this.#client?.readyState ?? "closed"
  }

  /** What was written and has not been given to the transport yet. */
  get writeBuffer(): Array<Packet> {
    return (this.#client?.buffered ?? []).flatMap((group) => this.#packetsOf(group))
  }

  /** @internal */
  open(): void {
    const { address, owner, timers } = this.#parts
    if (!EngineUrl.isInvalid(address)) return this.#client?.open()
    const failure = { message: address.message, description: undefined }
    timers.endOfTurn({ flush: () => owner.engineClosed(this, CloseReason.transportError, failure) })
  }

  /** Writes a message below Socket.IO; `fn` is called when it has left. */
  write(message: string | ArrayBuffer | ArrayBufferView, options?: { compress?: boolean }, fn?: () => void): this {
    const frame = typeof message === "string" ? "4" + message : SocketBinary.bytesOf(message)
    if (fn !== undefined) this.once("flush", fn)
    this._send(Group.make(frame), options?.compress !== false)
    return this
  }

  /** The same as `write`. */
  send(message: string | ArrayBuffer | ArrayBufferView, options?: { compress?: boolean }, fn?: () => void): this {
    return this.write(message, options, fn)
  }

  /** Ends the connection after what was written has left. The manager connects again, unless it was told not to. */
  close(): this {
    this.#client?.close()
    return this
  }

  /** @internal */
  _send(group: FrameGroup, compress: boolean): void {
    if (this.hasListeners("packetCreate")) {
      for (const packet of this.#packetsOf(group)) this.emitReserved("packetCreate", packet)
    }
    this.#client?.write(group, compress)
  }

  /** @internal */
  _hasPingExpired(): boolean {
    return this.#client?.hasPingExpired() === true
  }

  #packetsOf(group: FrameGroup): ReadonlyArray<Packet> {
    return [group.head, ...(group.attachments ?? [])].map((frame) => {
      const packet = EnginePacket.decode(frame)
      return EnginePacket.isFailure(packet) ? { type: "message", data: frame } : this.#packetOf(packet)
    })
  }

  #packetOf({ type, data }: EnginePacket.EnginePacket): Packet {
    return data === undefined ? { type } : { type, data: this.#dataOf(data) }
  }

  #dataOf(data: Frame): unknown {
    return typeof data === "string" ? data : toBinary(data, this.binaryType)
  }

  #sink(): EngineClientSink {
    const { owner } = this.#parts
    return {
      onOpen: () => {
        if (this.hasListeners("handshake")) this.emitReserved("handshake", JSON.parse(this.#handshake ?? "{}"))
        this.emitReserved("open")
        owner.engineOpened(this)
      },
      onMessage: (data) => {
        this.#received({ type: "message", data })
        if (this.hasListeners("data")) this.emitReserved("data", this.#dataOf(data))
        if (this.hasListeners("message")) this.emitReserved("message", this.#dataOf(data))
        owner.engineMessage(this, data)
      },
      onPacket: (packet) => {
        if (packet.type === "open") this.#handshake = packet.data as string | undefined
        this.#received(packet)
      },
      onPacketCreate: (packet) => {
        this.emitReserved("packetCreate", this.#packetOf(packet))
      },
      onPing: () => {
        this.emitReserved("ping")
        this.emitReserved("pong")
        owner.enginePing(this)
      },
      onFlush: () => {
        this.emitReserved("flush")
      },
      onDrain: () => {
        this.emitReserved("drain")
      },
      onUpgrading: (name) => {
        this.emitReserved("upgrading", { name, writable: false })
      },
      onUpgrade: () => {
        this.emitReserved("upgrade", this.transport)
      },
      onUpgradeError: ({ message, description, context }) => {
        this.emitReserved("upgradeError", new TransportError(message, description, context))
      },
      onClose: (reason, failure) => {
        const description = describe(reason, failure)
        if (reason === CloseReason.transportError && description instanceof Error) {
          this.emitReserved("error", description)
        }
        this.emitReserved("close", reason, description)
        owner.engineClosed(this, reason, failure)
      }
    }
  }

  #received(packet: EnginePacket.EnginePacket): void {
    if (this.hasListeners("packet")) this.emitReserved("packet", this.#packetOf(packet))
    this.emitReserved("heartbeat")
  }
}
