/**
 * One client in one namespace: the untyped core under `Socket`, synchronous and without allocations in case.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { EventData } from "../adapter/Adapter.ts"
import type { WriteOptions, WriteResult } from "../engine/Session.ts"
import type * as CloseReason from "../protocol/CloseReason.ts"
import * as DisconnectReason from "../protocol/DisconnectReason.ts"
import type { FrameGroup } from "../protocol/FrameGroup.ts"
import * as SocketCodec from "../protocol/SocketCodec.ts"
import * as SocketPacket from "../protocol/SocketPacket.ts"
import type { Askable, PendingAck } from "./Ack.ts"
import type { Connection } from "./Connection.ts"
import * as Dispatch from "./Dispatch.ts"
import type { Stage } from "./ErrorSink.ts"
import type { EventHandler, Lane, Reply } from "./EventHandler.ts"
import { Extras, type Hook } from "./Extras.ts"
import type { OutgoingPacket, Packet } from "./Packet.ts"
import { fresh, type Recovery, type SocketRecovery } from "./Recovery.ts"
import type { Member } from "./Rooms.ts"
import { isInterruption, report, type ServerCore } from "./ServerCore.ts"
import type { ServerNamespace } from "./ServerNamespace.ts"
import { Disconnected } from "./SocketError.ts"

/** How reliable packets are written. */
export const reliable: WriteOptions = { volatile: false, compress: true }

/**
 * `admitting` while middleware decides, `starting` until the connection handler has returned, then `ready`; `leaving` while
 * `disconnecting` hooks run.
 */
type State = "admitting" | "starting" | "ready" | "leaving" | "gone"

/** A socket of the server. */
export class ServerSocket implements Member, Askable {
  readonly id: string
  readonly connection: Connection
  readonly namespace: ServerNamespace
  /** What the client authenticated with, decoded. */
  readonly auth: unknown
  /** What the client authenticated with, as it came. */
  readonly wireAuth: unknown
  /** What programs attach to the socket. */
  data: unknown = undefined
  memberships: Set<string> | undefined = undefined
  mark = 0
  /** The handler that was registered first. */
  handlers: EventHandler | undefined = undefined
  extras: Extras | undefined = undefined
  /** How it comes back after a lost connection, where sockets can be recovered. */
  session: SocketRecovery | undefined = undefined
  #state: State = "admitting"
  #scope: Scope.Closeable | undefined = undefined
  #context: Context.Context<never> | undefined = undefined
  #acks: Map<number, PendingAck> | undefined = undefined
  #running = 0
  #holding = false
  #disconnected: Disconnected | undefined = undefined

  constructor(id: string, connection: Connection, namespace: ServerNamespace, auth: unknown, wireAuth: unknown) {
    this.id = id
    this.connection = connection
    this.namespace = namespace
    this.auth = auth
    this.wireAuth = wireAuth
  }

  get core(): ServerCore {
    return this.namespace.core
  }

  /** From the answer to CONNECT until the socket begins to leave. */
  get connected(): boolean {
    return this.#state === "ready" || this.#state === "starting"
  }

  /** What became of the client's earlier session. */
  get recovery(): Recovery {
    return this.session?.outcome ?? fresh
  }

  /** Whether it is the socket of before: with its id, rooms and data, and nothing missed. */
  get recovered(): boolean {
    return this.recovery._tag === "Recovered"
  }

  /** Why it is gone; `undefined` until then. */
  get goneBecause(): Disconnected | undefined {
    return this.#disconnected
  }

