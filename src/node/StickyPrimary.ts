/**
 * The primary of a cluster as its own load balancer: all requests of a session reach the worker that has it.
 *
 * The primary's server reads the requests, so that its limits hold for their heads and each request of a kept connection finds its own worker.
 * Requests are passed on over a local socket; the connection of a WebSocket is given to the worker altogether, unless it is encrypted: then
 * the primary passes its bytes on.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import cluster, { type Worker } from "node:cluster"
import * as Http from "node:http"
import type * as Https from "node:https"
import { connect, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { EngineError } from "../engine/EngineError.ts"
import * as StickyChoice from "./StickyChoice.ts"
import * as StickyMessages from "./StickyMessages.ts"
import * as StickySessions from "./StickySessions.ts"
import { removePath } from "./StickyWorker.ts"

/** The options of a sticky primary. */
export interface StickyOptions {
  /** Who takes a new session, and every request that belongs to none. Default "least-connection". */
  readonly loadBalancingMethod?: StickyChoice.LoadBalancingMethod | undefined
  /** Sessions that are remembered at most; beyond, the one used least recently is forgotten. Default 1,000,000. */
  readonly maxSessions?: number | undefined
  /** How long requests wait while no worker is ready yet, in milliseconds, before they are answered 503. Default 10,000. */
  readonly startTimeout?: number | undefined
  /** Requests that wait so at most. Default 1000. */
  readonly maxWaiting?: number | undefined
}

/** A primary at work. */
export interface StickyPrimary {
  /** Workers that take requests, by their ids, with the sessions that each has. */
  readonly workers: ReadonlyMap<number, number>
  /** Sessions that are remembered: those that live by polling, and for a while those that have gone on to a WebSocket. */
  readonly sessions: number
}

/** A primary at work, and how it stops. */
export interface UnsafeStickyPrimary extends StickyPrimary {
  close(): void
}

/** Hop by hop: they are about the connection to the client, not about the request. */
const connectionHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
  // The server has answered it.
  "expect"
])

/** Raw headers, name after value, without those of the connection and those that `dropped` names. */
const forwarded = (raw: ReadonlyArray<string>, dropped: ReadonlySet<string>): Array<string> => {
  const kept: Array<string> = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (!connectionHeaders.has(name) && !dropped.has(name)) kept.push(raw[i]!, raw[i + 1]!)
  }
  return kept
}

const nothing: ReadonlySet<string> = new Set()
/** The answer to a handshake is read on its way, and so must not be compressed. */
const readable: ReadonlySet<string> = new Set(["accept-encoding"])
/** Node writes the answers to a client in its own way of ending them. */
const framing: ReadonlySet<string> = new Set(["transfer-encoding"])

const namedBy = (value: string | undefined): ReadonlySet<string> =>
  value === undefined
    ? nothing
    : new Set(
        value
          .toLowerCase()
          .split(",")
          .map((name) => name.trim())
      )

/** Headers that the `connection` header of a message names are of the connection too. */
const dropping = (connection: string | undefined, more: ReadonlySet<string>): ReadonlySet<string> => {
  const named = namedBy(connection)
  return named.size === 0 ? more : new Set([...named, ...more])
}

