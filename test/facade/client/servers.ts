/** Servers and waiting, for the tests of the plain client. */
import { createServer, type Server as HttpServer } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"
import { Server, type ServerOptions } from "socket.io"
import { type LookupOptions, Manager, type ManagerOptions, type Socket } from "../../../src/facade/client.ts"

/** An official server that runs. */
export interface Running {
  readonly io: Server
  readonly http: HttpServer
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

const echo = (io: Server): void => {
  io.on("connection", (socket) => {
    socket.on("echo", (...args: Array<unknown>) => {
      const ack = args.pop() as (...args: Array<unknown>) => void
      ack(...args)
    })
    socket.on("say", (...args: Array<unknown>) => socket.emit("said", ...args))
    socket.on("never", () => undefined)
  })
}

/** Starts one on 127.0.0.1, until the test is finished. It answers `echo`, repeats what it is told to `say`, and never answers `never`. */
export const official = async (
  setup: (io: Server) => void = () => undefined,
  options: Partial<ServerOptions> = {},
  port = 0
): Promise<Running> => {
  const http = createServer()
  const io = new Server(http, options)
  echo(io)
  setup(io)
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve))
  const bound = (http.address() as AddressInfo).port
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      const closed = io.close()
      // What browsers keep open would be waited for.
      http.closeAllConnections()
      await closed
    })())
  onTestFinished(stop)
  return { io, http, url: `http://127.0.0.1:${bound}`, port: bound, stop }
}

/** A manager that is ended with the test; it connects again quickly. */
export const managerOf = (url: string, options: Partial<ManagerOptions> = {}): Manager => {
  const manager = new Manager(url, { reconnectionDelay: 10, randomizationFactor: 0, ...options })
  onTestFinished(() => {
    manager.reconnection(false)
    manager.disconnect()
  })
  return manager
}

/** A socket of a manager of its own. */
export const socketOf = (url: string, options: LookupOptions = {}, nsp = "/"): Socket =>
  managerOf(url, options).socket(nsp, options)

interface Emits {
  once(event: never, listener: never): unknown
}

/** The arguments of the next event of a socket, manager, engine or Node emitter. */
export const next = (emitter: Emits, event: string): Promise<Array<unknown>> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited for "${event}"`)), 5000)
    emitter.once(
      event as never,
      ((...args: Array<unknown>) => {
        clearTimeout(timer)
        resolve(args)
      }) as never
    )
  })

/** What is thrown outside of everything while `run` runs. */
export const uncaught = async (run: () => Promise<void>): Promise<ReadonlyArray<unknown>> => {
  const before = process.listeners("uncaughtException")
  const found: Array<unknown> = []
  process.removeAllListeners("uncaughtException")
  process.on("uncaughtException", (error) => found.push(error))
  try {
    await run()
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.removeAllListeners("uncaughtException")
    for (const listener of before) process.on("uncaughtException", listener)
  }
  return found
}
