/** An example as a user starts it: a process that prints where it listens and ends by SIGTERM. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")

/** What a process is started with. */
export interface ProgramOptions {
  /** 0 takes a free one. Default 0. */
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
  /** Default: this Node, and sources instead of dist. */
  readonly command?: readonly [string, ...Array<string>]
}

/** A running example. */
export interface Program {
  readonly url: string
  readonly output: () => string
  /** Sends the signal and gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode)
    else child.once("exit", (code) => resolve(code))
  })

/** Starts a file of the repository; gives up when it ends before it listens. */
export const start = async (file: string, options: ProgramOptions = {}): Promise<Program> => {
  const [command, ...args] = options.command ?? [process.execPath, "--conditions=source"]
  const child = spawn(command, [...args, file], {
    cwd: root,
    env: { ...process.env, ...options.env, PORT: String(options.port ?? 0) }
  })
  let output = ""
  const url = await new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      output += chunk.toString()
      const found = /listening on (\S+)\n/.exec(output)?.[1]
      if (found !== undefined) resolve(found)
    }
    child.stdout.on("data", take)
    child.stderr.on("data", take)
    child.once("error", reject)
    child.once("exit", () => reject(new Error(`${file} ended: ${output}`)))
  })
  return {
    url,
    output: () => output,
    stop(signal = "SIGTERM") {
      child.kill(signal)
      return ended(child)
    }
  }
}