const headOf = ({ method, url, rawHeaders, httpVersion }: Http.IncomingMessage): string => {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`
  return `${head}\r\n`
}

const refuse = (response: Http.ServerResponse, status: 400 | 502 | 503): void => {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  response.writeHead(status, { "Content-Length": 0, Connection: "close" })
  response.end()
}

const refuseUpgrade = (socket: Duplex, status: 502 | 503): void => {
  if (!socket.writable) return void socket.destroy()
  socket.end(`HTTP/1.1 ${status} ${Http.STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  socket.resume()
}

/** A worker that takes requests. */
class Target {
  readonly worker: Worker
  readonly path: string
  /** Connections that it has been given, and handshakes on their way. */
  held = 0
  leaving = false

  constructor(worker: Worker, path: string) {
    this.worker = worker
    this.path = path
  }
}

const peerOf = (socket: Socket): StickyMessages.Peer => ({
  address: socket.remoteAddress,
  port: socket.remotePort,
  encrypted: "encrypted" in socket && socket.encrypted === true
})

/** A connection to a worker that begins with who the client is. */
const connectTo = (path: string, client: Socket): Socket => {
  const socket = connect({ path, allowHalfOpen: true })
  socket.write(StickyMessages.peerLine(peerOf(client)))
  return socket
}

interface Waiting {
  readonly proceed: () => void
  readonly giveUp: () => void
  readonly timer: ReturnType<typeof setTimeout>
}

class Balancer {
  readonly sessions: StickySessions.StickySessions
  readonly targets = new Map<number, Target>()
  readonly #choose: ReturnType<typeof StickyChoice.make>
  readonly #startTimeout: number
  readonly #maxWaiting: number
  /** Responses that are not finished, by the client's connection. */
  readonly #busy = new WeakMap<Socket, number>()
  #waiting: Array<Waiting> = []

  constructor(options: StickyOptions) {
    this.sessions = new StickySessions.StickySessions(() => performance.now(), options.maxSessions ?? 1_000_000)
    this.#choose = StickyChoice.make(options.loadBalancingMethod ?? "least-connection", Math.random)
    this.#startTimeout = options.startTimeout ?? 10_000
    this.#maxWaiting = options.maxWaiting ?? 1000
  }

  loadOf({ worker, held }: Target): number {
    return held + this.sessions.load(worker.id)
  }

  /** The worker of a request. */
  #targetOf(request: Http.IncomingMessage, sid: string | undefined): Target | undefined {
    const known = sid === undefined ? undefined : this.sessions.workerOf(sid)
    const target = known === undefined ? undefined : this.targets.get(known)
    if (target !== undefined) return target
    const candidates = Array.from(this.targets.values())
      .filter(({ leaving }) => !leaving)
      .map((target) => ({ id: target.worker.id, load: this.loadOf(target) }))
    const header = request.headers["x-forwarded-for"]
    const client = {
      address: request.socket.remoteAddress,
      forwardedFor: Array.isArray(header) ? header[0] : header
    }
    const id = this.#choose(candidates, client)
    return id === undefined ? undefined : this.targets.get(id)
  }

  /** Now, or when the first worker is ready. */
  #whenReady(proceed: () => void, giveUp: () => void): void {
    if (this.targets.size > 0) return proceed()
    const workers = Object.keys(cluster.workers ?? {})
    if (workers.length === 0 || this.#waiting.length >= this.#maxWaiting) return giveUp()
    const timer = setTimeout(() => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting)
      giveUp()
    }, this.#startTimeout)
    const waiting: Waiting = { proceed, giveUp, timer }
    this.#waiting.push(waiting)
  }

  request(request: Http.IncomingMessage, response: Http.ServerResponse): void {
    const { socket } = request
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1)
    response.once("close", () => this.#busy.set(socket, (this.#busy.get(socket) ?? 1) - 1))
    const pass = (): void => {
      try {
        this.#pass(request, response)
      } catch {
        // Node reads heads that it would not write, and a client must not end the primary by sending one.
        refuse(response, 400)
      }
    }
    this.#whenReady(pass, () => refuse(response, 503))
  }

  #pass(request: Http.IncomingMessage, response: Http.ServerResponse): void {
    if (response.destroyed) return
    const { method, url = "/", headers, rawHeaders, socket } = request
    const sid = StickySessions.sidOf(url)
    const target = this.#targetOf(request, sid)
    if (target === undefined) return refuse(response, 503)
    const begins = sid === undefined && method === "GET" && url.includes("transport=polling")
    const outgoing = Http.request({
      method,
      path: url,
      headers: forwarded(rawHeaders, dropping(headers.connection, begins ? readable : nothing)),
      // Without an agent, so a connection each: a kept one may end just when it is used again.
      createConnection: () => connectTo(target.path, socket)
    })
    const used = sid === undefined ? () => {} : this.sessions.use(sid)
    // What could begin a session counts until it has, so that many at once do not all go to the same worker.
    if (begins) target.held++
    outgoing.on("response", (incoming) => {
      if (begins) this.#learn(incoming, target)
      // `dropping` knows what the worker's connection is about; the client's is kept as the client wants.
      const answer = forwarded(incoming.rawHeaders, dropping(incoming.headers.connection, framing))
      try {
        response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, answer)
      } catch {
        incoming.destroy()
        return refuse(response, 502)
      }
      incoming.on("error", () => response.destroy())
      incoming.on("aborted", () => response.destroy())
      incoming.pipe(response)
    })
    outgoing.on("error", () => refuse(response, 502))
    outgoing.on("close", () => {
      if (begins) target.held--
      used()
    })
    response.on("close", () => {
      if (!response.writableFinished) outgoing.destroy()
    })
    request.on("error", () => outgoing.destroy())
    request.pipe(outgoing)
  }

  /** Remembers the session that an answer begins, before the client has read of it. */
  #learn(incoming: Http.IncomingMessage, { worker }: Target): void {
    if (incoming.statusCode !== 200) return
    let body = ""
    const onData = (chunk: Buffer): void => {
      body += chunk.toString("latin1")
      const packet = StickySessions.openPacket(body)
      if (packet !== undefined) this.sessions.add(packet, worker.id)
      if (packet !== undefined || body.length > StickySessions.maxOpenPacket) incoming.off("data", onData)
    }
    incoming.on("data", onData)
  }

  upgrade(request: Http.IncomingMessage, socket: Duplex, head: Buffer): void {
    // The server has let go of the socket: until somebody else listens its errors are nobody's.
    const onError = (): void => {
      socket.destroy()
    }
    socket.on("error", onError)
    if (!(socket instanceof Socket) || (this.#busy.get(socket) ?? 0) > 0) return void socket.destroy()
    this.#whenReady(
      () => {
        if (socket.destroyed) return
        const sid = StickySessions.sidOf(request.url ?? "")
        const target = this.#targetOf(request, sid)
        if (target === undefined) return refuseUpgrade(socket, 503)
        if (sid !== undefined) this.sessions.upgrade(sid)
        const read = Buffer.concat([Buffer.from(headOf(request), "latin1"), head])
        if ("encrypted" in socket && socket.encrypted === true) return this.#pipe(target, socket, read)
        this.#give(target, socket, read, onError)
      },
      () => refuseUpgrade(socket, 503)
    )
  }

  /** Gives a connection to a worker; from then on it is none of the primary's. */
  #give(target: Target, socket: Socket, read: Buffer, onError: () => void): void {
    socket.pause()
    // What has arrived since, if anything: a client of WebSocket waits for the answer.
    const more: unknown = socket.read()
    const all = Buffer.isBuffer(more) ? Buffer.concat([read, more]) : read
    const message: StickyMessages.HandOver = {
      source: StickyMessages.messageSource,
      type: "connection",
      read: all.toString("latin1")
    }
    target.held++
    const failed = (): void => {
      target.held--
      onError()
    }
    try {
      target.worker.send(message, socket, { keepOpen: false }, (error) => {
        if (error !== null) failed()
      })
    } catch {
      failed()
    }
  }

  /** Passes the bytes of a connection on that cannot be given away. */
  #pipe(target: Target, socket: Socket, read: Buffer): void {
    const inner = connectTo(target.path, socket)
    inner.write(read)
    target.held++
    inner.once("close", () => {
      target.held--
      socket.destroy()
    })
    inner.on("error", () => socket.destroy())
    socket.once("close", () => inner.destroy())
    socket.pipe(inner)
    inner.pipe(socket)
  }

  message(worker: Worker, value: unknown): void {
    const message = StickyMessages.workerMessage(value)
    if (message === undefined) return
    const target = this.targets.get(worker.id)
    switch (message.type) {
      case "ready": {
        this.targets.set(worker.id, new Target(worker, message.path))
        const waiting = this.#waiting
        this.#waiting = []
        for (const { proceed, timer } of waiting) {
          clearTimeout(timer)
          proceed()
        }
        return
      }
      case "leaving":
        if (target !== undefined) target.leaving = true
        return
      case "closed":
        if (target !== undefined && target.held > 0) target.held--
    }
  }

  /** A worker is gone. Requests that it had are answered by the end of their connections; its clients begin anew with others. */
  gone(worker: Worker): void {
    const target = this.targets.get(worker.id)
    if (target === undefined) return
    this.targets.delete(worker.id)
    this.sessions.forget(worker.id)
    removePath(target.path)
  }

  close(): void {
    for (const { timer, giveUp } of this.#waiting.splice(0)) {
      clearTimeout(timer)
      giveUp()
    }
  }
}

