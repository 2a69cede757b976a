/**
 * What the URL given to `io()` means: the server, and the namespace in its path.
 */

/** The parts of a URL. */
export interface ServerUrl {
  /** Scheme, host and port: managers of the same origin and path are one. */
  readonly origin: string
  /** The namespace, not decoded: it is compared with what the server calls it. */
  readonly nsp: string
}

const absolute = /^(?:[a-z][a-z\d+.-]*:)?\/\//i

/**
 * Reads a URL, as far as it can be read: what is wrong with it is found when the connection is opened. Without a scheme it is taken
 * for a host, or, with a leading slash, for a namespace of the server that the page came from.
 */
export const parse = (url: string, base: string | undefined): ServerUrl => {
  const start = /^(?:$|\/(?!\/))/.test(url) ? "" : (absolute.exec(url)?.[0] ?? "//")
  const rest = absolute.test(url) ? url.slice(start.length) : url
  const [, host = "", path = ""] = /^([^/?#]*)([^?#]*)/.exec(rest) ?? []
  return { origin: originOf(start + host, base), nsp: path === "" ? "/" : path }
}

const originOf = (address: string, base: string | undefined): string => {
  try {
    const { protocol, host } = new URL(address === "" ? "/" : address, base ?? "https://localhost")
    return protocol.replace(/^ws/, "http") + "//" + host
  } catch {
    return address
  }
}
