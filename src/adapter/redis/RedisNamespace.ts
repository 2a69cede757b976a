/**
 * One namespace of a server among the same namespace of others, over plain Redis Pub/Sub.
 *
 * Everything it publishes is handed to Redis in the call that wants it, so that the order of a program's emits is the order at Redis, whatever
 * their kind. What comes is hostile until it is decoded: it is ignored and counted where it is malformed, too large or for somebody else.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Deadlines } from "../../runtime/Deadlines.ts"
import {
  type AckReply,
  AdapterError,
  type BroadcastFlags,
  type EventData,
  type LocalSockets,
  type NamespaceAdapter,
  type SocketDescription,
  type Target
} from "../Adapter.ts"
import { emitterUid } from "../ClusterMessage.ts"
import type { Published } from "../ClusterBus.ts"
import * as Channels from "./RedisChannels.ts"
import * as RedisId from "./RedisId.ts"
import type { Link } from "./RedisLink.ts"
import {
  type Addressees,
  decodeBroadcast,
  decodeRequest,
  decodeResponse,
  encodeBroadcast,
  encodeDone,
  encodeIds,
  encodeRequest,
  encodeResponse,
  encodeRooms,
  type RedisParser,
  type Request,
  RequestType,
  type Response
} from "./RedisMessage.ts"
import { type Operation, RedisRequest, type RequestHome, type RequestObserver } from "./RedisRequest.ts"

/** How a namespace talks; times in milliseconds, sizes in bytes. */
export interface NamespaceSettings {
  readonly key: string
  readonly parser: RedisParser
  readonly requestsTimeout: number
  readonly publishOnSpecificResponseChannel: boolean
  readonly maxMessageSize: number
  readonly maxPendingRequests: number
}

/** What a namespace works with. */
export interface NamespaceParts {
  readonly sockets: LocalSockets
  readonly link: Link
  readonly deadlines: Deadlines
  readonly context: Context.Context<never>
  readonly settings: NamespaceSettings
}

const everybody: Target = { rooms: new Set(), except: new Set() }

const ignored = (): void => {}

const argsOf = (answer: unknown): ReadonlyArray<unknown> => (answer === undefined ? [] : [answer])

const rejected = (operation: string, cause: unknown): AdapterError =>
  new AdapterError({ reason: "Rejected", operation, cause })

/** A namespace over plain Pub/Sub. */
export class RedisNamespace implements NamespaceAdapter, RequestHome {
  readonly remote = true
  readonly uid: string = RedisId.make()
  readonly deadlines: Deadlines
  readonly #parts: NamespaceParts
  readonly #channels: Channels.PlainChannels
  readonly #requests = new Map<string, RedisRequest<never>>()
  /** The rooms that have members here: a broadcast for another room need not be read. */
  readonly #rooms = new Set<string>()
  readonly #fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  #closed = false

  constructor(parts: NamespaceParts) {
    this.#parts = parts
    this.deadlines = parts.deadlines
    this.#channels = Channels.plain(parts.settings.key, parts.sockets.namespace)
    this.#fork = Effect.runForkWith(parts.context)
  }

  /** Requests that wait for answers. */
  get pending(): number {
    return this.#requests.size
  }