/** The servers that a primary can have. */
export type Server = Http.Server | Https.Server

const events = ["request", "upgrade"] as const

/**
 * Makes a server of the primary pass everything on to its workers, which have `StickyWorker`. What listened to its requests and upgrades
 * before does not while it does. Throws in a worker, and for a method that does not exist.
 */
export const makeUnsafe = (server: Server, options: StickyOptions = {}): UnsafeStickyPrimary => {
  if (!cluster.isPrimary) throw new Error("not primary")
  const { loadBalancingMethod: method } = options
  if (method !== undefined && !StickyChoice.isMethod(method)) {
    throw new Error(`unknown loadBalancingMethod "${String(method)}"`)
  }
  const balancer = new Balancer(options)
  const before = events.map((event) => [event, server.listeners(event)] as const)
  for (const event of events) server.removeAllListeners(event)
  const onRequest = (request: Http.IncomingMessage, response: Http.ServerResponse): void =>
    balancer.request(request, response)
  const onUpgrade = (request: Http.IncomingMessage, socket: Duplex, head: Buffer): void =>
    balancer.upgrade(request, socket, head)
  server.on("request", onRequest)
  server.on("upgrade", onUpgrade)
  const onMessage = (worker: Worker, value: unknown): void => balancer.message(worker, value)
  const onGone = (worker: Worker): void => balancer.gone(worker)
  cluster.on("message", onMessage)
  cluster.on("disconnect", onGone)
  cluster.on("exit", onGone)
  return {
    get workers() {
      return new Map(Array.from(balancer.targets, ([id, target]) => [id, balancer.loadOf(target)]))
    },
    get sessions() {
      balancer.sessions.prune()
      return balancer.sessions.size
    },
    close() {
      server.off("request", onRequest)
      server.off("upgrade", onUpgrade)
      for (const [event, listeners] of before) {
        for (const listener of listeners) server.on(event, listener as (...args: Array<unknown>) => void)
      }
      cluster.off("message", onMessage)
      cluster.off("disconnect", onGone)
      cluster.off("exit", onGone)
      balancer.close()
    }
  }
}

/** As {@link makeUnsafe}, until the scope closes. Fails with `Config` where that throws. */
export const make = (server: Server, options?: StickyOptions): Effect.Effect<StickyPrimary, EngineError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => makeUnsafe(server, options),
      catch: (cause) =>
        new EngineError({ reason: "Config", message: cause instanceof Error ? cause.message : String(cause), cause })
    }),
    (primary) => Effect.sync(() => primary.close())
  )
