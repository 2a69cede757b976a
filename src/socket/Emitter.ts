/**
 * Events for one socket, sent in another way than usual: an immutable value, made where it is used.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Event, Namespace } from "../contract/index.ts"
import type { WriteOptions, WriteResult } from "../engine/Session.ts"
import * as DisconnectReason from "../protocol/DisconnectReason.ts"
import { SingleAck } from "./Ack.ts"
import { decodeAck, encodeArgs, type EventNameWithAck, millisOf, serverEvent } from "./Broadcast.ts"
import { reliable, type ServerSocket } from "./ServerSocket.ts"
import { type AckError, AckTimeout, Disconnected, InvalidPayload } from "./SocketError.ts"

/** Sends events to one socket. */
export interface Emitter<N extends Namespace.Any> {
  /** Dropped when the client cannot take it now. */
  readonly volatile: Emitter<N>
  /** Whether the transport may compress it. Default true. */
  compress(compress: boolean): Emitter<N>
  /** How long `emitWithAck` waits. Default: the server's `ackTimeout` (10 seconds). */
  timeout(timeout: Duration.Input): Emitter<N>
  /**
   * Sends an event and tells what became of it: written, buffered, or dropped since the socket is gone, the client busy (volatile), or
   * the arguments have no form on the wire (which is reported). "full" says that the client reads too slowly: more than the engine's
   * `maxBufferedAmount` waits for it, and it is about to be disconnected. Arguments that do not fit their schema are a defect: an `InvalidPayload`.
   */
  emit<K extends Namespace.EventName<Namespace.FromServer<N>>>(
    event: K,
    ...args: Event.Args<Namespace.FromServer<N>[K]>
  ): Effect.Effect<WriteResult>
  /**
   * Sends an event and waits for the client's answer, at most for the timeout. Fails at once with `Disconnected` when the socket goes;
   * with `InvalidPayload` when our arguments or the answer do not fit their schema.
   */
  emitWithAck<K extends EventNameWithAck<Namespace.FromServer<N>>>(
    event: K,
    ...args: Event.Args<Namespace.FromServer<N>[K]>
  ): Effect.Effect<Event.Ack<Namespace.FromServer<N>[K]>, AckError<Event.Error<Namespace.FromServer<N>[K]>>>
}

/** Sends at once. Throws what a caller got wrong: it becomes a defect of the Effect that calls this. */
export const emitNow = (
  socket: ServerSocket,
  name: string,
  args: ReadonlyArray<unknown>,
  options: WriteOptions
): WriteResult => {
  const namespace = socket.namespace
  const event = serverEvent(namespace.definition.contract, name)
  const data = Result.getOrThrow(encodeArgs(event, name, args))
  return namespace.outbox.send(socket, data, undefined, options)
}

/** Asks at once, and tells how it ended. Gives a way to stop waiting. */
export const ask = (
  socket: ServerSocket,
  name: string,
  args: ReadonlyArray<unknown>,
  options: WriteOptions,
  timeout: number | undefined
): Effect.Effect<unknown, AckError<unknown>> =>
  Effect.callback<unknown, AckError<unknown>>((resume) => {
    const { core, namespace } = socket
    if (!socket.connected) {
      resume(
        Effect.fail(socket.goneBecause ?? new Disconnected({ reason: DisconnectReason.serverNamespaceDisconnect }))
      )
      return undefined
    }
    const event = serverEvent(namespace.definition.contract, name)
    const data = encodeArgs(event, name, args)
    if (Result.isFailure(data)) {
      resume(Effect.fail(data.failure))
      return undefined
    }
    const millis = timeout ?? core.settings.ackTimeout
    const id = namespace.nextAckId()
    const ack = new SingleAck(socket, id, core.deadlines, millis, {
      reply: (wire) => resume(Effect.fromResult(decodeAck(event, name, wire))),
      disconnected: (disconnected) => resume(Effect.fail(disconnected)),
      expired: () => {
        core.counters.ackTimeouts++
        resume(Effect.fail(new AckTimeout({ event: name, timeout: millis })))
      }
    })
    const result = namespace.outbox.send(socket, data.success, id, options)
    if (result === "dropped" && !options.volatile && socket.connected) {
      // It was reported why: there is nothing on its way that could be answered.
      ack.cancel()
      resume(
        Effect.fail(new InvalidPayload({ event: name, path: [], message: "the arguments have no form on the wire" }))
      )
      return undefined
    }
    return Effect.sync(() => ack.cancel())
  })

/** The untyped value under {@link Emitter}. */
export class EmitterOperator {
  readonly #socket: ServerSocket
  readonly #options: WriteOptions
  readonly #timeout: number | undefined

  constructor(socket: ServerSocket, options: WriteOptions = reliable, timeout?: number) {
    this.#socket = socket
    this.#options = options
    this.#timeout = timeout
  }

  get volatile(): EmitterOperator {
    return new EmitterOperator(this.#socket, { ...this.#options, volatile: true }, this.#timeout)
  }

  compress(compress: boolean): EmitterOperator {
    return new EmitterOperator(this.#socket, { ...this.#options, compress }, this.#timeout)
  }

  timeout(timeout: Duration.Input): EmitterOperator {
    return new EmitterOperator(this.#socket, this.#options, millisOf(timeout))
  }

  emit(name: string, ...args: Array<unknown>): Effect.Effect<WriteResult> {
    return Effect.sync(() => emitNow(this.#socket, name, args, this.#options))
  }

  emitWithAck(name: string, ...args: Array<unknown>): Effect.Effect<unknown, AckError<unknown>> {
    return ask(this.#socket, name, args, this.#options, this.#timeout)
  }
}
