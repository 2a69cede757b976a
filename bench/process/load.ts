/** A process of the load generator: `load.ts <index> <count>`, its place among the generator's processes. */
import * as Stats from "../Stats.ts"
import type { Driver, Load } from "../Scenario.ts"
import { scenarios } from "../scenarios/all.ts"
import * as Child from "./Child.ts"

/** What the main process asks for, in this order; scenarios of one group come one after the other. */
export type Ask =
  /** Only where a client is measured; gives the port. */
  | { readonly _tag: "listen"; readonly scenario: string }
  | { readonly _tag: "prepare"; readonly scenario: string; readonly port: number; readonly scale: number }
  /** Any number of times, each followed by `settle`. */
  | { readonly _tag: "measure"; readonly milliseconds: number }
  | { readonly _tag: "settle" }

const share = { index: Number(process.argv[2]), count: Number(process.argv[3]) }

const named = (name: string) => scenarios.find((scenario) => scenario.name === name)!

let driver: Driver | undefined

const handle = async (ask: Ask): Promise<Load | number | undefined> => {
  switch (ask._tag) {
    case "listen":
      return named(ask.scenario).listen?.()
    case "prepare": {
      const { port, scale } = ask
      driver = await named(ask.scenario).prepare({ port, share, scale })
      await driver.warmUp(scale)
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
