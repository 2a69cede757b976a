/**
 * Which content encoding a client prefers: RFC 9110 section 12.5.3.
 */

/** The encoding of `offered` (best first) that an `Accept-Encoding` header prefers; `undefined` for none. */
export const preferred = <E extends string>(header: unknown, offered: ReadonlyArray<E>): E | undefined => {
  if (typeof header !== "string") return undefined
  const weights = new Map<string, number>()
  for (const part of header.split(",")) {
    const [name, ...parameters] = part.split(";")
    const q = parameters
      .map((parameter) => /^\s*q\s*=\s*([0-9.]+)\s*$/i.exec(parameter)?.[1])
      .find((found) => found !== undefined)
    weights.set(name!.trim().toLowerCase(), q === undefined ? 1 : Number(q))
  }
  let best: E | undefined
  let bestWeight = 0
  for (const encoding of offered) {
    const weight = weights.get(encoding) ?? weights.get("*") ?? 0
    if (weight > bestWeight) {
      best = encoding
      bestWeight = weight
    }
  }
  return best
}
