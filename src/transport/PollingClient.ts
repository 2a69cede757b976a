/**
 * HTTP long-polling of the client: one GET after the other, and POSTs of what is to be sent, one at a time, none larger than the
 * server's `maxPayload`.
 */
import * as CloseReason from "../protocol/CloseReason.ts"
import * as EnginePacket from "../protocol/EnginePacket.ts"
import * as EnginePayload from "../protocol/EnginePayload.ts"
import type { Frame, FrameGroup } from "../protocol/FrameGroup.ts"
import type { ClientPlatform, HttpRequest, HttpResult } from "./ClientPlatform.ts"
import type { ClientTimers } from "./ClientTimers.ts"
import type { ClientTransport, ClientTransportSink } from "./ClientTransport.ts"

/** What the transport needs. */
export interface PollingClientOptions {
  readonly platform: ClientPlatform
  readonly timers: ClientTimers
  /** The URL of the next request: it has the session's id once that is known, and a fresh cache-buster. */
  url(): string
  /** The most bytes of one POST; `Infinity` before the handshake. */
  maxPayload(): number
  readonly headers: Readonly<Record<string, string>>
  readonly withCredentials: boolean
  /** Milliseconds until a request is given up; 0 for never. */
  readonly requestTimeout: number
}

/** The most packets that one answer may hold; more can only be an attack on memory. */
export const maxPackets = 1_000_000

const closePacket = EnginePacket.toText(EnginePacket.encode(EnginePacket.make("close")))

const contentType = "text/plain;charset=UTF-8"

class PollingClient implements ClientTransport {
  readonly name = "polling"
  readonly #options: PollingClientOptions
  readonly #sink: ClientTransportSink
  #state: "idle" | "open" | "pausing" | "paused" | "closed" = "idle"
  #abortPoll: (() => void) | undefined = undefined
  #abortPost: (() => void) | undefined = undefined
  /** Frames that did not fit into the POST under way. */
  #rest: ReadonlyArray<Frame> = []
  #onPaused: (() => void) | undefined = undefined

  constructor(options: PollingClientOptions, sink: ClientTransportSink) {
    this.#options = options
    this.#sink = sink
  }

  get writable(): boolean {
    return this.#state === "open" && this.#abortPost === undefined
  }

  open(): void {
    this.#state = "open"
    this.#poll()
  }

  #poll(): void {
    this.#abortPoll = this.#request("GET", undefined, (result) => this.#polled(result))
  }

  #polled(result: HttpResult): void {
    if (this.#isClosed()) return
    if (!isOk(result)) return this.#fail("xhr poll error", result)
    const frames = EnginePayload.decodePayload(result.body, { maxPackets })
    if (EnginePacket.isFailure(frames)) return this.#sink.onUndecodable(this, frames.message)
    for (const frame of frames) {
      this.#sink.onFrame(this, frame)
      if (this.#isClosed()) return
    }
    this.#abortPoll = undefined
    if (this.#state === "open") this.#poll()
    else this.#checkPaused()
  }

  send(groups: ReadonlyArray<FrameGroup>): void {
    this.#post(EnginePayload.framesOf(groups))
  }

  #post(frames: ReadonlyArray<Frame>): void {
    const count = EnginePayload.selectFrames(frames, this.#options.maxPayload())
    this.#rest = count === frames.length ? [] : frames.slice(count)
    const body = EnginePayload.encodeFrames(count === frames.length ? frames : frames.slice(0, count))
    this.#abortPost = this.#request("POST", body, (result) => this.#posted(result))
  }

  #posted(result: HttpResult): void {
    if (this.#state === "closed") return this.#sayFarewell()
    if (!isOk(result)) return this.#fail("xhr post error", result)
    this.#abortPost = undefined
    if (this.#rest.length > 0) return this.#post(this.#rest)
    if (this.#state === "open") this.#sink.onDrain(this)
    else this.#checkPaused()
  }

  #request(method: "GET" | "POST", body: string | undefined, done: (result: HttpResult) => void): () => void {
    const { platform, timers, requestTimeout } = this.#options
    let cancel = (): void => {}
    const abort = platform.request(this.#describe(method, body), (result) => {
      cancel()
      done(result)
    })
    if (requestTimeout > 0) {
      cancel = timers.set(requestTimeout, () => {
        abort()
        done({ _tag: "NoAnswer", cause: "timeout" })
      })
    }
    return () => {
      cancel()
      abort()
    }
  }

  #describe(method: "GET" | "POST", body: string | undefined): HttpRequest {
    const { headers, withCredentials } = this.#options
    return {
      method,
      url: this.#options.url(),
      headers: body === undefined ? headers : { ...headers, "Content-type": contentType },
      body,
      withCredentials
    }
  }

  #fail(message: string, result: HttpResult): void {
    this.#release()
    const failure =
      result._tag === "Answer"
        ? { message, description: result.status, context: { status: result.status, body: result.body } }
        : { message, description: result.cause }
    this.#sink.onClose(this, CloseReason.transportError, failure)
  }

  pause(done: () => void): void {
    if (this.#state !== "open") return
    this.#state = "pausing"
    this.#onPaused = done
    this.#checkPaused()
  }

  /** The server answers the waiting poll with a noop, so that both directions come to rest. */
  #checkPaused(): void {
    if (this.#state !== "pausing" || this.#abortPoll !== undefined || this.#abortPost !== undefined) return
    this.#state = "paused"
    const done = this.#onPaused
    this.#onPaused = undefined
    done?.()
  }

  resume(): void {
    if (this.#state !== "pausing" && this.#state !== "paused") return
    this.#state = "open"
    this.#onPaused = undefined
    if (this.#abortPoll === undefined) this.#poll()
    if (this.#abortPost === undefined) this.#sink.onDrain(this)
  }

  close(tell: boolean): void {
    if (this.#isClosed()) return
    if (!tell) return this.#release()
    this.#state = "closed"
    this.#rest = []
    // POSTs never overlap, which the server would take for an error.
    if (this.#abortPost === undefined) this.#sayFarewell()
  }

  /** Aborting the poll first would look like a lost connection to the server; it answers it when it reads the close packet. */
  #sayFarewell(): void {
    const abortPoll = this.#abortPoll
    this.#abortPoll = this.#abortPost = undefined
    const request: HttpRequest = { ...this.#describe("POST", closePacket), farewell: true }
    this.#options.platform.request(request, () => abortPoll?.())
  }

  #release(): void {
    this.#state = "closed"
    this.#abortPoll?.()
    this.#abortPost?.()
    this.#abortPoll = this.#abortPost = undefined
    this.#rest = []
  }

  #isClosed(): boolean {
    return this.#state === "closed"
  }
}

const isOk = (result: HttpResult): result is Extract<HttpResult, { readonly _tag: "Answer" }> =>
  result._tag === "Answer" && result.status === 200

/** Polling that begins with `open`. */
export const make = (options: PollingClientOptions, sink: ClientTransportSink): ClientTransport =>
  new PollingClient(options, sink)
