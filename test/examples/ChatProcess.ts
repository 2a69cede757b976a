/** The chat as a user starts it: a process with a port, stopped by a signal. */
import { type ChildProcess, spawn } from "node:child_process"
import { createServer } from "node:net"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")

/** A port that nobody listens on now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(address)))
    })
  })

/** A running chat. */
export interface Chat {
  readonly url: string
  readonly output: () => string
  /** Sends the signal and gives the exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>
}

/** Waits for the exit of a process that may have ended already. */
const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode)
    else child.once("exit", (code) => resolve(code))
  })

/** Starts the chat on a port, as `npm start` does; gives up when it ends before it listens. */
export const start = async (port: number): Promise<Chat> => {
  const child = spawn(process.execPath, ["--conditions=source", "examples/chat/main.ts"], {
    cwd: root,
    env: { ...process.env, PORT: String(port) }
  })
  let output = ""
  const listening = new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      output += chunk.toString()
      if (output.includes("http://localhost:")) resolve()
    }
    child.stdout.on("data", take)
    child.stderr.on("data", take)
    child.once("exit", () => reject(new Error(`the chat ended: ${output}`)))
  })
  await listening
  return {
    url: `http://localhost:${port}`,
    output: () => output,
    stop(signal) {
      child.kill(signal)
      return ended(child)
    }
  }
}
