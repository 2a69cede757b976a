/**
 * HTTP long-polling: frames leave as answers to GET and arrive in bodies of POST.
 *
 * At most one GET waits and one POST is being read. A second of either is a mistake of the client that ends the session: its
 * answer or its order would be lost otherwise.
 */
import type * as Layer from "effect/Layer"
import * as CloseReason from "../protocol/CloseReason.ts"
import * as EnginePacket from "../protocol/EnginePacket.ts"
import * as EnginePayload from "../protocol/EnginePayload.ts"
import * as FrameGroup from "../protocol/FrameGroup.ts"
import type { Deadline, Expirable } from "../runtime/Deadlines.ts"
import { PayloadTooLarge, TransportError } from "./EngineError.ts"
import type { EngineBody, EngineRequest, EngineResponse, Exchange, Headers } from "./EngineRequest.ts"
import type { RequestTransport, TransportSink } from "./Transport.ts"
import type { TransportEnvironment, TransportFactory, Transports } from "./Transports.ts"
import { layerAdd } from "./Transports.ts"

const closeGroup = FrameGroup.make(EnginePacket.encode(EnginePacket.make("close")))
const noopGroup = FrameGroup.make(EnginePacket.encode(EnginePacket.make("noop")))

/** `closing`: the session is over, but the client has yet to come and be told. */
type Phase = "open" | "closing" | "closed"

class PollingTransport implements RequestTransport, Expirable {
  private readonly environment: TransportEnvironment
  private sink: TransportSink | undefined
  private phase: Phase = "open"
  /** The GET that waits for frames. */
  private poll: Exchange | undefined
  /** The POST that is being read, or whose answer is held back by `pause`. */
  private post: Exchange | undefined
  private paused = false
  /** What to do with `post` once input is wanted again. */
  private resumed: (() => void) | undefined
  private closeDeadline: Deadline | undefined

  constructor(environment: TransportEnvironment) {
    this.environment = environment
    this.sink = undefined
  }

  get name(): string {
    return factory.name
  }

  get writable(): boolean {
    return this.poll !== undefined && this.phase !== "closed"
  }

  /** Answers are handed to the host in one piece; nothing of the session's waits here. */
  get bufferedAmount(): number {
    return 0
  }

  attach(sink: TransportSink): void {
    this.sink = sink
  }

  handle(exchange: Exchange): void {
    if (this.phase === "closed") return exchange.respond(answer(400, exchange.request), false)
    switch (exchange.request.method) {
      case "GET":
        return this.onPoll(exchange)
      case "POST":
        return this.onPost(exchange)
      default:
        // As Engine.IO answers it.
        return exchange.respond(answer(500, exchange.request), false)
    }
  }

  send(groups: ReadonlyArray<FrameGroup.FrameGroup>, compress: boolean): void {
    // The close packet gets a payload of its own: official clients obey it before they hand out what stands in front of it.
    if (this.phase === "closing" && groups.length === 0) {
      this.answerPoll([closeGroup], false)
      this.end()
    } else this.answerPoll(groups, compress)
  }

  release(): void {
    if (this.phase === "open") this.answerPoll([noopGroup], false)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    const resumed = this.resumed
    this.resumed = undefined
    resumed?.()
  }

  close(discard: boolean, last: ReadonlyArray<FrameGroup.FrameGroup> = []): void {
    // Nobody comes any more to be told.
    if (this.phase === "closing" && discard) return this.end()
    if (this.phase !== "open") return
    if (this.poll !== undefined && (discard || last.length === 0)) {
      this.answerPoll(discard ? (last.length > 0 ? last : [noopGroup]) : [closeGroup], last.length > 0)
      this.end()
    } else if (discard) {
      this.end()
    } else {
      this.phase = "closing"
      if (this.poll !== undefined) this.answerPoll(last, true)
      this.closeDeadline = this.environment.deadlines.set(this.environment.pollCloseTimeout, this)
    }
    // A client whose input was not wanted must not wait for its answer for ever.
    this.resume()
  }

  /** Nobody came to be told. */
  onDeadline(): void {
    this.closeDeadline = undefined
    this.end()
  }

  private onPoll(exchange: Exchange): void {
    if (this.poll !== undefined) {
      exchange.respond(answer(400, exchange.request), false)
      return this.fail(CloseReason.transportError, new TransportError({ message: "overlap from client" }))
    }
    this.poll = exchange
    exchange.onAbort(() => {
      if (this.poll !== exchange) return
      this.poll = undefined
      this.fail(CloseReason.transportError, new TransportError({ message: "poll connection closed prematurely" }))
    })
    if (this.poll === undefined) return
    this.sink?.onDrain()
    // The session had nothing left to say but that it is over.
    if (this.phase === "closing" && this.poll !== undefined) this.send([], false)
  }

