/**
 * The options of a server: Socket.IO's names, meanings and defaults, and some of ours. Times are milliseconds.
 */
import type { IncomingMessage, Server as HttpServer } from "node:http"
import type { Http2SecureServer, Http2Server } from "node:http2"
import type { Server as HttpsServer } from "node:https"
import type { CookieOptions } from "../../engine/EngineConfig.ts"
import type { CorsOptions, CorsOptionsDelegate } from "../../node/Cors.ts"
import type { HttpCompressionOptions } from "../../node/NodeExchange.ts"
import type { NodeWebSocketOptions } from "../../node/NodeWebSocket.ts"
import type { UwsOptions } from "../../node/UwsHost.ts"
import type { SocketCodec } from "../../protocol/SocketCodec.ts"
import type { AdapterConstructor } from "./Adapter.ts"
import type { AdapterLayer } from "./Cluster.ts"
import type { OfficialParser } from "./Parser.ts"

/** The servers of Node that can be attached to. */
export type NodeServer = HttpServer | HttpsServer | Http2SecureServer | Http2Server

/** How the engine is attached to a server. */
export interface AttachOptions {
  /** Default "/socket.io". */
  path?: string
  /** Whether upgrade requests for other paths are ended when nobody answers them. Default true. */
  destroyUpgrade?: boolean
  /** After how many milliseconds. Default 1000. */
  destroyUpgradeTimeout?: number
  /** Whether the path ends with a slash. Default true. */
  addTrailingSlash?: boolean
}

/** How the engine is attached to an app of µWebSockets.js. */
export interface AttachAppOptions extends AttachOptions, UwsOptions {}

/** The options of the engine. */
export interface EngineOptions {
  /** How long a pong may take. Default 20000. */
  pingTimeout?: number
  /** Between two pings. Default 25000. */
  pingInterval?: number
  /** How long an upgrade may take. Default 10000. */
  upgradeTimeout?: number
  /** The largest POST body and WebSocket message, in bytes. Default 1e6. */
  maxHttpBufferSize?: number
  /** Decides about handshakes: `fn(null, true)` lets them pass; the message of a refusal is sent to the client. */
  allowRequest?: (req: IncomingMessage, fn: (err: string | null | undefined, success: boolean) => void) => void
  /** Default both, "polling" and "websocket". WebTransport is not supported. */
  transports?: ReadonlyArray<string>
  /** Default true. */
  allowUpgrades?: boolean
  /** Default false. */
  perMessageDeflate?: NonNullable<NodeWebSocketOptions["perMessageDeflate"]>
  /** Of the answers of the polling transport. Default from 1024 bytes on. */
  httpCompression?: boolean | HttpCompressionOptions
  /** A message that is sent right after the open packet. */
  initialPacket?: string | Uint8Array
  /** A session cookie. Default false. */
  cookie?: boolean | CookieOptions
  /** The options of the `cors` package. Default: other origins are refused by browsers. */
  cors?: CorsOptions | CorsOptionsDelegate | false
  /**
   * Not an option of Socket.IO: also refuses handshakes of origins that `cors` does not allow, which keeps browsers from opening a
   * WebSocket from other sites. `cors` must be set. Default false.
   */
  checkOrigin?: boolean
  /** Not an option of Socket.IO: whether `socket.request` is kept. It takes more memory than the rest of an idle connection. Default true. */
  keepRequest?: boolean
  /** Not an option of Socket.IO: bytes that are kept for a client that does not read; beyond them events are dropped. Default: no limit. */
  maxBufferedAmount?: number
  /** Clients of Socket.IO 2 are not supported: a warning is printed. */
  allowEIO3?: boolean
  /** WebSockets are always those of `ws`: a warning is printed. */
  wsEngine?: unknown
}

/** How sessions are recovered. */
export interface ConnectionStateRecoveryOptions {
  /** How long the session of a lost socket and what it missed are kept. Default 120000. */
  maxDisconnectionDuration?: number
  /** Whether recovered sockets pass the middleware of their namespace unasked. Default true, as in Socket.IO; false is the safer choice. */
  skipMiddlewares?: boolean
  /** Not an option of Socket.IO: "always" keeps sessions of connected sockets too, for a store outside of this process. Default "disconnect". */
  persist?: "disconnect" | "always"
  /** Not an option of Socket.IO: how many events the log in memory keeps for a namespace. Default 100000. */
  maxEvents?: number
  /** Not an option of Socket.IO: how many bytes of them. Default 64 MiB. */
  maxBytes?: number
  /** Not an option of Socket.IO: how many milliseconds the store may take to answer. Default 5000. */
  storeTimeout?: number
}

/** The options of a server. */
export interface ServerOptions extends EngineOptions, AttachOptions {
  /** Whether the client's files are served below the path. Default true. */
  serveClient?: boolean
  /** One for Socket.IO's contract, or the layer of an adapter of the Effect API, which is built once for all namespaces. Default: in memory. */
  adapter?: AdapterConstructor | AdapterLayer
  /** How packets are written; clients must use the same. Socket.IO's parsers and the codecs of this library. Default: JSON with attachments. */
  parser?: OfficialParser | SocketCodec
  /** How long a client may stay without a namespace. Default 45000. */
  connectTimeout?: number
  /** Lets clients come back to their session after a lost connection. Default: they get a new one. */
  connectionStateRecovery?: ConnectionStateRecoveryOptions
  /** Whether dynamic namespaces are forgotten when their last socket has left. Default false. */
  cleanupEmptyChildNamespaces?: boolean
  /** Not an option of Socket.IO: how long a broadcast with acknowledgements waits where no `timeout` was set. Default 10000. */
  ackTimeout?: number
}
