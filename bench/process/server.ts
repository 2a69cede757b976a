/** A process with one server or client in it: `server.ts <module>`. It reports its own CPU time and memory when asked. */
import { Session } from "node:inspector/promises"
import { writeFileSync } from "node:fs"
import { writeHeapSnapshot } from "node:v8"
import type { Mark } from "../Scenario.ts"
import type { Start, StartOptions } from "../servers/Server.ts"
import * as Child from "./Child.ts"

/** What the main process asks for. */
export type Ask =
  | { readonly _tag: "start"; readonly options: StartOptions }
  | { readonly _tag: "mark"; readonly gc: boolean }
  /** Between these two a CPU profile is taken, which `stopProfile` writes to the file. */
  | { readonly _tag: "startProfile" }
  | { readonly _tag: "stopProfile"; readonly file: string }
  | { readonly _tag: "heapSnapshot"; readonly file: string }

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const collect = async () => {
  // Finalizers and weak references need a turn between collections.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await turn()
  }
}

const mark = async (gc: boolean): Promise<Omit<Mark, "at">> => {
  if (gc) await collect()
  const { user, system } = process.cpuUsage()
  const memory = process.memoryUsage()
  return { cpu: user + system, heap: memory.heapUsed, external: memory.external, rss: memory.rss }
}

let profiler: Session | undefined

const startProfile = async () => {
  profiler = new Session()
  profiler.connect()
  await profiler.post("Profiler.enable")
  await profiler.post("Profiler.setSamplingInterval", { interval: 200 })
  await profiler.post("Profiler.start")
}

const stopProfile = async (file: string) => {
  const { profile } = await profiler!.post("Profiler.stop")
  profiler!.disconnect()
  writeFileSync(file, JSON.stringify(profile))
}

const handle = async (ask: Ask): Promise<unknown> => {
  switch (ask._tag) {
    case "start": {
      const { start } = (await import(process.argv[2]!)) as { readonly start: Start }
      return (await start(ask.options)).port
    }
    case "mark":
      return mark(ask.gc)
    case "startProfile":
      return startProfile()
    case "stopProfile":
      return stopProfile(ask.file)
    case "heapSnapshot": {
      await collect()
      return writeHeapSnapshot(ask.file)
    }
  }
}

Child.serve(handle)
