/**
 * From a client's CONNECT to its socket or its refusal: find the namespace, decode the auth, ask the middleware.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { WireRefusal } from "../contract/index.ts"
import * as DisconnectReason from "../protocol/DisconnectReason.ts"
import * as SocketPacket from "../protocol/SocketPacket.ts"
import type { Connection } from "./Connection.ts"
import * as Middleware from "./Middleware.ts"
import type { Outcome } from "./NamespaceRecovery.ts"
import * as Recovery from "./Recovery.ts"
import { report } from "./ServerCore.ts"
import type { ServerNamespace } from "./ServerNamespace.ts"
import type { ServerSocket } from "./ServerSocket.ts"
import { SocketImpl } from "./Socket.ts"
import { Disconnected } from "./SocketError.ts"

const invalidNamespace: WireRefusal = { message: "Invalid namespace" }

/** What a client is told when the server failed; what happened goes to the error sink. */
const internalError: WireRefusal = { message: "internal error" }

/** The auth of clients that send none; one object for all of them. */
const noAuth: unknown = Object.freeze({})

/** One CONNECT being decided. Synchronous unless middleware or an adapter waits for something. */
export class Admission {
  readonly connection: Connection
  readonly name: string
  #namespace: ServerNamespace | undefined = undefined
  #socket: ServerSocket | undefined = undefined
  #fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  #stopTaking: (() => void) | undefined = undefined
  #over = false

  constructor(connection: Connection, name: string) {
    this.connection = connection
    this.name = name
  }

  start(wireAuth: unknown): void {
    const { core } = this.connection
    core.registry.resolve(core, this.name, wireAuth, (found) => {
      if (this.#over) {
        if (typeof found === "object") found.checkEmpty()
        return
      }
      if (found === undefined) return this.refuse(invalidNamespace)
      if (found === "failed") return this.refuse(internalError)
      this.#authenticate(found, wireAuth)
    })
  }

  #authenticate(namespace: ServerNamespace, wireAuth: unknown): void {
    this.#namespace = namespace
    namespace.admitting++
    const { contract } = namespace.definition
    const { recovering } = namespace
    const claim = recovering === undefined ? undefined : Recovery.claimOf(wireAuth)
    const sent = claim?.auth ?? wireAuth ?? noAuth
    const auth = contract.auth.decode(sent)
    if (Exit.isFailure(auth)) {
      let message: string
      try {
        message = contract.auth.refusalMessage(auth.cause)
      } catch (defect) {
        this.#reportFailure(Cause.die(defect))
        return this.refuse(internalError)
      }
      return this.refuse({ message })
    }
    const { value } = auth
    if (claim === undefined) return this.#decide(namespace, value, sent, undefined)
    this.#stopTaking = recovering!.take(claim, (outcome) => {
      this.#stopTaking = undefined
      this.#decide(namespace, value, sent, outcome)
    })
    // It may have been decided at once.
    if (this.#socket !== undefined) this.#stopTaking = undefined
  }

  #decide(namespace: ServerNamespace, auth: unknown, sent: unknown, outcome: Outcome | undefined): void {
    const taken = outcome?._tag === "Taken" ? outcome.restored.session : undefined
    const id = taken?.sid ?? this.connection.core.makeId()
    const socket = new SocketImpl(id, this.connection, namespace, auth, sent)
    this.#socket = socket
    namespace.recovering?.prepare(socket, outcome)
    if (taken !== undefined) socket.data = Option.getOrUndefined(Exit.getSuccess(this.#dataOf(namespace, taken.data)))
    const { receiver, middleware } = namespace.definition
    if (receiver !== undefined) {
      return receiver.admit(socket, (refusal) => {
        if (this.#over) return
        if (refusal === undefined) this.#admit()
        else this.refuse(refusal)
      })
    }
    const skipped = taken !== undefined && this.connection.core.settings.recovery?.skipMiddlewares === true
    const asked = skipped ? middleware.filter(({ provides }) => provides) : middleware
    if (asked.length === 0) return this.#admit()
    const fiber = Effect.runForkWith(socket.services())(Middleware.run(asked, socket))
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return this.#decided(exit)
    this.#fiber = fiber
    fiber.addObserver((exit) => this.#decided(exit))
  }

  /** What was kept may not be what the contract says any more. */
  #dataOf({ definition }: ServerNamespace, data: unknown): Exit.Exit<unknown, unknown> {
    try {
      return definition.contract.data.decode(data)
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  #decided(exit: Exit.Exit<Context.Context<never>, Middleware.Failure>): void {
    if (this.#over) return
    if (Exit.isSuccess(exit)) {
      this.#socket!.provideServices(exit.value)
      return this.#admit()
    }
    const failure = exit.cause.reasons.find(Cause.isFailReason)?.error
    if (failure === undefined) {
      this.connection.core.counters.handlerFailures++
      this.#reportFailure(exit.cause)
      return this.refuse(internalError)
    }
    this.refuse(Middleware.toWire(failure, this.#namespace!.definition.contract))
  }

  #admit(): void {
    this.#end()
    // Of a session that was kept while its socket was there.
    this.#namespace!.sockets.get(this.#socket!.id)?.supersede("transport close", false)
    this.connection.attach(this.#socket!)
    this.#socket!.connect()
  }

  /** Answers with CONNECT_ERROR. */
  refuse(refusal: WireRefusal): void {
    if (this.#over) return
    this.#end()
    this.#socket?.close(new Disconnected({ reason: DisconnectReason.serverNamespaceDisconnect }))
    this.connection.core.counters.refused++
    const { message, data } = refusal
    const answer = (data: SocketPacket.JsonObject) =>
      this.connection.send({ type: SocketPacket.CONNECT_ERROR, nsp: this.name, data })
    const failure = answer(data === undefined ? { message } : { message, data })
    if (failure !== undefined) {
      // The client waits for an answer: better one without the data than none.
      answer({ message })
      this.#reportFailure(Cause.die(new TypeError(failure.message, { cause: failure.cause })))
    }
    this.#namespace?.checkEmpty()
  }

  /** The client has gone: nothing was connected, so nothing disconnects; middleware that still runs is interrupted. */
  abandon(disconnected: Disconnected): void {
    if (this.#over) return
    this.#end()
    this.#fiber?.interruptUnsafe()
    this.#stopTaking?.()
    this.#socket?.close(disconnected)
    this.#namespace?.checkEmpty()
  }

  #end(): void {
    this.#over = true
    if (this.#namespace !== undefined) this.#namespace.admitting--
    this.connection.settled(this)
  }

  #reportFailure(cause: Cause.Cause<unknown>): void {
    const { context } = this.#namespace!.definition
    report(context, { cause, stage: "middleware", event: undefined, socketId: this.#socket?.id, namespace: this.name })
  }
}
