/** Socket.IO: handlers and middleware that fail, which is no client's fault. */
import * as assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { calm, type Case, type Context, socketSuite } from "../Case.ts"
import type { Endpoint } from "../raw/Http.ts"
import { socketIo } from "../raw/SocketIo.ts"
import { within } from "../raw/Wait.ts"
import type { SocketServer } from "../Target.ts"
import { connection } from "./connecting.ts"

type Given = Context<SocketServer>

/** Starts the official server in a process of its own and gives its endpoint and exit code. */
const child = async ({
  cleanup
}: Given): Promise<{ readonly endpoint: Endpoint; readonly exit: Promise<number | null> }> => {
  const file = fileURLToPath(new URL("../targets/officialChild.ts", import.meta.url))
  const running: ChildProcess = spawn(process.execPath, ["--conditions=source", file], {
    stdio: ["ignore", "pipe", "ignore"]
  })
  cleanup(() => {
    running.kill()
  })
  const exit = new Promise<number | null>((resolve) => running.on("exit", resolve))
  const line = new Promise<string>((resolve) => running.stdout?.once("data", (data) => resolve(String(data))))
  return { endpoint: JSON.parse(await within(line, "the official server to start", 10_000)) as Endpoint, exit }
}

const dies = (message: string, packets: ReadonlyArray<string>) => ({
  because: message,
  instead: async (given: Given) => {
    const { endpoint, exit } = await child(given)
    const io = await socketIo(endpoint)
    given.cleanup(() => io.leave())
    await io.join()
    await io.send(...packets)
    assert.equal(await within(exit, "the official server's process to end"), 1)
  }
})

const cases: ReadonlyArray<Case<SocketServer>> = [
  {
    title: "a handler that fails: no answer, the connection and the server go on",
    run: async (given) => {
      const witness = await connection(given)
      await witness.join()
      const io = await connection(given)
      await io.join()
      await io.send('2["fail"]', '27["fail"]')
      await io.quiet()
      await witness.quiet()
    },
    official: dies("T6: the rejection of an asynchronous listener ends the process with exit code 1", ['2["fail"]'])
  },
  {
    title: "asynchronous middleware that throws: refused at once, the connection and the server go on",
    run: async (given) => {
      const witness = await connection(given)
      await witness.join()
      const io = await connection(given)
      await io.send("0/throwing,")
      const refusal = await io.next()
      assert.ok(typeof refusal === "string" && refusal.startsWith('4/throwing,{"message":"'), String(refusal))
      // What went wrong inside is none of the client's business.
      assert.ok(!refusal.includes("broken"), refusal)
      await io.join()
      await io.quiet()
      await witness.quiet()
    },
    official: dies("T6: asynchronous middleware that throws ends the process with exit code 1, and answers nothing", [
      "0/throwing,"
    ])
  }
]

/** Suites about failing handlers. */
export const failingSuites = [socketSuite("Socket.IO handlers that fail", calm, cases)]
