/**
 * What may be wrong with the in-memory network, and for whom.
 */
import type { LineConditions } from "./Wire.ts"

/** What a connection is for: one HTTP request, or one WebSocket. */
export type Carrier = "http" | "websocket"

/** Which connections are meant: those to a server, by the host in its URL, those of a client, by its name, of one kind, or all. */
export interface Selector {
  readonly server?: string | undefined
  readonly client?: string | undefined
  readonly over?: Carrier | undefined
}

/** Whom a connection joins, and what for. */
export interface Parties {
  readonly server: string
  readonly client: string
  readonly over: Carrier
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
  refused(parties: Parties): boolean
  conditions(parties: Parties, direction: Direction): LineConditions
}

/** Whether a connection is meant. */
export const selects = (selector: Selector, parties: Selector): boolean =>
  (selector.server === undefined || selector.server === parties.server) &&
  (selector.client === undefined || selector.client === parties.client) &&
  (selector.over === undefined || selector.over === parties.over)

const sameSelector = (a: Selector, b: Selector): boolean =>
  a.server === b.server && a.client === b.client && a.over === b.over

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
        (entry) => (entry.rule._tag !== "Frozen" && entry.rule._tag !== "Refused") || !selects(selector, entry.selector)
      )
    },
    refused: (parties) => rules.some(({ rule, selector }) => rule._tag === "Refused" && selects(selector, parties)),
    conditions(parties, direction) {
      let latency = 0
      let bandwidth = Number.POSITIVE_INFINITY
      let frozen = false
      for (const { rule, selector } of rules) {
        if (rule._tag === "Refused" || rule.direction !== direction || !selects(selector, parties)) continue
        if (rule._tag === "Latency") latency = rule.millis
        else if (rule._tag === "Bandwidth") bandwidth = rule.bytesPerSecond
        else frozen = true
      }
      return { latency, bandwidth, frozen }
    }
  }
}
