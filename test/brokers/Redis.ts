/**
 * A redis-server of one's own, on a free port and in a directory of its own, that can be stopped, killed and started again.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, connect, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** How to get the binary, for those who lack it. */
export const hint = "needs redis-server 7 or newer on the PATH (Debian: apt-get install redis-server)"

/** Whether there is a redis-server on this machine. In CI there has to be: what it tests must not be skipped unseen. */
export const available = ((): boolean => {
  const found = spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0
  if (!found && process.env["CI"] !== undefined) throw new Error(`CI ${hint}`)
  return found
})()

/** A redis-server that belongs to a test. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Ends it as an administrator does. */
  stop(): Promise<void>
  /** Ends it as a power cut does: `kill -9`. */
  kill(): Promise<void>
  /** Starts it again on the same port and directory; settles when it takes connections. */
  start(): Promise<void>
  /** Freezes and thaws it: connections stay, nothing is answered. */
  freeze(): void
  thaw(): void
  /** Ends it and removes its directory. */
  close(): Promise<void>
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const pong = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => end(false))
    socket.once("error", () => end(false))
    socket.once("connect", () => socket.write("PING\r\n"))
    socket.once("data", (data) => end(data.toString().startsWith("+PONG")))
  })

const running = new Set<ChildProcess>()
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL")
})

const launch = async (port: number, directory: string, args: ReadonlyArray<string>): Promise<ChildProcess> => {
  const fixed = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--daemonize", "no"]
  const child = spawn("redis-server", [...fixed, ...args], { stdio: "ignore" })
  running.add(child)
  child.once("exit", () => running.delete(child))
  const deadline = Date.now() + 15_000
  while (!(await pong(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill("SIGKILL")
      throw new Error(`redis-server did not start on port ${port}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return child
}

const ended = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill(signal)
  })

/** Starts a redis-server with more arguments of its command line, such as `--appendonly yes`. */
export const start = async (...args: ReadonlyArray<string>): Promise<RedisServer> => {
  const directory = await mkdtemp(join(tmpdir(), "effect-socketio-redis-"))
  // Between finding a port free and taking it somebody else may take it.
  const attempt = async (left: number): Promise<{ port: number; child: ChildProcess }> => {
    const port = await freePort()
    try {
      return { port, child: await launch(port, directory, args) }
    } catch (error) {
      if (left === 0) throw error
      return attempt(left - 1)
    }
  }
  const { port, child: first } = await attempt(3)
  let child = first
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    stop: () => ended(child, "SIGTERM"),
    kill: () => ended(child, "SIGKILL"),
    start: async () => {
      child = await launch(port, directory, args)
    },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    close: async () => {
      await ended(child, "SIGKILL")
      await rm(directory, { recursive: true, force: true })
    }
  }
}
