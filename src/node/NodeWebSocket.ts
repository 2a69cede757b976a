/**
 * WebSockets of the `ws` package as the engine wants them.
 *
 * `ws` does the handshake, reads, validates, answers pings and closes. What we send is framed here and written straight to the TCP
 * socket, one write for all messages of a turn; only where permessage-deflate was negotiated does `ws` send.
 */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { type PerMessageDeflateOptions, type RawData, WebSocket, WebSocketServer } from "ws"
import type { EngineResponse } from "../engine/EngineRequest.ts"
import type { WebSocketHandlers, WebSocketLike } from "../engine/WebSocketLike.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import { JoinedFrames } from "./JoinedFrames.ts"
import * as WebSocketFrame from "./WebSocketFrame.ts"

/** Options of the WebSocket side of a host. */
export interface NodeWebSocketOptions {
  /** Offers compression. Default false, as in Socket.IO: it costs much memory. When on, `threshold` is 1024 bytes. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined
  /** How long a peer may take to answer our close frame, in milliseconds, before it is cut off. Default 30,000. */
  readonly closeTimeout?: number | undefined
}

/** A `ws` socket that knows whom it works for, so that its listeners can be shared by all. */
class OwnedWebSocket extends WebSocket {
  owner: NodeWebSocket | undefined
}

const noStatus = 1005
const tooBig = 1009

/** Marks a group that was sent once: the next receiver builds the bytes for all further ones. */
const sentOnce = Symbol.for("effect-socketio/node/NodeWebSocket/sentOnce")

/** The bytes of a group, where building them pays or has paid; else `undefined`. */
const prepared = (group: FrameGroup): Buffer | undefined => {
  const found = group.prepared
  if (Buffer.isBuffer(found)) return found
  if (found === sentOnce) {
    const bytes = WebSocketFrame.encode([group])
    group.prepared = bytes
    return bytes
  }
  group.prepared = sentOnce
  return undefined
}

class NodeWebSocket implements WebSocketLike {
  private readonly ws: OwnedWebSocket
  private readonly tcp: Duplex
  private readonly server: NodeWebSocketServer
  private readonly deflate: boolean
  private handlers: WebSocketHandlers | undefined = undefined
  private early: Array<Frame> | undefined = undefined
  private closed: { readonly code: number; readonly reason: string } | undefined = undefined
  private error: unknown = undefined
  private awaitsDrain = false

  constructor(ws: OwnedWebSocket, tcp: Duplex, server: NodeWebSocketServer) {
    this.ws = ws
    this.tcp = tcp
    this.server = server
    this.deflate = ws.extensions !== ""
    ws.owner = this
    ws.on("message", onMessage)
    ws.on("error", onError)
    ws.on("close", onClose)
  }

  listen(handlers: WebSocketHandlers): void {
    this.handlers = handlers
    const early = this.early
    this.early = undefined
    if (early !== undefined) for (const frame of early) handlers.onFrame(frame)
    if (this.closed !== undefined) handlers.onClose(this.closed.code, this.closed.reason, this.error)
  }

  send(groups: ReadonlyArray<FrameGroup>, compress: boolean): void {
    if (this.ws.readyState !== WebSocket.OPEN) return
    if (this.deflate) this.sendThroughWs(groups, compress)
    else if (groups.length === 1) this.writeOne(groups[0]!)
    else this.writeAll(groups)
    if (this.tcp.writableNeedDrain) this.awaitDrain()
  }

  private writeOne(group: FrameGroup): void {
    if (WebSocketFrame.isLarge(group)) this.writeParts([group])
    else this.tcp.write(prepared(group) ?? WebSocketFrame.encode([group]))
  }

  private writeAll(groups: ReadonlyArray<FrameGroup>): void {
    const known = this.server.joined.find(groups)
    if (known !== undefined) {
      this.tcp.write(known)
      return
    }
    if (groups.some(WebSocketFrame.isLarge)) return this.writeParts(groups)
    let size = 0
    let shared = true
    for (const group of groups) {
      const bytes = prepared(group)
      if (bytes === undefined) shared = false
      size += bytes === undefined ? WebSocketFrame.sizeOf(group) : bytes.byteLength
    }
    const target = Buffer.allocUnsafe(size)
    let offset = 0
    for (const group of groups) {
      const bytes = group.prepared
      offset = Buffer.isBuffer(bytes)
        ? offset + bytes.copy(target, offset)
        : WebSocketFrame.write(target, offset, group)
    }
    if (shared) this.server.joined.remember(groups, target)
    this.tcp.write(target)
  }

  /** One write with a vector: large attachments are handed over, what is around them is copied. */
  private writeParts(groups: ReadonlyArray<FrameGroup>): void {
    this.tcp.cork()
    for (const group of groups) {
      for (const part of WebSocketFrame.encodeParts(group)) this.tcp.write(part)
    }
    this.tcp.uncork()
  }

