/** A process with one server in it: `server.ts <module>`. It reports its own CPU time and memory when asked. */
import type { Mark } from "../Scenario.ts"
import type { Start } from "../servers/Server.ts"
import * as Child from "./Child.ts"

/** What the main process asks for. */
export type Ask = { readonly _tag: "start" } | { readonly _tag: "mark"; readonly gc: boolean }

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const collect = async () => {
  // Finalizers and weak references need a turn between collections.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await turn()
  }
}

const handle = async (ask: Ask): Promise<number | Omit<Mark, "at">> => {
  if (ask._tag === "start") {
    const { start } = (await import(process.argv[2]!)) as { readonly start: Start }
    return (await start()).port
  }
  if (ask.gc) await collect()
  const { user, system } = process.cpuUsage()
  const memory = process.memoryUsage()
  return { cpu: user + system, heap: memory.heapUsed, external: memory.external, rss: memory.rss }
}

Child.serve(handle)
