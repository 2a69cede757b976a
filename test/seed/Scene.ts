/** What surrounds a program of the seed: the `io`, clients and output that its blocks take for granted, and the end of them all. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { createServer, type Server as HttpServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { Server, type ServerOptions, type Socket } from "effect-socketio/facade"
import { type Socket as ClientSocket, io as connect, type LookupOptions } from "effect-socketio/facade/client"
import { clusterAdapter } from "./Cluster.ts"
import { Inbox, within } from "../conformance/raw/Wait.ts"

/** Anything with `once`, whatever its events are. */
export interface Emits {
  once(event: never, listener: never): unknown
}

/** The arguments of the next event of that name. */
export const event = (emitter: Emits, name: string): Promise<ReadonlyArray<unknown>> => {
  const { once: subscribe } = emitter as { once(name: string, listener: (...args: Array<unknown>) => void): unknown }
  const happened = new Promise<ReadonlyArray<unknown>>((resolve) => {
    subscribe.call(emitter, name, (...args) => resolve(args))
  })
  return within(happened, `the event ${name}`)
}

/** Returns when the client is connected. */
export const connected = async (client: ClientSocket): Promise<ClientSocket> => {
  if (!client.connected) await event(client, "connect")
  return client
}

/** The packages under the programs. */
export interface Packages {
  readonly server: string
  readonly client: string
}

/** The surroundings of one program. */
export class Scene {
  readonly packages: Packages
  readonly #closers: Array<() => unknown> = []
  readonly #lines = new Inbox<ReadonlyArray<unknown>>()
  /** Stand-in for `console`: what the program prints can be asked for. */
  readonly console = {
    log: (...line: ReadonlyArray<unknown>): void => this.#lines.push(line),
    warn: (...line: ReadonlyArray<unknown>): void => this.#lines.push(line)
  }

  constructor(packages: Packages) {
    this.packages = packages
  }

  /** The next line that the program printed. */
  printed(ms?: number): Promise<ReadonlyArray<unknown>> {
    return this.#lines.next("a line of output", ms)
  }

  /** Has something done at the end, last first. */
  defer(close: () => unknown): void {
    this.#closers.push(close)
  }

  /** Ends what the program began. */
  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close()
  }

  /** Where a server listens, when it does; it is closed at the end. */
  async address(httpServer: Pick<HttpServer, "listening" | "address" | "close">, scheme = "http"): Promise<string> {
    if (!httpServer.listening) await once(httpServer as HttpServer, "listening")
    this.defer(
      () =>
        new Promise<void>((resolve) => {
          if ("closeAllConnections" in httpServer) (httpServer as HttpServer).closeAllConnections()
          httpServer.close(() => resolve())
        })
    )
    return `${scheme}://localhost:${(httpServer.address() as AddressInfo).port}`
  }

  /** Where the server of an `io` listens; both are closed at the end. */
  async url(io: Server, scheme = "http"): Promise<string> {
    const url = await this.address(io.httpServer as HttpServer, scheme)
    this.defer(() => io.close())
    return url
  }

  /** Stand-in for the `io` of a block that makes none, with its address. */
  async serve(options: Partial<ServerOptions> = {}): Promise<readonly [Server, string]> {
    const httpServer = createServer()
    const io = new Server(httpServer, options)
    httpServer.listen(0)
    return [io, await this.url(io)]
  }

  /** Stand-in for two servers of a cluster. */
  async cluster(): Promise<readonly [readonly [Server, string], readonly [Server, string]]> {
    const adapter = clusterAdapter()
    return [await this.serve({ adapter }), await this.serve({ adapter })]
  }

  /** Disconnects a client at the end. */
  keep<S extends { disconnect(): unknown }>(client: S): S {
    this.defer(() => client.disconnect())
    return client
  }

  /** Stand-in for the client of a block that makes none. */
  client(url: string, options: LookupOptions = {}): ClientSocket {
    return this.keep(connect(url, { forceNew: true, reconnectionDelay: 10, randomizationFactor: 0, ...options }))
  }

  /** Stand-in for both ends of a connection. */
  async pair(io: Emits, url: string, options?: LookupOptions): Promise<readonly [Socket, ClientSocket]> {
    const arrival = event(io, "connection")
    const client = this.client(url, options)
    const [socket] = await arrival
    await connected(client)
    return [socket as Socket, client]
  }

  /** A CommonJS program of the folder `programs`, run by itself, with the first message that it sends. */
  async child(file: string, ...args: ReadonlyArray<string>): Promise<readonly [ChildProcess, unknown]> {
    const child = fork(fileURLToPath(new URL(`programs/${file}`, import.meta.url)), args, {
      execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"],
      env: { ...process.env, SEED_SERVER: this.packages.server, SEED_CLIENT: this.packages.client },
      stdio: ["ignore", "inherit", "inherit", "ipc"]
    })
    const exit = once(child, "exit")
    this.defer(async () => {
      if (child.connected) child.disconnect()
      await within(exit, `the end of ${file}`)
    })
    const [message] = (await within(
      Promise.race([
        once(child, "message"),
        exit.then(([code]) => Promise.reject(new Error(`${file} ended with ${String(code)}`)))
      ]),
      `a message of ${file}`,
      15_000
    )) as Array<unknown>
    return [child, message]
  }
}

/** A program of the seed in our words; what it must be seen to do is asserted in it. */
export type Program = (scene: Scene) => Promise<void>

/** Programs by name. */
export type Programs = Readonly<Record<string, Program>>
