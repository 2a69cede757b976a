/**
 * One namespace of a server among the same namespace of others: what `ClusterAdapter` makes of an open bus.
 *
 * It asks the others and answers them. Everything it publishes is handed to the bus in the call that wants it, so that the order of a
 * program's emits is the order on the bus, whatever their kind; only *answers* are waited for.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Deadline, Deadlines, Expirable } from "../runtime/Deadlines.ts"
import {
  type AckReply,
  type AdapterCounters,
  AdapterError,
  type BroadcastFlags,
  type EventData,
  type LocalSockets,
  type NamespaceAdapter,
  type RecoveryStore,
  type SocketDescription,
  type Target
} from "./Adapter.ts"
import type { BusSink, ClusterBus, Published } from "./ClusterBus.ts"
import { type Body, type ClusterMessage, emitterUid, MessageType } from "./ClusterMessage.ts"
import { ClusterPeers, type PeersObserver } from "./ClusterPeers.ts"
import { ClusterRequest, type RequestHome, type RequestObserver } from "./ClusterRequest.ts"

/** Times and limits of a node; times in milliseconds. */
export interface NodeSettings {
  readonly heartbeatInterval: number
  readonly heartbeatTimeout: number
  readonly discovery: number
  readonly requestTimeout: number
  readonly maxPendingRequests: number
}

/** What a node works with. */
export interface NodeParts {
  readonly sockets: LocalSockets
  readonly uid: string
  /** Names of requests. */
  readonly nextId: () => string
  readonly deadlines: Deadlines
  readonly counters: AdapterCounters
  readonly context: Context.Context<never>
  readonly settings: NodeSettings
}

/** What came before the bus was open is kept for it, up to so many messages. */
const maxEarly = 1000

/** After a publish failed, the others are told again that we are here after so many milliseconds. */
const maxRetell = 1000

const argsOf = (answer: unknown): ReadonlyArray<unknown> => (answer === undefined ? [] : [answer])

const ignored = (): void => {}

/** A namespace on a cluster; between its construction and {@link ClusterNode.connect} it only listens. */
export class ClusterNode implements NamespaceAdapter, BusSink, RequestHome, PeersObserver {
  readonly remote = true
  readonly deadlines: Deadlines
  readonly #parts: NodeParts
  readonly #peers: ClusterPeers
  readonly #requests = new Map<string, ClusterRequest<never>>()
  readonly #fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  #bus: ClusterBus | undefined = undefined
  #early: Array<readonly [message: ClusterMessage, offset: string | undefined]> | undefined = []
  #closed = false
  /** Set while others may exist of whom nothing was heard yet. */
  #discovering: Deadline | undefined = undefined
  /** Something could not be published: others may have forgotten us by now, and we them. */
  #stale = false
  #heartbeat: Deadline | undefined = undefined

  constructor(parts: NodeParts) {
    this.#parts = parts
    this.deadlines = parts.deadlines
    this.#peers = new ClusterPeers(parts.deadlines, parts.settings.heartbeatTimeout, this)
    this.#fork = Effect.runForkWith(parts.context)
  }

  get uid(): string {
    return this.#parts.uid
  }

  /** Requests that wait for answers. */
  get pending(): number {
    return this.#requests.size
  }

  get counted(): boolean {
    return this.#bus?.membership._tag === "Counted"
  }

  /** The bus is open: tells the others, and takes what came meanwhile. */
  connect(bus: ClusterBus): void {
    this.#bus = bus
    const early = this.#early ?? []
    this.#early = undefined
    if (!this.counted) {
      this.#announce()
      this.#heartbeat = this.deadlines.set(this.#parts.settings.heartbeatInterval, this.#beat)
    }
    for (const [message, offset] of early) this.onMessage(message, offset)
  }

