/**
 * What is kept of the first request of a session: a few references, the rest computed when somebody asks.
 */
import type { QuerySource } from "../protocol/EngineHandshake.ts"
import type { EngineRequest, Headers } from "./EngineRequest.ts"
import type { Handshake } from "./Session.ts"

/** The query string of a URL, without the question mark. */
export const queryOf = (url: string): string => {
  const mark = url.indexOf("?")
  if (mark === -1) return ""
  const hash = url.indexOf("#", mark)
  return hash === -1 ? url.slice(mark + 1) : url.slice(mark + 1, hash)
}

/** What a query needs more than cutting for: escapes, spaces as plus, and whatever is not printable ASCII. */
const encoded = /[%+]|[^ -~]/

/** A query without escapes, as those that clients make are: found in place. */
const plainSource = (query: string): QuerySource => {
  const pairs = query.split("&")
  return {
    get(name) {
      for (let i = pairs.length - 1; i >= 0; i--) {
        const pair = pairs[i]!
        if (!pair.startsWith(name)) continue
        if (pair.charCodeAt(name.length) === 0x3d) return pair.slice(name.length + 1)
        // A name alone; an empty piece is no parameter.
        if (pair.length === name.length && name !== "") return ""
      }
      return null
    }
  }
}

/** The parameters of a URL's query. Of one that is given twice the last counts, as in the record below and in Engine.IO. */
export const querySource = (url: string): QuerySource => {
  const query = queryOf(url)
  if (!encoded.test(query)) return plainSource(query)
  const parameters = new URLSearchParams(query)
  return { get: (name) => parameters.getAll(name).at(-1) ?? null }
}

const single = (headers: Headers, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === "string" ? value : value?.[0]
}

/** Whether the Origin header names another host than the request went to. */
const isCrossOrigin = (headers: Headers): boolean => {
  const origin = single(headers, "origin")
  if (origin === undefined) return false
  try {
    return new URL(origin).host !== single(headers, "host")
  } catch {
    // "null": a sandboxed frame, a file.
    return true
  }
}

class HandshakeRecord implements Handshake {
  readonly url: string
  readonly headers: Headers
  readonly address: string | undefined
  readonly secure: boolean
  readonly issued: number

  constructor(request: EngineRequest, issued: number) {
    this.url = request.url
    this.headers = request.headers
    this.address = request.remoteAddress
    this.secure = request.secure
    this.issued = issued
  }

  get query(): Readonly<Record<string, string>> {
    // Own properties only, whatever the names are: "__proto__" included.
    return Object.fromEntries(new URLSearchParams(queryOf(this.url)))
  }

  get crossOrigin(): boolean {
    return isCrossOrigin(this.headers)
  }
}

/** The record of a request that began a session at `issued`, in epoch milliseconds. */
export const make = (request: EngineRequest, issued: number): Handshake => new HandshakeRecord(request, issued)
