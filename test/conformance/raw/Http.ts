/** HTTP requests as the suites need them: one connection each, abortable at any byte, nothing normalised. */
import * as Http from "node:http"
import * as Net from "node:net"
import { within } from "./Wait.ts"

/** Where a server listens: always 127.0.0.1; `path` has its trailing slash. */
export interface Endpoint {
  readonly port: number
  readonly path: string
}

/** Query parameters; a string is used as it stands. */
export type Query = string | Readonly<Record<string, string>>

/** A complete response. */
export interface Reply {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly text: string
  readonly bytes: Buffer
}

/** What to ask. */
export interface Ask {
  readonly method?: string
  readonly query?: Query
  /** Instead of the endpoint's path. */
  readonly path?: string
  readonly headers?: Http.OutgoingHttpHeaders
  readonly body?: string | Uint8Array
  /** Leave the request body open after `body`; the caller ends it through `request`. */
  readonly keepOpen?: boolean
}

/** A request under way. */
export interface Exchange {
  readonly request: Http.ClientRequest
  readonly reply: Promise<Reply>
  /** Cuts the TCP connection. */
  abort(): void
}

/** The request target for an endpoint and query. */
export const target = (endpoint: Endpoint, query: Query = "", path: string = endpoint.path): string => {
  const text = typeof query === "string" ? query : new URLSearchParams(query).toString()
  return text === "" ? path : `${path}?${text}`
}

/** Starts a request. */
export const exchange = (endpoint: Endpoint, ask: Ask = {}): Exchange => {
  const request = Http.request({
    host: "127.0.0.1",
    port: endpoint.port,
    method: ask.method ?? "GET",
    path: target(endpoint, ask.query, ask.path ?? endpoint.path),
    headers: ask.headers ?? {},
    agent: false
  })
  const reply = new Promise<Reply>((resolve, reject) => {
    request.on("error", reject)
    request.on("response", (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", reject)
      response.on("end", () => {
        const bytes = Buffer.concat(chunks)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: bytes.toString("utf8"),
          bytes
        })
      })
    })
  })
  // A reply nobody waits for may fail (aborted on purpose, server stopped) without being an accident.
  reply.catch(() => undefined)
  if (ask.keepOpen === true) {
    request.flushHeaders()
    if (ask.body !== undefined) request.write(ask.body)
  } else request.end(ask.body)
  return { request, reply, abort: () => request.destroy() }
}

/** The reply to a request. */
export const ask = (endpoint: Endpoint, options: Ask = {}): Promise<Reply> =>
  within(
    exchange(endpoint, options).reply,
    `the reply to ${options.method ?? "GET"} ${JSON.stringify(options.query ?? "")}`
  )

/** The status of the reply, or `aborted` when the server cut the connection instead of answering. */
export const outcome = (reply: Promise<Reply>): Promise<number | "aborted"> =>
  within(
    reply.then(
      (reply) => reply.status,
      () => "aborted" as const
    ),
    "a reply or an abort"
  )

/**
 * Settles when the server has surely begun to handle the requests started before: connections are accepted in order, so three
 * further round trips on new connections (refused ones, which touch no session) are answered only after that.
 */
export const arrived = async (endpoint: Endpoint): Promise<void> => {
  for (let i = 0; i < 3; i++) await ask(endpoint, { query: "EIO=4&transport=none" })
}

/** Sends bytes over a bare TCP connection and gives everything that comes back until the server closes (or `until` says enough). */
export const raw = (
  endpoint: Endpoint,
  bytes: string | Uint8Array,
  until?: (text: string) => boolean
): Promise<string> =>
  within(
    new Promise<string>((resolve) => {
      const socket = Net.connect(endpoint.port, "127.0.0.1", () => socket.write(bytes))
      let text = ""
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1")
        if (until?.(text) === true) socket.destroy()
      })
      socket.on("error", () => undefined)
      socket.on("close", () => resolve(text))
    }),
    "the server to close a bare TCP connection"
  )
