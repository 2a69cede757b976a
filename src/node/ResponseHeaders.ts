/**
 * Headers of one answer that come from several places.
 */
import type { EngineResponse } from "../engine/EngineRequest.ts"

type Headers = EngineResponse["headers"]

/** Fields that are lists: what one place says does not take back what another has said. */
const isList = (name: string): boolean => name === "set-cookie" || name === "vary"

/** The second wins, whatever the case of the names; cookies of both are set, and Vary has both. */
export const merge = (first: Headers, second: Headers): Headers => {
  const merged = new Map<string, readonly [name: string, value: string | ReadonlyArray<string>]>()
  for (const [name, value] of [...Object.entries(first), ...Object.entries(second)]) {
    const key = name.toLowerCase()
    const before = merged.get(key)
    if (before === undefined || !isList(key)) merged.set(key, [name, value])
    else merged.set(key, [name, key === "vary" ? `${String(before[1])}, ${String(value)}` : [before[1], value].flat()])
  }
  return Object.fromEntries(merged.values())
}
