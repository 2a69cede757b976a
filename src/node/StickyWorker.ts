/**
 * A worker behind a sticky primary: its server does not listen, it gets its connections from the primary.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import cluster from "node:cluster"
import { mkdtempSync, rmSync } from "node:fs"
import type { Server } from "node:http"
import { createServer, type Server as NetServer, Socket } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { EngineError } from "../engine/EngineError.ts"
import type { EngineHost } from "../engine/EngineHost.ts"
import * as NodeEngine from "./NodeEngine.ts"
import type { NodeEngineOptions } from "./NodeHandlers.ts"
import * as StickyMessages from "./StickyMessages.ts"

/** How long the primary may take to name the client of a connection, in milliseconds. */
const introductionTimeout = 10_000

const newline = 0x0a

/** A socket (or pipe) that only this user can reach. */
const makePath = (): string =>
  process.platform === "win32"
    ? `\\\\.\\pipe\\effect-socketio-${process.pid}-${Math.random().toString(36).slice(2)}`
    : join(mkdtempSync(join(tmpdir(), "effect-socketio-")), "worker")

/** Removes the folder that a worker had made for its socket, also for a worker that could not. */
export const removePath = (path: string): void => {
  if (process.platform === "win32" || !dirname(path).startsWith(join(tmpdir(), "effect-socketio-"))) return
  rmSync(dirname(path), { recursive: true, force: true })
}

/** Gives a connection to the HTTP server, with what has been read of it. */
const inject = (server: Server, socket: Socket, read: Buffer): void => {
  server.emit("connection", socket)
  if (read.length > 0) socket.unshift(read)
  socket.resume()
}

/** Reads the line that names the client, then hands the connection on as if the client itself had connected. */
const introduce = (socket: Socket, proceed: (rest: Buffer) => void): void => {
  let read = Buffer.alloc(0)
  const giveUp = (): void => {
    socket.destroy()
  }
  socket.once("error", giveUp)
  socket.setTimeout(introductionTimeout, giveUp)
  const onData = (chunk: Buffer): void => {
    read = Buffer.concat([read, chunk])
    const end = read.indexOf(newline)
    if (end === -1) {
      if (read.length > StickyMessages.maxPeerLine) giveUp()
      return
    }
    const peer = StickyMessages.parsePeer(read.subarray(0, end).toString())
    if (peer === undefined) return giveUp()
    socket.pause()
    socket.off("data", onData)
    socket.off("error", giveUp)
    socket.setTimeout(0)
    socket.off("timeout", giveUp)
    Object.defineProperties(socket, {
      remoteAddress: { value: peer.address, configurable: true },
      remotePort: { value: peer.port, configurable: true },
      ...(peer.encrypted ? { encrypted: { value: true, configurable: true } } : {})
    })
    proceed(read.subarray(end + 1))
  }
  socket.on("data", onData)
}

const listening = new WeakMap<Server, () => void>()

/**
 * Makes a server take its connections from the primary; gives back how to stop. A server that does so already is left as it is. Throws where
 * this process is no worker.
 */
export const acceptUnsafe = (server: Server): (() => void) => {
  if (!cluster.isWorker) throw new Error("only a worker of a cluster can take connections from its primary")
  const before = listening.get(server)
  if (before !== undefined) return before
  const tell = (message: StickyMessages.WorkerMessage): void => {
    // A primary that is gone takes its workers with it.
    if (process.connected) process.send?.(message, undefined, {}, () => {})
  }
  const { messageSource: source } = StickyMessages

  const onMessage = (value: unknown, handle: unknown): void => {
    const message = StickyMessages.handOver(value)
    if (message === undefined) return
    // The client has left while its connection was on the way.
    if (!(handle instanceof Socket)) return tell({ source, type: "closed" })
    handle.once("close", () => tell({ source, type: "closed" }))
    inject(server, handle, Buffer.from(message.read, "latin1"))
  }
  process.on("message", onMessage)

  const path = makePath()
  const remove = (): void => removePath(path)
  process.once("exit", remove)
  const internal: NetServer = createServer({ allowHalfOpen: true }, (socket) => {
    introduce(socket, (rest) => inject(server, socket, rest))
  })
  internal.on("error", (error) =>
    process.emitWarning(`effect-socketio: the worker cannot be reached: ${error.message}`)
  )
  internal.listen({ path, exclusive: true }, () => tell({ source, type: "ready", path }))
  // As a server that does not listen: what it holds open is the clients'.
  internal.unref()

  let stopped = false
  const stop = (): void => {
    if (stopped) return
    stopped = true
    listening.delete(server)
    tell({ source, type: "leaving" })
    process.off("message", onMessage)
    server.off("close", stop)
    internal.close(() => {
      process.off("exit", remove)
      remove()
    })
  }
  server.on("close", stop)
  listening.set(server, stop)
  return stop
}

/** Makes a server take its connections from the primary, until the scope closes. Fails with `Attach` where this process is no worker. */
export const accept = (server: Server): Effect.Effect<void, EngineError, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.try({
        try: () => acceptUnsafe(server),
        catch: (cause) =>
          new EngineError({ reason: "Attach", message: cause instanceof Error ? cause.message : String(cause), cause })
      }),
      (stop) => Effect.sync(stop)
    )
  )

/**
 * A host on a server of a worker: as `NodeEngine.layerAttach`, and the server's connections come from the primary, which has `StickyPrimary`.
 * The server must not listen.
 */
export const layer = (server: Server, options: NodeEngineOptions = {}): Layer.Layer<EngineHost, EngineError> =>
  Layer.provideMerge(Layer.effectDiscard(accept(server)), NodeEngine.layerAttach(server, options))
