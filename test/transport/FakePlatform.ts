/** A platform and a clock that do what the test says, step by step. */
import type {
  ClientPlatform,
  ClientWebSocketHandlers,
  HttpRequest,
  HttpResult,
  WebSocketRequest
} from "../../src/transport/ClientPlatform.ts"
import type { ClientTimers, Flushable } from "../../src/transport/ClientTimers.ts"
import type { Frame } from "../../src/protocol/FrameGroup.ts"

/** A request that was started. */
export interface Started extends HttpRequest {
  aborted: boolean
  readonly query: Readonly<Record<string, string>>
  /** Answers with this body and status, unless aborted. */
  answer(body: string, status?: number): void
  fail(cause: unknown): void
}

/** A WebSocket that was opened. */
export interface Opened extends WebSocketRequest {
  readonly handlers: ClientWebSocketHandlers
  readonly sent: Array<Frame>
  readonly query: Readonly<Record<string, string>>
  closed: boolean
}

const queryOf = (url: string): Readonly<Record<string, string>> => Object.fromEntries(new URL(url).searchParams)

/** The network end of a client. */
export class FakePlatform implements ClientPlatform {
  readonly name = "memory"
  readonly requests: Array<Started> = []
  readonly sockets: Array<Opened> = []
  offline: (() => void) | undefined = undefined
  unload: (() => void) | undefined = undefined

  request(request: HttpRequest, done: (result: HttpResult) => void): () => void {
    let open = true
    const finish = (result: HttpResult): void => {
      if (!open) return
      open = false
      done(result)
    }
    const started: Started = {
      ...request,
      aborted: false,
      query: queryOf(request.url),
      answer: (body, status = 200) => finish({ _tag: "Answer", status, body }),
      fail: (cause) => finish({ _tag: "NoAnswer", cause })
    }
    this.requests.push(started)
    return () => {
      open = false
      started.aborted = true
    }
  }

  openWebSocket(request: WebSocketRequest, handlers: ClientWebSocketHandlers) {
    const opened: Opened = { ...request, handlers, sent: [], query: queryOf(request.url), closed: false }
    this.sockets.push(opened)
    return {
      bufferedAmount: 0,
      send: (frame: Frame) => opened.sent.push(frame),
      close: () => {
        opened.closed = true
      }
    }
  }

  onOffline(listener: () => void): () => void {
    this.offline = listener
    return () => {
      this.offline = undefined
    }
  }

  onBeforeUnload(listener: () => void): () => void {
    this.unload = listener
    return () => {
      this.unload = undefined
    }
  }

  /** The GET that waits, and the last POST. */
  get poll(): Started {
    return this.requests.findLast(({ method }) => method === "GET")!
  }

  get posts(): ReadonlyArray<Started> {
    return this.requests.filter(({ method }) => method === "POST")
  }
}

/** Time that passes when the test says so. */
export class FakeTimers implements ClientTimers {
  time = 1_700_000_000_000
  chance = 0.5
  readonly #timers = new Set<{ readonly due: number; readonly f: () => void }>()
  #turn: Array<Flushable> = []

  now(): number {
    return this.time
  }

  set(millis: number, f: () => void): () => void {
    const timer = { due: this.time + millis, f }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  endOfTurn(target: Flushable): void {
    this.#turn.push(target)
  }

  random(): number {
    return this.chance
  }

  get running(): number {
    return this.#timers.size
  }

  /** Ends the turn, and those that follow from it. */
  turn(): void {
    while (this.#turn.length > 0) this.#turn.shift()!.flush()
  }

  /** Lets time pass without timers noticing, as when a machine sleeps. */
  sleep(millis: number): void {
    this.time += millis
  }

  pass(millis: number): void {
    const end = this.time + millis
    for (;;) {
      this.turn()
      const next = [...this.#timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.time = Math.max(this.time, next.due)
      next.f()
    }
    this.time = end
    this.turn()
  }
}
