/** What servers and their clients leave behind when they go: nothing, not even a handle that keeps the process. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "@effect/vitest"

interface Result {
  /** Bytes on the heap after each round. */
  readonly servers: ReadonlyArray<number>
  readonly clients: ReadonlyArray<number>
  readonly connected: number
  readonly left: { readonly [what: string]: number }
}

interface Ended {
  readonly code: number | null
  /** From the last line of the program to the end of its process. */
  readonly lingered: number
  readonly errors: string
  readonly result: Result
}

/** Nobody ends the process but itself. */
const churn = (): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const program = join(import.meta.dirname, "churn.ts")
    const child = spawn(process.execPath, ["--conditions=source", "--expose-gc", program])
    let output = ""
    let errors = ""
    let told = 0
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      told = performance.now()
    })
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    child.once("error", reject)
    child.once("exit", (code) => {
      const lingered = performance.now() - told
      try {
        resolve({ code, lingered, errors, result: JSON.parse(output) as Result })
      } catch {
        reject(new Error(`code ${String(code)}: ${output}${errors}`))
      }
    })
  })

const growth = (heaps: ReadonlyArray<number>): number => heaps.at(-1)! - heaps[0]!

describe("servers and clients that come and go", () => {
  let ended: Ended
  beforeAll(async () => {
    ended = await churn()
  }, 90_000)

  it("1,002 servers, made, attached and closed, leave nothing on the heap", () => {
    const { servers } = ended.result
    // After the first round 668 more: one server kept of ten would be more than this.
    assert.isBelow(growth(servers), 668 * 500, String(servers))
  })

  it("1,600 clients that used everything leave nothing on the heap", () => {
    const { clients, connected } = ended.result
    assert.strictEqual(connected, 1600)
    // After the first round 1,200 more: a socket is about 1,000 bytes, a connection 5,000.
    assert.isBelow(growth(clients), 1200 * 300, String(clients))
  })

  it("no socket, room, engine socket or deadline is left", () => {
    assert.deepStrictEqual(ended.result.left, { clients: 0, engineSockets: 0, sockets: 0, rooms: 0, deadlines: 0 })
  })

  it("a process whose servers are closed ends at once, without a word", () => {
    assert.strictEqual(ended.code, 0)
    assert.strictEqual(ended.errors, "")
    assert.isBelow(ended.lingered, 1000)
  })
})