  private sendThroughWs(groups: ReadonlyArray<FrameGroup>, compress: boolean): void {
    const options = { compress }
    this.tcp.cork()
    for (const group of groups) {
      this.ws.send(group.head, options, ignore)
      if (group.attachments !== undefined) for (const frame of group.attachments) this.ws.send(frame, options, ignore)
    }
    this.tcp.uncork()
  }

  private awaitDrain(): void {
    if (this.awaitsDrain) return
    this.awaitsDrain = true
    this.tcp.once("drain", () => {
      this.awaitsDrain = false
      this.handlers?.onDrain()
    })
  }

  get bufferedAmount(): number {
    return this.ws.bufferedAmount
  }

  pause(): void {
    this.ws.pause()
  }

  resume(): void {
    this.ws.resume()
  }

  close(code: number, reason: string): void {
    if (code === noStatus) this.ws.close()
    else this.ws.close(code, reason)
  }

  terminate(): void {
    this.ws.terminate()
  }

  /** @internal */
  received(data: RawData, isBinary: boolean): void {
    const bytes = data as Buffer
    const frame = isBinary ? bytes : bytes.toString()
    if (this.handlers !== undefined) this.handlers.onFrame(frame)
    else (this.early ??= []).push(frame)
  }

  /** @internal */
  failed(error: unknown): void {
    this.error = error
  }

  /** @internal */
  ended(code: number, reason: string): void {
    this.server.forget(this)
    this.ws.owner = undefined
    // ws reports our own code for a message over the limit as the error; the peer gets 1009.
    const tooLarge = isTooLarge(this.error)
    this.closed = { code: tooLarge ? tooBig : code, reason }
    this.handlers?.onClose(this.closed.code, reason, this.error)
  }
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"

const ignore = (): void => {}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  ;(this as OwnedWebSocket).owner?.received(data, isBinary)
}

function onError(this: WebSocket, error: Error): void {
  ;(this as OwnedWebSocket).owner?.failed(error)
}

function onClose(this: WebSocket, code: number, reason: Buffer): void {
  ;(this as OwnedWebSocket).owner?.ended(code, reason.toString())
}

/** Completes WebSocket handshakes and knows the sockets that are open. */
export interface NodeWebSocketServer {
  /** `ready` is not called when the request is no proper WebSocket handshake, which is answered, or when the peer has gone. */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    headers: EngineResponse["headers"],
    ready: (socket: WebSocketLike) => void
  ): void
  readonly size: number
  /** Calls once when no socket is open. */
  onEmpty(listener: () => void): void
  terminateAll(): void
  /** @internal */
  readonly joined: JoinedFrames
  /** @internal */
  forget(socket: WebSocketLike): void
}

/** A WebSocket server without a port of its own. `maxPayload` in bytes: a longer message closes its socket with 1009. */
export const makeServer = (maxPayload: number, options: NodeWebSocketOptions = {}): NodeWebSocketServer => {
  const deflate = options.perMessageDeflate ?? false
  // Newer than its types.
  const closing: object = { closeTimeout: options.closeTimeout ?? 30_000 }
  const wss = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    WebSocket: OwnedWebSocket,
    // Otherwise each message waits for a turn of its own, which nearly doubles its cost.
    allowSynchronousEvents: true,
    perMessageDeflate: deflate === false ? false : { threshold: 1024, ...(deflate === true ? {} : deflate) },
    maxPayload,
    ...closing
  })
  let extra: EngineResponse["headers"] = {}
  wss.on("headers", (lines) => {
    for (const [name, value] of Object.entries(extra)) {
      for (const item of typeof value === "string" ? [value] : value) lines.push(`${name}: ${sanitize(item)}`)
    }
  })
  const open = new Set<WebSocketLike>()
  let emptied: Array<() => void> = []
  const server: NodeWebSocketServer = {
    joined: new JoinedFrames(),
    upgrade(request, socket, head, headers, ready) {
      extra = headers
      // The answer and the first message leave in one write.
      socket.cork()
      try {
        wss.handleUpgrade(request, socket, head, (ws) => {
          const owned = new NodeWebSocket(ws as OwnedWebSocket, socket, server)
          open.add(owned)
          ready(owned)
        })
      } catch {
        // The TCP socket was given to a WebSocket before.
        socket.destroy()
      }
      socket.uncork()
      extra = {}
    },
    get size() {
      return open.size
    },
    onEmpty(listener) {
      if (open.size === 0) listener()
      else emptied.push(listener)
    },
    terminateAll() {
      for (const socket of open) socket.terminate()
    },
    forget(socket) {
      open.delete(socket)
      if (open.size > 0) return
      const listeners = emptied
      emptied = []
      for (const listener of listeners) listener()
    }
  }
  return server
}

/** A header value cannot end its line. */
const sanitize = (value: string): string => value.replace(/[\r\n]+/g, " ")
