/**
 * The sockets of one namespace on this node: who is there, in which rooms, and how to reach them.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type {
  AckReply,
  BroadcastFlags,
  EventData,
  LocalSockets,
  NamespaceAdapter,
  RecoveryOptions,
  SocketDescription,
  Target
} from "../adapter/Adapter.ts"
import type { WriteOptions } from "../engine/Session.ts"
import type { FrameGroup } from "../protocol/FrameGroup.ts"
import * as SocketCodec from "../protocol/SocketCodec.ts"
import * as SocketPacket from "../protocol/SocketPacket.ts"
import type { Deadline } from "../runtime/Deadlines.ts"
import { Poll, type PollObserver } from "./Ack.ts"
import * as Handshake from "./Handshake.ts"
import { NamespaceRecovery } from "./NamespaceRecovery.ts"
import { type Deliverer, Outbox } from "./Outbox.ts"
import { Rooms, type RoomListener } from "./Rooms.ts"
import { type NamespaceDefinition, report, type ServerCore } from "./ServerCore.ts"
import type { ServerSocket } from "./ServerSocket.ts"

/** What happens in a namespace, for those who watch it. */
export interface NamespaceObserver {
  readonly connected?: (socket: ServerSocket) => void
  readonly disconnected?: (socket: ServerSocket) => void
  readonly roomCreated?: (room: string) => void
  readonly roomDeleted?: (room: string) => void
  readonly roomJoined?: (room: string, id: string) => void
  readonly roomLeft?: (room: string, id: string) => void
  readonly serverSideEvent?: (event: EventData, reply: ((args: ReadonlyArray<unknown>) => void) | undefined) => void
}

/** A namespace by its name. */
export class ServerNamespace implements LocalSockets, Deliverer, RoomListener {
  readonly core: ServerCore
  readonly namespace: string
  readonly definition: NamespaceDefinition
  /** What is asked of the adapter where sockets are to be recovered. */
  readonly recovery: RecoveryOptions | undefined
  /** What the name of a dynamic namespace says. */
  readonly params: Readonly<Record<string, unknown>>
  readonly sockets = new Map<string, ServerSocket>()
  readonly rooms: Rooms<ServerSocket> = new Rooms<ServerSocket>(this.sockets, this)
  readonly outbox: Outbox = new Outbox(this)
  /** Connections that are being admitted. */
  admitting = 0
  /** Called when the last socket has gone. */
  onEmpty: (() => void) | undefined = undefined
  /** How sockets are recovered, where the adapter can store. */
  recovering: NamespaceRecovery | undefined = undefined
  #adapter: NamespaceAdapter | undefined = undefined
  #observers: Set<NamespaceObserver> | undefined = undefined
  #closing: Set<Fiber.Fiber<unknown, unknown>> | undefined = undefined
  #ackId = 0
  /** When it may go, if it stays empty. */
  #emptiness: Deadline | undefined = undefined

  constructor(
    core: ServerCore,
    name: string,
    definition: NamespaceDefinition,
    params: Readonly<Record<string, unknown>>
  ) {
    this.core = core
    this.namespace = name
    this.recovery = core.settings.recovery
    this.definition = definition
    this.params = params
  }

  get name(): string {
    return this.namespace
  }

  /** The way to other nodes. */
  get adapter(): NamespaceAdapter | undefined {
    return this.#adapter
  }

  /** `foreign`: the adapter delivers stored events itself, around the outbox. */
  connect(adapter: NamespaceAdapter, foreign = false): void {
    this.#adapter = adapter
    const { recovery } = this.core.settings
    if (recovery !== undefined && adapter.recovery !== undefined) {
      this.recovering = new NamespaceRecovery(this, adapter.recovery, recovery, foreign)
    } else if (recovery !== undefined) {
      const warning = `effect-socketio: the adapter of "${this.name}" cannot store: its sockets are not recovered`
      Effect.runForkWith(this.definition.context)(Effect.logWarning(warning))
    }
    this.outbox.connect(adapter, foreign ? undefined : this.recovering?.outbox)
  }

