/**
 * One namespace of the Effect client: between the machine's socket and the handlers, subscriptions and waiters of the program.
 *
 * From the packet to the handler it is plain synchronous code: one lookup, one decode, at most one fiber.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { Event, Namespace } from "../contract/index.ts"
import type { PayloadIssue } from "../contract/PayloadIssue.ts"
import type { AckWaiter, PendingAck } from "../protocol/ClientAck.ts"
import type { AuthData, ClientError, ClientSocketSink } from "../protocol/ClientHost.ts"
import type { ClientSocket, ClientSocketOptions, EmitOptions, EmitResult } from "../protocol/ClientSocket.ts"
import type { ClientDisconnectReason } from "../protocol/DisconnectReason.ts"
import * as DisconnectReason from "../protocol/DisconnectReason.ts"
import * as Runner from "../runtime/Runner.ts"
import {
  AckTimeout,
  type AckError,
  type ConnectFailed,
  ConnectRefused,
  Disconnected,
  HandlerFailed,
  InvalidPayload
} from "./ClientError.ts"
import * as ConnectionState from "./ConnectionState.ts"
import { connectFailed, type ManagerImpl, type ManagerListener } from "./Manager.ts"

/** An event as it came or went, its arguments not decoded. */
export interface Packet {
  readonly event: string
  readonly args: ReadonlyArray<unknown>
}

/** Takes items one by one. */
export interface Subscriber<A> {
  offer(item: A): void
  /** Nothing comes any more. */
  end(): void
}

/** What became of an event: sent, buffered until there is a connection, or dropped since it was volatile. */
export type EmitOutcome = "sent" | "buffered" | "dropped"

/** The answer that the server waits for. Several handlers may share it: the first one that ends well gives it. */
interface Reply {
  readonly id: number
  readonly session: number
  done: boolean
}

/** A handler, with where and how it runs. */
interface Handler {
  readonly handle: (...args: Array<unknown>) => Effect.Effect<unknown, unknown, never>
  readonly run: Runner.Runner<never>
  readonly scope: Scope.Scope
  /** Only for events of bounded concurrency. */
  readonly lane: Lane | undefined
}

/** The calls of a handler that may not all run at once. */
interface Lane {
  readonly limit: number
  running: number
  advancing: boolean
  readonly waiting: Array<() => void>
}

/** Whoever listens to one event. */
interface Listeners {
  readonly event: Event.Any
  readonly handlers: Set<Handler>
  readonly subscribers: Set<Subscriber<ReadonlyArray<unknown>>>
}

const longestReportedName = 100

const reportedName = (name: unknown): string => String(name).slice(0, longestReportedName)

/** The contract's own words may come from a function that throws. */
const messageOfAuth = (
  namespace: Namespace.Any,
  cause: Parameters<Namespace.Any["auth"]["refusalMessage"]>[0]
): string => {
  try {
    return namespace.auth.refusalMessage(cause)
  } catch {
    return "invalid auth"
  }
}

const unknownEvent: PayloadIssue = { path: [], message: "no such event" }

/** What to authenticate with, found out anew for each attempt. */
export type AuthSource = Effect.Effect<unknown, unknown>

/** What a driver is made of. */
export interface DriverParts {
  readonly manager: ManagerImpl
  readonly namespace: Namespace.Any
  readonly name: string
  readonly auth: AuthSource
  readonly options: ClientSocketOptions
}

/** @internal */
export class SocketDriver implements ClientSocketSink, ManagerListener {
  readonly manager: ManagerImpl
  readonly socket: ClientSocket
  readonly namespace: Namespace.Any
  /** Who follows the states. */
  readonly followers = new Set<Subscriber<ConnectionState.ConnectionState>>()
  readonly incoming = new Set<Subscriber<Packet>>()
  readonly outgoing = new Set<Subscriber<Packet>>()
  readonly transports = new Set<Subscriber<string | undefined>>()
  state: ConnectionState.ConnectionState = {
    _tag: "Disconnected",
    reason: DisconnectReason.ioClientDisconnect,
    description: undefined
  }
  readonly #auth: AuthSource
  readonly #listeners = new Map<unknown, Listeners>()
  readonly #run: Runner.Runner<never>
  #authFailure: { readonly error: unknown } | undefined = undefined

  constructor(parts: DriverParts) {
    this.manager = parts.manager
    this.namespace = parts.namespace
    this.#auth = parts.auth
    this.#run = Runner.make(parts.manager.context)
    this.socket = parts.manager.machine.socket(parts.name, parts.options, () => this)
    parts.manager.listeners.add(this)
  }

