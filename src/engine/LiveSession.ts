/**
 * A session at work: synchronous from the wire to the sink and from `write` to the wire.
 *
 * What a session decides about heartbeats, upgrades and its end is `EngineMachine`'s; this file runs what the machine says, and keeps
 * what waits to be sent.
 */
import * as CloseReason from "../protocol/CloseReason.ts"
import * as EngineMachine from "../protocol/EngineMachine.ts"
import * as EnginePacket from "../protocol/EnginePacket.ts"
import * as FrameGroup from "../protocol/FrameGroup.ts"
import type { Deadline, Expirable } from "../runtime/Deadlines.ts"
import type { Flushable } from "../runtime/Turn.ts"
import { BufferFull, TransportError } from "./EngineError.ts"
import type { Exchange } from "./EngineRequest.ts"
import type {
  Closed,
  EngineSession,
  Handshake,
  SessionHost,
  SessionObserver,
  SessionOptions,
  SessionSink,
  WriteOptions,
  WriteResult
} from "./Session.ts"
import type { RequestTransport, Transport, TransportSink } from "./Transport.ts"
import { type ProbeOwner, UpgradeProbe } from "./UpgradeProbe.ts"

type Frame = FrameGroup.Frame

/** A session on its first transport. */
export const makeUnsafe = (host: SessionHost, options: SessionOptions): EngineSession => new LiveSession(host, options)

const messageDigit = 0x34

const pingGroup = FrameGroup.make(EnginePacket.encode(EnginePacket.make("ping")))

/** Told of nothing: for transports that were given up. */
const nobody: TransportSink = { onFrame() {}, onDrain() {}, onClose() {} }

const sizeOf = (group: FrameGroup.FrameGroup): number => {
  let size = group.head.length
  if (group.attachments !== undefined) for (const attachment of group.attachments) size += attachment.byteLength
  return size
}

// One object a connection, methods on the prototype: sessions are many and idle, so every field counts.
class LiveSession implements EngineSession, ProbeOwner, TransportSink, Expirable, Flushable {
  readonly id: string
  readonly handshake: Handshake
  request: unknown
  closed: Closed | undefined = undefined
  private readonly host: SessionHost
  private sink: SessionSink | undefined = undefined
  private machine: EngineMachine.State
  private transport: Transport
  private probing: UpgradeProbe | undefined = undefined
  /** Groups that have not been given to the transport, and their size. */
  private pending: Array<FrameGroup.FrameGroup> | undefined = undefined
  private pendingSize = 0
  private pendingCompress = false
  /** Whether `flush` will be called without asking for it: by `start`, later by the end of the turn. */
  private scheduled = true
  /** Whether somebody was told "buffered" and waits for `onDrain`. */
  private awaited = false
  private paused = false
  /** A reliable group found no room: the session is about to close, and what it has not sent is given up. */
  private overflowed = false
  /** The ping interval or the ping timeout, whichever runs. */
  private timer: Deadline | undefined = undefined
  private observers: Array<SessionObserver> | undefined = undefined

  constructor(host: SessionHost, options: SessionOptions) {
    this.host = host
    this.id = options.id
    this.handshake = options.handshake
    this.request = options.request
    this.transport = options.transport
    const name = options.transport.name
    host.counters.open++
    host.counters.opened[name] = (host.counters.opened[name] ?? 0) + 1
    const [state, outputs] = EngineMachine.initialServer(host.heartbeat.config, {
      sid: options.id,
      upgrades: options.upgrades,
      maxPayload: options.maxPayload
    })
    this.machine = state
    this.run(outputs, undefined)
    const initial = options.initialPacket
    if (initial !== undefined) {
      this.enqueue(FrameGroup.make(EnginePacket.encode(EnginePacket.make("message", initial))), true)
    }
  }

  get transportName(): string {
    return this.transport.name
  }

  get upgraded(): boolean {
    return this.machine._tag === "Server" && this.machine.upgraded
  }

  get bufferedAmount(): number {
    return this.pendingSize + this.transport.bufferedAmount
  }

  get buffered(): ReadonlyArray<FrameGroup.FrameGroup> {
    return [...(this.pending ?? [])]
  }

  get canUpgrade(): boolean {
    return EngineMachine.canProbe(this.machine)
  }

  start(sink: SessionSink): void {
    this.sink = sink
    this.transport.attach(this)
    // Not at the end of the turn, so that it can leave together with the answer to the WebSocket handshake.
    this.flush()
  }

  handle(exchange: Exchange): void {
    ;(this.transport as RequestTransport).handle(exchange)
  }

  // Out

  write(group: FrameGroup.FrameGroup, options: WriteOptions): WriteResult {
    const counters = this.host.counters
    if (this.closed !== undefined) {
      counters.dropped++
      return "dropped"
    }
    const transport = this.transport
    const free = transport.writable && transport.bufferedAmount === 0
    if (!free) {
      if (options.volatile) {
        counters.dropped++
        return "dropped"
      }
      this.awaited = true
    }
    const limit = this.host.maxBufferedAmount
    if (this.overflowed || this.pendingSize >= limit || (!free && this.bufferedAmount >= limit)) {
      if (options.volatile) {
        counters.dropped++
        return "dropped"
      }
      counters.full++
      this.overflow()
      return "full"
    }
    if (this.observers !== undefined) for (const observer of this.observers) observer.packetCreate?.(group)
    this.enqueue(group, options.compress)
    return free ? "sent" : "buffered"
  }

