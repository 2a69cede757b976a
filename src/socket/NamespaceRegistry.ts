/**
 * The namespaces of a server: those with a name, and those that come to exist when a client asks for them.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { AdapterError, LocalSockets, NamespaceAdapter } from "../adapter/Adapter.ts"
import { type NamespaceDefinition, report, type ServerCore } from "./ServerCore.ts"
import { type NamespaceObserver, ServerNamespace } from "./ServerNamespace.ts"

/** Makes the adapter of a namespace. */
export type MakeAdapter = (sockets: LocalSockets) => Effect.Effect<NamespaceAdapter, AdapterError, Scope.Scope>

/** What was found for a name: a namespace, nothing, or a namespace that could not be made. */
export type Found = ServerNamespace | undefined | "failed"

interface Family {
  readonly definition: NamespaceDefinition
  readonly scope: Scope.Scope
}

/** All namespaces of one server. */
export class NamespaceRegistry {
  readonly #named = new Map<string, ServerNamespace>()
  readonly #families: Array<Family> = []
  readonly #creating = new Map<string, Array<(found: Found) => void>>()
  readonly #watchers = new Map<string, Set<NamespaceObserver>>()
  readonly #observers = new Set<(namespace: ServerNamespace) => void>()
  readonly #makeAdapter: MakeAdapter

  constructor(makeAdapter: MakeAdapter) {
    this.#makeAdapter = makeAdapter
  }

  /** The namespace with this name, if it exists now. */
  get(name: string): ServerNamespace | undefined {
    return this.#named.get(name)
  }

  /** All that exist now, a snapshot. */
  all(): ReadonlyArray<ServerNamespace> {
    return Array.from(this.#named.values())
  }

  /** Told of each dynamic namespace that comes to exist: Socket.IO's `new_namespace`. */
  onNew(observer: (namespace: ServerNamespace) => void): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /** Observes the namespace with this name whenever there is one. */
  watch(name: string, observer: NamespaceObserver): () => void {
    let watchers = this.#watchers.get(name)
    if (watchers === undefined) this.#watchers.set(name, (watchers = new Set()))
    watchers.add(observer)
    this.#named.get(name)?.observe(observer)
    return () => {
      if (watchers.delete(observer) && watchers.size === 0 && this.#watchers.get(name) === watchers) {
        this.#watchers.delete(name)
      }
      this.#named.get(name)?.unobserve(observer)
    }
  }

  #add(namespace: ServerNamespace): void {
    this.#named.set(namespace.name, namespace)
    const watchers = this.#watchers.get(namespace.name)
    if (watchers !== undefined) for (const observer of watchers) namespace.observe(observer)
  }

  /** Adds what a program declared; it is gone with the scope. Two of the same name are a mistake of the program (a defect). */
  readonly register = (
    core: ServerCore,
    definition: NamespaceDefinition
  ): Effect.Effect<void, AdapterError, Scope.Scope> =>
    Effect.gen({ self: this }, function* () {
      const scope = yield* Effect.scope
      if (definition.contract.kind !== "static") {
        const family: Family = { definition, scope }
        this.#families.push(family)
        yield* Effect.addFinalizer(() => Effect.sync(() => this.#families.splice(this.#families.indexOf(family), 1)))
        return
      }
      const name = definition.contract.path
      if (this.#named.has(name)) return yield* Effect.die(new Error(`the namespace "${name}" is declared twice`))
      const namespace = new ServerNamespace(core, name, definition, {})
      // Reserved while the adapter is made, invisible to clients until then.
      this.#add(namespace)
      yield* Effect.addFinalizer(() => Effect.sync(() => this.#named.delete(name)))
      namespace.connect(yield* this.#makeAdapter(namespace))
    })

  /** Finds a namespace or makes it; named ones come before families, these in the order of their declaration. */
  resolve(core: ServerCore, name: string, auth: unknown, done: (found: Found) => void): void {
    const named = this.#named.get(name)
    if (named !== undefined) return done(named.adapter === undefined ? undefined : named)
    const creating = this.#creating.get(name)
    if (creating !== undefined) {
      // Whether the client may have it can depend on what it sent.
      for (const { definition } of this.#families) {
        if (definition.contract.match(name, auth) !== undefined) {
          creating.push(done)
          return
        }
      }
      return done(undefined)
    }
    for (const family of this.#families) {
      const params = family.definition.contract.match(name, auth)
      if (params !== undefined) return this.#create(core, family, name, params, done)
    }
    done(undefined)
  }

  #create(
    core: ServerCore,
    family: Family,
    name: string,
    params: Readonly<Record<string, unknown>>,
    done: (found: Found) => void
  ): void {
    const { context } = family.definition
    const scope = Scope.forkUnsafe(family.scope)
    const namespace = new ServerNamespace(core, name, family.definition, params)
    const waiting = [done]
    this.#creating.set(name, waiting)
    const settle = (exit: Exit.Exit<NamespaceAdapter, AdapterError>): void => {
      this.#creating.delete(name)
      if (Exit.isFailure(exit)) {
        Effect.runForkWith(context)(Scope.close(scope, exit))
        if (!Cause.hasInterruptsOnly(exit.cause)) {
          report(context, {
            cause: exit.cause,
            stage: "adapter",
            event: undefined,
            socketId: undefined,
            namespace: name
          })
        }
        for (const tell of waiting) tell("failed")
        return
      }
      namespace.connect(exit.value)
      this.#add(namespace)
      const remove = (): void => {
        if (this.#named.get(name) !== namespace) return
        this.#named.delete(name)
        Effect.runForkWith(context)(Scope.close(scope, Exit.void))
      }
      if (core.settings.cleanupEmptyChildNamespaces) namespace.onEmpty = remove
      // Clients that are refused one after the other must not empty it while others wait.
      namespace.admitting++
      for (const observer of this.#observers) observer(namespace)
      for (const tell of waiting) tell(namespace)
      namespace.admitting--
      namespace.checkEmpty()
    }
    // An adapter that throws instead of failing is contained, too: a client asked for this.
    const making = Effect.suspend(() => this.#makeAdapter(namespace))
    const fiber = Effect.runForkWith(context)(Scope.provide(making, scope))
    const exit = fiber.pollUnsafe()
    if (exit === undefined) fiber.addObserver(settle)
    else settle(exit)
  }
}