  get closed(): boolean {
    return this.state._tag === "Closed"
  }

  /** The end of this namespace. */
  close(): void {
    if (this.closed) return
    this.manager.machine.remove(this.socket)
    this.manager.listeners.delete(this)
    this.#setState(ConnectionState.closed)
    for (const set of [this.followers, this.incoming, this.outgoing, this.transports]) {
      for (const subscriber of [...set]) subscriber.end()
    }
    for (const { subscribers } of this.#listeners.values()) for (const subscriber of [...subscribers]) subscriber.end()
    this.#listeners.clear()
  }

  #setState(state: ConnectionState.ConnectionState): void {
    this.state = state
    for (const follower of [...this.followers]) follower.offer(state)
  }

  // --- the connection

  /** Wants a connection from now on. */
  connect(): void {
    const before = this.state
    this.socket.connect()
    // A socket whose attempts have ended still wanted one.
    if (before._tag === "GaveUp" && this.state === before) this.#setState(ConnectionState.connecting)
  }

  onConnecting(): void {
    this.#authFailure = undefined
    this.#setState(ConnectionState.connecting)
  }

  onAttempt(): void {
    if (this.socket.active) this.#setState(ConnectionState.connecting)
  }

  onConnect(id: string, recovered: boolean): void {
    this.#setState({ _tag: "Connected", id, recovered })
  }

