/**
 * The options of the Engine.IO client, named and defaulted as in the official one.
 */

/** The transports of this client. */
export type TransportName = "polling" | "websocket"

/** What a session follows; the defaults are in {@link defaults}. */
export interface EngineClientOptions {
  /** Where the server listens. */
  readonly path: string
  readonly addTrailingSlash: boolean
  /** Added to every request; without it the query of the URL is. */
  readonly query: Readonly<Record<string, string>> | undefined
  /** Headers of requests and, outside browsers, of the WebSocket handshake. */
  readonly extraHeaders: Readonly<Record<string, string>>
  /** Browsers: cookies and other credentials across origins. Node: keep the server's cookies for the connection. */
  readonly withCredentials: boolean
  /** In the order in which they are tried; the first one opens the connection. */
  readonly transports: ReadonlyArray<TransportName>
  /** Whether to go over to a WebSocket when the server offers it. */
  readonly upgrade: boolean
  /** Begin with the WebSocket if one worked the last time. */
  readonly rememberUpgrade: boolean
  /** Try the next transport when one fails to open. */
  readonly tryAllTransports: boolean
  /** Add a cache-buster to requests: by default for polling only. */
  readonly timestampRequests: boolean | undefined
  readonly timestampParam: string
  /** Send binary as base64 text, also over WebSocket. */
  readonly forceBase64: boolean
  /** Milliseconds until a polling request is given up; 0 for never. */
  readonly requestTimeout: number
  /** Subprotocols of the WebSocket. */
  readonly protocols: ReadonlyArray<string>
  /** Close the transport when the page is left. */
  readonly closeOnBeforeunload: boolean
  /** What is different for one transport. */
  readonly transportOptions: { readonly [name in TransportName]?: Partial<PerTransportOptions> | undefined }
}

/** The options that can be different for one transport. */
export type PerTransportOptions = Pick<
  EngineClientOptions,
  | "extraHeaders"
  | "withCredentials"
  | "timestampRequests"
  | "timestampParam"
  | "forceBase64"
  | "requestTimeout"
  | "protocols"
>

/** Socket.IO's defaults. */
export const defaults: EngineClientOptions = {
  path: "/socket.io",
  addTrailingSlash: true,
  query: undefined,
  extraHeaders: {},
  withCredentials: false,
  transports: ["polling", "websocket"],
  upgrade: true,
  rememberUpgrade: false,
  tryAllTransports: false,
  timestampRequests: undefined,
  timestampParam: "t",
  forceBase64: false,
  requestTimeout: 0,
  protocols: [],
  closeOnBeforeunload: false,
  transportOptions: {}
}

/** Options with the defaults in the place of those that are left out or `undefined`. */
export const make = (options: Partial<Nullable<EngineClientOptions>>): EngineClientOptions => {
  const result: Record<string, unknown> = { ...defaults }
  for (const key of Object.keys(defaults)) {
    const value = (options as Record<string, unknown>)[key]
    if (value !== undefined) result[key] = value
  }
  return result as unknown as EngineClientOptions
}

type Nullable<A> = { readonly [K in keyof A]: A[K] | undefined }
