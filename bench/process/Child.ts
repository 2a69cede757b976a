/** Child processes that answer requests over Node's IPC channel, each on a CPU of its own where the system lets us choose. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** A request to a child; `id` pairs it with its {@link Reply}. */
export interface Request {
  readonly id: number
  readonly body: unknown
}

/** The child's answer. */
export interface Reply {
  readonly id: number
  readonly body?: unknown
  readonly error?: string | undefined
}

/** How long a child may take for an answer, in milliseconds: a lost operation must not hold up the whole run for ever. */
const patience = 120_000

/** A running child. */
export interface Child {
  /** Rejects when the child fails at it or ends. */
  readonly ask: <A>(body: unknown) => Promise<A>
  readonly stop: () => Promise<void>
}

/** The CPUs that this process may use, from `/proc`; empty where the system has no such file. */
export const allowedCpus = (): ReadonlyArray<number> => {
  let status: string
  try {
    status = readFileSync("/proc/self/status", "utf8")
  } catch {
    return []
  }
  const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(status)?.[1] ?? ""
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number)
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i)
  })
}

/** The CPUs that the measured process and the processes of the generator run on, one each. */
export interface Pinning {
  readonly server: number
  readonly load: ReadonlyArray<number>
}

/** Where they run; `undefined` when there is no `taskset` or only one CPU. */
export const pinning = (): Pinning | undefined => {
  const [server, ...load] = allowedCpus()
  if (server === undefined || load.length === 0) return undefined
  return spawnSync("taskset", ["-c", String(server), "true"]).status === 0 ? { server, load } : undefined
}

/** Starts `file` under this Node or another. What it prints goes to standard error. */
export const start = (
  file: URL,
  args: ReadonlyArray<string>,
  cpu: number | undefined,
  executable: string = process.execPath
): Child => {
  const node = [executable, "--conditions=source", "--expose-gc", fileURLToPath(file), ...args]
  const [command, ...rest] = cpu === undefined ? node : ["taskset", "-c", String(cpu), ...node]
  const child: ChildProcess = spawn(command!, rest, {
    stdio: ["ignore", 2, 2, "ipc"],
    env: { ...process.env, NODE_ENV: "production" }
  })
  const waiting = new Map<number, { resolve: (body: never) => void; reject: (error: Error) => void }>()
  let next = 0
  let ended: Error | undefined
  const exited = new Promise<void>((resolve) => {
    const end = (why: string) => {
      ended = new Error(`${args.join(" ")}: ${why}`)
      for (const { reject } of waiting.values()) reject(ended)
      waiting.clear()
      resolve()
    }
    child.on("error", (error) => end(error.message))
    child.on("exit", (code, signal) => end(`ended with ${code ?? signal}`))
  })
  child.on("message", (message) => {
    const reply = message as Reply
    const waiter = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (reply.error === undefined) waiter?.resolve(reply.body as never)
    else waiter?.reject(new Error(`${args.join(" ")}: ${reply.error}`))
  })
  return {
    ask: (body) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended)
        const id = next++
        const timer = setTimeout(() => {
          waiting.delete(id)
          reject(new Error(`${args.join(" ")}: no answer within ${patience / 1000} s`))
        }, patience)
        waiting.set(id, {
          resolve: (answer) => {
            clearTimeout(timer)
            resolve(answer)
          },
          reject: (error) => {
            clearTimeout(timer)
            reject(error)
          }
        })
        child.send({ id, body } satisfies Request)
      }),
    stop: async () => {
      if (ended === undefined) child.kill("SIGKILL")
      await exited
    }
  }
}

/** The child's end: answers each request with what `handle` resolves to. */
export const serve = (handle: (body: never) => Promise<unknown>): void => {
  process.on("message", (message) => {
    const { id, body } = message as Request
    handle(body as never).then(
      (body) => process.send!({ id, body } satisfies Reply),
      (error: unknown) =>
        process.send!({ id, error: error instanceof Error ? error.message : String(error) } satisfies Reply)
    )
  })
  process.on("disconnect", () => process.exit(0))
}
