/**
 * The namespaces of a server: by name, and the families that clients may call into existence.
 */
import * as Effect from "effect/Effect"
import { AdapterError } from "../../adapter/Adapter.ts"
import { type Found, NamespaceRegistry } from "../../socket/NamespaceRegistry.ts"
import type { ServerCore } from "../../socket/ServerCore.ts"
import type { ServerNamespace } from "../../socket/ServerNamespace.ts"
import type { Namespace as Contract } from "../../contract/index.ts"
import { isContract } from "./Contract.ts"
import type { AnyNamespace } from "./Namespace.ts"
import type { ParentNamespace, ParentNspNameMatchFn } from "./ParentNamespace.ts"
import type { Unchecked } from "./TypedEvents.ts"

/** A family whose types do not matter. */
export type AnyParent = ParentNamespace<Unchecked, Unchecked, Unchecked, Unchecked>

interface Family {
  readonly matches: ParentNspNameMatchFn
  /** Set where names are matched at once. */
  readonly expression: RegExp | undefined
  readonly parent: AnyParent
}

/** Told of functions that decide about names and fail. */
export type OnFailure = (error: unknown, name: string) => void

/** The registry of a facade. */
export class Registry extends NamespaceRegistry {
  readonly namespaces = new Map<string, AnyNamespace>()
  readonly #families: Array<Family> = []
  readonly #onFailure: OnFailure
  readonly #whenReady: (namespace: ServerNamespace, proceed: () => void) => void

  /** `whenReady` calls when the adapter of a namespace is there. */
  constructor(onFailure: OnFailure, whenReady: (namespace: ServerNamespace, proceed: () => void) => void) {
    // Facade namespaces make their adapters themselves.
    super(() => Effect.fail(new AdapterError({ reason: "Unsupported", operation: "make" })))
    this.#onFailure = onFailure
    this.#whenReady = whenReady
  }

  /** Adds a family: of a regular expression, of a function that decides, or of a contract. */
  addFamily(name: RegExp | ParentNspNameMatchFn | Contract.Any, parent: AnyParent): void {
    if (isContract(name)) {
      this.#families.push({
        matches: (nsp, auth, next) => next(null, name.match(nsp, auth) !== undefined),
        expression: undefined,
        parent
      })
    } else if (name instanceof RegExp) {
      this.#families.push({
        matches: (nsp, _auth, next) => next(null, name.test(nsp)),
        expression: name,
        parent
      })
    } else this.#families.push({ matches: name, expression: undefined, parent })
  }

  /** The family of a regular expression that a name belongs to. */
  familyOf(name: string): AnyParent | undefined {
    return this.#families.find(({ expression }) => expression?.test(name) === true)?.parent
  }

  override get(name: string): ServerNamespace | undefined {
    return this.namespaces.get(name)?._core
  }

  override all(): ReadonlyArray<ServerNamespace> {
    return Array.from(this.namespaces.values(), ({ _core }) => _core)
  }

  /** Families are asked one after the other, in the order of their declaration; they may take their time. */
  override resolve(_core: ServerCore, name: string, auth: unknown, done: (found: Found) => void): void {
    const found = (namespace: ServerNamespace): void => this.#whenReady(namespace, () => done(namespace))
    const ask = (index: number): void => {
      const named = this.get(name)
      if (named !== undefined) return found(named)
      const family = this.#families[index]
      if (family === undefined) return done(undefined)
      let settled = false
      const next = (error: unknown, success: boolean): void => {
        if (settled) return
        settled = true
        if ((error !== null && error !== undefined) || !success) return ask(index + 1)
        found(this.get(name) ?? family.parent.createChild(name)._core)
      }
      const failed = (error: unknown): void => {
        this.#onFailure(error, name)
        next(error, false)
      }
      try {
        const result: unknown = family.matches(name, { ...(auth as Record<string, unknown>) }, next)
        if (result instanceof Promise) result.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
    ask(0)
  }
}