  /** Subscribes, until the scope closes. */
  readonly open: Effect.Effect<void, AdapterError, Scope.Scope> = Effect.gen({ self: this }, function* () {
    const { link } = this.#parts
    const { broadcasts, request, response } = this.#channels
    yield* Effect.addFinalizer(() => Effect.sync(() => this.#release()))
    const own = Channels.below(response, this.uid)
    yield* Effect.all(
      [
        link.subscribe("pattern", broadcasts, this.#onBroadcast),
        link.subscribe("channel", request, this.#onRequest),
        link.subscribe("channel", response, this.#onResponse),
        link.subscribe("channel", own, this.#onResponse)
      ],
      { concurrency: "unbounded", discard: true }
    )
    // Sockets may have been here before.
    for (const { rooms } of this.#parts.sockets.describe(everybody)) for (const room of rooms) this.#rooms.add(room)
  })

  #release(): void {
    this.#closed = true
    for (const request of Array.from(this.#requests.values())) {
      request.fail(new AdapterError({ reason: "Unavailable", operation: request.operation }))
    }
  }

  // ---- out

  /** Publishes what `encode` gives; what has no form is a failure like any other. */
  #send(
    operation: string,
    channel: string,
    encode: () => string | Uint8Array,
    done: (published: Published) => void
  ): void {
    const { counters } = this.#parts.link
    const fail = (error: AdapterError): void => {
      counters.publishFailures++
      done({ _tag: "Failed", error })
    }
    if (this.#closed) return fail(new AdapterError({ reason: "Unavailable", operation }))
    let payload: string | Uint8Array
    try {
      payload = encode()
    } catch (cause) {
      return fail(rejected(operation, cause))
    }
    this.#parts.link.publish("channel", channel, payload, (published) => {
      if (published._tag === "Failed") return fail(published.error)
      counters.published++
      done(published)
    })
  }

  publish(target: Target, event: EventData, flags: BroadcastFlags): void {
    const { sockets, settings } = this.#parts
    const { broadcast } = this.#channels
    const { rooms } = target
    const channel = rooms.size === 1 ? Channels.below(broadcast, rooms.values().next().value!) : broadcast
    this.#send(
      "emit",
      channel,
      () => encodeBroadcast(settings.parser, this.uid, sockets.namespace, target, event, flags),
      ignored
    )
  }

  #request(operation: string, request: Request, done: (published: Published) => void): void {
    const { sockets, settings } = this.#parts
    this.#send(
      operation,
      this.#channels.request,
      () => encodeRequest(settings.parser, this.uid, sockets.namespace, request),
      done
    )
  }

  #requested(operation: string, request: Request): Effect.Effect<void, AdapterError> {
    return Effect.callback<void, AdapterError>((resume) => {
      this.#request(operation, request, (published) =>
        resume(published._tag === "Published" ? Effect.void : Effect.fail(published.error))
      )
    })
  }

  join(target: Target, rooms: ReadonlyArray<string>): Effect.Effect<void, AdapterError> {
    const addressees: Addressees = { _tag: "Target", target }
    return this.#requested("socketsJoin", { type: RequestType.REMOTE_JOIN, addressees, rooms })
  }

  leave(target: Target, rooms: ReadonlyArray<string>): Effect.Effect<void, AdapterError> {
    const addressees: Addressees = { _tag: "Target", target }
    return this.#requested("socketsLeave", { type: RequestType.REMOTE_LEAVE, addressees, rooms })
  }

  disconnect(target: Target, close: boolean): Effect.Effect<void, AdapterError> {
    const addressees: Addressees = { _tag: "Target", target }
    return this.#requested("disconnectSockets", { type: RequestType.REMOTE_DISCONNECT, addressees, close })
  }

  serverSideEmit(event: EventData): Effect.Effect<void, AdapterError> {
    return this.#requested("serverSideEmit", { type: RequestType.SERVER_SIDE_EMIT, event, requestId: undefined })
  }

  // ---- questions

  settled(id: string): void {
    this.#requests.delete(id)
  }

