/**
 * The cookies of one connection of the Node client, where no browser keeps them: what load balancers need for sticky sessions.
 */

interface Cookie {
  readonly value: string
  /** Epoch milliseconds; `undefined` for as long as the connection lasts. */
  readonly expires: number | undefined
}

/** The most cookies that a server may set. */
export const maxCookies = 100

const parseExpiry = (name: string, value: string, now: number): number | undefined => {
  if (name === "max-age") {
    const seconds = Number.parseInt(value, 10)
    // RFC 6265, section 5.2.2: zero or less means at once; what is no number must not live for ever either.
    return seconds > 0 ? now + seconds * 1000 : 0
  }
  const time = Date.parse(value)
  return Number.isNaN(time) ? 0 : time
}

const parse = (header: string, now: number): readonly [name: string, cookie: Cookie] | undefined => {
  const [pair = "", ...attributes] = header.split(";")
  const equals = pair.indexOf("=")
  const name = pair.slice(0, Math.max(equals, 0)).trim()
  if (name === "") return undefined
  const raw = pair.slice(equals + 1).trim()
  const value = raw.startsWith('"') && raw.endsWith('"') && raw.length > 1 ? raw.slice(1, -1) : raw
  let expires: number | undefined
  let hasMaxAge = false
  for (const attribute of attributes) {
    const at = attribute.indexOf("=")
    if (at < 0) continue
    const key = attribute.slice(0, at).trim().toLowerCase()
    // Max-Age wins over Expires, wherever it stands.
    if (key !== "max-age" && (key !== "expires" || hasMaxAge)) continue
    hasMaxAge = key === "max-age"
    expires = parseExpiry(key, attribute.slice(at + 1).trim(), now)
  }
  return [name, { value, expires }]
}

/** Keeps cookies by name. Domain and path are not looked at, since a connection only ever speaks to one server. */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>()
  readonly #now: () => number

  /** With the wall clock, unless another is given. */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Takes the `Set-Cookie` headers of an answer. */
  store(headers: ReadonlyArray<string> | undefined): void {
    if (headers === undefined) return
    for (const header of headers) {
      const parsed = parse(header, this.#now())
      if (parsed !== undefined && (this.#cookies.size < maxCookies || this.#cookies.has(parsed[0]))) {
        this.#cookies.set(parsed[0], parsed[1])
      }
    }
  }

  /** The `Cookie` header of a request; `undefined` when there is nothing to send. */
  header(): string | undefined {
    const now = this.#now()
    const pairs: Array<string> = []
    for (const [name, { value, expires }] of this.#cookies) {
      if (expires !== undefined && expires <= now) this.#cookies.delete(name)
      else pairs.push(`${name}=${value}`)
    }
    return pairs.length === 0 ? undefined : pairs.join("; ")
  }
}
