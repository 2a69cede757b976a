/**
 * Listeners that get every event, with its name first: `onAny` and `onAnyOutgoing`.
 */
import type { Unchecked } from "./TypedEvents.ts"

/** A listener of all events. */
export type AnyListener = (...args: Array<Unchecked>) => void

/** Adds at the end; gives the list, which exists once somebody listens. */
export const append = (list: Array<AnyListener> | undefined, listener: AnyListener): Array<AnyListener> => [
  ...(list ?? []),
  listener
]

/** Adds at the start. */
export const prepend = (list: Array<AnyListener> | undefined, listener: AnyListener): Array<AnyListener> => [
  listener,
  ...(list ?? [])
]

/** Removes the first of a listener, or all. `undefined` when none are left. */
export const remove = (
  list: Array<AnyListener> | undefined,
  listener: AnyListener | undefined
): Array<AnyListener> | undefined => {
  if (list === undefined || listener === undefined) return undefined
  const index = list.indexOf(listener)
  const rest = index < 0 ? list : list.toSpliced(index, 1)
  return rest.length > 0 ? rest : undefined
}
