/**
 * Options as numbers; those that make no sense are refused by an `EngineError` (`Config`).
 */
import * as Duration from "effect/Duration"
import { EngineError } from "../engine/EngineError.ts"

/** A number of things, at least one. Throws for anything else. */
export const count = (name: string, value: number | undefined, fallback: number): number => {
  if (value === undefined) return fallback
  if (!(value >= 1)) throw new EngineError({ reason: "Config", message: `${name} must be at least 1` })
  return value
}

/** A duration in milliseconds. Throws for what is none. */
export const millis = (name: string, value: Duration.Input | undefined, fallback: number): number => {
  if (value === undefined) return fallback
  const duration = Duration.fromInput(value)
  const result = duration._tag === "Some" ? Duration.toMillis(duration.value) : Number.NaN
  if (!(result >= 0)) throw new EngineError({ reason: "Config", message: `${name} is no duration` })
  return result
}
