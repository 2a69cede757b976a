/** Requests, WebSockets and a level above, for engines that run under TestClock without any network. */
import * as Effect from "effect/Effect"
import * as EngineConfig from "../../src/engine/EngineConfig.ts"
import type {
  EngineBody,
  EngineRequest,
  EngineResponse,
  Exchange,
  UpgradeExchange
} from "../../src/engine/EngineRequest.ts"
import * as EngineServer from "../../src/engine/EngineServer.ts"
import type * as Session from "../../src/engine/Session.ts"
import type { WebSocketHandlers, WebSocketLike } from "../../src/engine/WebSocketLike.ts"
import * as EnginePayload from "../../src/protocol/EnginePayload.ts"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"

const requestOf = (method: string, query: string, headers: Readonly<Record<string, string>> = {}): EngineRequest => ({
  method,
  url: `/engine.io/?${query}`,
  headers: { host: "server.test", ...headers },
  remoteAddress: "192.0.2.1",
  secure: false,
  raw: { query }
})

/** A request whose body arrives and whose client goes away when the test says so. */
export class FakeExchange implements Exchange {
  readonly request: EngineRequest
  response: EngineResponse | undefined = undefined
  compress: boolean | undefined = undefined
  private reader: ((body: EngineBody) => void) | undefined = undefined
  private body: EngineBody | undefined = undefined
  private listener: (() => void) | undefined = undefined

  constructor(method: string, query: string, headers?: Readonly<Record<string, string>>) {
    this.request = requestOf(method, query, headers)
  }

  get status(): number | undefined {
    return this.response?.status
  }

  get text(): string | undefined {
    return this.response?.body === undefined ? undefined : String(this.response.body)
  }

  /** Whether somebody wants the body. */
  get reading(): boolean {
    return this.reader !== undefined
  }

  readBody(_maxBytes: number, done: (body: EngineBody) => void): void {
    if (this.body === undefined) this.reader = done
    else done(this.body)
  }

  respond(response: EngineResponse, compress: boolean): void {
    if (this.response !== undefined) return
    this.response = response
    this.compress = compress
  }

  onAbort(listener: () => void): void {
    this.listener = listener
  }

  arrive(body: EngineBody): void {
    this.body = body
    const reader = this.reader
    this.reader = undefined
    reader?.(body)
  }

  abort(): void {
    if (this.response === undefined) this.listener?.()
  }
}

/** A WebSocket whose other end is the test. */
export class FakeWebSocket implements WebSocketLike {
  handlers: WebSocketHandlers | undefined = undefined
  readonly sent: Array<FrameGroup.Frame> = []
  /** How many `send` calls there were. */
  sends = 0
  bufferedAmount = 0
  paused = false
  ended: { readonly code: number } | "terminated" | undefined = undefined

  listen(handlers: WebSocketHandlers): void {
    this.handlers = handlers
  }

  send(groups: ReadonlyArray<FrameGroup.FrameGroup>): void {
    this.sends++
    this.sent.push(...EnginePayload.framesOf(groups))
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  close(code: number): void {
    this.ended ??= { code }
  }

  terminate(): void {
    this.ended ??= "terminated"
  }

  receive(...frames: ReadonlyArray<FrameGroup.Frame>): void {
    for (const frame of frames) this.handlers?.onFrame(frame)
  }

  /** What was sent since last asked. */
  take(): ReadonlyArray<FrameGroup.Frame> {
    return this.sent.splice(0)
  }
}

/** An upgrade request, accepted into a `FakeWebSocket`. */
export class FakeUpgrade implements UpgradeExchange {
  readonly request: EngineRequest
  readonly socket = new FakeWebSocket()
  rejected: EngineResponse | undefined = undefined
  accepted: EngineResponse["headers"] | undefined = undefined

  constructor(query: string, headers?: Readonly<Record<string, string>>) {
    this.request = requestOf("GET", query, headers)
  }