  onConnectError(error: ClientError): void {
    switch (error.kind) {
      case "refused":
        return this.#setState({ _tag: "Refused", error: this.#refusal(error) })
      case "auth":
        return this.#setState({
          _tag: "AuthFailed",
          error: this.#authFailure === undefined ? connectFailed(error) : this.#authFailure.error
        })
      case "protocol":
        return this.#setState({ _tag: "GaveUp", error: connectFailed(error) })
      case "transport":
        // What follows tells it: another attempt, or the end of them.
        return
    }
  }

  #refusal(error: ClientError): ConnectRefused {
    const { message, data } = error
    const decoded = this.namespace.refusal.decode(data === undefined ? { message } : { message, data })
    const refusal = Exit.isSuccess(decoded) ? decoded.value : undefined
    return new ConnectRefused({ message, data, refusal })
  }

  onWaiting(attempt: number, delay: number, error: ConnectFailed): void {
    if (this.socket.active) this.#setState({ _tag: "Waiting", attempt, delay, error })
  }

  onGaveUp(error: ConnectFailed): void {
    if (this.socket.active) this.#setState({ _tag: "GaveUp", error })
  }

  onTransport(name: string | undefined): void {
    for (const subscriber of [...this.transports]) subscriber.offer(name)
  }

  onDisconnect(reason: ClientDisconnectReason, description: unknown): void {
    this.#setState({ _tag: "Disconnected", reason, description })
  }

  authenticate(attempt: number): void {
    this.#run(this.#auth, this.manager.scope, (exit) => {
      if (Exit.isFailure(exit)) {
        const error = Cause.squash(exit.cause)
        this.#authFailure = { error }
        return this.socket.authFailed(attempt, { kind: "auth", message: "auth failed", description: error })
      }
      const encoded = this.namespace.auth.encode(exit.value)
      if (Exit.isSuccess(encoded)) return this.socket.authenticated(attempt, encoded.value as AuthData)
      const message = messageOfAuth(this.namespace, encoded.cause)
      this.#authFailure = { error: new InvalidPayload({ event: "connect", path: [], message }) }
      this.socket.authFailed(attempt, { kind: "auth", message })
    })
  }

  // --- events from the server

  listenersOf(name: string): Listeners | undefined {
    const existing = this.#listeners.get(name)
    if (existing !== undefined) return existing
    const event = this.namespace.serverEvent(name)
    if (event === undefined) return undefined
    const listeners: Listeners = { event, handlers: new Set(), subscribers: new Set() }
    this.#listeners.set(name, listeners)
    return listeners
  }

  addHandler(
    listeners: Listeners,
    handle: Handler["handle"],
    run: Runner.Runner<never>,
    scope: Scope.Scope
  ): () => void {
    const { concurrency } = listeners.event
    const lane =
      concurrency === "unbounded" ? undefined : { limit: concurrency, running: 0, advancing: false, waiting: [] }
    const handler: Handler = { handle, run, scope, lane }
    listeners.handlers.add(handler)
    return () => {
      listeners.handlers.delete(handler)
      if (lane !== undefined) lane.waiting.length = 0
    }
  }

  onEvent(data: ReadonlyArray<unknown>, id: number | undefined): void {
    const name = data[0]
    if (this.incoming.size > 0) this.#tell(this.incoming, data)
    const listeners = this.#listeners.get(name)
    const event = listeners === undefined ? this.namespace.serverEvent(name) : listeners.event
    if (event === undefined) return this.#invalid(name, undefined, unknownEvent, id)
    if (listeners === undefined) return
    const { handlers, subscribers } = listeners
    if (handlers.size === 0 && subscribers.size === 0) return
    const decoded = this.#decode(event, data.slice(1), id)
    if (Exit.isFailure(decoded)) return this.#invalid(name, event, event.codec.issueOf(decoded.cause), id)
    const args = decoded.value
    for (const subscriber of subscribers) subscriber.offer(args)
    if (handlers.size === 0) return
    const reply = id === undefined ? undefined : { id, session: this.socket.session, done: false }
    for (const handler of handlers) this.#call(event, reportedName(name), handler, args, reply)
  }

  /** Official servers put the offset of an event behind its arguments, where a contract has none. */
  #decode(
    event: Event.Any,
    args: ReadonlyArray<unknown>,
    id: number | undefined
  ): ReturnType<Event.Any["codec"]["decodeArgs"]> {
    const decoded = event.codec.decodeArgs(args)
    if (Exit.isSuccess(decoded) || id !== undefined || !this.socket.mayTrailOffset) return decoded
    if (typeof args.at(-1) !== "string") return decoded
    const without = event.codec.decodeArgs(args.slice(0, -1))
    return Exit.isSuccess(without) ? without : decoded
  }

  get watchesOutgoing(): boolean {
    return this.outgoing.size > 0
  }

  onOutgoing(data: ReadonlyArray<unknown>): void {
    this.#tell(this.outgoing, data)
  }

  #tell(subscribers: ReadonlySet<Subscriber<Packet>>, data: ReadonlyArray<unknown>): void {
    const packet: Packet = { event: String(data[0]), args: data.slice(1) }
    for (const subscriber of [...subscribers]) subscriber.offer(packet)
  }

  #call(event: Event.Any, name: string, handler: Handler, args: Array<unknown>, reply: Reply | undefined): void {
    const { lane } = handler
    const start = (): void => {
      let effect: Effect.Effect<unknown, unknown>
      try {
        effect = handler.handle(...args)
      } catch (defect) {
        effect = Effect.die(defect)
      }
      handler.run(effect, handler.scope, (exit) => {
        this.#finish(event, name, handler.scope, reply, exit)
        if (lane === undefined) return
        lane.running--
        advance(lane)
      })
    }
    if (lane === undefined) return start()
    lane.waiting.push(start)
    advance(lane)
  }

  #finish(
    event: Event.Any,
    name: string,
    scope: Scope.Scope,
    reply: Reply | undefined,
    exit: Exit.Exit<unknown, unknown>
  ): void {
    const { codec } = event
    if (Exit.isSuccess(exit)) {
      if (reply === undefined || reply.done) return
      const answer = codec.encodeAck(exit.value)
      if (Exit.isSuccess(answer)) return this.#reply(name, reply, answer.value, codec.ackHasBinary)
      return this.#failed(
        event,
        name,
        reply,
        Cause.fail(new InvalidPayload({ event: name, ...codec.issueOf(answer.cause) }))
      )
    }
    // Whoever listened does not any more.
    if (scope.state._tag === "Closed" && Cause.hasInterruptsOnly(exit.cause)) return
    if (reply !== undefined) {
      for (const reason of exit.cause.reasons) {
        if (!Cause.isFailReason(reason)) continue
        const answer = codec.encodeAckFailure(reason.error)
        if (answer === undefined || Exit.isFailure(answer)) continue
        if (!reply.done) this.#reply(name, reply, answer.value, codec.ackHasBinary)
        return
      }
    }
    this.#failed(event, name, reply, exit.cause)
  }

  #failed(event: Event.Any, name: string, reply: Reply | undefined, cause: Cause.Cause<unknown>): void {
    const answer = reply === undefined || reply.done ? undefined : event.codec.encodeHandlerFailed(name)
    if (reply !== undefined && answer !== undefined) this.#reply(name, reply, answer, false)
    this.#report("event", name, cause)
  }

  #invalid(name: unknown, event: Event.Any | undefined, issue: PayloadIssue, id: number | undefined): void {
    const reported = reportedName(name)
    const answer = id === undefined ? undefined : event?.codec.encodeInvalidPayload(reported, issue)
    if (id !== undefined && answer !== undefined) {
      this.#reply(reported, { id, session: this.socket.session, done: false }, answer, false)
    }
    this.#report("packet", reported, Cause.fail(new InvalidPayload({ event: reported, ...issue })))
  }

  #reply(name: string, reply: Reply, args: ReadonlyArray<unknown>, mayHaveBinary: boolean): void {
    reply.done = true
    const failure = this.socket.reply(reply.session, reply.id, args, mayHaveBinary ? undefined : false)
    if (failure === undefined) return
    this.#report("event", name, Cause.fail(new InvalidPayload({ event: name, path: [], message: failure.message })))
  }

  #report(stage: "event" | "packet", event: string, cause: Cause.Cause<unknown>): void {
    this.manager.report({ cause, stage, event, namespace: this.socket.nsp })
  }

  // --- events to the server

  /** Encodes and sends; with a waiter the answer is waited for. */
  emit(name: string, args: Array<unknown>, flags: EmitFlags, waiter?: AckWaiter): EmitOutcome | InvalidPayload {
    const event = this.namespace.clientEvent(name)
    if (event === undefined) return new InvalidPayload({ event: name, ...unknownEvent })
    const { codec } = event
    const encoded = codec.encodeArgs(args)
    if (Exit.isFailure(encoded)) return new InvalidPayload({ event: name, ...codec.issueOf(encoded.cause) })
    const options = codec.argsHaveBinary ? flags.searched : flags.plain
    const result: EmitResult = this.socket.emit([name, ...encoded.value], options, waiter, flags.timeout)
    return typeof result === "string" ? result : new InvalidPayload({ event: name, path: [], message: result.message })
  }

  ask(name: string, args: Array<unknown>, flags: EmitFlags): Effect.Effect<unknown, AckError<unknown>> {
    return Effect.callback<unknown, AckError<unknown>>((resume) => {
      if (this.closed) {
        resume(Effect.fail(new Disconnected({ reason: DisconnectReason.ioClientDisconnect })))
        return undefined
      }
      const waiter = new Waiter(
        this,
        name,
        flags.timeout ?? this.socket.options.ackTimeout ?? Number.POSITIVE_INFINITY,
        resume
      )
      const result = this.emit(name, args, flags, waiter)
      if (typeof result !== "string") {
        resume(Effect.fail(result))
        return undefined
      }
      return Effect.sync(() => this.socket.cancelAck(waiter))
    })
  }
}

