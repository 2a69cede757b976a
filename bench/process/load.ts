/** The load generator's process: `load.ts <scenario> <port>`. */
import * as Stats from "../Stats.ts"
import type { Driver, Load } from "../Scenario.ts"
import { scenarios } from "../scenarios/all.ts"
import * as Child from "./Child.ts"

/** What the main process asks for, in this order; `measure` and `settle` any number of times. */
export type Ask =
  | { readonly _tag: "prepare"; readonly scale: number }
  | { readonly _tag: "measure"; readonly milliseconds: number }
  | { readonly _tag: "settle" }

const scenario = scenarios.find((scenario) => scenario.name === process.argv[2])!
let driver: Driver | undefined

const handle = async (ask: Ask): Promise<Load | undefined> => {
  switch (ask._tag) {
    case "prepare": {
      driver = await scenario.prepare(Number(process.argv[3]))
      await driver.warmUp(ask.scale)
      return undefined
    }
    case "measure": {
      const cpu = process.cpuUsage()
      const start = performance.now()
      const { operations, latencies } = await driver!.measure(ask.milliseconds)
      const elapsed = performance.now() - start
      const used = process.cpuUsage(cpu)
      return {
        operations,
        elapsed,
        cpu: used.user + used.system,
        latency:
          latencies === undefined
            ? undefined
            : { p50: Stats.quantile(latencies, 0.5), p99: Stats.quantile(latencies, 0.99) }
      }
    }
    case "settle": {
      await driver!.settle()
      return undefined
    }
  }
}

Child.serve(handle)
