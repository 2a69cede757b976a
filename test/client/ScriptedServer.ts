/** A Socket.IO server whose every word the test says, behind the client's platform; only WebSockets. */
import type { Frame } from "../../src/protocol/FrameGroup.ts"
import type {
  ClientPlatform,
  ClientWebSocket,
  ClientWebSocketHandlers,
  HttpRequest,
  HttpResult,
  WebSocketRequest
} from "../../src/transport/ClientPlatform.ts"

/** A WebSocket of a client. */
export class ScriptedConnection {
  readonly received: Array<Frame> = []
  readonly url: string
  closed = false
  readonly #handlers: ClientWebSocketHandlers

  constructor(request: WebSocketRequest, handlers: ClientWebSocketHandlers) {
    this.url = request.url
    this.#handlers = handlers
  }

  /** Completes both handshakes, and lets the client into these namespaces. */
  accept(...nsps: ReadonlyArray<string>): void {
    this.#handlers.onOpen()
    this.say('0{"sid":"engine","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}')
    for (const nsp of nsps) this.say(`40${nsp === "/" ? "" : `${nsp},`}{"sid":"id-of-${nsp}"}`)
  }

  say(...frames: ReadonlyArray<Frame>): void {
    for (const frame of frames) if (!this.closed) this.#handlers.onFrame(frame)
  }

  /** The connection is gone. */
  drop(): void {
    this.closed = true
    this.#handlers.onClose(1006, "", undefined)
  }

  refuse(): void {
    this.closed = true
    this.#handlers.onClose(1006, "", new Error("ECONNREFUSED"))
  }

  /** What the client has sent since the last call. */
  take(): ReadonlyArray<Frame> {
    return this.received.splice(0)
  }
}

/** The network of a test. */
export class ScriptedServer implements ClientPlatform {
  readonly name = "memory"
  readonly connections: Array<ScriptedConnection> = []
  /** What happens to a new connection; by default nothing. */
  onConnection: (connection: ScriptedConnection) => void = () => {}

  request(_request: HttpRequest, _done: (result: HttpResult) => void): () => void {
    throw new Error("only WebSockets here")
  }

  openWebSocket(request: WebSocketRequest, handlers: ClientWebSocketHandlers): ClientWebSocket {
    const connection = new ScriptedConnection(request, handlers)
    this.connections.push(connection)
    // The platform never calls back from inside a call to it.
    queueMicrotask(() => this.onConnection(connection))
    return {
      bufferedAmount: 0,
      send: (frame) => {
        if (!connection.closed) connection.received.push(frame)
      },
      close: () => {
        connection.closed = true
      }
    }
  }

  get last(): ScriptedConnection {
    return this.connections.at(-1)!
  }
}
