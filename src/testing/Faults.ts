/**
 * What may be wrong with the in-memory network, and for whom.
 */
import type { LineConditions } from "./Wire.ts"

/** Which connections are meant: those to a server, by the host in its URL, those of a client, by its name, or all. */
export interface Selector {
  readonly server?: string | undefined
  readonly client?: string | undefined
}

/** One direction of traffic. */
export type Direction = "toServer" | "toClient"

/** A value for each direction; a missing one is left as it was. */
export interface PerDirection<A> {
  readonly toServer?: A | undefined
  readonly toClient?: A | undefined
}

type Rule =
  | { readonly _tag: "Latency"; readonly direction: Direction; readonly millis: number }
  | { readonly _tag: "Bandwidth"; readonly direction: Direction; readonly bytesPerSecond: number }
  | { readonly _tag: "Frozen"; readonly direction: Direction }
  | { readonly _tag: "Refused" }

/** The rules in force; later ones win. */
export interface Faults {
  add(selector: Selector, rule: Rule): void
  /** Forgets frozen lines and refusals that were set for connections within the selector. */
  heal(selector: Selector): void
  refused(server: string, client: string): boolean
  conditions(server: string, client: string, direction: Direction): LineConditions
}

/** Whether a connection is meant. */
export const selects = (selector: Selector, server: string, client: string): boolean =>
  (selector.server === undefined || selector.server === server) &&
  (selector.client === undefined || selector.client === client)

const within = (inner: Selector, outer: Selector): boolean =>
  (outer.server === undefined || outer.server === inner.server) &&
  (outer.client === undefined || outer.client === inner.client)

const sameSelector = (a: Selector, b: Selector): boolean => a.server === b.server && a.client === b.client

const sameKind = (a: Rule, b: Rule): boolean =>
  a._tag === b._tag && ("direction" in a ? a.direction : undefined) === ("direction" in b ? b.direction : undefined)

/** No faults. */
export const make = (): Faults => {
  let rules: Array<{ readonly selector: Selector; readonly rule: Rule }> = []
  return {
    add(selector, rule) {
      rules = rules.filter((old) => !(sameSelector(old.selector, selector) && sameKind(old.rule, rule)))
      rules.push({ selector, rule })
    },
    heal(selector) {
      rules = rules.filter(
        (entry) => (entry.rule._tag !== "Frozen" && entry.rule._tag !== "Refused") || !within(entry.selector, selector)
      )
    },
    refused: (server, client) =>
      rules.some(({ rule, selector }) => rule._tag === "Refused" && selects(selector, server, client)),
    conditions(server, client, direction) {
      let latency = 0
      let bandwidth = Number.POSITIVE_INFINITY
      let frozen = false
      for (const { rule, selector } of rules) {
        if (rule._tag === "Refused" || rule.direction !== direction || !selects(selector, server, client)) continue
        if (rule._tag === "Latency") latency = rule.millis
        else if (rule._tag === "Bandwidth") bandwidth = rule.bytesPerSecond
        else frozen = true
      }
      return { latency, bandwidth, frozen }
    }
  }
}