/** How events are sent, for arguments that are searched for binary and for those that cannot have any. */
export interface EmitFlags {
  readonly searched: EmitOptions
  readonly plain: EmitOptions
  /** Milliseconds to wait for an answer. */
  readonly timeout: number | undefined
}

class Waiter implements AckWaiter {
  pending: PendingAck | undefined = undefined
  readonly #driver: SocketDriver
  readonly #event: string
  readonly #timeout: number
  readonly #resume: (effect: Effect.Effect<unknown, AckError<unknown>>) => void

  constructor(
    driver: SocketDriver,
    event: string,
    timeout: number,
    resume: (effect: Effect.Effect<unknown, AckError<unknown>>) => void
  ) {
    this.#driver = driver
    this.#event = event
    this.#timeout = timeout
    this.#resume = resume
  }

  onAck(args: ReadonlyArray<unknown>): void {
    const event = this.#event
    const { codec } = this.#driver.namespace.clientEvent(event)!
    const decoded = codec.decodeAck(args)
    if (Exit.isFailure(decoded)) {
      return this.#resume(Effect.fail(new InvalidPayload({ event, ...codec.issueOf(decoded.cause) })))
    }
    const reply = decoded.value
    switch (reply._tag) {
      case "Success":
        return this.#resume(Effect.succeed(reply.value))
      case "Failure":
        return this.#resume(Effect.fail(reply.error))
      case "InvalidPayload":
        return this.#resume(
          Effect.fail(new InvalidPayload({ event: reply.event, path: reply.path, message: reply.message }))
        )
      case "HandlerFailed":
        return this.#resume(Effect.fail(new HandlerFailed({ event: reply.event })))
    }
  }

  onTimeout(): void {
    this.#resume(Effect.fail(new AckTimeout({ event: this.#event, timeout: this.#timeout })))
  }

  onDisconnect(reason: ClientDisconnectReason): void {
    this.#resume(Effect.fail(new Disconnected({ reason })))
  }
}

/** Starts the next calls, in a loop: those that end at once must not grow the stack. */
const advance = (lane: Lane): void => {
  if (lane.advancing) return
  lane.advancing = true
  while (lane.running < lane.limit) {
    const start = lane.waiting.shift()
    if (start === undefined) break
    lane.running++
    start()
  }
  lane.advancing = false
}
