/**
 * A server of NATS for tests: a process of its own on a free port, with its store in a folder of its own, that can be killed and started
 * again on the same port.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Whether the binary is there; in CI it has to be. */
export const available: boolean = (() => {
  try {
    execFileSync("nats-server", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    if (process.env["CI"] !== undefined) throw new Error("nats-server is not installed: apt-get install nats-server")
    console.warn("skipped: nats-server is not installed (apt-get install nats-server)")
    return false
  }
})()

/** A running server. */
export interface NatsServer {
  readonly port: number
  /** As `servers` of the client wants it. */
  readonly url: string
  /** Kills it without warning; completes when it is gone. */
  readonly kill: Effect.Effect<void>
  /** Starts it again on the same port with the same store; completes when it answers. */
  readonly start: Effect.Effect<void>
}

/** How it is to run. */
export interface NatsServerOptions {
  readonly jetStream?: boolean
  /** In bytes. Default: that of the server, 1 MiB. */
  readonly maxPayload?: number
}

const freePort: Effect.Effect<number> = Effect.callback((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Whether somebody answers with the greeting of NATS. */
const answers = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect(port, "127.0.0.1")
    const end = (result: boolean): void => {
      socket.destroy()
      resume(Effect.succeed(result))
    }
    socket.once("data", (data) => end(data.toString().startsWith("INFO")))
    socket.once("error", () => end(false))
    socket.once("close", () => end(false))
  })

const patience = 20_000

const awaitAnswer = (port: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const end = performance.now() + patience
    const wait: Effect.Effect<void> = Effect.flatMap(answers(port), (up) => {
      if (up) return Effect.void
      if (performance.now() > end) return Effect.die(new Error(`nats-server does not answer on port ${port}`))
      return Effect.andThen(Effect.sleep("20 millis"), wait)
    })
    return wait
  })

const killed = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

/** Starts a server, which ends with the scope. */
export const make = (options: NatsServerOptions = {}): Effect.Effect<NatsServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "effect-socketio-nats-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    )
    const port = yield* freePort
    const file = join(folder, "server.conf")
    const lines = [
      `listen: "127.0.0.1:${port}"`,
      ...(options.maxPayload === undefined ? [] : [`max_payload: ${options.maxPayload}`]),
      ...(options.jetStream === true ? [`jetstream { store_dir: ${JSON.stringify(join(folder, "store"))} }`] : [])
    ]
    yield* Effect.promise(() => writeFile(file, `${lines.join("\n")}\n`))
    let child: ChildProcess | undefined
    const kill = Effect.suspend(() => (child === undefined ? Effect.void : killed(child)))
    const start = Effect.suspend(() => {
      child = spawn("nats-server", ["-c", file], { stdio: "ignore" })
      return awaitAnswer(port)
    })
    yield* Effect.addFinalizer(() => kill)
    yield* start
    return { port, url: `nats://127.0.0.1:${port}`, kill, start }
  })