  /** Closes, but not now: whoever writes may be in the middle of a broadcast. */
  private overflow(): void {
    if (this.overflowed) return
    this.overflowed = true
    const limit = this.host.maxBufferedAmount
    this.host.turn.schedule({ flush: () => this.close(CloseReason.transportError, new BufferFull({ limit })) })
  }

  private enqueue(group: FrameGroup.FrameGroup, compress: boolean): void {
    if (this.pending === undefined) this.pending = [group]
    else this.pending.push(group)
    this.pendingSize += sizeOf(group)
    if (compress) this.pendingCompress = true
    if (!this.scheduled && this.transport.writable) {
      this.scheduled = true
      this.host.turn.schedule(this)
    }
  }

  /** Called at the end of the turn and when the transport becomes writable. */
  flush(): void {
    this.scheduled = false
    const compress = this.pendingCompress
    const groups = this.take()
    if (groups === undefined) return
    this.transport.send(groups, compress)
    if (this.observers !== undefined) for (const observer of this.observers) observer.drain?.()
    if (this.awaited) this.drained()
  }

  /** What waits and may leave now. */
  private take(): ReadonlyArray<FrameGroup.FrameGroup> | undefined {
    const groups = this.pending
    if (groups === undefined || !this.transport.writable) return undefined
    const counters = this.host.counters
    counters.sizeOut += this.pendingSize
    for (const group of groups) {
      counters.framesOut += group.attachments === undefined ? 1 : 1 + group.attachments.length
    }
    this.pending = undefined
    this.pendingSize = 0
    this.pendingCompress = false
    return groups
  }

  private drained(): void {
    if (!this.awaited || this.pending !== undefined || this.transport.bufferedAmount > 0) return
    this.awaited = false
    if (this.closed === undefined) this.sink?.onDrain()
  }

  // In

  onFrame(frame: Frame): void {
    if (this.closed !== undefined) return
    const counters = this.host.counters
    counters.framesIn++
    counters.sizeIn += frame.length
    if (this.observers !== undefined) for (const observer of this.observers) observer.packet?.(frame)
    // The hot path: messages need the machine only while it waits for a sign of life.
    if (typeof frame !== "string" || frame.charCodeAt(0) === messageDigit) {
      if (EngineMachine.awaitsPong(this.machine)) this.step({ _tag: "Activity" })
      this.sink?.onMessage(typeof frame === "string" ? frame.slice(1) : frame)
      return
    }
    const packet = EnginePacket.decode(frame)
    if (EnginePacket.isFailure(packet)) {
      return this.step({ _tag: "Undecodable", lane: "current", message: packet.message })
    }
    if (packet.type !== "message") return this.step({ _tag: "Packet", lane: "current", packet })
    if (EngineMachine.awaitsPong(this.machine)) this.step({ _tag: "Activity" })
    if (packet.data !== undefined) this.sink?.onMessage(packet.data)
  }

  onDrain(): void {
    this.flush()
    this.drained()
    // What is still writable is a poll that found nothing to take.
    if (this.probing !== undefined && this.transport.writable) this.step({ _tag: "PollWaiting" })
  }

  onClose(reason: CloseReason.CloseReason, cause: unknown): void {
    // When the session has closed already, this says that its peer has been told.
    if (this.closed !== undefined) {
      this.dropProbe()
      this.host.sessions.remove(this)
    } else this.step({ _tag: "TransportClosed", lane: "current", reason }, cause)
  }

  pause(): void {
    if (this.paused || this.closed !== undefined) return
    this.paused = true
    this.transport.pause()
  }

  resume(): void {
    if (!this.paused || this.closed !== undefined) return
    this.paused = false
    // The pong may have been waiting behind what we did not read.
    if (this.timer !== undefined && this.machine._tag === "Server" && this.machine.heartbeat !== "resting") {
      this.startTimer(this.machine.config.pingTimeout)
    }
    this.transport.resume()
  }

  // The machine

  close(reason: CloseReason.CloseReason, description?: unknown): void {
    this.step({ _tag: "CloseRequested", reason }, description)
  }

  onDeadline(): void {
    this.timer = undefined
    const machine = this.machine
    if (machine._tag !== "Server") return
    if (machine.heartbeat === "resting") return this.step({ _tag: "TimerFired", timer: "pingInterval" })
    // A peer that we do not read cannot be blamed for its silence.
    if (this.paused) this.startTimer(machine.config.pingTimeout)
    else this.step({ _tag: "TimerFired", timer: "pingTimeout" })
  }

  /** One step of the machine; `detail` is what the machine has no use for but the closed session tells. */
  step(input: EngineMachine.Input, detail?: unknown): void {
    const [state, outputs] = EngineMachine.step(this.machine, input)
    this.machine = state
    this.run(outputs, detail)
  }

