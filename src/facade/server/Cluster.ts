/**
 * An adapter of the Effect API under the namespaces of the facade: the way to other nodes.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Adapter, type AdapterError, type EventData, type NamespaceAdapter } from "../../adapter/Adapter.ts"
import type { NamespaceObserver, ServerNamespace } from "../../socket/ServerNamespace.ts"
import type { AckCallback } from "./Acks.ts"

/** The layer of an adapter. */
export type AdapterLayer = Layer.Layer<Adapter, unknown>

/** Told of what fails, with the namespace. */
export type OnFailure = (error: unknown, namespace: string) => void

/** Called with an event of another node; the answer is wanted where there is a `reply`. */
export type OnServerSideEvent = (data: EventData["data"], reply: AckCallback | undefined) => void

/** Makes the adapter of each namespace from one layer. A namespace takes clients once its adapter is there, or could not be made. */
export class Cluster {
  readonly #runtime: ManagedRuntime.ManagedRuntime<Adapter, unknown>
  readonly #onFailure: OnFailure
  readonly #scopes = new Map<ServerNamespace, Scope.Closeable>()
  readonly #waiting = new Map<ServerNamespace, Array<() => void>>()
  readonly #observers = new Map<ServerNamespace, NamespaceObserver>()

  constructor(layer: AdapterLayer, onFailure: OnFailure) {
    this.#runtime = ManagedRuntime.make(layer)
    this.#onFailure = onFailure
  }

  /** Makes the adapter of a namespace. */
  connect(core: ServerNamespace, onServerSideEvent: OnServerSideEvent): void {
    const scope = Scope.makeUnsafe()
    this.#scopes.set(core, scope)
    this.#waiting.set(core, [])
    const observer: NamespaceObserver = {
      serverSideEvent: ({ data }, reply) =>
        onServerSideEvent(data, reply === undefined ? undefined : (...args) => reply(args))
    }
    core.observe(observer)
    this.#observers.set(core, observer)
    const making = Effect.flatMap(Adapter, (adapter) => adapter.make(core))
    this.#runtime.runFork(Scope.provide(making, scope)).addObserver((exit) => {
      const waiting = this.#waiting.get(core) ?? []
      this.#waiting.delete(core)
      if (Exit.isSuccess(exit)) core.connect(exit.value)
      else if (!Cause.hasInterruptsOnly(exit.cause)) {
        // Whoever made the server has had time to listen then.
        queueMicrotask(() => this.#onFailure(Cause.squash(exit.cause), core.name))
      }
      for (const proceed of waiting) proceed()
    })
  }

  /** Calls when the adapter of a namespace is there. */
  whenReady(core: ServerNamespace, proceed: () => void): void {
    const waiting = this.#waiting.get(core)
    if (waiting === undefined) proceed()
    else waiting.push(proceed)
  }

  /** A namespace is gone. */
  async disconnect(core: ServerNamespace): Promise<void> {
    const scope = this.#scopes.get(core)
    this.#scopes.delete(core)
    const observer = this.#observers.get(core)
    if (observer !== undefined) core.unobserve(observer)
    this.#observers.delete(core)
    if (scope !== undefined) await Effect.runPromise(Scope.close(scope, Exit.void))
  }

  /** All are. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#scopes.keys(), (core) => this.disconnect(core)))
    await this.#runtime.dispose()
  }
}

/** The adapter of a namespace, where there may be other nodes. */
export const remoteOf = (core: ServerNamespace): NamespaceAdapter | undefined =>
  core.adapter?.remote === true ? core.adapter : undefined

/** Runs what an adapter does and nobody waits for; failures are told. */
export const runAside = (
  context: Context.Context<never>,
  effect: Effect.Effect<unknown, AdapterError>,
  failed: (error: unknown) => void
): void => {
  Effect.runForkWith(context)(effect).addObserver((exit) => {
    if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) failed(Cause.squash(exit.cause))
  })
}

/** Collects what other nodes answer; `done` gets an error or `null`. */
export const collect = <A>(
  context: Context.Context<never>,
  stream: Stream.Stream<A, AdapterError>,
  each: (item: A) => void,
  done: (error: AdapterError | null) => void
): void => {
  const running = Stream.runForEach(stream, (item) => Effect.sync(() => each(item)))
  Effect.runForkWith(context)(running).addObserver((exit) => {
    if (Exit.isSuccess(exit)) return done(null)
    done(Cause.squash(exit.cause) as AdapterError)
  })
}

/** Asks the other nodes. The callback gets an error or `null`, and an answer of each. */
export const askServers = (
  context: Context.Context<never>,
  adapter: NamespaceAdapter,
  data: EventData["data"],
  timeout: number,
  reply: AckCallback
): void => {
  const responses: Array<unknown> = []
  const servers = Effect.orElseSucceed(adapter.serverCount, () => 1)
  Effect.runForkWith(context)(servers).addObserver((count) => {
    const expected = Exit.isSuccess(count) ? count.value - 1 : 0
    collect(
      context,
      adapter.serverSideEmitWithAck({ data }, timeout),
      (args) => responses.push(args[0]),
      (error) => {
        if (error === null) return reply(null, responses)
        const message = `timeout reached: only ${responses.length} responses received out of ${expected}`
        reply(error.reason === "Timeout" ? new Error(message, { cause: error }) : error, responses)
      }
    )
  })
}

/** Waits for the subscriptions of rooms. */
export const subscribed = (
  adapter: NamespaceAdapter,
  rooms: ReadonlyArray<string>
): Effect.Effect<void, AdapterError> => Effect.forEach(rooms, (room) => adapter.subscribed(room), { discard: true })
