/**
 * The options of a manager and its sockets, with the names, defaults and meaning of Socket.IO's client.
 */
import type { SocketCodec } from "../../protocol/SocketCodec.ts"
import type { PlatformOptions } from "../../transport/ClientPlatform.ts"
import * as EngineClientOptions from "../../transport/EngineClientOptions.ts"
import * as EngineUrl from "../../transport/EngineUrl.ts"
import type { Parser } from "./Parser.ts"
import { namesOf, type TransportClass } from "./TransportNames.ts"
import type { Anything } from "./TypedEvents.ts"

/** The options of the connection below the namespaces. */
export interface EngineOptions extends PlatformOptions {
  /** The host to connect to when no URL is given, instead of the page's. */
  host?: string | undefined
  /** The same as `host`, and wins over it. */
  hostname?: string | undefined
  /** Whether to connect by https and wss when no URL is given. */
  secure?: boolean | undefined
  /** The port when no URL is given. */
  port?: string | number | undefined
  /** Parameters of every request, as an object or written out. Default: those of the URL. */
  query?: { [key: string]: Anything } | string | undefined
  /** Headers of every request; browsers send them by polling only. */
  extraHeaders?: { [header: string]: string } | undefined
  /** Default false. Browsers: send cookies across origins. Node: keep the server's cookies for the connection. */
  withCredentials?: boolean | undefined
  /** Default `["polling", "websocket"]`; the first one opens the connection. `"webtransport"` is left out. */
  transports?: ReadonlyArray<string> | ReadonlyArray<TransportClass> | undefined
  /** The same by classes. */
  transportImplementations?: ReadonlyArray<TransportClass> | undefined
  /** Go over to a WebSocket when the server offers it. Default true. */
  upgrade?: boolean | undefined
  /** Begin with the WebSocket if one worked the last time. Default false. */
  rememberUpgrade?: boolean | undefined
  /** Try the next transport when one fails to open. Default false. */
  tryAllTransports?: boolean | undefined
  /** Send binary as base64 text. Default false. */
  forceBase64?: boolean | undefined
  /** Add a cache-buster to requests. Default: to those of polling. */
  timestampRequests?: boolean | undefined
  /** Default "t". */
  timestampParam?: string | undefined
  /** Default true. */
  addTrailingSlash?: boolean | undefined
  /** Milliseconds until a polling request is given up. Default 0: never. */
  requestTimeout?: number | undefined
  /** Subprotocols of the WebSocket. */
  protocols?: string | ReadonlyArray<string> | undefined
  /** Close the connection when the page is left. Default false. */
  closeOnBeforeunload?: boolean | undefined
  /** Options that are different for one transport. */
  transportOptions?: { readonly [name: string]: TransportOptions } | undefined
  /** Use the timers of the time when the client was loaded, not fake ones installed since. Default false. */
  useNativeTimers?: boolean | undefined
}

/** What can be different for one transport. */
export interface TransportOptions {
  extraHeaders?: { [header: string]: string } | undefined
  withCredentials?: boolean | undefined
  timestampRequests?: boolean | undefined
  timestampParam?: string | undefined
  forceBase64?: boolean | undefined
  requestTimeout?: number | undefined
  protocols?: string | ReadonlyArray<string> | undefined
}

/** The options of a manager. */
export interface ManagerOptions extends EngineOptions {
  /** Make a manager of its own. Default false. */
  forceNew: boolean
  /** Share the manager of the same server and path. Default true. */
  multiplex: boolean
  /** Where the server takes requests. Default "/socket.io". */
  path: string
  /** Connect again after a lost connection or a failed attempt. Default true. */
  reconnection: boolean
  /** Default `Infinity`; 0 means the same. */
  reconnectionAttempts: number
  /** Milliseconds before the first attempt, doubled each time. Default 1000. */
  reconnectionDelay: number
  /** The longest delay in milliseconds. Default 5000. */
  reconnectionDelayMax: number
  /** By which part of it a delay may be off. Default 0.5. */
  randomizationFactor: number
  /** Milliseconds that an attempt may take, `false` for any time. Default 20000. */
  timeout: number | false
  /** Connect at once. Default true. */
  autoConnect: boolean
  /** How packets are written. Default: Socket.IO's JSON with attachments. */
  parser: SocketCodec | Parser
}

/** What to authenticate with, or how to find it out for each attempt. */
export type Auth = { [key: string]: Anything } | ((callback: (data: object) => void) => void)

/** The options of a socket. */
export interface SocketOptions {
  /** What the server gets with the CONNECT packet. */
  auth?: Auth | undefined
  /**
   * With a number from 1, events that are not volatile go out one after the other, each up to `1 + retries` times until the server
   * acknowledges it: at least once, in order. Their acknowledgements get an error first.
   */
  retries?: number | undefined
  /** Milliseconds to wait for an acknowledgement where `timeout()` says nothing else. Acknowledgements then get an error first. */
  ackTimeout?: number | undefined
}

const queryOf = (query: EngineOptions["query"]): Readonly<Record<string, string>> | undefined => {
  if (query === undefined || query === null) return undefined
  if (typeof query === "string") return Object.fromEntries(new URLSearchParams(query))
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]))
}

const listOf = (protocols: EngineOptions["protocols"]): ReadonlyArray<string> | undefined =>
  typeof protocols === "string" ? [protocols] : protocols

const perTransport = (options: EngineOptions): EngineClientOptions.EngineClientOptions["transportOptions"] =>
  Object.fromEntries(
    Object.entries(options.transportOptions ?? {}).map(([name, each]) => {
      const { protocols, ...others } = each
      return [name, defined({ ...others, protocols: listOf(protocols) })]
    })
  )

const defined = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null))

/**
 * The engine's options, read anew for each attempt: programs change `manager.opts` between two. Throws when transports are given
 * twice.
 */
export const engineOptions = (options: Partial<ManagerOptions>): EngineClientOptions.EngineClientOptions => {
  const { transports, transportImplementations } = options
  if (transports && transportImplementations) {
    throw new Error("specifying both 'transportImplementations' and 'transports' options is not supported")
  }
  const chosen = transportImplementations ?? transports
  return EngineClientOptions.make(
    defined({
      ...options,
      query: queryOf(options.query),
      transports: chosen && namesOf(chosen),
      protocols: listOf(options.protocols),
      transportOptions: perTransport(options)
    })
  )
}

/** The server of options without a URL: the one that they name, else the page's, else this machine. */
export const urlOf = (options: EngineOptions, base: string | undefined): string => {
  const host = options.hostname ?? options.host
  if (base !== undefined && host === undefined && options.port === undefined && options.secure === undefined) return "/"
  const page = base === undefined ? undefined : new URL(base)
  const secure = options.secure ?? page?.protocol === "https:"
  const name = host ?? page?.hostname ?? "localhost"
  const port = options.port ?? (host === undefined ? page?.port : undefined) ?? ""
  return `http${secure ? "s" : ""}://${name}${port === "" ? "" : `:${port}`}`
}

/** Where a manager connects to, or why it cannot. */
export const addressOf = (
  url: string | undefined,
  options: Partial<ManagerOptions>,
  engine: EngineClientOptions.EngineClientOptions,
  base: string | undefined
): EngineUrl.EngineAddress | EngineUrl.InvalidUrl =>
  EngineUrl.parse(url ?? urlOf(options, base), {
    base,
    path: engine.path,
    addTrailingSlash: engine.addTrailingSlash,
    query: engine.query
  })
