/** Clusters as processes, and official clients of theirs. */
import { fork } from "node:child_process"
import { join } from "node:path"
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client"
import { onTestFinished } from "vitest"
import type { ClusterConfig, Command, Report, WorkerReport } from "./programs/config.ts"

const root = join(import.meta.dirname, "../../..")

/** Waits until a condition holds, however it changes. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  millis = 60_000
): Promise<void> => {
  const end = Date.now() + millis
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A running cluster. */
export interface Cluster {
  /** The port of the primary, where it balances. */
  readonly port: number
  readonly workers: ReadonlyArray<WorkerReport>
  readonly exited: ReadonlyArray<number>
  readonly output: () => string
  /** Kills it, with all its workers. */
  stop(): Promise<void>
  command(command: Command): void
  /** What the primary knows. */
  state(): Promise<{
    readonly counters?: { readonly routed: number; readonly ignored: number; readonly dropped: number }
    readonly nodes?: number
    readonly sessions?: number
    readonly workers?: Readonly<Record<string, number>>
  }>
}

/** Starts a cluster, which takes a while: every worker loads the library from its sources. Whoever starts it stops it. */
export const start = async (config: ClusterConfig): Promise<Cluster> => {
  const child = fork(join(import.meta.dirname, "programs/primary.ts"), {
    cwd: root,
    execArgv: ["--conditions=source"],
    env: {
      ...process.env,
      ...(config.sticky?.folder === undefined ? {} : { TMPDIR: config.sticky.folder }),
      CLUSTER: JSON.stringify(config)
    },
    serialization: "advanced",
    silent: true
  })
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once("exit", resolve))
    // Its workers end themselves when it is gone.
    child.kill("SIGKILL")
    await ended
  }
  let output = ""
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()))
  const workers: Array<WorkerReport> = []
  const exited: Array<number> = []
  const states: Array<(state: never) => void> = []
  let port = 0
  child.on("message", (report: Report) => {
    if (report.type === "primary") port = report.port
    else if (report.type === "worker") workers.push(report.worker)
    else if (report.type === "exit") exited.push(report.id)
    else states.shift()?.(report.state as never)
  })
  await until(
    "the cluster",
    () => {
      if (child.exitCode !== null) throw new Error(`the primary ended: ${output}`)
      return workers.length === config.workers.length && (config.sticky === undefined || port !== 0)
    },
    120_000
  ).catch(async (error: unknown) => {
    await stop()
    throw new Error(`${String(error)}: ${output}`)
  })
  return {
    get port() {
      return port
    },
    workers,
    exited,
    output: () => output,
    stop,
    command: (command) => void child.send(command),
    state: () =>
      new Promise((resolve, reject) => {
        if (child.exitCode !== null) return reject(new Error(`the primary ended: ${output}`))
        states.push(resolve as (state: never) => void)
        child.send({ type: "state" } satisfies Command)
      })
  }
}

/** What a worker says first. */
export interface Hello {
  readonly worker: number
  readonly address: string
  readonly secure: boolean
}

/** An official client that is connected, and what its worker said. */
export interface Client {
  readonly socket: Socket
  readonly hello: Hello
  /** The arguments of each `said`. */
  readonly said: Array<ReadonlyArray<unknown>>
}

/** Connects an official client; it ends with the test. */
export const client = async (
  url: string,
  options: Partial<ManagerOptions & SocketOptions> = { transports: ["websocket"] }
): Promise<Client> => {
  const socket = io(url, { forceNew: true, reconnection: false, ...options })
  onTestFinished(() => {
    socket.disconnect()
  })
  const said: Array<ReadonlyArray<unknown>> = []
  socket.on("said", (...args: Array<unknown>) => said.push(args))
  const hello = await new Promise<Hello>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no hello from ${url}`)), 60_000)
    socket.once("connect_error", reject)
    socket.once("hello", (value: Hello) => {
      clearTimeout(timer)
      resolve(value)
    })
  })
  return { socket, hello, said }
}