  /** Says goodbye, and lets go of everything. Requests that wait fail. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    if (this.#closed) return Effect.void
    const goodbye = Effect.callback<void>((resume) => {
      this.#publish({ type: MessageType.ADAPTER_CLOSE }, () => resume(Effect.void))
    })
    // A broker that does not take it any more must not hold up the shutdown.
    return Effect.asVoid(Effect.timeoutOption(goodbye, "1 second")).pipe(
      Effect.ensuring(Effect.sync(() => this.#release()))
    )
  })

  #release(): void {
    this.#closed = true
    if (this.#heartbeat !== undefined) this.deadlines.cancel(this.#heartbeat)
    if (this.#discovering !== undefined) this.deadlines.cancel(this.#discovering)
    for (const request of Array.from(this.#requests.values())) {
      request.fail(new AdapterError({ reason: "Unavailable", operation: request.operation }))
    }
  }

  // ---- who is there

  /** Tells the others that this node is here; for a while those that answer are waited for. */
  #announce(): void {
    this.#stale = false
    if (this.#discovering !== undefined) this.deadlines.cancel(this.#discovering)
    this.#discovering = this.deadlines.set(this.#parts.settings.discovery, this.#discovered)
    this.#publish({ type: MessageType.INITIAL_HEARTBEAT }, (published) => {
      if (published._tag === "Failed") this.#undiscovered(published.error)
    })
  }

  /** Nobody will answer: who else there is cannot be known. */
  #undiscovered(error: AdapterError): void {
    if (this.#discovering === undefined) return
    this.deadlines.cancel(this.#discovering)
    this.#discovering = undefined
    for (const request of Array.from(this.#requests.values())) if (!request.isComplete) request.fail(error)
  }

  readonly #beat: Expirable = {
    onDeadline: () => {
      const { heartbeatInterval } = this.#parts.settings
      const wasStale = this.#stale
      // Not only as one who is new, since those who hear of a new node do not expect answers to what they have asked before.
      this.#publish({ type: MessageType.HEARTBEAT }, ignored)
      if (wasStale) this.#announce()
      const next = this.#stale ? Math.min(maxRetell, heartbeatInterval) : heartbeatInterval
      this.#heartbeat = this.deadlines.set(next, this.#beat)
    }
  }

  readonly #discovered: Expirable = {
    onDeadline: () => {
      this.#discovering = undefined
      for (const request of Array.from(this.#requests.values())) request.complete()
    }
  }

  peerFound(uid: string, announced: boolean): void {
    // One that has announced itself only now has not heard what was asked before; all others have.
    if (announced || this.#discovering === undefined) return
    for (const request of this.#requests.values()) request.expect(uid)
  }

  peerLeft(uid: string): void {
    for (const request of Array.from(this.#requests.values())) request.left(uid)
  }

  readonly serverCount: Effect.Effect<number, AdapterError> = Effect.suspend(() => {
    const membership = this.#bus?.membership
    if (membership?._tag === "Counted") return membership.count
    const count = Effect.sync(() => 1 + this.#peers.size)
    const discovering = this.#discovering
    return discovering === undefined
      ? count
      : Effect.andThen(Effect.sleep(Math.max(discovering.due - this.deadlines.now(), 0)), count)
  })

  // ---- out

  #hand(
    hand: (bus: ClusterBus, message: ClusterMessage, done: (published: Published) => void) => void
  ): (body: Body, done: (published: Published) => void) => void {
    return (body, done) => {
      const { uid, sockets, counters } = this.#parts
      let told = false
      const settle = (published: Published): void => {
        if (told) return
        told = true
        if (published._tag === "Published") {
          counters.published++
        } else {
          counters.publishFailures++
          this.#stale ||= published.error.reason === "Unavailable"
        }
        done(published)
      }
      const bus = this.#bus
      if (bus === undefined || this.#closed) {
        return settle({ _tag: "Failed", error: new AdapterError({ reason: "Unavailable", operation: "publish" }) })
      }
      try {
        hand(bus, { uid, nsp: sockets.namespace, body }, settle)
      } catch (cause) {
        // Buses do not throw; one that does must not end the program of who emits.
        settle({ _tag: "Failed", error: new AdapterError({ reason: "Rejected", operation: "publish", cause }) })
      }
    }
  }

  readonly #publish = this.#hand((bus, message, done) => bus.publish(message, done))

  #reply(uid: string, body: Body): void {
    if (this.#closed || uid === emitterUid) return
    this.#hand((bus, message, done) => bus.publishTo(uid, message, done))(body, ignored)
  }

  #published(body: () => Body): Effect.Effect<void, AdapterError> {
    return Effect.callback<void, AdapterError>((resume) => {
      this.#publish(body(), (published) =>
        resume(published._tag === "Published" ? Effect.void : Effect.fail(published.error))
      )
    })
  }

  publish(target: Target, event: EventData, flags: BroadcastFlags): void {
    this.#publish({ type: MessageType.BROADCAST, target, event, flags, requestId: undefined }, ignored)
  }

  join(target: Target, rooms: ReadonlyArray<string>): Effect.Effect<void, AdapterError> {
    return this.#published(() => ({ type: MessageType.SOCKETS_JOIN, target, rooms }))
  }

  leave(target: Target, rooms: ReadonlyArray<string>): Effect.Effect<void, AdapterError> {
    return this.#published(() => ({ type: MessageType.SOCKETS_LEAVE, target, rooms }))
  }

  disconnect(target: Target, close: boolean): Effect.Effect<void, AdapterError> {
    return this.#published(() => ({ type: MessageType.DISCONNECT_SOCKETS, target, close }))
  }

  serverSideEmit(event: EventData): Effect.Effect<void, AdapterError> {
    return this.#published(() => ({ type: MessageType.SERVER_SIDE_EMIT, event, requestId: undefined }))
  }

  // ---- questions

  settled(id: string): void {
    this.#requests.delete(id)
  }

  /** Asks all others. The question leaves in this call; gives a way to stop waiting. */
  #ask<A>(
    operation: string,
    millis: number,
    single: boolean,
    question: (requestId: string) => Body,
    observer: RequestObserver<A>
  ): () => void {
    const { nextId, settings } = this.#parts
    if (this.#requests.size >= settings.maxPendingRequests) {
      observer.fail(new AdapterError({ reason: "Rejected", operation, cause: "too many requests wait for answers" }))
      return ignored
    }
    // Others may be back that we have forgotten while the broker was away.
    if (this.#stale && !this.counted) this.#announce()
    const id = nextId()
    const request = new ClusterRequest<A>(this, id, operation, millis, single, observer)
    this.#requests.set(id, request as ClusterRequest<never>)
    for (const uid of this.#peers.uids) request.expect(uid)
    const counting = this.#count(request)
    this.#publish(question(id), (published) => {
      if (published._tag === "Failed") request.fail(published.error)
    })
    if (!this.counted && this.#discovering === undefined) request.complete()
    return () => {
      counting?.interruptUnsafe()
      request.cancel()
    }
  }

  #count<A>(request: ClusterRequest<A>): Fiber.Fiber<void> | undefined {
    const membership = this.#bus?.membership
    if (membership?._tag !== "Counted") return undefined
    return this.#fork(
      Effect.match(membership.count, {
        onFailure: (error) => request.fail(error),
        onSuccess: (count) => request.expectCount(count - 1)
      })
    )
  }

  #answers<A>(ask: (observer: RequestObserver<A>) => () => void): Stream.Stream<A, AdapterError> {
    return Stream.callback<A, AdapterError>((queue) =>
      Effect.acquireRelease(
        Effect.sync(() =>
          ask({
            item: (item) => void Queue.offerUnsafe(queue, item),
            end: () => void Queue.endUnsafe(queue),
            fail: (error) => void Queue.failCauseUnsafe(queue, Cause.fail(error))
          })
        ),
        (cancel) => Effect.sync(cancel)
      )
    )
  }

  publishWithAcks(target: Target, event: EventData, flags: BroadcastFlags): Stream.Stream<AckReply, AdapterError> {
    const millis = flags.timeout ?? this.#parts.settings.requestTimeout
    return this.#answers((observer) =>
      this.#ask(
        "emitWithAck",
        millis,
        flags.expectSingleResponse,
        (requestId) => ({
          type: MessageType.BROADCAST,
          target,
          event,
          flags: { ...flags, timeout: millis },
          requestId
        }),
        observer
      )
    )
  }

  serverSideEmitWithAck(event: EventData, timeout: number): Stream.Stream<ReadonlyArray<unknown>, AdapterError> {
    return this.#answers((observer) =>
      this.#ask(
        "serverSideEmit",
        timeout,
        false,
        (requestId) => ({ type: MessageType.SERVER_SIDE_EMIT, event, requestId }),
        observer
      )
    )
  }

  fetchSockets(target: Target): Effect.Effect<ReadonlyArray<SocketDescription>, AdapterError> {
    return Effect.callback<ReadonlyArray<SocketDescription>, AdapterError>((resume) => {
      const sockets: Array<SocketDescription> = []
      const cancel = this.#ask<ReadonlyArray<SocketDescription>>(
        "fetchSockets",
        this.#parts.settings.requestTimeout,
        false,
        (requestId) => ({ type: MessageType.FETCH_SOCKETS, target, requestId }),
        {
          item: (some) => {
            for (const socket of some) sockets.push(socket)
          },
          end: () => resume(Effect.succeed(sockets)),
          // The answers of nodes are lists; what was asked for is one list.
          fail: (error) => resume(Effect.fail(withReceived(error, sockets)))
        }
      )
      return Effect.sync(cancel)
    })
  }

  // ---- rooms and recovery

  roomCreated(room: string): void {
    if (!this.#closed) this.#bus?.roomCreated?.(room)
  }

  roomDeleted(room: string): void {
    if (!this.#closed) this.#bus?.roomDeleted?.(room)
  }

  readonly subscribed = (room: string): Effect.Effect<void, AdapterError> =>
    Effect.suspend(() => this.#bus?.subscribed?.(room) ?? Effect.void)

  get recovery(): RecoveryStore | undefined {
    const store = this.#parts.sockets.recovery === undefined ? undefined : this.#bus?.store
    if (store === undefined) return undefined
    return (this.#store ??= {
      append: (target, event, flags, done) =>
        this.#publish({ type: MessageType.BROADCAST, target, event, flags, requestId: undefined }, (published) =>
          done(published._tag === "Published" ? published.offset : undefined)
        ),
      get position() {
        return store.position
      },
      persist: (session) => store.persist(session),
      restore: (pid, offset) => store.restore(pid, offset)
    })
  }

  #store: RecoveryStore | undefined = undefined

  // ---- in

  onMessage(message: ClusterMessage, offset: string | undefined): void {
    const { uid } = message
    if (this.#closed || uid === this.#parts.uid) return
    if (this.#early !== undefined) {
      if (this.#early.length < maxEarly) this.#early.push([message, offset])
      else this.#parts.counters.ignored++
      return
    }
    this.#parts.counters.received++
    if (!this.counted && uid !== emitterUid && message.body.type !== MessageType.ADAPTER_CLOSE) {
      this.#peers.heard(uid, message.body.type === MessageType.INITIAL_HEARTBEAT)
    }
    try {
      this.#receive(message, offset)
    } catch (defect) {
      // The sockets here do not throw; what their programs do must not end the broker's connection.
      this.#fork(Effect.logError("a message of another node could not be handled", defect))
    }
  }

  #receive({ uid, body }: ClusterMessage, offset: string | undefined): void {
    const { sockets } = this.#parts
    switch (body.type) {
      case MessageType.INITIAL_HEARTBEAT:
        if (!this.counted) this.#publish({ type: MessageType.HEARTBEAT }, ignored)
        return
      case MessageType.HEARTBEAT:
        return
      case MessageType.ADAPTER_CLOSE:
        return this.counted ? this.peerLeft(uid) : this.#peers.left(uid)
      case MessageType.BROADCAST:
        if (body.requestId !== undefined) return this.#deliverWithAcks(uid, body.requestId, body)
        return sockets.deliver(body.target, body.event, body.flags, this.#bus?.store === undefined ? undefined : offset)
      case MessageType.SOCKETS_JOIN:
        return sockets.join(body.target, body.rooms)
      case MessageType.SOCKETS_LEAVE:
        return sockets.leave(body.target, body.rooms)
      case MessageType.DISCONNECT_SOCKETS:
        return sockets.disconnect(body.target, body.close)
      case MessageType.FETCH_SOCKETS:
        return this.#reply(uid, {
          type: MessageType.FETCH_SOCKETS_RESPONSE,
          requestId: body.requestId,
          sockets: sockets.describe(body.target)
        })
      case MessageType.SERVER_SIDE_EMIT:
        return sockets.serverSideEvent(body.event, this.#answerer(uid, body.requestId))
      case MessageType.FETCH_SOCKETS_RESPONSE:
        return this.#answered("fetchSockets", body.requestId)?.answer(uid, body.sockets as never)
      case MessageType.SERVER_SIDE_EMIT_RESPONSE:
        return this.#answered("serverSideEmit", body.requestId)?.answer(uid, argsOf(body.answer) as never)
      case MessageType.BROADCAST_CLIENT_COUNT:
        return this.#answered("emitWithAck", body.requestId)?.announce(uid, body.count)
      case MessageType.BROADCAST_ACK: {
        const reply: AckReply = { socketId: body.socketId, args: argsOf(body.answer) }
        return this.#answered("emitWithAck", body.requestId)?.partial(uid, body.socketId, reply as never)
      }
    }
  }

  /** The request that an answer is for; none where it is unknown, has ended, or asked something else. */
  #answered(operation: string, id: string): ClusterRequest<never> | undefined {
    const request = this.#requests.get(id)
    return request?.operation === operation ? request : undefined
  }

  #answerer(uid: string, requestId: string | undefined): ((args: ReadonlyArray<unknown>) => void) | undefined {
    if (requestId === undefined) return undefined
    let answered = false
    return ([answer]) => {
      if (answered) return
      answered = true
      this.#reply(uid, { type: MessageType.SERVER_SIDE_EMIT_RESPONSE, requestId, answer })
    }
  }

  #deliverWithAcks(
    uid: string,
    requestId: string,
    { target, event, flags }: { readonly target: Target; readonly event: EventData; readonly flags: BroadcastFlags }
  ): void {
    this.#parts.sockets.deliverWithAcks(target, event, flags, {
      asked: (count) => this.#reply(uid, { type: MessageType.BROADCAST_CLIENT_COUNT, requestId, count }),
      reply: ({ socketId, args: [answer] }) =>
        this.#reply(uid, { type: MessageType.BROADCAST_ACK, requestId, answer, socketId }),
      done: ignored
    })
  }
}

const withReceived = (error: AdapterError, received: ReadonlyArray<SocketDescription>): AdapterError =>
  error.reason === "Timeout"
    ? new AdapterError({ reason: "Timeout", operation: error.operation, received, missing: error.missing })
    : error
