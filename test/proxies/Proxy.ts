/** Proxies as their users start them, with the configurations of examples/proxies, on other ports and in a folder of their own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")

/** Debian's servers are here, also where the PATH of a user leaves it out. */
const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` }

/** The ports of the configurations, and those that a test puts in their place. */
export interface Ports {
  /** 8080: sticky by a cookie. */
  readonly cookie: number
  /** 8081: sticky by the address. */
  readonly address: number
  /** 8082: WebSocket only. */
  readonly webSocket: number
  /** 3001 to 3003. */
  readonly nodes: ReadonlyArray<number>
}

/** A proxy to be tried. */
export interface Program {
  readonly name: string
  /** Debian's package, for those who have not got it. */
  readonly package: string
  /** `undefined`: Node itself, which is there. */
  readonly binary: string | undefined
  /** In examples/proxies. */
  readonly configuration: string
  /** What the configuration offers beside cookies and the prefix. */
  readonly address: boolean
  readonly webSocketOnly: boolean
  /** Changes what belongs to a whole machine to what belongs to a folder. */
  readonly prepare?: (configuration: string, folder: string) => string
  readonly command: (
    file: string,
    folder: string,
    ports: Ports
  ) => {
    readonly command: string
    readonly args: ReadonlyArray<string>
    readonly env?: Readonly<Record<string, string>>
  }
}

const isRoot = process.getuid?.() === 0

/** All that are run. */
export const programs: ReadonlyArray<Program> = [
  {
    name: "nginx",
    package: "nginx-light",
    binary: "nginx",
    configuration: "nginx.conf",
    address: true,
    webSocketOnly: true,
    prepare: (configuration, folder) =>
      configuration.replace(
        "http {",
        `http {\n  access_log off;\n${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
          .map((name) => `  ${name}_temp_path ${join(folder, name)};\n`)
          .join("")}`
      ),
    command: (file, folder) => ({
      command: "nginx",
      args: ["-p", folder, "-c", file, "-e", "stderr", "-g", `daemon off; pid ${join(folder, "pid")};`]
    })
  },
  {
    name: "Apache httpd",
    package: "apache2",
    binary: "apache2",
    configuration: "httpd.conf",
    address: false,
    webSocketOnly: true,
    prepare: (configuration, folder) =>
      configuration
        .replaceAll("/var/run/apache2", folder)
        .replace('ServerRoot "/etc/apache2"', `ServerRoot "${folder}"${isRoot ? "\nUser nobody\nGroup nogroup" : ""}`)
        .replace('"/dev/stderr"', `"${join(folder, "error.log")}"`),
    command: (file) => ({ command: "apache2", args: ["-f", file, "-DFOREGROUND"] })
  },
  {
    name: "HAProxy",
    package: "haproxy",
    binary: "haproxy",
    configuration: "haproxy.cfg",
    address: true,
    webSocketOnly: true,
    command: (file) => ({ command: "haproxy", args: ["-db", "-f", file] })
  },
  {
    name: "Caddy",
    package: "caddy",
    binary: "caddy",
    configuration: "Caddyfile",
    address: true,
    webSocketOnly: true,
    command: (file, folder) => ({
      command: "caddy",
      args: ["run", "--config", file, "--adapter", "caddyfile"],
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
    })
  },
  {
    name: "http-proxy",
    package: "nodejs",
    binary: undefined,
    configuration: "http-proxy.ts",
    address: false,
    webSocketOnly: false,
    command: (_file, _folder, { cookie, nodes }) => ({
      command: process.execPath,
      args: ["--conditions=source", join(root, "examples/proxies/http-proxy.ts")],
      env: { PORT: String(cookie), NODES: nodes.map((port) => `127.0.0.1:${port}`).join(",") }
    })
  }
]

/** Whether the program is on this machine. */
export const isInstalled = ({ binary }: Program): boolean => {
  if (binary === undefined) return true
  try {
    execFileSync("sh", ["-c", `command -v ${binary}`], { env, stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** Ports that nobody listens on now. */
export const freePorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer()
          server.listen(0, "127.0.0.1", () => resolve(server))
        })
    )
  )
  return Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          const { port } = server.address() as { readonly port: number }
          server.close(() => resolve(port))
        })
    )
  )
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once("exit", () => resolve())
  })

/** A running proxy. */
export interface Proxy {
  readonly output: () => string
  stop(): Promise<void>
}

/** Starts a proxy and waits until it accepts connections. */
export const start = async (program: Program, ports: Ports): Promise<Proxy> => {
  const folder = mkdtempSync(join(tmpdir(), "proxies-"))
  // Their workers may be other users.
  chmodSync(folder, 0o755)
  const given = readFileSync(join(root, "examples/proxies", program.configuration), "utf8")
  const replaced: Readonly<Record<string, number | undefined>> = {
    "8080": ports.cookie,
    "8081": ports.address,
    "8082": ports.webSocket,
    "3001": ports.nodes[0],
    "3002": ports.nodes[1],
    "3003": ports.nodes[2]
  }
  const moved = given.replaceAll(/\b(?:808[0-2]|300[1-3])\b/g, (port) => String(replaced[port]))
  const file = join(folder, program.configuration)
  mkdirSync(join(folder, "logs"))
  writeFileSync(file, program.prepare?.(moved, folder) ?? moved)
  const { command, args, env: own } = program.command(file, folder, ports)
  const child = spawn(command, args, { env: { ...env, ...own }, stdio: ["ignore", "pipe", "pipe"] })
  let output = ""
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()))
  child.once("error", (error) => (output += error.message))
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM")
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000)
    await ended(child)
    clearTimeout(timer)
    rmSync(folder, { recursive: true, force: true })
  }
  const end = Date.now() + 60_000
  const expected = [
    ports.cookie,
    ...(program.address ? [ports.address] : []),
    ...(program.webSocketOnly ? [ports.webSocket] : [])
  ]
  for (const port of expected) {
    while (!(await accepts(port))) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > end) {
        const log = output
        await stop()
        throw new Error(`${program.name} does not listen: ${log}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return { output: () => output, stop }
}
