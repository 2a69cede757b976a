/**
 * A PostgreSQL server of one's own, on a free port and in a directory of its own, that can be stopped, killed and started again.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { chown, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"
import { Client } from "pg"

const run = promisify(execFile)

/** How to get the binaries, for those who lack them. */
export const hint = "needs initdb and postgres, version 12 or newer (Debian: apt-get install postgresql)"

/** Debian keeps the servers of all versions beside each other, off the PATH. */
const debian = "/usr/lib/postgresql"

const binaries = ((): string | undefined => {
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(delimiter)
  ]
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")))
})()

/** Whether there is a PostgreSQL on this machine. In CI there has to be: what it tests must not be skipped unseen. */
export const available = ((): boolean => {
  if (binaries === undefined && process.env["CI"] !== undefined) throw new Error(`CI ${hint}`)
  return binaries !== undefined
})()

/** A PostgreSQL server that belongs to a test. */
export interface PostgresServer {
  readonly port: number
  readonly url: string
  /** Ends it as an administrator does who is in a hurry: connections are closed. */
  stop(): Promise<void>
  /** Ends all its processes as a power cut does: `kill -9`. */
  kill(): Promise<void>
  /** Starts it again on the same port and directory; settles when it takes connections. */
  start(): Promise<void>
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

interface User {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root: there it runs as the user that its package has made. */
const userOf = (): User | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync("/etc/passwd", "utf8").match(/^postgres:[^:]*:(\d+):(\d+):/m)
  if (line === null) throw new Error(`no user "postgres": ${hint}`)
  return { uid: Number(line[1]), gid: Number(line[2]) }
}

const answers = async (port: number): Promise<boolean> => {
  const client = new Client({ host: "127.0.0.1", port, user: "test", database: "postgres" })
  client.on("error", () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

const running = new Set<ChildProcess>()
process.once("exit", () => {
  // SIGQUIT: it ends its children, too.
  for (const child of running) child.kill("SIGQUIT")
})

const ended = (child: ChildProcess, signal: NodeJS.Signals): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill(signal)
  })

const parentOf = async (pid: number): Promise<number | undefined> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8")
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])
  } catch {
    return undefined
  }
}

/** The processes that a process has started. */
const childrenOf = async (pid: number): Promise<ReadonlyArray<number>> => {
  const pids = (await readdir("/proc").catch(() => [])).map(Number).filter((id) => id > 0)
  const parents = await Promise.all(pids.map(parentOf))
  return pids.filter((_, i) => parents[i] === pid)
}

const launch = async (directory: string, port: number, user: User | undefined): Promise<ChildProcess> => {
  const options = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: 400,
    shared_buffers: "32MB",
    fsync: "off",
    full_page_writes: "off",
    autovacuum: "off"
  }
  const args = Object.entries(options).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  const child = spawn(join(binaries!, "postgres"), ["-D", directory, ...args], { stdio: "ignore", ...user })
  running.add(child)
  child.once("exit", () => running.delete(child))
  const deadline = Date.now() + 30_000
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await ended(child, "SIGQUIT")
      throw new Error(`postgres did not start on port ${port}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return child
}

/** Makes a cluster of databases and starts it. */
export const start = async (): Promise<PostgresServer> => {
  if (binaries === undefined) throw new Error(hint)
  const user = userOf()
  const home = await mkdtemp(join(tmpdir(), "effect-socketio-postgres-"))
  if (user !== undefined) await chown(home, user.uid, user.gid)
  const directory = join(home, "data")
  await run(
    join(binaries, "initdb"),
    ["-D", directory, "-U", "test", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"],
    { cwd: home, ...user }
  )
  // Between finding a port free and taking it somebody else may take it.
  const attempt = async (left: number): Promise<{ port: number; child: ChildProcess }> => {
    const port = await freePort()
    try {
      return { port, child: await launch(directory, port, user) }
    } catch (error) {
      if (left === 0) throw error
      return attempt(left - 1)
    }
  }
  const first = await attempt(2)
  const { port } = first
  let { child } = first
  const kill = async (): Promise<void> => {
    const children = child.pid === undefined ? [] : await childrenOf(child.pid)
    const gone = ended(child, "SIGKILL")
    for (const pid of children) {
      try {
        process.kill(pid, "SIGKILL")
      } catch {
        // It has ended by itself.
      }
    }
    await gone
  }
  return {
    port,
    url: `postgres://test@127.0.0.1:${port}/postgres`,
    stop: () => ended(child, "SIGINT"),
    kill,
    start: async () => {
      child = await launch(directory, port, user)
    },
    close: async () => {
      await kill()
      await rm(home, { recursive: true, force: true })
    }
  }
}
