/**
 * What the raw suites need of an implementation: an Engine.IO server that echoes and a Socket.IO server that runs one fixed
 * program, both started with given options on a free port of 127.0.0.1. Official and ours are two values of this type.
 */
import type { Endpoint } from "./raw/Http.ts"

/** Options of the Engine.IO echo server; names and defaults are Engine.IO's own, in milliseconds and bytes. */
export interface EngineOptions {
  readonly pingInterval?: number
  readonly pingTimeout?: number
  readonly upgradeTimeout?: number
  readonly maxHttpBufferSize?: number
  readonly transports?: ReadonlyArray<"polling" | "websocket">
  readonly allowUpgrades?: boolean
  readonly cookie?: boolean
  readonly initialPacket?: string
  readonly path?: string
  readonly addTrailingSlash?: boolean
  readonly destroyUpgrade?: boolean
  readonly destroyUpgradeTimeout?: number
  /** Handshakes whose `refuse` query parameter is set are refused with it as message (code 4). */
  readonly refusable?: boolean
  /**
   * The host server has an application of its own: it answers `/other` with `200 other`, everything else that reaches it with 404,
   * and an upgrade to `/other` with a raw `101` and `hello`.
   */
  readonly beside?: boolean
}

/** Options of the Socket.IO server that runs {@link SocketProgram}. */
export interface SocketOptions extends EngineOptions {
  /** Milliseconds without any namespace before the connection is closed. */
  readonly connectTimeout?: number
  readonly parser?: "msgpack"
  /** Makes the server one of its own: servers are shared by equal options, and a shared one must not be stopped. */
  readonly fresh?: string
}

/**
 * A running Engine.IO server: every message is sent back as it came, except that the text `burst <n>` is answered with the n
 * messages `burst-0` ... `burst-<n-1>`, one by one, and the text `close` closes the session from the server.
 */
export interface EngineServer {
  readonly endpoint: Endpoint
  /** The server-side close reason of a session, once it is closed, with the millisecond clock (`performance.now()`) of the close. */
  closeOf(sid: string): Promise<{ readonly reason: string; readonly at: number }>
}

/**
 * A running Socket.IO server with the program below. In each namespace, on connection, `auth` is emitted with the handshake
 * auth; then events of the client do the following.
 *
 * | event | what the server does |
 * | --- | --- |
 * | `message` (...args) | emits `message-back` with the same arguments |
 * | `message-with-ack` (...args, ack) | acknowledges with the same arguments |
 * | `burst` (n) | emits `burst` with 0, 1, ... n-1 |
 * | `volatile` (value, ack) | volatile `socket.emit("told", value)`; ack without arguments |
 * | `join` (room, ack), `leave` (room, ack) | joins or leaves; ack without arguments |
 * | `to` (rooms, except, value, ack) | sender's broadcast `socket.to(rooms).except(except).emit("told", value)`; ack without arguments |
 * | `all` (value, ack) | namespace broadcast `nsp.emit("told", value)`; ack without arguments |
 * | `ask` (peer, timeout, value, ack) | `peer.timeout(timeout).emitWithAck("question", value)`; ack `"answer", value` or `"failed"`; timeout 0 = none given |
 * | `ask-all` (timeout, value, ack) | the same to the whole namespace; ack `"answers", values` (sorted) or `"failed", partial values` |
 * | `count` (ack) | ack with the number of sockets of the namespace |
 * | `whoami` (ack) | ack with the own socket id |
 * | `leave-me` (close) | `socket.disconnect(close)` |
 * | `kick` (room, close, ack) | `nsp.in(room).disconnectSockets(close)`; ack without arguments |
 * | `join-room-of` (room, into, ack) | `nsp.in(room).socketsJoin(into)`; ack without arguments |
 * | `double-ack` (ack) | calls ack with 1 and, where the API allows it, again with 2 |
 * | `fail` () | the handler fails (asynchronously, rejected) |
 *
 * Namespaces: `/`, `/custom`; `/room-<anything>` dynamic, same program, a fresh one for each case; `/guarded-<anything>`: middleware
 * refuses auth without `token: "secret"` with the message `not allowed` and data `{ code: 42 }`; `/slow-<anything>`: middleware waits
 * 100 ms; `/throwing`: asynchronous middleware rejects with the message `broken middleware`.
 */
export interface SocketServer {
  readonly endpoint: Endpoint
  /** The server-side `disconnect` reason of a socket, once it is disconnected. */
  disconnectOf(socketId: string): Promise<{ readonly reason: string; readonly at: number }>
  /** Shuts the server down as a program would. */
  stop(): Promise<void>
}

/** An implementation under test. Servers with equal options are started once and shared by all cases. */
export interface Target {
  readonly name: string
  readonly official: boolean
  engine(options: EngineOptions): Promise<EngineServer>
  socket(options: SocketOptions): Promise<SocketServer>
  stop(): Promise<void>
}
