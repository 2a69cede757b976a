/**
 * Which worker takes a session that begins.
 */

/**
 * How a worker is chosen. Socket.IO's: "least-connection", "round-robin" and "random". "address" gives a client's address the same worker each
 * time, "x-forwarded-for" the address that a proxy in front names, which clients can make up where there is none; both move as few as
 * possible when workers come and go.
 */
export type LoadBalancingMethod = "least-connection" | "round-robin" | "random" | "address" | "x-forwarded-for"

/** A worker that could take it. */
export interface Candidate {
  readonly id: number
  /** Its sessions. */
  readonly load: number
}

/** What may be known of the client. */
export interface Client {
  readonly address: string | undefined
  /** The header `x-forwarded-for`. */
  readonly forwardedFor: string | undefined
}

/** FNV-1a with a last mixing, since addresses differ in few bits. */
const hash = (text: string): number => {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

const best = (candidates: ReadonlyArray<Candidate>, score: (candidate: Candidate) => number): Candidate | undefined => {
  let found: Candidate | undefined
  let highest = Number.NEGATIVE_INFINITY
  for (const candidate of candidates) {
    const value = score(candidate)
    if (value > highest) {
      highest = value
      found = candidate
    }
  }
  return found
}

/** The first address that the header names: the client's own. */
const firstOf = (forwardedFor: string | undefined): string | undefined => {
  const first = forwardedFor?.split(",", 1)[0]?.trim()
  return first === "" ? undefined : first
}

/** Chooses among the workers that are there; `undefined` if none is. `random` gives numbers from 0 to below 1. */
export const make = (
  method: LoadBalancingMethod,
  random: () => number
): ((candidates: ReadonlyArray<Candidate>, client: Client) => number | undefined) => {
  let turn = 0
  const byAddress = (candidates: ReadonlyArray<Candidate>, address: string): number | undefined =>
    best(candidates, ({ id }) => hash(`${id}/${address}`))?.id
  return (candidates, { address = "", forwardedFor }) => {
    switch (method) {
      case "least-connection":
        return best(candidates, ({ load }) => -load)?.id
      case "round-robin":
        return candidates.length === 0 ? undefined : candidates[turn++ % candidates.length]?.id
      case "random":
        return candidates[Math.floor(random() * candidates.length)]?.id
      case "address":
        return byAddress(candidates, address)
      case "x-forwarded-for":
        return byAddress(candidates, firstOf(forwardedFor) ?? address)
    }
  }
}

const methods: ReadonlySet<string> = new Set<LoadBalancingMethod>([
  "least-connection",
  "round-robin",
  "random",
  "address",
  "x-forwarded-for"
])

/** Whether there is such a method. */
export const isMethod = (value: unknown): value is LoadBalancingMethod =>
  typeof value === "string" && methods.has(value)
