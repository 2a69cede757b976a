/**
 * Middleware in the manner of connect and Express, `(request, response, next)`, in front of an engine.
 */
import { EventEmitter } from "node:events"
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http"
import type { EngineResponse } from "../engine/EngineRequest.ts"

/**
 * One middleware. It answers by itself, or calls `next`; what it gives to `next`, throws or rejects with refuses the request.
 *
 * The type of a method, whose parameters may be narrower: middleware for Express's richer requests and responses fits, too.
 */
export type Middleware = {
  middleware(request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): unknown
}["middleware"]

/** Runs them one after the other; `done` is called once, with the first error or without, or never when one of them has answered. */
export const run = (
  chain: ReadonlyArray<Middleware>,
  request: IncomingMessage,
  response: ServerResponse,
  done: (error: unknown) => void
): void => {
  const step = (index: number): void => {
    const middleware = chain[index]
    if (middleware === undefined) return done(undefined)
    let settled = false
    const next = (error?: unknown): void => {
      if (settled) return
      settled = true
      if (error === undefined || error === null || error === false) step(index + 1)
      else done(error)
    }
    const failed = (error: unknown): void => next(error ?? new Error("a middleware failed"))
    try {
      const result = middleware(request, response, next)
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
  step(0)
}

/**
 * What middleware gets as the response of an upgrade request: it takes headers, which the answer to the upgrade will carry, and ends the
 * request when it is ended.
 */
export class UpgradeResponse extends EventEmitter {
  readonly req: IncomingMessage
  statusCode = 200
  statusMessage = ""
  headersSent = false
  finished = false
  readonly #headers = new Map<string, { readonly name: string; readonly value: string | ReadonlyArray<string> }>()
  readonly #reject: (response: EngineResponse) => void
  readonly #chunks: Array<Buffer> = []

  constructor(request: IncomingMessage, reject: (response: EngineResponse) => void) {
    super()
    this.req = request
    this.#reject = reject
    request.socket.once("close", () => this.emit("close"))
  }

  get writableEnded(): boolean {
    return this.finished
  }

  setHeader(name: string, value: number | string | ReadonlyArray<string>): this {
    this.#headers.set(name.toLowerCase(), { name, value: typeof value === "number" ? String(value) : value })
    return this
  }

  appendHeader(name: string, value: string | ReadonlyArray<string>): this {
    const before = this.getHeader(name)
    return this.setHeader(name, before === undefined ? value : [before, value].flat())
  }

  getHeader(name: string): string | ReadonlyArray<string> | undefined {
    return this.#headers.get(name.toLowerCase())?.value
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase())
  }

  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase())
  }

  getHeaderNames(): Array<string> {
    return [...this.#headers.keys()]
  }

  getHeaders(): OutgoingHttpHeaders {
    return Object.fromEntries(
      Array.from(this.#headers, ([name, { value }]) => [name, typeof value === "string" ? value : [...value]])
    )
  }

  /** As they were named. */
  get headers(): EngineResponse["headers"] {
    return Object.fromEntries(Array.from(this.#headers.values(), ({ name, value }) => [name, value]))
  }

  writeHead(status?: number, ...rest: ReadonlyArray<unknown>): this {
    if (status !== undefined) this.statusCode = status
    const headers = rest.at(-1)
    if (typeof headers === "object" && headers !== null && !Array.isArray(headers)) {
      for (const [name, value] of Object.entries(headers as Readonly<Record<string, string>>)) {
        this.setHeader(name, value)
      }
    }
    return this
  }

  write(chunk?: unknown): boolean {
    if (typeof chunk === "string" || chunk instanceof Uint8Array) this.#chunks.push(Buffer.from(chunk as Uint8Array))
    return true
  }

  /** What Node's own calls before the first byte of a body; express-session calls it, too. */
  _implicitHeader(): void {
    this.writeHead(this.statusCode)
  }

  flushHeaders(): void {}

  end(body?: unknown): this {
    if (this.finished) return this
    this.finished = true
    this.headersSent = true
    this.write(body)
    const whole = this.#chunks.length === 0 ? undefined : Buffer.concat(this.#chunks)
    this.#reject({ status: this.statusCode, headers: this.headers, body: whole })
    this.emit("finish")
    return this
  }

  /** The same object, as middleware expects it. */
  get asServerResponse(): ServerResponse {
    return this as unknown as ServerResponse
  }
}