  observe(observer: NamespaceObserver): void {
    ;(this.#observers ??= new Set()).add(observer)
  }

  unobserve(observer: NamespaceObserver): void {
    this.#observers?.delete(observer)
  }

  // ---- sockets

  add(socket: ServerSocket): void {
    this.sockets.set(socket.id, socket)
    this.core.counters.sockets++
    this.core.counters.connected++
    this.rooms.enter(socket)
    if (this.#observers !== undefined) for (const observer of this.#observers) observer.connected?.(socket)
  }

  remove(socket: ServerSocket): void {
    this.rooms.leaveAll(socket)
    if (!this.sockets.delete(socket.id)) return
    this.core.counters.sockets--
    this.core.counters.disconnected++
    if (this.#observers !== undefined) for (const observer of this.#observers) observer.disconnected?.(socket)
    this.checkEmpty()
  }

  checkEmpty(): void {
    if (this.onEmpty === undefined || this.sockets.size > 0 || this.admitting > 0) return
    if (this.recovering === undefined) return this.onEmpty()
    // Its last sockets may come back, and with it their log would go.
    if (this.#emptiness !== undefined) this.core.deadlines.cancel(this.#emptiness)
    this.#emptiness = this.core.deadlines.set(this.recovering.settings.maxDisconnectionDuration, {
      onDeadline: () => {
        if (this.sockets.size === 0 && this.admitting === 0) this.onEmpty?.()
      }
    })
  }

  /** Runs what ends a socket; {@link closed} waits for it. */
  close(effect: Effect.Effect<unknown, unknown>): void {
    this.run(Effect.catchCause(effect, (cause) => Effect.sync(() => this.report(cause))))
  }

  /** Runs what {@link closed} waits for. Gives the fiber, unless that has ended already. */
  run(effect: Effect.Effect<unknown>): Fiber.Fiber<unknown> | undefined {
    const fiber = Effect.runForkWith(this.definition.context)(effect)
    if (fiber.pollUnsafe() !== undefined) return undefined
    const closing = (this.#closing ??= new Set())
    closing.add(fiber)
    fiber.addObserver(() => closing.delete(fiber))
    return fiber
  }

  /** Waits until everything that belonged to sockets that are gone has ended. */
  readonly closed: Effect.Effect<void> = Effect.suspend(() =>
    this.#closing === undefined || this.#closing.size === 0 ? Effect.void : Effect.asVoid(Fiber.awaitAll(this.#closing))
  )

  report(cause: Cause.Cause<unknown>): void {
    this.core.counters.handlerFailures++
    report(this.definition.context, {
      cause,
      stage: "disconnect",
      event: undefined,
      socketId: undefined,
      namespace: this.name
    })
  }

  // ---- rooms

  roomCreated(room: string): void {
    this.#adapter?.roomCreated(room)
    if (this.#observers !== undefined) for (const observer of this.#observers) observer.roomCreated?.(room)
  }

  roomDeleted(room: string): void {
    this.#adapter?.roomDeleted(room)
    if (this.#observers !== undefined) for (const observer of this.#observers) observer.roomDeleted?.(room)
  }

  roomJoined(room: string, id: string): void {
    if (this.recovering !== undefined) this.#changed(id)
    if (this.#observers !== undefined) for (const observer of this.#observers) observer.roomJoined?.(room, id)
  }

  roomLeft(room: string, id: string): void {
    if (this.recovering !== undefined) this.#changed(id)
    if (this.#observers !== undefined) for (const observer of this.#observers) observer.roomLeft?.(room, id)
  }

  #changed(id: string): void {
    const socket = this.sockets.get(id)
    if (socket !== undefined) this.recovering!.changed(socket)
  }

  // ---- out

  nextAckId(): number {
    return this.#ackId++
  }

  /** The frames of an event, encoded once for all who get it. `undefined` when it has no form on the wire, which is reported. */
  encode(event: EventData["data"], id: number | undefined): FrameGroup | undefined {
    const hasBinary = this.definition.contract.serverEvent(event[0])?.codec.argsHaveBinary
    const group = this.core.settings.codec.encode(
      { type: SocketPacket.EVENT, nsp: this.name, id, data: event },
      hasBinary === false ? { hasBinary } : undefined
    )
    if (!SocketCodec.isEncodeFailure(group)) return group
    report(this.definition.context, {
      cause: Cause.die(new TypeError(group.message, { cause: group.cause })),
      stage: "event",
      event: event[0],
      socketId: undefined,
      namespace: this.name
    })
    return undefined
  }

  deliver(target: Target, event: EventData, flags: BroadcastFlags, offset?: string): void {
    const { recovering } = this
    if (recovering !== undefined && !recovering.foreign) return recovering.outbox.receive(target, event, flags, offset)
    this.core.counters.broadcasts++
    const group = this.encode(event.data, undefined)
    if (group === undefined) return
    const options: WriteOptions = flags
    let deliveries = 0
    this.rooms.select(target, (socket) => {
      deliveries++
      socket.write(group, options)
      const outgoing = socket.extras?.outgoing
      if (outgoing !== undefined) socket.notifyOutgoing(event.data)
    })
    this.core.counters.deliveries += deliveries
  }

  poll(target: Target, event: EventData, flags: BroadcastFlags, observer: PollObserver): () => void {
    this.core.counters.broadcasts++
    const id = this.nextAckId()
    const group = this.encode(event.data, id)
    const sockets = group === undefined ? [] : this.rooms.list(target).filter((socket) => socket.connected)
    const millis = flags.timeout ?? this.core.settings.ackTimeout
    const poll = new Poll(sockets, id, this.core.deadlines, millis, flags.expectSingleResponse, observer)
    for (const socket of sockets) {
      socket.write(group, flags)
      if (socket.extras?.outgoing !== undefined) socket.notifyOutgoing(event.data)
    }
    this.core.counters.deliveries += sockets.length
    return () => poll.cancel()
  }

  deliverWithAcks(
    target: Target,
    event: EventData,
    flags: BroadcastFlags,
    observer: { asked(count: number): void; reply(reply: AckReply): void; done(): void }
  ): void {
    this.poll(target, event, flags, {
      asked: (count) => observer.asked(count),
      reply: (socketId, args) => observer.reply({ socketId, args }),
      disconnected: () => {},
      expired: () => {},
      done: () => observer.done()
    })
  }

  // ---- for other nodes and for broadcasts

  join(target: Target, rooms: ReadonlyArray<string>): void {
    for (const socket of this.rooms.list(target)) for (const room of rooms) this.rooms.join(socket, room)
  }

  leave(target: Target, rooms: ReadonlyArray<string>): void {
    for (const socket of this.rooms.list(target)) for (const room of rooms) this.rooms.leave(socket, room)
  }

  disconnect(target: Target, close: boolean): void {
    for (const socket of this.rooms.list(target)) {
      if (close) socket.connection.disconnect()
      // A single socket by its id: it may be that its client has come back elsewhere, and keeps its session there.
      else socket.leaveNamespace(target.rooms.size === 1 && target.rooms.has(socket.id))
    }
  }

  describe(target: Target): ReadonlyArray<SocketDescription> {
    return this.rooms.list(target).map((socket) => ({
      id: socket.id,
      handshake: Handshake.describe(socket),
      rooms: Array.from(this.rooms.of(socket)),
      data: this.wireData(socket)
    }))
  }

  serverSideEvent(event: EventData, reply: ((args: ReadonlyArray<unknown>) => void) | undefined): void {
    if (this.#observers !== undefined) for (const observer of this.#observers) observer.serverSideEvent?.(event, reply)
  }

  /** What a socket carries, encoded by the contract. */
  wireData(socket: ServerSocket): unknown {
    if (socket.data === undefined) return {}
    const encoded = this.definition.contract.data.encode(socket.data)
    return encoded._tag === "Success" ? encoded.value : {}
  }
}