  private answerPoll(groups: ReadonlyArray<FrameGroup.FrameGroup>, compress: boolean): void {
    const poll = this.poll
    if (poll === undefined) return
    this.poll = undefined
    const body = EnginePayload.encodePayload(groups)
    poll.respond(answer(200, poll.request, { "Content-Type": "text/plain; charset=UTF-8" }, body), compress)
  }

  private onPost(exchange: Exchange): void {
    if (this.post !== undefined) {
      exchange.respond(answer(400, exchange.request), false)
      return this.fail(CloseReason.transportError, new TransportError({ message: "data request overlap from client" }))
    }
    if (contentType(exchange.request.headers) === "application/octet-stream") {
      exchange.respond(answer(400, exchange.request), false)
      return this.fail(CloseReason.transportError, new TransportError({ message: "invalid content" }))
    }
    this.post = exchange
    if (this.paused) this.resumed = () => this.read(exchange)
    else this.read(exchange)
  }

  private read(exchange: Exchange): void {
    exchange.readBody(this.environment.maxPayload, (body) => this.onBody(exchange, body))
  }

  private onBody(exchange: Exchange, body: EngineBody): void {
    switch (body._tag) {
      case "Body":
        return this.onPayload(exchange, body.text)
      case "TooLarge": {
        this.post = undefined
        this.environment.counters.tooLarge++
        exchange.respond(answer(413, exchange.request), false)
        const limit = this.environment.maxPayload
        return this.fail(CloseReason.transportError, new PayloadTooLarge({ limit, size: body.size }))
      }
      case "Aborted":
        this.post = undefined
        return this.fail(
          CloseReason.transportError,
          new TransportError({ message: "data request connection closed prematurely" })
        )
    }
  }

  private onPayload(exchange: Exchange, text: string): void {
    const frames = EnginePayload.decodePayload(text, { maxPackets: this.environment.maxPacketsPerPayload })
    if (EnginePacket.isFailure(frames)) return this.refuse(exchange, frames.message)
    for (const frame of frames) {
      if (this.phase !== "open") break
      // Only here can the client still be told by a status that its packet is none.
      const failure = undecodable(frame)
      if (failure !== undefined) return this.refuse(exchange, failure)
      this.sink?.onFrame(frame)
    }
    if (this.paused && this.phase === "open") this.resumed = () => this.accept(exchange)
    else this.accept(exchange)
  }

  private accept(exchange: Exchange): void {
    this.post = undefined
    // text/html, since some browsers offered text/plain as a download.
    exchange.respond(answer(200, exchange.request, { "Content-Type": "text/html" }, "ok"), false)
  }

  private refuse(exchange: Exchange, message: string): void {
    this.post = undefined
    exchange.respond(answer(400, exchange.request), false)
    this.fail(CloseReason.parseError, new TransportError({ message }))
  }

  /** Ends the transport by itself; a waiting poll learns that the session is over. */
  private fail(reason: CloseReason.CloseReason, cause: unknown): void {
    if (this.phase === "closed") return
    this.answerPoll([closeGroup], false)
    this.end(reason, cause)
    this.resume()
  }

  private end(reason: CloseReason.CloseReason = CloseReason.forcedClose, cause?: unknown): void {
    this.phase = "closed"
    if (this.closeDeadline !== undefined) this.environment.deadlines.cancel(this.closeDeadline)
    this.closeDeadline = undefined
    this.sink?.onClose(reason, cause)
  }
}

const messageDigit = 0x34

const undecodable = (frame: FrameGroup.Frame): string | undefined => {
  if (typeof frame !== "string" || frame.charCodeAt(0) === messageDigit) return undefined
  const packet = EnginePacket.decode(frame)
  return EnginePacket.isFailure(packet) ? packet.message : undefined
}

const single = (headers: Headers, name: string): string => {
  const value = headers[name]
  return (typeof value === "string" ? value : value?.[0]) ?? ""
}

const contentType = (headers: Headers): string => single(headers, "content-type").split(";", 1)[0]!.trim().toLowerCase()

const answer = (
  status: number,
  request: EngineRequest,
  headers: Readonly<Record<string, string>> = {},
  body?: string
): EngineResponse => {
  const userAgent = single(request.headers, "user-agent")
  const all: Record<string, string> = { ...headers, "Cache-Control": "no-store" }
  // Internet Explorer mistakes payloads for script injection otherwise.
  if (userAgent.includes(";MSIE") || userAgent.includes("Trident/")) all["X-XSS-Protection"] = "0"
  return { status, headers: all, body }
}

/** Makes polling transports. */
export const factory: TransportFactory = {
  name: "polling",
  kind: "request",
  upgradesTo: ["websocket"],
  make: (environment) => new PollingTransport(environment)
}

/** Adds the polling transport to the collection. */
export const layer: Layer.Layer<never, never, Transports> = layerAdd(factory)
