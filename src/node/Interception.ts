/**
 * Taking some requests of a server that is there already, and leaving the others to whoever else listens.
 */
import type * as Http from "node:http"
import type { EventEmitter } from "node:events"
import type { Duplex } from "node:stream"

/** Who takes requests and upgrades. */
export interface Interceptor {
  /** Whether this request is one to take. */
  takes(request: Http.IncomingMessage, upgrade: boolean): boolean
  request(request: Http.IncomingMessage, response: Http.ServerResponse): void
  upgrade(request: Http.IncomingMessage, socket: Duplex, head: Buffer): void
}

/** What happens to upgrade requests that nobody takes. */
export interface ForeignUpgrades {
  /** Ends them when nobody has answered. Default true. */
  readonly destroyUpgrade?: boolean | undefined
  /** After how many milliseconds. Default 1000. */
  readonly destroyUpgradeTimeout?: number | undefined
}

/**
 * Whether a URL is below the engine's path. With a trailing slash every path that starts with it is, as in Engine.IO; without one
 * the path itself, with or without a query or more segments, but not a longer name.
 */
export const isEnginePath = (url: string, path: string): boolean => {
  if (!url.startsWith(path)) return false
  if (path.endsWith("/") || url.length === path.length) return true
  const next = url[path.length]
  return next === "?" || next === "/" || next === "#"
}

/** A request of `http` or the like of it that `http2` gives. */
const isRequest = (value: unknown): value is Http.IncomingMessage =>
  typeof value === "object" && value !== null && typeof (value as Partial<Http.IncomingMessage>).url === "string"

/**
 * Asks the interceptor first, before the server's other listeners, whenever they were or will be added. Gives back how to undo it.
 *
 * Listeners cannot keep an event from each other, and Express would answer 404 to our requests; so it is `emit` that is replaced.
 */
export const intercept = (server: EventEmitter, interceptor: Interceptor, options: ForeignUpgrades): (() => void) => {
  const inherited = !Object.hasOwn(server, "emit")
  const previous = server.emit
  let active = true
  const emit = function (this: EventEmitter, event: string | symbol, ...args: Array<unknown>): boolean {
    const [request, second, head] = args
    if (active && isRequest(request)) {
      if ((event === "request" || event === "checkContinue") && interceptor.takes(request, false)) {
        const response = second as Http.ServerResponse
        if (event === "checkContinue") response.writeContinue()
        interceptor.request(request, response)
        return true
      }
      if (event === "upgrade" && interceptor.takes(request, true)) {
        interceptor.upgrade(request, second as Duplex, head as Buffer)
        return true
      }
    }
    return Reflect.apply(previous, this, [event, ...args]) as boolean
  }
  server.emit = emit
  const onForeignUpgrade = (_request: Http.IncomingMessage, socket: Duplex): void => {
    if (options.destroyUpgrade === false) return
    // By listening we have kept Node from closing the socket itself; if nobody else answers, nobody ever will.
    socket.on("error", () => {})
    const timer = setTimeout(() => {
      if (!socket.writable || !("bytesWritten" in socket) || socket.bytesWritten !== 0) return
      socket.end()
      // Nobody reads it, so that nobody would see it end.
      socket.resume()
    }, options.destroyUpgradeTimeout ?? 1000)
    timer.unref()
  }
  server.on("upgrade", onForeignUpgrade)
  return () => {
    active = false
    server.off("upgrade", onForeignUpgrade)
    if (server.emit !== emit) return
    if (inherited) Reflect.deleteProperty(server, "emit")
    else server.emit = previous
  }
}

/** An interceptor for everything below a path. */
export const below = (path: string, handler: Omit<Interceptor, "takes">): Interceptor => ({
  takes: (request) => isEnginePath(request.url ?? "", path),
  request: (request, response) => handler.request(request, response),
  upgrade: (request, socket, head) => handler.upgrade(request, socket, head)
})