  accept(headers: EngineResponse["headers"], ready: (socket: WebSocketLike) => void): void {
    this.accepted = headers
    ready(this.socket)
  }

  reject(response: EngineResponse): void {
    this.rejected = response
  }
}

/** The group that carries a message. */
export const message = (data: FrameGroup.Frame): FrameGroup.FrameGroup =>
  FrameGroup.make(typeof data === "string" ? `4${data}` : data)

/** How most things are written. */
export const plain: Session.WriteOptions = { volatile: false, compress: true }
export const volatile: Session.WriteOptions = { volatile: true, compress: false }

/** An engine, what its sessions told the level above, and ways to talk to it. */
export interface Bench {
  readonly engine: EngineServer.EngineServerShape
  readonly sessions: Array<Session.Session>
  readonly heard: Array<FrameGroup.Frame>
  readonly closed: Array<Session.Closed>
  drained: number
  /** A request that is handed to the engine. */
  readonly get: (query: string, headers?: Readonly<Record<string, string>>) => FakeExchange
  readonly post: (query: string, body: string, headers?: Readonly<Record<string, string>>) => FakeExchange
  readonly request: (method: string, query: string) => FakeExchange
  readonly upgrade: (query: string, headers?: Readonly<Record<string, string>>) => FakeUpgrade
  /** A session that began over polling and has read its open packet. */
  readonly polling: Effect.Effect<{ readonly sid: string; readonly query: string; readonly session: Session.Session }>
  /** A session that began over WebSocket and has read its open packet. */
  readonly websocket: Effect.Effect<{
    readonly sid: string
    readonly socket: FakeWebSocket
    readonly session: Session.Session
  }>
}

/** Lets everything that was deferred to the end of the turn happen. */
export const turn = Effect.yieldNow

/** An engine in the scope of the test. `onMessage` may answer. */
export const make = (
  options: EngineConfig.EngineOptions = {},
  onMessage: (session: Session.Session, data: FrameGroup.Frame) => void = () => {}
) =>
  Effect.gen(function* () {
    const sessions: Array<Session.Session> = []
    const heard: Array<FrameGroup.Frame> = []
    const closed: Array<Session.Closed> = []
    const config = EngineConfig.makeUnsafe(options)
    const engine = EngineServer.makeUnsafe(config, yield* Effect.context<never>(), yield* Effect.scope, (session) => {
      sessions.push(session)
      return {
        onMessage: (data) => {
          heard.push(data)
          onMessage(session, data)
        },
        onDrain: () => void bench.drained++,
        onClose: (why) => void closed.push(why)
      }
    })
    const hand = (exchange: FakeExchange): FakeExchange => {
      engine.handleRequest(exchange)
      return exchange
    }
    const bench: Bench = {
      engine,
      sessions,
      heard,
      closed,
      drained: 0,
      get: (query, headers) => hand(new FakeExchange("GET", query, headers)),
      request: (method, query) => hand(new FakeExchange(method, query)),
      post: (query, text, headers) => {
        const exchange = hand(new FakeExchange("POST", query, headers))
        exchange.arrive({ _tag: "Body", text })
        return exchange
      },
      upgrade: (query, headers) => {
        const exchange = new FakeUpgrade(query, headers)
        engine.handleUpgrade(exchange)
        return exchange
      },
      polling: Effect.gen(function* () {
        const exchange = bench.get("EIO=4&transport=polling")
        yield* turn
        const sid = sidOf(exchange.text ?? "")
        return { sid, query: `EIO=4&transport=polling&sid=${sid}`, session: sessions.at(-1)! }
      }),
      websocket: Effect.gen(function* () {
        const { socket } = bench.upgrade("EIO=4&transport=websocket")
        yield* turn
        return { sid: sidOf(String(socket.take()[0])), socket, session: sessions.at(-1)! }
      })
    }
    return bench
  })

/** The sid in an open packet. */
export const sidOf = (text: string): string => (JSON.parse(text.slice(1)) as { readonly sid: string }).sid
