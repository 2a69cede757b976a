/** Programs of the acceptance tests, run as processes of their own: what ends a process can only be seen from outside of it. */
import { spawn } from "node:child_process"
import { join } from "node:path"

const root = join(import.meta.dirname, "../../..")

/** How a program ended. */
export interface Ended {
  readonly code: number | null
  readonly output: string
  /** The JSON of its last line, if that is what it is. */
  readonly result: unknown
}

const parse = (output: string): unknown => {
  try {
    return JSON.parse(output.trim().split("\n").at(-1) ?? "") as unknown
  } catch {
    return undefined
  }
}

/** Runs a program of this folder to its end. */
export const run = (program: string, ...nodeOptions: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ["--conditions=source", ...nodeOptions, `test/acceptance/programs/${program}`],
      { cwd: root }
    )
    let output = ""
    let errors = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    child.once("exit", (code) => resolve({ code, output: output + errors, result: parse(output) }))
  })
