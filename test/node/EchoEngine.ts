/** An engine that echoes, on any host, and small raw clients to talk to it. */
import * as Effect from "effect/Effect"
import * as EngineConfig from "../../src/engine/EngineConfig.ts"
import { type EngineHandler, EngineHost } from "../../src/engine/EngineHost.ts"
import * as EngineServer from "../../src/engine/EngineServer.ts"
import type * as Session from "../../src/engine/Session.ts"
import * as FrameGroup from "../../src/protocol/FrameGroup.ts"
import { type RawData, WebSocket } from "ws"

/** A running echo server. */
export interface Echo {
  readonly engine: EngineServer.EngineServerShape
  readonly sessions: Array<Session.Session>
  readonly closed: Array<Session.Closed>
  readonly port: number
  /** Requests that the engine has taken. */
  readonly requests: () => number
  readonly url: (query: string) => string
}

/** The group that carries a message. */
export const messageGroup = (data: FrameGroup.Frame): FrameGroup.FrameGroup =>
  FrameGroup.make(typeof data === "string" ? `4${data}` : data)

/** Serves an echo on the host of the context. */
export const serve = (
  options: EngineConfig.EngineOptions = {},
  at: { readonly port?: number; readonly path?: string; readonly compress?: boolean } = {}
) =>
  Effect.gen(function* () {
    const host = yield* EngineHost
    const config = yield* EngineConfig.make(options)
    const sessions: Array<Session.Session> = []
    const closed: Array<Session.Closed> = []
    const compress = at.compress ?? true
    const engine = EngineServer.makeUnsafe(config, yield* Effect.context<never>(), yield* Effect.scope, (session) => {
      sessions.push(session)
      return {
        onMessage: (data) => void session.write(messageGroup(data), { volatile: false, compress }),
        onDrain: () => {},
        onClose: (why) => void closed.push(why)
      }
    })
    const path = at.path ?? "/engine.io/"
    let requests = 0
    const handler: EngineHandler = {
      handleRequest: (exchange) => {
        engine.handleRequest(exchange)
        requests++
      },
      handleUpgrade: (exchange) => engine.handleUpgrade(exchange)
    }
    yield* host.serve(handler, { path, addTrailingSlash: path.endsWith("/"), maxPayload: config.maxPayload })
    const port = at.port ?? (yield* host.address)?.port ?? 0
    const url = (query: string): string => `http://127.0.0.1:${port}${path}?EIO=4&${query}`
    return { engine, sessions, closed, port, url, requests: () => requests } satisfies Echo
  })

/** Everything a WebSocket heard, to wait for. */
export interface RawSocket {
  readonly ws: WebSocket
  readonly next: Effect.Effect<string>
  readonly closed: Effect.Effect<{ readonly code: number }>
}

/** Opens a WebSocket; `closed` also when it never opened. */
export const open = (url: string, options: WebSocket.ClientOptions = {}): RawSocket => {
  const ws = new WebSocket(url.replace(/^http/, "ws"), { perMessageDeflate: false, ...options })
  const heard: Array<string> = []
  const waiting: Array<(text: string) => void> = []
  ws.on("message", (data: RawData, isBinary: boolean) => {
    const bytes = data as Buffer
    const text = isBinary ? `b${bytes.toString("base64")}` : bytes.toString()
    const waiter = waiting.shift()
    if (waiter === undefined) heard.push(text)
    else waiter(text)
  })
  ws.on("error", () => {})
  const gone = new Promise<{ readonly code: number }>((resolve) => ws.on("close", (code) => resolve({ code })))
  return {
    ws,
    next: Effect.promise(() => {
      const text = heard.shift()
      return text === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(text)
    }),
    closed: Effect.promise(() => gone)
  }
}

/** An HTTP request by fetch. */
export const ask = (url: string, init?: RequestInit) =>
  Effect.promise(async () => {
    const response = await fetch(url, init)
    return { status: response.status, headers: response.headers, text: await response.text() }
  })

/** The sid in an open packet. */
export const sidOf = (text: string): string => (JSON.parse(text.slice(1)) as { readonly sid: string }).sid

/** Runs an effect until it holds; for what no event tells of. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (condition() ? Effect.void : Effect.andThen(Effect.sleep(5), until(condition))))