  /** Asks all other nodes. The question leaves in this call; gives a way to stop waiting. */
  #ask<A>(
    operation: Operation,
    millis: number,
    single: boolean,
    question: (requestId: string) => Request,
    observer: RequestObserver<A>
  ): () => void {
    const { settings } = this.#parts
    if (this.#requests.size >= settings.maxPendingRequests) {
      observer.fail(rejected(operation, "too many requests wait for answers"))
      return ignored
    }
    const id = RedisId.make()
    const request = new RedisRequest<A>(this, id, operation, millis, single, observer)
    this.#requests.set(id, request as RedisRequest<never>)
    // Counted on the connection that publishes, before it does: whoever hears the question later was not counted, and need not answer.
    const counting = this.#fork(
      Effect.match(this.serverCount, {
        onFailure: (error) => request.fail(error),
        onSuccess: (count) => request.expect(count - 1)
      })
    )
    this.#request(operation, question(id), (published) => {
      if (published._tag === "Failed") request.fail(published.error)
    })
    return () => {
      counting.interruptUnsafe()
      request.cancel()
    }
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
    const timeout = flags.timeout ?? this.#parts.settings.requestsTimeout
    return this.#answers((observer) =>
      this.#ask(
        "emitWithAck",
        timeout,
        flags.expectSingleResponse,
        (requestId) => ({ type: RequestType.BROADCAST, requestId, target, event, flags: { ...flags, timeout } }),
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
        (requestId) => ({ type: RequestType.SERVER_SIDE_EMIT, event, requestId }),
        observer
      )
    )
  }

  fetchSockets(target: Target): Effect.Effect<ReadonlyArray<SocketDescription>, AdapterError> {
    return Effect.callback<ReadonlyArray<SocketDescription>, AdapterError>((resume) => {
      const sockets: Array<SocketDescription> = []
      const cancel = this.#ask<ReadonlyArray<SocketDescription>>(
        "fetchSockets",
        this.#parts.settings.requestsTimeout,
        false,
        (requestId) => ({ type: RequestType.REMOTE_FETCH, requestId, target }),
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

  readonly serverCount: Effect.Effect<number, AdapterError> = Effect.suspend(() =>
    this.#parts.link.subscribers("channel", this.#channels.request)
  )

  // ---- rooms: one pattern hears them all

  roomCreated(room: string): void {
    this.#rooms.add(room)
  }

  roomDeleted(room: string): void {
    this.#rooms.delete(room)
  }

  readonly subscribed = (): Effect.Effect<void, AdapterError> => Effect.void

  // ---- in

  /** Counts what is not for us. */
  #ignore(): void {
    this.#parts.link.counters.ignored++
  }

  /** Whether a message is small enough to be read. */
  #accepts(payload: Uint8Array): boolean {
    if (this.#closed) return false
    if (payload.length <= this.#parts.settings.maxMessageSize) return true
    this.#ignore()
    return false
  }

  /** The sockets here do not throw; what their programs do must not end the connection to Redis. */
  #guarded(act: () => void): void {
    this.#parts.link.counters.received++
    try {
      act()
    } catch (defect) {
      this.#fork(Effect.logError("a message of another node could not be handled", defect))
    }
  }

  readonly #onBroadcast = (payload: Uint8Array, channel: string): void => {
    if (!this.#accepts(payload)) return
    const { sockets, settings } = this.#parts
    const room = Channels.nameBelow(this.#channels.broadcast, channel)
    if (room === undefined) return this.#ignore()
    if (room !== "" && !this.#rooms.has(room)) return
    const message = decodeBroadcast(settings.parser, payload, sockets.namespace)
    if (message === undefined) return this.#ignore()
    if (message.uid === this.uid) return
    this.#guarded(() => sockets.deliver(message.target, message.event, message.flags))
  }

  readonly #onRequest = (payload: Uint8Array): void => {
    if (!this.#accepts(payload)) return
    const { sockets, settings } = this.#parts
    const message = decodeRequest(settings.parser, payload, sockets.namespace)
    if (message === undefined) return this.#ignore()
    const { uid, request } = message
    // What we ask all nodes for, our namespace has done here before it asked.
    if (uid === this.uid) return
    this.#guarded(() => this.#perform(uid, request))
  }

  #perform(uid: string, request: Request): void {
    const { sockets, settings } = this.#parts
    const { parser } = settings
    switch (request.type) {
      case RequestType.SOCKETS:
        return this.#respond(uid, () => encodeIds(request.requestId, sockets.describe(request.target)))
      case RequestType.ALL_ROOMS:
        return this.#respond(uid, () => {
          const rooms = new Set(sockets.describe(everybody).flatMap((socket) => socket.rooms))
          return encodeRooms(request.requestId, rooms)
        })
      case RequestType.REMOTE_JOIN:
        return this.#act(uid, request.addressees, (target) => sockets.join(target, request.rooms))
      case RequestType.REMOTE_LEAVE:
        return this.#act(uid, request.addressees, (target) => sockets.leave(target, request.rooms))
      case RequestType.REMOTE_DISCONNECT:
        return this.#act(uid, request.addressees, (target) => sockets.disconnect(target, request.close))
      case RequestType.REMOTE_FETCH: {
        const { requestId, target } = request
        return this.#reply(uid, { _tag: "Sockets", requestId, sockets: sockets.describe(target) })
      }
      case RequestType.SERVER_SIDE_EMIT: {
        const { requestId, event } = request
        if (requestId === undefined) return sockets.serverSideEvent(event, undefined)
        let answered = false
        return sockets.serverSideEvent(event, ([answer]) => {
          if (answered) return
          answered = true
          // Official nodes, too, answer this one on the channel of all.
          const response: Response = { _tag: "ServerSideEmit", requestId, answer }
          this.#send("reply", this.#channels.response, () => encodeResponse(parser, response), ignored)
        })
      }
      case RequestType.BROADCAST: {
        const { requestId, target, event, flags } = request
        return sockets.deliverWithAcks(target, event, flags, {
          asked: (count) => this.#reply(uid, { _tag: "ClientCount", requestId, count }),
          reply: ({ socketId, args: [answer] }) => this.#reply(uid, { _tag: "Ack", requestId, answer, socketId }),
          done: ignored
        })
      }
    }
  }

  /** Does something to the sockets that are meant. Nodes before version 7 name one socket, and want to hear from the node that has it. */
  #act(uid: string, addressees: Addressees, act: (target: Target) => void): void {
    if (addressees._tag === "Target") return act(addressees.target)
    const { id, requestId } = addressees
    const members = this.#parts.sockets.describe({ rooms: new Set([id]), except: new Set() })
    if (!members.some((socket) => socket.id === id)) return
    // Others may have joined the room that is named after this socket.
    act({ rooms: new Set([id]), except: new Set(members.map((socket) => socket.id).filter((other) => other !== id)) })
    if (requestId !== undefined) this.#respond(uid, () => encodeDone(requestId))
  }

  #reply(uid: string, response: Response): void {
    this.#respond(uid, () => encodeResponse(this.#parts.settings.parser, response))
  }

  #respond(uid: string, encode: () => string | Uint8Array): void {
    if (this.#closed) return
    const { response } = this.#channels
    const specific = this.#parts.settings.publishOnSpecificResponseChannel && uid !== emitterUid
    this.#send("reply", specific ? Channels.below(response, uid) : response, encode, ignored)
  }

  readonly #onResponse = (payload: Uint8Array): void => {
    // All nodes hear the answers to all questions: most are not for us.
    if (this.#requests.size === 0 || !this.#accepts(payload)) return
    const response = decodeResponse(this.#parts.settings.parser, payload)
    if (response === undefined) return this.#ignore()
    const request = this.#requests.get(response.requestId)
    if (request === undefined) return
    this.#guarded(() => this.#take(request, response))
  }

  #take(request: RedisRequest<never>, response: Response): void {
    const { operation } = request
    if (response._tag === "Sockets" && operation === "fetchSockets") {
      return request.answer(response.sockets as never)
    }
    if (response._tag === "ServerSideEmit" && operation === "serverSideEmit") {
      return request.answer(argsOf(response.answer) as never)
    }
    if (response._tag === "ClientCount" && operation === "emitWithAck") return request.announce(response.count)
    if (response._tag === "Ack" && operation === "emitWithAck") {
      const reply: AckReply = { socketId: response.socketId, args: argsOf(response.answer) }
      if (request.partial(reply as never)) return
    }
    this.#ignore()
  }
}

const withReceived = (error: AdapterError, received: ReadonlyArray<SocketDescription>): AdapterError =>
  error.reason === "Timeout"
    ? new AdapterError({ reason: "Timeout", operation: error.operation, received, missing: error.missing })
    : error
