/**
 * Where the engine's requests go: origin, path and query.
 */

/** What the address of a request is made from. */
export interface EngineAddress {
  /** Whether `https` and `wss` are used. */
  readonly secure: boolean
  /** Host name and, where it is not the default one, port. */
  readonly host: string
  /** With its leading slash, and the trailing one if wanted. */
  readonly path: string
  /** The program's own parameters. */
  readonly query: Readonly<Record<string, string>>
}

/** The URL cannot be used; the message says why. */
export interface InvalidUrl {
  readonly _tag: "InvalidUrl"
  readonly message: string
}

const secureSchemes: Readonly<Record<string, boolean>> = {
  "http:": false,
  "ws:": false,
  "https:": true,
  "wss:": true
}

const invalid = (url: string): InvalidUrl => ({ _tag: "InvalidUrl", message: `"${url}" is not an http or ws URL` })

const parseUrl = (url: string, base: string | undefined): URL | undefined => {
  try {
    return new URL(url, base)
  } catch {
    return undefined
  }
}

/**
 * Reads the server's URL (`http`, `https`, `ws` or `wss`, or relative to `base` in a browser). Its path is not the engine's; its query
 * is used unless the program gives one of its own, as in the official client.
 */
export const parse = (
  url: string,
  options: {
    readonly base: string | undefined
    readonly path: string
    readonly addTrailingSlash: boolean
    readonly query: Readonly<Record<string, string>> | undefined
  }
): EngineAddress | InvalidUrl => {
  // "localhost:3000" would be read as a scheme: a host without one is reached like the page, or by https.
  const withScheme =
    /^[a-z][a-z\d+.-]*:\/\//i.test(url) || url.startsWith("/") || url === "" ? url : `${scheme(options)}//${url}`
  const parsed = parseUrl(withScheme, options.base)
  if (parsed === undefined) return invalid(url)
  const secure = Object.hasOwn(secureSchemes, parsed.protocol) ? secureSchemes[parsed.protocol] : undefined
  if (secure === undefined || parsed.host === "") return invalid(url)
  const path = options.path.replace(/\/$/, "") + (options.addTrailingSlash ? "/" : "")
  return {
    secure,
    host: parsed.host,
    path: path.startsWith("/") ? path : "/" + path,
    query: options.query ?? Object.fromEntries(parsed.searchParams)
  }
}

const scheme = (options: { readonly base: string | undefined }): string =>
  options.base === undefined ? "https:" : (parseUrl(options.base, undefined)?.protocol ?? "https:")

/** Whether parsing failed. */
export const isInvalid = (value: EngineAddress | InvalidUrl): value is InvalidUrl => "_tag" in value

/** Parameters of one request, in the order in which they are written; `undefined` ones are left out. */
export type RequestQuery = ReadonlyArray<readonly [name: string, value: string | undefined]>

/** The URL of a request. The engine's parameters win over the program's of the same name. */
export const make = (address: EngineAddress, scheme: "http" | "ws", parameters: RequestQuery): string => {
  const query = new Map(Object.entries(address.query))
  for (const [name, value] of parameters) {
    if (value !== undefined) query.set(name, value)
  }
  let text = ""
  for (const [name, value] of query) {
    text += (text === "" ? "?" : "&") + encodeURIComponent(name) + "=" + encodeURIComponent(value)
  }
  return `${scheme}${address.secure ? "s" : ""}://${address.host}${address.path}${text}`
}