  private run(outputs: ReadonlyArray<EngineMachine.Output>, detail: unknown): void {
    for (const output of outputs) {
      switch (output._tag) {
        case "Send":
          this.send(output)
          break
        case "StartTimer":
          if (isHeartbeatTimer(output.timer)) this.startTimer(output.millis)
          else this.probing?.startTimer(output.timer, output.millis)
          break
        case "StopTimer":
          if (isHeartbeatTimer(output.timer)) this.stopTimer()
          else this.probing?.stopTimer(output.timer)
          break
        case "Heartbeat":
          if (this.observers !== undefined) for (const observer of this.observers) observer.heartbeat?.()
          break
        case "PauseCurrent":
          this.release()
          break
        case "Switch":
          this.switchOver()
          break
        case "DropProbe":
          this.dropProbe()
          break
        case "Closed":
          this.finish(output.reason, detail ?? describe(output.description))
          break
        case "Opened":
          break
      }
    }
  }

  private send(output: Extract<EngineMachine.Output, { readonly _tag: "Send" }>): void {
    const { lane, packet } = output
    const group = packet.type === "ping" ? pingGroup : FrameGroup.make(EnginePacket.encode(packet))
    if (lane === "current") return this.enqueue(group, false)
    const transport = this.probing?.transport
    if (transport?.writable) transport.send([group], false)
  }

  private startTimer(millis: number): void {
    this.stopTimer()
    this.timer = this.host.heartbeat.deadlines.set(millis, this)
  }

  private stopTimer(): void {
    if (this.timer !== undefined) this.host.heartbeat.deadlines.cancel(this.timer)
    this.timer = undefined
  }

  // Upgrade

  probe(transport: Transport): void {
    if (!this.canUpgrade) return transport.close(false)
    this.host.counters.upgradesStarted++
    const probe = new UpgradeProbe(this, transport, this.host.heartbeat)
    this.probing = probe
    this.step({ _tag: "ProbeOpened" })
    transport.attach(probe)
  }

  /** Told by the probe, once it has been asked and answered. */
  notifyUpgrading(transport: Transport): void {
    if (this.observers !== undefined) for (const observer of this.observers) observer.upgrading?.(transport.name)
  }

  /** Lets the client's poll go, so that it can pause. */
  private release(): void {
    if (this.pending !== undefined) this.flush()
    this.transport.release()
  }

  private switchOver(): void {
    const probe = this.probing
    if (probe === undefined) return
    this.probing = undefined
    const old = this.transport
    this.transport = probe.transport
    old.attach(nobody)
    old.close(true)
    this.host.counters.upgraded++
    this.transport.attach(this)
    if (this.paused) this.transport.pause()
    if (this.observers !== undefined) for (const observer of this.observers) observer.upgrade?.(this.transport.name)
    this.flush()
  }

  dropProbe(): void {
    const probe = this.probing
    if (probe === undefined) return
    this.probing = undefined
    this.host.counters.upgradesFailed++
    probe.transport.attach(nobody)
    probe.transport.close(false)
  }

  /** The client went over to the new transport while the session ended: what it has not been told it hears there. */
  bequeath(): void {
    const probe = this.probing
    if (probe === undefined) return
    this.probing = undefined
    const old = this.transport
    this.transport = probe.transport
    old.attach(nobody)
    old.close(true)
    this.host.counters.upgraded++
    this.transport.attach(this)
    this.transport.close(false, this.take())
  }

  // End

  private finish(reason: CloseReason.CloseReason, description: unknown): void {
    const closed: Closed = { reason, description }
    this.closed = closed
    this.stopTimer()
    const counters = this.host.counters
    counters.open--
    counters.closed[reason]++
    const transport = this.transport
    // We said so: the peer is to learn it after everything else. Otherwise there may be nobody left to tell.
    const orderly = reason === CloseReason.forcedClose
    // A client that is about to switch polls no more: it is told by whichever transport it uses next.
    if (!orderly || transport.writable || this.probing?.answered !== true) this.dropProbe()
    const last = this.take()
    if (!orderly) this.forget()
    // A peer that does not read what waits for it would not read that it is over either.
    const discard = reason === CloseReason.transportClose || this.overflowed || (!orderly && !transport.writable)
    transport.close(discard, last)
    // The peer's answer to the close frame must be read, or the connection would linger.
    if (this.paused) transport.resume()
    if (!orderly) this.host.sessions.remove(this)
    const observers = this.observers
    this.observers = undefined
    if (observers !== undefined) for (const observer of observers) observer.close?.(closed)
    this.sink?.onClose(closed)
  }

  private forget(): void {
    this.pending = undefined
    this.pendingSize = 0
  }

  observe(observer: SessionObserver): () => void {
    this.observers = [...(this.observers ?? []), observer]
    return () => {
      const rest = this.observers?.filter((other) => other !== observer)
      this.observers = rest !== undefined && rest.length > 0 ? rest : undefined
    }
  }
}

const isHeartbeatTimer = (timer: EngineMachine.Timer): boolean => timer === "pingInterval" || timer === "pingTimeout"

const describe = (description: string | undefined): unknown =>
  description === undefined ? undefined : new TransportError({ message: description })
