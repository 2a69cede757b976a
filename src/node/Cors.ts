/**
 * CORS by the `cors` package, as a middleware of the connect chain.
 */
import cors from "cors"
import type { IncomingMessage } from "node:http"
import type { Middleware } from "./ConnectChain.ts"

/** Which origins may be: one, a pattern, a list of both; `true` for the one that asks, `false` for none. */
export type StaticOrigin = boolean | string | RegExp | Array<boolean | string | RegExp>

/** Decides about an origin. */
export type CustomOrigin = (
  requestOrigin: string | undefined,
  callback: (err: Error | null, origin?: StaticOrigin) => void
) => void

/** Every option of the `cors` package. */
export interface CorsOptions {
  /** Default "*". */
  origin?: StaticOrigin | CustomOrigin | undefined
  /** Default "GET,HEAD,PUT,PATCH,POST,DELETE". */
  methods?: string | Array<string> | undefined
  /** Default: those that the browser asks for. */
  allowedHeaders?: string | Array<string> | undefined
  exposedHeaders?: string | Array<string> | undefined
  /** Needed for cookies; `origin` must then name the origins. Default false. */
  credentials?: boolean | undefined
  /** Seconds that a browser may remember the answer to a preflight. */
  maxAge?: number | undefined
  /** Leaves the answer to a preflight to what comes next. Default false. */
  preflightContinue?: boolean | undefined
  /** Default 204. */
  optionsSuccessStatus?: number | undefined
}

/** Options that depend on the request. */
export type CorsOptionsDelegate = (
  req: IncomingMessage,
  callback: (err: Error | null, options?: CorsOptions) => void
) => void

/** The middleware of these options. */
export const make = (options: CorsOptions | CorsOptionsDelegate): Middleware => cors<IncomingMessage>(options)

const isAllowed = (origin: string, allowed: StaticOrigin | undefined): boolean => {
  if (allowed === undefined || allowed === "*" || allowed === true) return true
  if (allowed === false) return false
  if (typeof allowed === "string") return allowed === origin
  if (allowed instanceof RegExp) return new RegExp(allowed.source, allowed.flags.replace(/[gy]/g, "")).test(origin)
  return allowed.some((one) => isAllowed(origin, one))
}

/** Whether the page came from the server that the request went to. */
const isSameHost = (origin: string, request: IncomingMessage): boolean =>
  URL.canParse(origin) && new URL(origin).host === request.headers.host

/**
 * Decides by the same options whether a request of this origin may be served at all: browsers do not ask before they open a WebSocket,
 * so that CORS alone does not keep other sites from doing so. Requests without an Origin are no browsers' and may; so may those of the server's own pages.
 */
export const checkOrigin = (
  options: CorsOptions | CorsOptionsDelegate,
  request: IncomingMessage,
  done: (allowed: boolean) => void
): void => {
  const origin = request.headers.origin
  if (origin === undefined || isSameHost(origin, request)) return done(true)
  const decide = ({ origin: allowed }: CorsOptions): void => {
    if (typeof allowed !== "function") return done(isAllowed(origin, allowed))
    allowed(origin, (error, found) => done(error === null && found !== undefined && isAllowed(origin, found)))
  }
  if (typeof options !== "function") return decide(options)
  options(request, (error, found) => {
    if (error !== null || found === undefined) done(false)
    else decide(found)
  })
}