  /** Everything that belongs to the socket ends with it. */
  scope(): Scope.Closeable {
    if (this.#scope === undefined) {
      this.#scope = Scope.makeUnsafe()
      // What is asked for after the end ends at once.
      if (this.#state === "gone") Scope.closeUnsafe(this.#scope, Exit.void)
    }
    return this.#scope
  }

  /** The services that its handlers run with. */
  services(): Context.Context<never> {
    return (this.#context ??= Context.add(this.namespace.definition.context, Scope.Scope, this.scope()))
  }

  /** Middleware has provided its services. */
  provideServices(context: Context.Context<never>): void {
    this.#context = context
  }

  extra(): Extras {
    return (this.extras ??= new Extras())
  }

  lane(handler: EventHandler): Lane {
    const lanes = (this.extra().lanes ??= new Map<EventHandler, Lane>())
    let lane = lanes.get(handler)
    if (lane === undefined) lanes.set(handler, (lane = { running: 0, waiting: [] }))
    return lane
  }

  // ---- life

  /** Admitted: joins the namespace, tells the client, and runs the connection handler. */
  connect(): void {
    this.#state = "starting"
    this.namespace.add(this)
    const { recovering } = this.namespace
    const data = recovering === undefined ? { sid: this.id } : recovering.answer(this)
    this.write(this.#encode({ type: SocketPacket.CONNECT, nsp: this.namespace.name, data }), reliable)
    recovering?.connected(this)
    const { receiver, setup } = this.namespace.definition
    if (receiver !== undefined) {
      if (this.#state !== "starting") return
      this.#state = "ready"
      return receiver.connected(this)
    }
    if (setup === undefined) return this.#started(Exit.void)
    let exit: Exit.Exit<unknown, unknown> | undefined
    try {
      const fiber = Effect.runForkWith(this.services())(setup(this))
      exit = fiber.pollUnsafe()
      if (exit === undefined) {
        Fiber.runIn(fiber, this.scope()).addObserver((exit) => this.#started(exit))
        return
      }
    } catch (defect) {
      exit = Exit.die(defect)
    }
    this.#started(exit)
  }

  #started(exit: Exit.Exit<unknown, unknown>): void {
    if (Exit.isFailure(exit)) {
      if (!this.connected && isInterruption(exit.cause)) return
      this.core.counters.handlerFailures++
      this.report("connection", undefined, exit.cause)
      // Half a set of handlers is worse than none: the client learns that it is not served.
      this.leaveNamespace()
      return
    }
    if (this.#state !== "starting") return
    this.#state = "ready"
    const pending = this.extras?.pending
    if (pending === undefined) return
    this.extras!.pending = undefined
    for (const packet of pending) {
      if (!this.connected) break
      Dispatch.receive(this, packet)
    }
    if (pending.length >= this.core.settings.maxPendingEvents) this.connection.release()
  }

  /** The server's wish: tells the client and leaves the namespace. `elsewhere`: the client may be connected to another node now. */
  leaveNamespace(elsewhere = false): void {
    if (!this.connected) return
    if (elsewhere && this.session !== undefined) this.session.superseded = true
    this.write(this.#encode({ type: SocketPacket.DISCONNECT, nsp: this.namespace.name }), reliable)
    this.connection.left(this)
    this.connection.leftByServer(this.namespace.name)
    this.close(new Disconnected({ reason: DisconnectReason.serverNamespaceDisconnect }))
  }

  /** Its client has come back on another connection: this one is dead, whether or not it is known to be. Its session may be kept. */
  supersede(reason: CloseReason.CloseReason, keep: boolean): void {
    const { connection } = this
    if (!keep && this.session !== undefined) this.session.superseded = true
    connection.left(this)
    this.close(new Disconnected({ reason, description: "the client has come back on another connection" }))
    if (connection.sockets().length === 0) connection.session.close(reason)
  }

  /** The end, from whichever side; later calls do nothing. */
  close(disconnected: Disconnected): void {
    const state = this.#state
    if (state === "leaving" || state === "gone") return
    if (state === "admitting") {
      this.#state = "gone"
      this.#disconnected = disconnected
      this.namespace.definition.receiver?.dropped(this)
      this.namespace.recovering?.dropped(this)
      this.#closeScope(undefined)
      return
    }
    this.#state = "leaving"
    this.#disconnected = disconnected
    const { recovering } = this.namespace
    recovering?.leaving(this)
    const { receiver } = this.namespace.definition
    receiver?.disconnecting(this, disconnected)
    const extras = this.extras
    const hooks =
      extras?.disconnecting === undefined ? undefined : this.#runHooks(extras.disconnecting, disconnected, undefined)
    recovering?.lost(this, disconnected)
    this.namespace.remove(this)
    this.#state = "gone"
    if (
      this.#holding ||
      (extras?.pending !== undefined && extras.pending.length >= this.core.settings.maxPendingEvents)
    ) {
      this.#holding = false
      this.connection.release()
    }
    const acks = this.#acks
    this.#acks = undefined
    if (acks !== undefined) for (const ack of acks.values()) ack.onDisconnect(this, disconnected)
    receiver?.disconnected(this, disconnected)
    let fibers = hooks
    if (extras !== undefined) {
      extras.pending = undefined
      if (extras.disconnect !== undefined) fibers = this.#runHooks(extras.disconnect, disconnected, fibers)
      if (extras.gone !== undefined) Deferred.doneUnsafe(extras.gone, Exit.succeed(disconnected))
      extras.subscriptions?.forEach((set) => set.forEach((subscription) => subscription.end()))
      extras.incoming?.forEach((subscription) => subscription.end())
      extras.outgoing?.forEach((subscription) => subscription.end())
    }
    this.#closeScope(fibers)
  }

  /** Starts the hooks one after the other; gives those that have not ended. */
  #runHooks(
    hooks: ReadonlyArray<Hook>,
    disconnected: Disconnected,
    fibers: Array<Fiber.Fiber<unknown, unknown>> | undefined
  ): Array<Fiber.Fiber<unknown, unknown>> | undefined {
    for (const hook of hooks) {
      const effect = Effect.suspend(() => hook.run(disconnected)).pipe(
        Effect.catchCause((cause) =>
          Effect.sync(() => {
            this.core.counters.handlerFailures++
            this.report("disconnect", undefined, cause)
          })
        )
      )
      const fiber = Effect.runForkWith(hook.context)(effect)
      if (fiber.pollUnsafe() === undefined) (fibers ??= []).push(fiber)
    }
    return fibers
  }

  /** Hooks may finish; then what belongs to the socket ends. The namespace waits for it when the server closes. */
  #closeScope(hooks: ReadonlyArray<Fiber.Fiber<unknown, unknown>> | undefined): void {
    if (hooks === undefined) {
      const closing = this.#scope === undefined ? undefined : Scope.closeUnsafe(this.#scope, Exit.void)
      if (closing !== undefined) this.namespace.close(closing)
      return
    }
    this.namespace.close(
      Effect.andThen(
        Fiber.awaitAll(hooks),
        Effect.suspend(() => Scope.close(this.scope(), Exit.void))
      )
    )
  }

  // ---- rooms

  /** Joins rooms; before it is connected it only takes note of them. */
  joinNow(rooms: string | ReadonlyArray<string>): void {
    for (const room of typeof rooms === "string" ? [rooms] : rooms) {
      if (this.connected) this.namespace.rooms.join(this, room)
      else if (this.#state === "admitting") (this.memberships ??= new Set([this.id])).add(room)
    }
  }

  leaveNow(rooms: string | ReadonlyArray<string>): void {
    for (const room of typeof rooms === "string" ? [rooms] : rooms) {
      if (this.connected) this.namespace.rooms.leave(this, room)
      else if (this.#state === "admitting") this.memberships?.delete(room)
    }
  }

  // ---- in

  /** A packet of the client for this socket. */
  receive(packet: SocketPacket.SocketPacket): void {
    switch (packet.type) {
      case SocketPacket.EVENT: {
        if (!this.connected) return
        this.core.counters.eventsReceived++
        const data = packet.data
        const { receiver } = this.namespace.definition
        if (receiver !== undefined) return receiver.event(this, data, packet.id)
        const name = data[0]
        if (this.#state === "ready" && this.extras === undefined && typeof name === "string") {
          return Dispatch.dispatch(this, name, data.slice(1), packet.id)
        }
        return this.#receiveEvent({ event: String(name), args: data.slice(1), id: packet.id })
      }
      case SocketPacket.ACK: {
        const pending = packet.id === undefined ? undefined : this.#acks?.get(packet.id)
        if (pending === undefined) return
        this.#acks!.delete(packet.id!)
        this.core.counters.acksReceived++
        return pending.onReply(this, packet.data)
      }
      case SocketPacket.DISCONNECT: {
        this.connection.left(this)
        return this.close(new Disconnected({ reason: DisconnectReason.clientNamespaceDisconnect }))
      }
    }
  }

  #receiveEvent(packet: Packet): void {
    if (this.#state === "ready") return Dispatch.receive(this, packet)
    const pending = (this.extra().pending ??= [])
    pending.push(packet)
    if (pending.length === this.core.settings.maxPendingEvents) this.connection.hold()
  }

  /** A handler is running that did not end at once, or a call waits for its turn. */
  busy(): void {
    const limit = this.core.settings.maxRunningHandlers
    if (++this.#running < limit || this.#holding || !this.connected) return
    // Answers that handlers wait for come in behind the events: there is more room while there are such.
    if (this.pendingAcks === 0 || this.#running >= 2 * limit) {
      this.#holding = true
      this.core.counters.pauses++
      this.connection.hold()
    }
  }

  idle(): void {
    this.#running--
    if (this.#holding && this.#running <= this.core.settings.maxRunningHandlers >> 1) {
      this.#holding = false
      this.connection.release()
    }
  }

  // ---- out

  /** Answers an event; only the first answer is sent. Tells why an answer has no form on the wire: then none was given yet. */
  reply(reply: Reply, args: ReadonlyArray<unknown>, hasBinary: boolean): SocketCodec.EncodeFailure | undefined {
    if (reply.done || !this.connected) return undefined
    const packet: SocketPacket.AckPacket = {
      type: SocketPacket.ACK,
      nsp: this.namespace.name,
      id: reply.id,
      data: args
    }
    const group = this.core.settings.codec.encode(packet, { hasBinary })
    if (SocketCodec.isEncodeFailure(group)) return group
    reply.done = true
    this.core.counters.acksSent++
    this.write(group, reliable)
    return undefined
  }

  /** Writes an event, with an id when an answer is wanted; the outbox calls this. */
  deliver(data: EventData["data"], id: number | undefined, options: WriteOptions): WriteResult {
    const result = this.write(this.namespace.encode(data, id), options)
    this.core.counters.eventsSent++
    if (this.extras?.outgoing !== undefined) this.notifyOutgoing(data)
    return result
  }

  /** Tells those who watch what goes out. */
  notifyOutgoing(data: EventData["data"]): void {
    const packet: OutgoingPacket = { event: data[0], args: data.slice(1) }
    this.extras?.outgoing?.forEach((subscription) => subscription.offer(packet))
  }

  /** Writes frames; sockets that are not connected drop them. */
  write(group: FrameGroup | undefined, options: WriteOptions): WriteResult {
    if (group === undefined || !this.connected) {
      this.core.counters.dropped++
      return "dropped"
    }
    const result = this.connection.session.write(group, options)
    if (result === "dropped" || result === "full") this.core.counters.dropped++
    return result
  }

  expect(id: number, pending: PendingAck): void {
    ;(this.#acks ??= new Map()).set(id, pending)
  }

  forget(id: number): void {
    this.#acks?.delete(id)
  }

  /** How many answers are waited for. */
  get pendingAcks(): number {
    return this.#acks?.size ?? 0
  }

  #encode(packet: SocketPacket.SocketPacket): FrameGroup | undefined {
    const group = this.core.settings.codec.encode(packet)
    if (!SocketCodec.isEncodeFailure(group)) return group
    this.report("event", undefined, Cause.die(new TypeError(group.message, { cause: group.cause })))
    return undefined
  }

  report(stage: Stage, event: string | undefined, cause: Cause.Cause<unknown>): void {
    report(this.#context ?? this.namespace.definition.context, {
      cause,
      stage,
      event,
      socketId: this.id,
      namespace: this.namespace.name
    })
  }
}
