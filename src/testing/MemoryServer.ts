/**
 * The server's side of the in-memory network: what listens under a host name, and requests as an engine sees them.
 */
import type { EngineHandler } from "../engine/EngineHost.ts"
import type {
  EngineBody,
  EngineRequest,
  EngineResponse,
  Exchange,
  Headers,
  UpgradeExchange
} from "../engine/EngineRequest.ts"
import type { WebSocketLike } from "../engine/WebSocketLike.ts"
import { byteLength } from "../protocol/Utf8.ts"

/** An engine that listens for a path. */
export interface Mount {
  readonly handler: EngineHandler
  readonly path: string
  /** The largest WebSocket message it takes, in bytes. */
  readonly maxPayload: number
}

/** Whether a request is for the mount: the same prefix rule as on Node. */
export const isFor = (mount: Mount, url: string): boolean => url.slice(0, mount.path.length) === mount.path

/** What a client asks for, as it arrives. */
export interface ArrivingRequest {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly secure: boolean
}

const toEngineRequest = (request: ArrivingRequest): EngineRequest => ({
  method: request.method,
  url: request.url,
  headers: request.headers,
  remoteAddress: "127.0.0.1",
  secure: request.secure,
  raw: request
})

/** Bytes of an answer on the wire, without its head. */
export const sizeOfResponse = (response: EngineResponse): number =>
  typeof response.body === "string" ? byteLength(response.body) : (response.body?.byteLength ?? 0)

/** A request that waits for its answer. */
export class MemoryExchange implements Exchange {
  readonly request: EngineRequest
  readonly #answer: (response: EngineResponse) => void
  #body: EngineBody | undefined
  #reader: { readonly maxBytes: number; readonly done: (body: EngineBody) => void } | undefined
  #abortListener: (() => void) | undefined
  #over = false

  constructor(request: ArrivingRequest, answer: (response: EngineResponse) => void) {
    this.request = toEngineRequest(request)
    this.#answer = answer
  }

  readBody(maxBytes: number, done: (body: EngineBody) => void): void {
    this.#reader = { maxBytes, done }
    // A length that was announced is believed: nobody waits for bytes that are not wanted.
    const announced = Number(this.request.headers["content-length"] ?? 0)
    if (announced > maxBytes) this.#body = { _tag: "TooLarge", size: announced }
    this.#settle()
  }

  respond(response: EngineResponse): void {
    if (this.#over) return
    this.#over = true
    this.#abortListener = undefined
    this.#answer(response)
  }

  onAbort(listener: () => void): void {
    this.#abortListener = listener
  }

  /** The whole body has arrived. */
  arrive(text: string): void {
    this.#body ??= { _tag: "Body", text }
    this.#settle()
  }

  /** The client has gone. */
  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#body ??= { _tag: "Aborted" }
    this.#settle()
    const listener = this.#abortListener
    this.#abortListener = undefined
    listener?.()
  }

  #settle(): void {
    const reader = this.#reader
    const body = this.#body
    if (reader === undefined || body === undefined) return
    this.#reader = undefined
    const size = body._tag === "Body" ? byteLength(body.text) : 0
    reader.done(size > reader.maxBytes ? { _tag: "TooLarge", size } : body)
  }
}

/** A request to become a WebSocket. */
export class MemoryUpgrade implements UpgradeExchange {
  readonly request: EngineRequest
  readonly #onAccept: () => WebSocketLike | undefined
  readonly #onReject: (response: EngineResponse) => void
  #decided = false

  /** `onAccept` gives no socket when the client has gone meanwhile. */
  constructor(
    request: ArrivingRequest,
    onAccept: () => WebSocketLike | undefined,
    onReject: (response: EngineResponse) => void
  ) {
    this.request = toEngineRequest(request)
    this.#onAccept = onAccept
    this.#onReject = onReject
  }

  accept(
    _headers: Readonly<Record<string, string | ReadonlyArray<string>>>,
    ready: (socket: WebSocketLike) => void
  ): void {
    if (this.#decided) return
    this.#decided = true
    const socket = this.#onAccept()
    if (socket !== undefined) ready(socket)
  }

  reject(response: EngineResponse): void {
    if (this.#decided) return
    this.#decided = true
    this.#onReject(response)
  }
}
