/**
 * Runs user Effects from synchronous callbacks.
 *
 * Effects that are finished already cost nothing, those that finish synchronously never touch the scope, and those that suspend
 * are interrupted when the scope closes. A failure, defect or interruption never escapes: it reaches `onExit`.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

/** Runs an effect that needs `R`; tells `onExit` how it ended, synchronously where it ended synchronously. */
export type Runner<R> = <A, E>(
  effect: Effect.Effect<A, E, R>,
  scope: Scope.Scope,
  onExit: (exit: Exit.Exit<A, E>) => void
) => void

/** A runner with the services of the context. */
export const make = <R>(context: Context.Context<R>): Runner<R> => {
  const fork = Effect.runForkWith(context)
  return <A, E>(effect: Effect.Effect<A, E, R>, scope: Scope.Scope, onExit: (exit: Exit.Exit<A, E>) => void): void => {
    if (Exit.isExit(effect)) return onExit(effect as Exit.Exit<A, E>)
    const fiber = fork(effect)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return onExit(exit)
    Fiber.runIn(fiber, scope).addObserver(onExit)
  }
}
